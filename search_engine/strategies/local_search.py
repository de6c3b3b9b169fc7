"""Local search that starts again: from a network to a better neighbour, until none is better (White et al. 2021).

Neighbours differ in one decision. Shapes: D decisions.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from search_engine.config.changes import Change
from search_engine.config.strategy import LocalSearchConfig
from search_engine.seeds import derive
from search_engine.spaces.base import Space
from search_engine.strategies.direct_strategy import DirectStrategy, Drawn, Rewarded, entropy_of
from search_engine.strategies.uniform_draws import (
    Left,
    digest_of,
    options_left,
    uniform_decisions,
    uniform_entropies,
    uniform_policy,
)

TRIES = 100  # Draws of a start that was not tried before. In a space that is nearly used up it may be one that was.


class LocalSearch(DirectStrategy):
    """A climb: the best network of it so far, whose neighbours are tried in random order.

    The first child that is better becomes the one to climb from; of one step, the best. When all neighbours were tried
    and none is better, the next climb starts at a uniform draw; with steps of several children, at the best of a step.
    A step that has more children than there are neighbours left has uniform draws behind them. Nothing is drawn twice.

    The paper (White, Nolen and Savani, section 3) tries all neighbours before it moves, and names moving at the first
    better one as a variant: this one, which spends fewer children on a start.
    """

    def __init__(
        self, space: Space, config: LocalSearchConfig, *, children: int, seed: int, changes: Sequence[Change] = ()
    ) -> None:
        self._best: Rewarded | None = None  # Of this climb.
        self._tried: set[int] = set()  # Digests of all decisions drawn: some bytes a child, whatever the space.
        super().__init__(space, config, children=children, seed=seed, changes=changes)

    def _drawn(self, purpose: str, step: int, count: int, left: Left) -> Drawn:
        untried = [] if self._best is None else self._untried(self._best.decisions, left)
        near = self._shuffled(purpose, step, untried)[:count]
        drawn = set(map(digest_of, near))
        starts = []
        for slot in range(len(near), count):
            starts.append(self._start(purpose, step, slot, left, drawn))
            drawn.add(digest_of(starts[-1]))
        return self._as_drawn(near, starts, len(untried), left)

    def _sampled(self, purpose: str, number: int, count: int, left: Left) -> Drawn:
        """Of all neighbours, each time anew and whether they were tried or not: where the climb is, not what is due."""
        near = [] if self._best is None else neighbours(self._best.decisions, left)
        if near:
            places = (derive(self._seed, purpose, number, slot) % len(near) for slot in range(count))
            return self._as_drawn([near[place] for place in places], [], len(near), left)
        starts = [uniform_decisions(self._seed, purpose, number, slot, left) for slot in range(count)]
        return self._as_drawn([], starts, 0, left)

    def _as_drawn(
        self, near: Sequence[Sequence[int]], starts: Sequence[Sequence[int]], among: int, left: Left
    ) -> Drawn:
        """near: neighbours of the best, each as probable as any other `among` so many; starts: uniform draws.

        The policy shown is of all neighbours, those that were tried among them: an option of which none is left would
        have a probability of 0, and that means banned.
        """
        entropies = uniform_entropies(left)
        uniform = uniform_policy(self._space.decisions, left)
        proposals = [(one, -math.log(among)) for one in near]
        proposals += [(one, -math.fsum(entropies)) for one in starts]
        if not near or self._best is None:
            return Drawn(proposals, uniform, entropies)
        share = len(near) / len(proposals)
        around = neighbourhood(self._best.decisions, left, [len(row) for row in uniform])
        policy = tuple(
            tuple(share * one + (1 - share) * other for one, other in zip(close, far, strict=True))
            for close, far in zip(around, uniform, strict=True)
        )
        return Drawn(proposals, policy, tuple(map(entropy_of, policy)))

    def _untried(self, decisions: Sequence[int], left: Left) -> list[tuple[int, ...]]:
        """The neighbours that were never drawn, decision by decision. Under bans none holds a banned option."""
        return [one for one in neighbours(decisions, left) if digest_of(one) not in self._tried]

    def _shuffled(self, purpose: str, step: int, architectures: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
        keys = {one: derive(self._seed, purpose, step, place) for place, one in enumerate(architectures)}
        return sorted(architectures, key=keys.__getitem__)

    def _start(self, purpose: str, step: int, slot: int, left: Left, drawn: set[int]) -> list[int]:
        """A uniform draw that was not drawn before."""
        for attempt in range(TRIES):
            again = f"{purpose} {attempt}" if attempt else purpose
            decisions = uniform_decisions(self._seed, again, step, slot, left)
            if digest_of(decisions) not in self._tried and digest_of(decisions) not in drawn:
                break
        return decisions

    def _begun(self, drawn: Drawn) -> None:
        self._tried |= {digest_of(decisions) for decisions, _ in drawn.proposals}

    def _learn(self, rewarded: Sequence[Rewarded]) -> None:
        best = max(rewarded, key=lambda one: one.reward, default=None)
        if best is not None and (self._best is None or best.reward > self._best.reward):
            self._best = best
        elif self._best is not None and self._is_at_its_end(self._best.decisions):
            self._best = None

    def _is_at_its_end(self, decisions: Sequence[int]) -> bool:
        """Whether no neighbour is left to be tried, and none is on its way in a step that was drawn ahead.

        Neighbours under the bans of the step that was told: so a climb also ends where a ban takes what it stood on.
        """
        left = options_left(self._space.decisions, self._steps.first().banned)
        ahead = {one.decisions for step in self._steps.drawn[1:] for one in step.drawn}
        return not self._untried(decisions, left) and not ahead.intersection(neighbours(decisions, left))

    def _memory_to_json(self) -> dict[str, Any]:
        best = None if self._best is None else [list(self._best.decisions), self._best.reward]
        return {"best": best, "tried": sorted(self._tried)}

    def _load_memory(self, state: Mapping[str, Any]) -> None:
        best = state["best"]
        self._best = None if best is None else Rewarded(tuple(best[0]), best[1])
        self._tried = set(state["tried"])


def neighbours(decisions: Sequence[int], left: Left) -> list[tuple[int, ...]]:
    """All that differ in one decision, among the options that are left, and hold no option that is not."""
    wrong = [
        index for index, (option, options) in enumerate(zip(decisions, left, strict=True)) if option not in options
    ]
    if len(wrong) > 1:
        return []
    return [
        (*decisions[:index], option, *decisions[index + 1 :])
        for index, options in enumerate(left)
        if not wrong or index == wrong[0]
        for option in options
        if option != decisions[index]
    ]


def neighbourhood(decisions: Sequence[int], left: Left, sizes: Sequence[int]) -> list[list[float]]:
    """How often each option of each decision stands in the neighbours; each that is left stands in some.

    Where an option that the architecture has is banned, the others take its part.
    """
    differ = [len(options) - (option in options) for option, options in zip(decisions, left, strict=True)]
    rows = []
    for option, options, size, here in zip(decisions, left, sizes, differ, strict=True):
        counts = [1 if each in options else 0 for each in range(size)]
        if option in options:
            counts[option] = sum(differ) - here
        rows.append([count / sum(counts) for count in counts])
    return rows
