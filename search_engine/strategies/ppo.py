"""Proximal policy optimization of the controller (NASNet, Zoph et al. 2018, A.2; PPO: Schulman et al. 2017, eq. 7).

Shapes: B children of a step, D decisions, K the largest number of options.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from search_engine.config.changes import Change
from search_engine.config.controller import AnyControllerConfig
from search_engine.config.strategy import PpoConfig
from search_engine.spaces.base import Space
from search_engine.strategies.base import DrawnStep
from search_engine.strategies.controller_strategy import ControllerStrategy
from search_engine.strategies.reward_baseline import RewardBaseline
from search_engine.strategies.screening import Screening


class Ppo(ControllerStrategy):
    """A controller that learns from the rewards of the architectures it drew.

    The paper names neither clip nor epochs nor optimizer, and not whether the ratio is of a decision or of a whole
    architecture. Here the ratio is of the whole, as the joint probability is what the reward belongs to; the optimizer
    is Adam.
    """

    def __init__(
        self,
        space: Space,
        config: PpoConfig,
        controller: AnyControllerConfig | None = None,
        *,
        children: int,
        seed: int,
        changes: Sequence[Change] = (),
        screening: Screening | None = None,
    ) -> None:
        self._config = config
        baseline = RewardBaseline(config.baseline_decay)
        super().__init__(
            space, config, controller, baseline=baseline, children=children, seed=seed, changes=changes,
            screening=screening,
        )  # fmt: skip

    def _learn(self, step: DrawnStep, counted: Tensor, rewards: Sequence[float]) -> dict[str, float]:
        """Go over the step's children `epochs` times."""
        advantages = torch.tensor(self._baseline.advantages(rewards, normalise=self._config.normalise_advantages))
        old = torch.tensor([proposal.log_probability for proposal in step.drawn])[counted]
        for _ in range(self._config.epochs):
            scores = self._score(step)
            loss, clipped = ppo_loss(
                scores.joint[counted],
                old,
                advantages,
                scores.entropies.sum(dim=1)[counted],
                clip=self._config.clip,
                entropy_weight=self._config.entropy_weight,
            )
            penalty = self._penalty(scores)
            loss = loss if penalty is None else loss + penalty
            self._move(loss, self._config.gradient_clip, step.step)
        divergence = (old - self._score(step).joint[counted]).mean()
        return {"loss": loss.item(), "clipped": clipped, "divergence": divergence.item()}


def ppo_loss(
    new: Tensor, old: Tensor, advantages: Tensor, entropies: Tensor, *, clip: float, entropy_weight: float
) -> tuple[Tensor, float]:
    """The clipped surrogate with an entropy bonus, to be minimised, and the part of the ratios outside the clip range.

    new, old: [C], joint log-probabilities; advantages: [C]; entropies: [C], summed over decisions, in nats.
    """
    ratios = (new - old).exp()
    surrogates = torch.minimum(ratios * advantages, ratios.clamp(1 - clip, 1 + clip) * advantages)
    loss = -surrogates.mean() - entropy_weight * entropies.mean()
    return loss, ((ratios - 1).abs() > clip).double().mean().item()
