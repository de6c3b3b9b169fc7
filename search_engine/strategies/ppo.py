"""Proximal policy optimization of the controller (NASNet, Zoph et al. 2018, A.2; PPO: Schulman et al. 2017, eq. 7).

Shapes: B children of a step, D decisions, K the largest number of options.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from search_engine.checkpoints import digest
from search_engine.config.strategy import PpoConfig
from search_engine.errors import CheckpointError
from search_engine.seeds import derive
from search_engine.spaces.base import Space
from search_engine.strategies.base import DrawnStep, Evaluation, Proposal, Strategy, Update
from search_engine.strategies.controller import Controller
from search_engine.strategies.pending_steps import PendingSteps, made_for, proposal_of
from search_engine.strategies.reward_baseline import RewardBaseline


class Ppo(Strategy):
    """A controller that learns from the rewards of the architectures it drew.

    The paper names neither clip nor epochs nor optimizer, and not whether the ratio is of a decision or of a whole
    architecture. Here the ratio is of the whole, as the joint probability is what the reward belongs to; the optimizer
    is Adam.
    """

    def __init__(self, space: Space, config: PpoConfig, *, children: int, seed: int) -> None:
        self._space = space
        self._config = config
        self._seed = seed
        self._made_for = made_for(space, config, children=children, seed=seed)
        self._controller = Controller(
            space.decisions,
            hidden_size=config.hidden_size,
            init_range=config.init_range,
            generator=torch.Generator().manual_seed(derive(seed, "controller")),
        )
        self._optimizer = torch.optim.Adam(self._controller.parameters(), lr=config.learning_rate)
        self._baseline = RewardBaseline(config.baseline_decay)
        self._steps = PendingSteps(space, config, children=children, draw=self._draw)

    @property
    def is_finished(self) -> bool:
        return self._steps.is_finished

    def pending(self) -> tuple[DrawnStep, ...]:
        return self._steps.drawn

    def ask(self) -> tuple[Proposal, ...]:
        return self._steps.first().proposals

    def tell(self, evaluations: Sequence[Evaluation]) -> Update:
        step = self._steps.answered_by(evaluations)
        counted = [index for index, evaluation in enumerate(evaluations) if evaluation.reward is not None]
        rewards = [evaluation.reward for evaluation in evaluations if evaluation.reward is not None]
        figures: dict[str, float] = {}
        if rewards:  # A step of which every child was lost teaches nothing.
            advantages = self._baseline.advantages(rewards, normalise=self._config.normalise_advantages)
            figures = self._learn(step, torch.tensor(counted), torch.tensor(advantages))
        self._steps.advance()
        return Update(
            step=step.step,
            mean_reward=sum(rewards) / len(rewards) if rewards else None,
            baseline=self._baseline.value,
            loss=figures.get("loss"),
            divergence=figures.get("divergence"),
            clipped=figures.get("clipped"),
            state_sha256=digest(*self.state_dict()),
        )

    def state_dict(self) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        tensors = {f"controller.{name}": weights for name, weights in self._controller.state_dict().items()}
        for name, weights in self._controller.named_parameters():
            for moment, value in self._optimizer.state[weights].items():
                tensors[f"adam.{name}.{moment}"] = value
        state = {"made_for": self._made_for, "baseline": self._baseline.to_json(), "steps": self._steps.to_json()}
        return {name: tensor.detach().clone() for name, tensor in tensors.items()}, state

    def load_state_dict(self, tensors: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        if state.get("made_for") != self._made_for:
            raise CheckpointError("strategy", "was saved under another configuration; start a new search instead.")
        self._controller.load_state_dict(
            {name: tensors[f"controller.{name}"] for name in self._controller.state_dict()}
        )
        for name, weights in self._controller.named_parameters():
            prefix = f"adam.{name}."  # Adam has no moments before the first update.
            moments = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
            self._optimizer.state[weights] = {moment: value.clone() for moment, value in moments.items()}
        self._baseline.load_json(state["baseline"])
        self._steps.load_json(state["steps"])

    def _draw(self, step: int, size: int) -> DrawnStep:
        generator = torch.Generator().manual_seed(derive(self._seed, "ask", step))
        decisions, scores = self._controller.draw(size, generator)
        drawn = zip(decisions.tolist(), scores.joint.tolist(), strict=True)
        probabilities = scores.conditionals.exp().mean(dim=0).tolist()
        return DrawnStep(
            step=step,
            proposals=tuple(proposal_of(self._space, step, slot, *one) for slot, one in enumerate(drawn)),
            policy=tuple(
                tuple(options[: len(decision.options)])
                for options, decision in zip(probabilities, self._space.decisions, strict=True)
            ),
            entropies=tuple(scores.entropies.mean(dim=0).tolist()),
        )

    def _learn(self, step: DrawnStep, counted: Tensor, advantages: Tensor) -> dict[str, float]:
        """Go over the step's children `epochs` times; the figures of strategies.base.Update.

        counted: [C], the slots that have a reward; advantages: [C].
        """
        # All children are scored, lost ones too: scoring a smaller batch could round differently from the draw.
        decisions = torch.tensor([proposal.decisions for proposal in step.proposals])
        old = torch.tensor([proposal.log_probability for proposal in step.proposals])[counted]
        for _ in range(self._config.epochs):
            scores = self._controller.score(decisions)
            loss, clipped = ppo_loss(
                scores.joint[counted],
                old,
                advantages,
                scores.entropies.sum(dim=1)[counted],
                clip=self._config.clip,
                entropy_weight=self._config.entropy_weight,
            )
            self._optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # PyTorch's.
            norm = torch.nn.utils.clip_grad_norm_(self._controller.parameters(), self._config.gradient_clip)
            assert bool(norm.isfinite()), f"the controller's gradient is {norm.item()} in step {step.step}"
            self._optimizer.step()
        divergence = (old - self._controller.score(decisions).joint[counted]).mean()
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
