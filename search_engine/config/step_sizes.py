"""How many children each step of a search has, and when it is drawn, however often their total changes on the way."""

from collections.abc import Sequence
from dataclasses import dataclass


class NeverInForce(ValueError):
    """A total that cannot be: step: from which it was to hold; the message says why it does not."""


@dataclass(frozen=True, slots=True)
class Total:
    """How many children there are in all, from the moment when step `from_step` may be drawn for the first time."""

    from_step: int
    children: int


@dataclass(frozen=True, slots=True)
class _Stretch:
    """While one total is in force: the first step and how many children there are before it; told: since when."""

    first_step: int
    children_before: int
    total: int
    told: int


class StepSizes:
    """A pure function of the first total and its changes; a later change never alters a step that is drawn already.

    Step k is drawn as soon as k - lookahead steps are told, and has `step_size` children or what is left of the total.
    A total that is raised when all of the old one are drawn lets the next steps be drawn from its moment on.
    """

    def __init__(self, children: int, *, step_size: int, lookahead: int, changes: Sequence[Total] = ()) -> None:
        """Raises NeverInForce where a change comes too late, or takes back what was drawn before it."""
        self._step_size = step_size
        self._lookahead = lookahead
        self._stretches = [_Stretch(0, 0, children, 0)]
        for change in changes:
            self._stretches.append(self._begun_by(change))

    @property
    def steps(self) -> int:
        """How many there are in all."""
        return self._end(self._stretches[-1])

    @property
    def children(self) -> int:
        """How many there are in all."""
        return self._stretches[-1].total

    def size(self, step: int) -> int:
        """How many children this step has; 0 behind the last one."""
        stretch = self._stretch_of(step)
        return max(0, min(self._step_size, stretch.total - self._children_before(stretch, step)))

    def drawn_when(self, step: int) -> int:
        """How many steps are told when this one is drawn."""
        return max(step - self._lookahead, self._stretch_of(step).told)

    def drawn_at(self, told: int) -> range:
        """The steps that are drawn and not yet told, when so many are told."""
        end = told
        while self.size(end) and self.drawn_when(end) <= told:
            end += 1
        return range(told, end)

    def _begun_by(self, change: Total) -> _Stretch:
        before = self._stretches[-1]
        told = max(change.from_step - self._lookahead, 0)
        if told < before.told:
            raise NeverInForce("stands behind one of a later step; changes must be in the order of their steps.")
        drawn = before.first_step if told == before.told else min(self._end(before), told + self._lookahead)
        if drawn < told:
            raise NeverInForce(f"comes too late: the search is over after {drawn} steps.")
        children = self._children_before(before, drawn)
        if change.children < children:
            raise NeverInForce(f"is {change.children:,}; {children:,} are drawn already before it takes effect.")
        return _Stretch(drawn, children, change.children, told)

    def _end(self, stretch: _Stretch) -> int:
        return stretch.first_step - (stretch.children_before - stretch.total) // self._step_size

    def _children_before(self, stretch: _Stretch, step: int) -> int:
        return min(stretch.total, stretch.children_before + (step - stretch.first_step) * self._step_size)

    def _stretch_of(self, step: int) -> _Stretch:
        return next(stretch for stretch in reversed(self._stretches) if stretch.first_step <= step)
