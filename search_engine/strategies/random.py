"""Uniform random search: the control that every other strategy must beat (NASNet, Zoph et al. 2018, section 4.4)."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from search_engine.strategies.direct_strategy import DirectStrategy, Drawn, Rewarded
from search_engine.strategies.uniform_draws import Left, uniform_decisions, uniform_entropies, uniform_policy


class Random(DirectStrategy):
    """Draws every decision from a uniform distribution and learns nothing."""

    def _drawn(self, purpose: str, step: int, count: int, left: Left) -> Drawn:
        entropies = uniform_entropies(left)
        log_probability = -math.fsum(entropies)
        decisions = (uniform_decisions(self._seed, purpose, step, slot, left) for slot in range(count))
        return Drawn(
            [(one, log_probability) for one in decisions], uniform_policy(self._space.decisions, left), entropies
        )

    def _sampled(self, purpose: str, number: int, count: int, left: Left) -> Drawn:
        return self._drawn(purpose, number, count, left)

    def _begun(self, drawn: Drawn) -> None:
        pass

    def _learn(self, rewarded: Sequence[Rewarded]) -> None:
        pass

    def _memory_to_json(self) -> dict[str, Any]:
        return {}

    def _load_memory(self, state: Mapping[str, Any]) -> None:
        pass
