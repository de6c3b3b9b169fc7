"""Uniform random search: the control that every other strategy must beat (NASNet, Zoph et al. 2018, section 4.4)."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from search_engine.checkpoints import digest
from search_engine.config.changes import Change
from search_engine.config.strategy import RandomConfig
from search_engine.errors import CheckpointError
from search_engine.seeds import derive
from search_engine.spaces.bans import Banned
from search_engine.spaces.base import Space
from search_engine.strategies.base import DrawnStep, Evaluation, Proposal, Strategy, Update
from search_engine.strategies.pending_steps import PendingSteps, made_for, proposal_of


class Random(Strategy):
    """Draws every decision from a uniform distribution and learns nothing."""

    def __init__(
        self, space: Space, config: RandomConfig, *, children: int, seed: int, changes: Sequence[Change] = ()
    ) -> None:
        self._space = space
        self._seed = seed
        self._made_for = made_for(space, config, None, children=children, seed=seed)
        self._steps = PendingSteps(space, config, children=children, changes=changes, draw=self._draw, rate=self._rate)

    @property
    def is_finished(self) -> bool:
        return self._steps.is_finished

    def pending(self) -> tuple[DrawnStep, ...]:
        return self._steps.drawn

    def ask(self) -> tuple[Proposal, ...]:
        return self._steps.first().proposals

    def tell(self, evaluations: Sequence[Evaluation]) -> Update:
        step = self._steps.answered_by(evaluations)
        drawn = evaluations[: len(step.drawn)]
        rewards = [evaluation.reward for evaluation in drawn if evaluation.reward is not None]
        self._steps.advance()
        return Update(
            step=step.step,
            mean_reward=sum(rewards) / len(rewards) if rewards else None,
            baseline=None,
            loss=None,
            divergence=None,
            clipped=None,
            state_sha256=digest(*self.state_dict()),
        )

    def sample(self, count: int, *, purpose: str, number: int, under: int | None = None) -> DrawnStep:
        return self._drawn(number, count, purpose, () if under is None else self._steps.banned(under))

    def state_dict(self) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        return {}, {"made_for": self._made_for, "steps": self._steps.to_json()}

    def load_state_dict(self, tensors: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        if state.get("made_for") != self._made_for:
            raise CheckpointError("strategy", "was saved under another configuration; start a new search instead.")
        self._steps.load_json(state["steps"])

    def _rate(self, decisions: Sequence[Sequence[int]]) -> list[float]:
        return [-math.fsum(math.log(len(each.options)) for each in self._space.decisions) for _ in decisions]

    def _draw(self, step: int, size: int, banned: Banned) -> DrawnStep:
        return self._drawn(step, size, "ask", banned)

    def _drawn(self, step: int, size: int, purpose: str, banned: Banned) -> DrawnStep:
        left = self._left(banned)
        entropies = tuple(math.log(len(options)) for options in left)
        log_probability = -math.fsum(entropies)
        return DrawnStep(
            step=step,
            proposals=tuple(
                proposal_of(self._space, step, slot, self._decisions(purpose, step, slot, left), log_probability)
                for slot in range(size)
            ),
            policy=tuple(
                tuple(1 / len(options) if option in options else 0.0 for option in range(len(decision.options)))
                for options, decision in zip(left, self._space.decisions, strict=True)
            ),
            entropies=entropies,
            banned=banned,
        )

    def _left(self, banned: Banned) -> list[list[int]]:
        """The options of each decision that may be drawn."""
        everything = [range(len(decision.options)) for decision in self._space.decisions]
        gone = banned or ((),) * len(everything)
        return [[option for option in all_ if option not in out] for all_, out in zip(everything, gone, strict=True)]

    def _decisions(self, purpose: str, step: int, slot: int, left: Sequence[Sequence[int]]) -> list[int]:
        # A digest modulo the number of options is the same in every version of Python; of 2 ** 63 values, the bias is
        # below 1e-17 of any number of options here.
        return [
            options[derive(self._seed, purpose, step, slot, index) % len(options)] for index, options in enumerate(left)
        ]
