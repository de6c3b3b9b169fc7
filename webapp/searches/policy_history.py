"""What the controller preferred at every step of a search: read out of its events, and thinned for a page.

A column is one step: the policy under which it was drawn or, with shared weights, the policy after its controller
phase. Columns that were read once are kept in this process, so that only newer events are read the next time.
"""

import threading
import uuid
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from webapp.searches.models import Event, Search

FROZEN = 0.9  # A decision is frozen while its most probable option stays the same and at least as probable as this.
LEAST = 0.00005  # What a probability that is not 0 is told as at least.
KEPT_SEARCHES = 16  # In this process; a search of 1,000 steps and 50 decisions takes five megabytes.

_known: OrderedDict[uuid.UUID, "Columns"] = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class PolicyHistory:
    """The columns at places 0, every, 2 * every, ... of all `known` ones, and the last one.

    steps: of the columns shown. policy, entropies: by column, as in events.StepProposed, rounded to four decimals.
    frozen: by decision, the first step from which it is frozen (see FROZEN) up to the last one; None where it is not.
    """

    steps: list[int]
    policy: list[list[list[float]]]
    entropies: list[list[float]]
    frozen: list[int | None]
    known: int
    every: int


def policy_history(search: Search, points: int) -> PolicyHistory:
    """At most `points` columns, at least two, of all steps there are."""
    with _lock:
        return _columns_of(search).shown(points)


def thinned(count: int, points: int) -> tuple[list[int], int]:
    """Places 0, every, 2 * every, ... and the last of `count`, at most `points` of them, and `every`.

    every: the smallest power of two that does, so that a place which is shown stays until every second one goes.
    """
    every = 1
    while len(places := _places(count, every)) > max(points, 2):
        every *= 2
    return places, every


def _places(count: int, every: int) -> list[int]:
    return sorted({*range(0, count, every), *([count - 1] if count else [])})


@dataclass(slots=True)
class Columns:
    """All columns of one search up to event `number`. policies: [D, options of the largest decision], padded by -1."""

    number: int = 0
    sizes: list[int] = field(default_factory=list)
    steps: list[int] = field(default_factory=list)
    policies: list[NDArray[np.float64]] = field(default_factory=list)
    entropies: list[NDArray[np.float64]] = field(default_factory=list)

    def add(self, number: int, step: int, policy: Sequence[Sequence[float]], entropies: Sequence[float]) -> None:
        """A step that was done again takes the place of its first time."""
        while self.steps and self.steps[-1] >= step:
            for column in (self.steps, self.policies, self.entropies):
                column.pop()
        self.number = number
        self.sizes = [len(row) for row in policy]
        padded = np.full((len(policy), max(self.sizes, default=0)), -1.0)
        for row, probabilities in zip(padded, policy, strict=True):
            row[: len(probabilities)] = probabilities
        self.steps.append(step)
        self.policies.append(padded)
        self.entropies.append(np.asarray(entropies, dtype=np.float64))

    def shown(self, points: int) -> PolicyHistory:
        places, every = thinned(len(self.steps), points)
        return PolicyHistory(
            steps=[self.steps[place] for place in places],
            policy=[
                [row[:size] for row, size in zip(_rounded(self.policies[place]).tolist(), self.sizes, strict=True)]
                for place in places
            ],
            entropies=[self.entropies[place].round(4).tolist() for place in places],
            frozen=self._frozen(),
            known=len(self.steps),
            every=every,
        )

    def _frozen(self) -> list[int | None]:
        if not self.steps:
            return []
        policies = np.stack(self.policies)
        favourites = policies.argmax(axis=2)
        is_open = (policies > 0).sum(axis=2) > 1  # What a person pinned did not freeze.
        holds = (policies.max(axis=2) >= FROZEN) & (favourites == favourites[-1]) & is_open
        # How many columns hold without a break, counted from the last one.
        lengths = np.logical_and.accumulate(holds[::-1], axis=0).sum(axis=0)
        return [self.steps[len(self.steps) - length] if length else None for length in lengths.tolist()]


def _rounded(policy: NDArray[np.float64]) -> NDArray[np.float64]:
    """To four places, but 0 only where it is 0: that an option is banned is told by nothing else."""
    return np.where(policy > 0, np.maximum(policy.round(4), LEAST), policy)


def _columns_of(search: Search) -> Columns:
    columns = _known.pop(search.pk, None)
    if columns is None or columns.number > search.last_event:  # A backup was restored, which ended earlier.
        columns = Columns()
    kind = "controller_phase_ended" if search.epochs else "step_proposed"
    events = Event.objects.filter(stream_id=search.pk, number__gt=columns.number, kind=kind).order_by("number")
    # Of the payload, which has every architecture of a step, the database hands out what is needed here.
    wanted = ("number", "payload__step", "payload__policy", "payload__entropies")
    row: tuple[Any, ...]
    for row in events.values_list(*wanted).iterator(chunk_size=200):
        columns.add(*row)
    _known[search.pk] = columns
    while len(_known) > KEPT_SEARCHES:
        _known.popitem(last=False)
    return columns
