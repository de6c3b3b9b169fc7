"""PPO with a memory, a variant of ours: what was drawn is not drawn again, and the best is replayed.

The learning signal of the best is that of priority queue training (Abolafia et al. 2018): the log-probability of the
best architectures so far is raised beside PPO's loss.

What each part gave on NAS-Bench-201: mean score at 150 and at 500 evaluations over 40 seeds, standard errors 0.05 and
0.03. What else was tried is in docs/strategies.md.

PPO with normalised advantages and a learning rate of 0.01           94.06  94.11
nothing drawn twice: a policy that is certain goes on to search      94.04  94.30
the ten best replayed: what was good is found again sooner           94.16  94.36
entropy weight 0.03: what is replayed does not take all              94.13  94.37
steps of 20 with 0.015: half the updates, each from more children    94.20  94.37

Shapes: B children of a step, C of them with a reward, E replayed, D decisions.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

from search_engine.config.changes import Change
from search_engine.config.controller import AnyControllerConfig
from search_engine.config.strategy import PpoReplayConfig
from search_engine.spaces.base import Space
from search_engine.strategies.base import DrawnStep
from search_engine.strategies.controller_strategy import ControllerStrategy, masks_of
from search_engine.strategies.memory import Memory
from search_engine.strategies.ppo import ppo_loss
from search_engine.strategies.reward_baseline import RewardBaseline
from search_engine.strategies.screening import Screening


class PpoReplay(ControllerStrategy):
    """A controller that learns from its last children by PPO, and from its best by their likelihood."""

    def __init__(
        self,
        space: Space,
        config: PpoReplayConfig,
        controller: AnyControllerConfig | None = None,
        *,
        children: int,
        seed: int,
        changes: Sequence[Change] = (),
        screening: Screening | None = None,
    ) -> None:
        self._config = config
        super().__init__(
            space, config, controller, baseline=RewardBaseline(config.baseline_decay),
            memory=Memory(config.replayed),
            children=children, seed=seed, changes=changes, screening=screening,
        )  # fmt: skip

    def _learn(self, step: DrawnStep, counted: Tensor, rewards: Sequence[float]) -> dict[str, float]:
        """Go over the step's children and the best ones `epochs` times, in one pass each."""
        config, masks = self._config, masks_of(self._space.decisions, step.banned)
        drawn = [proposal.decisions for proposal in step.drawn]
        assert self._memory is not None
        replayed = self._memory.best_without(step.banned) if config.replay_weight else []
        decisions = torch.tensor([*drawn, *replayed])
        advantages = torch.tensor(self._baseline.advantages(rewards, normalise=config.normalise_advantages))
        old = torch.tensor([proposal.log_probability for proposal in step.drawn])[counted]
        for _ in range(config.epochs):
            scores = self._controller.score(decisions, masks)
            entropies = scores.entropies.sum(dim=1)[counted]
            loss, clipped = ppo_loss(
                scores.joint[counted],
                old,
                advantages,
                entropies,
                clip=config.clip,
                entropy_weight=config.entropy_weight,
            )
            if replayed:
                loss = loss - config.replay_weight * scores.joint[len(drawn) :].mean()
            penalty = self._penalty(scores)
            loss = loss if penalty is None else loss + penalty
            self._move(loss, config.gradient_clip, step.step)
        with torch.no_grad():
            divergence = (old - self._controller.score(decisions, masks).joint[counted]).mean()
        return {"loss": loss.item(), "clipped": clipped, "divergence": divergence.item()}
