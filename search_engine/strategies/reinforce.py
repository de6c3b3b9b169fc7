"""REINFORCE with a moving baseline: how ENAS's controller learns (Pham et al. 2018, section 2.2, and released code).

Shapes: B architectures of a round, C of them with a reward, D decisions.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from search_engine.config.changes import Change
from search_engine.config.controller import AnyControllerConfig
from search_engine.config.strategy import ReinforceConfig
from search_engine.spaces.base import Space
from search_engine.strategies.base import DrawnStep
from search_engine.strategies.controller import Scores
from search_engine.strategies.controller_strategy import ControllerStrategy
from search_engine.strategies.reward_baseline import BaselineOfEach, RewardBaseline
from search_engine.strategies.screening import Screening


class Reinforce(ControllerStrategy):
    """A controller that makes more probable what was better than the baseline: one step of Adam per round."""

    def __init__(
        self,
        space: Space,
        config: ReinforceConfig,
        controller: AnyControllerConfig | None = None,
        *,
        children: int,
        seed: int,
        changes: Sequence[Change] = (),
        screening: Screening | None = None,
    ) -> None:
        self._config = config
        baseline = (RewardBaseline if config.baseline_rule == "round" else BaselineOfEach)(config.baseline_decay)
        super().__init__(
            space, config, controller, baseline=baseline, children=children, seed=seed, changes=changes,
            screening=screening,
        )  # fmt: skip

    def _learn(self, step: DrawnStep, counted: Tensor, rewards: Sequence[float]) -> dict[str, float]:
        old = torch.tensor([proposal.log_probability for proposal in step.drawn])[counted]
        scores = self._score(step)
        advantages = torch.tensor(
            self._baseline.advantages(self._with_bonus(rewards, scores, counted), normalise=False)
        )
        loss = -(advantages * scores.joint[counted]).mean()
        if self._config.entropy_bonus == "loss":
            loss = loss - self._config.entropy_weight * scores.entropies.sum(dim=1).mean()
        penalty = self._penalty(scores)
        loss = loss if penalty is None else loss + penalty
        self._move(loss, self._config.gradient_clip, step.step)
        divergence = (old - self._score(step).joint[counted]).mean()
        return {"loss": loss.item(), "divergence": divergence.item()}

    def _with_bonus(self, rewards: Sequence[float], scores: Scores, counted: Tensor) -> list[float]:
        """The rewards, with the entropy where it is part of them."""
        if self._config.entropy_bonus == "loss":
            return list(rewards)
        entropies = scores.entropies if self._config.entropy_bonus == "reward" else drawn_entropies(scores)
        bonuses = self._config.entropy_weight * entropies.sum(dim=1)[counted]
        return [reward + bonus for reward, bonus in zip(rewards, bonuses.tolist(), strict=True)]


def drawn_entropies(scores: Scores) -> Tensor:
    """[B, D], the share that the chosen option alone has in each entropy, -p log p: what released code takes for it."""
    return -scores.log_probabilities.exp() * scores.log_probabilities
