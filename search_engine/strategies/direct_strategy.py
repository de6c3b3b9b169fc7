"""What strategies without a controller share: they draw from a distribution that they can state."""

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from search_engine.checkpoints import digest
from search_engine.config.changes import Change
from search_engine.config.strategy import StrategyConfig
from search_engine.spaces.bans import Banned
from search_engine.spaces.base import Space
from search_engine.strategies.base import DrawnStep, Evaluation, Update
from search_engine.strategies.pending_steps import proposal_of
from search_engine.strategies.screening import Screening
from search_engine.strategies.stepwise_strategy import StepwiseStrategy
from search_engine.strategies.uniform_draws import Left, options_left


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is drawn for a step, and from which distribution.

    proposals: (decisions, joint log-probability in nats) by slot. policy: the mean over the slots of the probability of
    each option of each decision; entropies: of these, in nats.
    """

    proposals: Sequence[tuple[Sequence[int], float]]
    policy: tuple[tuple[float, ...], ...]
    entropies: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Rewarded:
    """The decisions of a child that was drawn, and its reward."""

    decisions: tuple[int, ...]
    reward: float


class DirectStrategy(StepwiseStrategy):
    """All that is random is derived from (seed, purpose, step, slot), so nothing about randomness is saved."""

    def __init__(
        self,
        space: Space,
        config: StrategyConfig,
        *,
        children: int,
        seed: int,
        changes: Sequence[Change] = (),
        screening: Screening | None = None,
    ) -> None:
        super().__init__(space, config, None, children=children, seed=seed, changes=changes, screening=screening)

    def tell(self, evaluations: Sequence[Evaluation]) -> Update:
        step = self._steps.answered_by(evaluations)
        drawn = zip(step.drawn, evaluations, strict=False)  # Nobody learns from what people proposed.
        rewarded = [Rewarded(one.decisions, told.reward) for one, told in drawn if told.reward is not None]
        self._learn(rewarded)
        self._steps.advance()
        return Update(
            step=step.step,
            mean_reward=sum(one.reward for one in rewarded) / len(rewarded) if rewarded else None,
            baseline=None,
            loss=None,
            divergence=None,
            clipped=None,
            state_sha256=digest(*self.state_dict()),
        )

    def sample(self, count: int, *, purpose: str, number: int, under: int | None = None) -> DrawnStep:
        banned = () if under is None else self._steps.banned(under)
        left = options_left(self._space.decisions, banned)
        return self._as_step(number, self._sampled(purpose, number, count, left), banned)

    def state_dict(self) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        return {}, {"made_for": self._made_for, "steps": self._steps.to_json(), **self._memory_to_json()}

    def load_state_dict(self, tensors: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        self._must_be_ours(state)
        self._steps.load_json(state["steps"])
        self._load_memory(state)

    @abstractmethod
    def _drawn(self, purpose: str, step: int, count: int, left: Left) -> Drawn:
        """Draw from the distribution as it is now. Random by (seed, purpose, step) alone; nothing changes."""

    @abstractmethod
    def _sampled(self, purpose: str, number: int, count: int, left: Left) -> Drawn:
        """The same outside every step, where a strategy that draws nothing twice may draw what it drew before."""

    @abstractmethod
    def _begun(self, drawn: Drawn) -> None:
        """Note what was drawn for a step; samples outside the steps do not come here."""

    @abstractmethod
    def _learn(self, rewarded: Sequence[Rewarded]) -> None:
        """Note the rewards of the first pending step, by slot, without children that were lost."""

    @abstractmethod
    def _memory_to_json(self) -> dict[str, Any]:
        """What it remembers beside its steps."""

    @abstractmethod
    def _load_memory(self, state: Mapping[str, Any]) -> None:
        """Remember what `_memory_to_json` gave."""

    def _rate(self, decisions: Sequence[Sequence[int]]) -> list[float]:
        """As uniform draws would have it: what a person proposes may be out of reach of a mutation, and minus infinity
        is no number that can be told."""
        return [-math.fsum(math.log(len(each.options)) for each in self._space.decisions) for _ in decisions]

    def _draw(self, step: int, size: int, banned: Banned) -> DrawnStep:
        drawn = self._drawn("ask", step, size, options_left(self._space.decisions, banned))
        self._begun(drawn)
        return self._as_step(step, drawn, banned)

    def _as_step(self, step: int, drawn: Drawn, banned: Banned) -> DrawnStep:
        return DrawnStep(
            step=step,
            proposals=tuple(proposal_of(self._space, step, slot, *one) for slot, one in enumerate(drawn.proposals)),
            policy=drawn.policy,
            entropies=drawn.entropies,
            banned=banned,
        )


def entropy_of(probabilities: Sequence[float]) -> float:
    """In nats."""
    return -math.fsum(one * math.log(one) for one in probabilities if one > 0)
