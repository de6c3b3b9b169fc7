"""Regularized evolution: tournaments choose who is mutated, and the oldest dies (Real et al. 2019, algorithm 1).

Shapes: P members of the population, D decisions.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from search_engine.config.changes import Change
from search_engine.config.strategy import EvolutionConfig
from search_engine.seeds import derive
from search_engine.spaces.base import Space
from search_engine.strategies.direct_strategy import DirectStrategy, Drawn, Rewarded, entropy_of
from search_engine.strategies.screening import Screening
from search_engine.strategies.uniform_draws import Left, uniform_decisions, uniform_entropies, uniform_policy


class Evolution(DirectStrategy):
    """A population of the latest P children with a reward.

    Each child copies the best of S members, drawn with replacement, and changes one decision to another option, both
    uniformly. The paper's mutations move an input or an operation of a cell, or nothing once in twenty; here any
    decision of the space may change, and one always does where one can. Until P children have a reward all are drawn
    uniformly. What is banned is never drawn: a member's banned options are drawn anew, uniformly.

    A step is drawn from one population, as the paper's many workers do while others train. With steps of one child
    it is the paper's algorithm in one process.
    """

    def __init__(
        self,
        space: Space,
        config: EvolutionConfig,
        *,
        children: int,
        seed: int,
        changes: Sequence[Change] = (),
        screening: Screening | None = None,
    ) -> None:
        self._config = config
        self._population: tuple[Rewarded, ...] = ()  # The oldest first.
        super().__init__(space, config, children=children, seed=seed, changes=changes, screening=screening)

    def _drawn(self, purpose: str, step: int, count: int, left: Left) -> Drawn:
        if len(self._population) < self._config.population_size:
            entropies = uniform_entropies(left)
            uniform = (uniform_decisions(self._seed, purpose, step, slot, left) for slot in range(count))
            proposals = [(one, -math.fsum(entropies)) for one in uniform]
            return Drawn(proposals, uniform_policy(self._space.decisions, left), entropies)
        younger_first = self._population[::-1]  # Among equal rewards, so that a population of equals moves on.
        ranked = sorted(younger_first, key=lambda member: -member.reward)
        mutations = Mutations(
            [member.decisions for member in ranked], tournament_chances(len(ranked), self._config.sample_size), left
        )
        children = [self._child(purpose, step, slot, ranked, mutations) for slot in range(count)]
        policy = mutations.policy([len(decision.options) for decision in self._space.decisions])
        return Drawn(
            [(child, mutations.log_probability(child)) for child in children], policy, tuple(map(entropy_of, policy))
        )

    def _child(
        self, purpose: str, step: int, slot: int, ranked: Sequence[Rewarded], mutations: "Mutations"
    ) -> tuple[int, ...]:
        """One tournament and one mutation."""
        entrants = [derive(self._seed, f"{purpose} tournament", step, slot, entrant) % len(ranked)
                    for entrant in range(self._config.sample_size)]  # fmt: skip
        repairs = uniform_decisions(self._seed, f"{purpose} repair", step, slot, mutations.left)
        return mutations.child(min(entrants), repairs, derive(self._seed, f"{purpose} mutation", step, slot))

    def _sampled(self, purpose: str, number: int, count: int, left: Left) -> Drawn:
        return self._drawn(purpose, number, count, left)

    def _begun(self, drawn: Drawn) -> None:
        pass

    def _learn(self, rewarded: Sequence[Rewarded]) -> None:
        self._population = (*self._population, *rewarded)[-self._config.population_size :]

    def _memory_to_json(self) -> dict[str, Any]:
        return {"population": [[list(member.decisions), member.reward] for member in self._population]}

    def _load_memory(self, state: Mapping[str, Any]) -> None:
        self._population = tuple(Rewarded(tuple(decisions), reward) for decisions, reward in state["population"])


def tournament_chances(members: int, entrants: int) -> list[float]:
    """How probable it is for the member of each rank, the best first, to win. Entrants are drawn with replacement."""
    return [
        ((members - rank) / members) ** entrants - ((members - rank - 1) / members) ** entrants
        for rank in range(members)
    ]


class Mutations:
    """The distribution of children: a parent by its chance, without banned options, and one decision changed.

    parents: P times D decisions; chances: P of them, which sum to 1.
    """

    def __init__(self, parents: Sequence[Sequence[int]], chances: Sequence[float], left: Left) -> None:
        self.left = left
        self._parents = parents
        self._chances = chances
        self._can_change = [index for index, options in enumerate(left) if len(options) > 1]
        self._allowed = [frozenset(options) for options in left]

    def child(self, parent: int, repairs: Sequence[int], draw: int) -> tuple[int, ...]:
        """repairs: an option of each decision, for where the parent has a banned one; draw: decides the mutation."""
        allowed = self._allowed
        child = [
            option if option in allowed[index] else repairs[index] for index, option in enumerate(self._parents[parent])
        ]
        if self._can_change:
            changed = self._can_change[draw % len(self._can_change)]
            others = [option for option in self.left[changed] if option != self._parents[parent][changed]]
            child[changed] = others[draw // len(self._can_change) % len(others)]
        return tuple(child)

    def log_probability(self, child: Sequence[int]) -> float:
        """In nats, over all parents that it may have."""
        return math.log(
            math.fsum(
                chance * self._chance_from(parent, child)
                for parent, chance in zip(self._parents, self._chances, strict=True)
            )
        )

    def policy(self, sizes: Sequence[int]) -> tuple[tuple[float, ...], ...]:
        """How probable each option of each decision is in a child."""
        return tuple(self._marginal(index, size) for index, size in enumerate(sizes))

    def _chance_from(self, parent: Sequence[int], child: Sequence[int]) -> float:
        """How probable a parent's child is this one: the sum over all decisions that may have been changed."""
        differs = [index for index, (old, new) in enumerate(zip(parent, child, strict=True)) if old != new]
        banned = [index for index in differs if parent[index] not in self._allowed[index]]
        free = [index for index in differs if parent[index] in self._allowed[index]]
        repaired = math.prod(1 / len(self.left[index]) for index in banned)
        if not self._can_change:
            return repaired
        if len(free) > 1:
            return 0.0
        if free:
            return repaired / len(self._can_change) / (len(self.left[free[0]]) - 1)
        # Nothing differs but what was banned: the mutation met one of these, where it draws as a repair does.
        return repaired * sum(index in banned for index in self._can_change) / len(self._can_change)

    def _marginal(self, index: int, size: int) -> tuple[float, ...]:
        """[size], the distribution of one decision of a child."""
        left, kept = self.left[index], [0.0] * size
        banned = 0.0
        for parent, chance in zip(self._parents, self._chances, strict=True):
            if parent[index] in self._allowed[index]:
                kept[parent[index]] += chance
            else:
                banned += chance
        changes = 1 / len(self._can_change) if len(left) > 1 else 0.0
        whole = 1 - banned
        return tuple(
            kept[option] * (1 - changes)
            + (changes * (whole - kept[option]) / (len(left) - 1) if changes else 0.0)
            + banned / len(left)
            if option in self._allowed[index]
            else 0.0
            for option in range(size)
        )
