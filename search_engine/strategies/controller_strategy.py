"""What strategies with a controller share: they draw from it, and learn from what they drew and its rewards.

Shapes: B children of a step, D decisions, K the largest number of options.
"""

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from search_engine.checkpoints import digest
from search_engine.config.changes import Change
from search_engine.config.controller import AnyControllerConfig, MacroControllerConfig
from search_engine.config.strategy import PpoConfig, ReinforceConfig
from search_engine.seeds import derive
from search_engine.spaces.bans import Banned
from search_engine.spaces.base import Decision, Space
from search_engine.strategies.base import DrawnStep, Evaluation, Update
from search_engine.strategies.controller import Controller, Scores
from search_engine.strategies.controller_program import program_of
from search_engine.strategies.memory import Memory
from search_engine.strategies.new_draws import draw_new
from search_engine.strategies.pending_steps import proposal_of
from search_engine.strategies.program_controller import ProgramController
from search_engine.strategies.reward_baseline import RewardBaseline
from search_engine.strategies.screening import Screening
from search_engine.strategies.skip_penalty import skip_penalty
from search_engine.strategies.stepwise_strategy import StepwiseStrategy

AT_ONCE = 1000  # No step is larger. A larger sample is drawn in parts, or it might not fit into memory.


class ControllerStrategy(StepwiseStrategy):
    """A policy that is drawn from step by step and moved by Adam."""

    def __init__(
        self,
        space: Space,
        config: PpoConfig | ReinforceConfig,
        controller: AnyControllerConfig | None,
        *,
        baseline: RewardBaseline,
        memory: Memory | None = None,
        children: int,
        seed: int,
        changes: Sequence[Change] = (),
        screening: Screening | None = None,
    ) -> None:
        """controller: None for NASNet's, a chain of softmaxes without any bound. changes: see config.changes.

        memory: with one, steps hold what was never drawn before, as far as the policy has it; None for the papers' way.
        """
        self._controller_config = controller
        generator = torch.Generator().manual_seed(derive(seed, "controller"))
        self._controller = build_controller(space.decisions, config, controller, generator)
        beta1, epsilon = (0.9, 1e-8) if controller is None else (controller.adam_beta1, controller.adam_epsilon)
        self._optimizer = torch.optim.Adam(
            self._controller.parameters(), lr=config.learning_rate, betas=(beta1, 0.999), eps=epsilon
        )
        self._baseline = baseline
        self._memory = memory
        super().__init__(space, config, controller, children=children, seed=seed, changes=changes, screening=screening)

    def tell(self, evaluations: Sequence[Evaluation]) -> Update:
        step = self._steps.answered_by(evaluations)
        drawn = evaluations[: len(step.drawn)]  # Nobody learns from what people proposed.
        counted = [index for index, evaluation in enumerate(drawn) if evaluation.reward is not None]
        rewards = [evaluation.reward for evaluation in drawn if evaluation.reward is not None]
        if self._memory is not None:
            proposals = step.drawn
            self._memory.note_rewards(
                [(proposals[index].decisions, reward) for index, reward in zip(counted, rewards, strict=True)]
            )
        # A step of which every child was lost teaches nothing.
        figures = self._learn(step, torch.tensor(counted), rewards) if rewards else {}
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

    def sample(self, count: int, *, purpose: str, number: int, under: int | None = None) -> DrawnStep:
        return self._drawn(number, count, purpose, () if under is None else self._steps.banned(under))

    def state_dict(self) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        tensors = {f"controller.{name}": weights for name, weights in self._controller.state_dict().items()}
        for name, weights in self._controller.named_parameters():
            for moment, value in self._optimizer.state[weights].items():
                tensors[f"adam.{name}.{moment}"] = value
        state = {"made_for": self._made_for, "baseline": self._baseline.to_json(), "steps": self._steps.to_json()}
        if self._memory is not None:
            state["memory"] = self._memory.to_json()
        return {name: tensor.detach().clone() for name, tensor in tensors.items()}, state

    def load_state_dict(self, tensors: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        self._must_be_ours(state)
        self._controller.load_state_dict(
            {name: tensors[f"controller.{name}"] for name in self._controller.state_dict()}
        )
        for name, weights in self._controller.named_parameters():
            prefix = f"adam.{name}."  # Adam has no moments before the first update.
            moments = {key.removeprefix(prefix): value for key, value in tensors.items() if key.startswith(prefix)}
            self._optimizer.state[weights] = {moment: value.clone() for moment, value in moments.items()}
        self._baseline.load_json(state["baseline"])
        if self._memory is not None:
            self._memory.load_json(state["memory"])
        self._steps.load_json(state["steps"])

    @abstractmethod
    def _learn(self, step: DrawnStep, counted: Tensor, rewards: Sequence[float]) -> dict[str, float]:
        """Learn from a step; returns the figures of strategies.base.Update that there are.

        counted: [C], the slots that have a reward; rewards: C of them.
        """

    def _move(self, loss: Tensor, gradient_clip: float, step: int) -> None:
        """One step of Adam down the loss. gradient_clip: 0 for none."""
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]  # PyTorch's.
        norm = torch.nn.utils.clip_grad_norm_(self._controller.parameters(), gradient_clip or math.inf)
        assert bool(norm.isfinite()), f"the controller's gradient is {norm.item()} in step {step}"
        self._optimizer.step()

    def _penalty(self, scores: Scores) -> Tensor | None:
        """What is added to the loss whatever the rewards; None where the controller has no skips."""
        controller, config = self._controller, self._controller_config
        if not isinstance(config, MacroControllerConfig) or not isinstance(controller, ProgramController):
            return None
        return config.skip_weight * skip_penalty(scores, controller.program.skips, config)

    def _score(self, step: DrawnStep) -> Scores:
        """All children of a step under the policy as it is, without what could not be drawn when they were.

        Lost ones too: scoring a smaller batch could round differently from the draw.
        """
        decisions = torch.tensor([proposal.decisions for proposal in step.drawn])
        return self._controller.score(decisions, masks_of(self._space.decisions, step.banned))

    @torch.no_grad()
    def _rate(self, decisions: Sequence[Sequence[int]]) -> list[float]:
        rated: list[float] = self._controller.score(torch.tensor(decisions)).joint.tolist()
        return rated

    def _draw(self, step: int, size: int, banned: Banned) -> DrawnStep:
        drawn = self._drawn(step, size, "ask", banned)
        if self._memory is not None:
            self._memory.note_drawn([proposal.decisions for proposal in drawn.proposals])
        return drawn

    def _drawn(self, step: int, size: int, purpose: str, banned: Banned) -> DrawnStep:
        masks = masks_of(self._space.decisions, banned)
        generator = torch.Generator().manual_seed(derive(self._seed, purpose, step))
        sizes = [min(AT_ONCE, size - first) for first in range(0, size, AT_ONCE)]
        draw = self._controller.draw
        if self._memory is not None and purpose == "ask":
            draw = partial(draw_new, self._controller, self._memory)
        decisions, scores = zip(*(draw(part, generator, masks) for part in sizes), strict=True)
        joint = _joined([part.joint for part in scores])
        drawn = zip(_joined(decisions).tolist(), joint.tolist(), strict=True)
        probabilities = _joined([part.conditionals for part in scores]).exp().mean(dim=0).tolist()
        return DrawnStep(
            step=step,
            proposals=tuple(proposal_of(self._space, step, slot, *one) for slot, one in enumerate(drawn)),
            policy=tuple(
                tuple(options[: len(decision.options)])
                for options, decision in zip(probabilities, self._space.decisions, strict=True)
            ),
            entropies=tuple(_joined([part.entropies for part in scores]).mean(dim=0).tolist()),
            banned=banned,
        )


def masks_of(decisions: Sequence[Decision], banned: Banned) -> Tensor | None:
    """[D, K], true for the options that may be drawn; None where nothing is banned."""
    if not banned:
        return None
    masks = torch.ones(len(decisions), max(len(decision.options) for decision in decisions), dtype=torch.bool)
    for row, options in zip(masks, banned, strict=True):
        row[list(options)] = False
    return masks


def _joined(parts: Sequence[Tensor]) -> Tensor:
    """One after the other; a single part as it lies in memory, because a copy would be summed in another order.

    The means are part of the state, so their last bits are part of every fingerprint, of earlier versions too.
    """
    return parts[0] if len(parts) == 1 else torch.cat(list(parts))


def build_controller(
    decisions: Sequence[Decision],
    config: PpoConfig | ReinforceConfig,
    controller: AnyControllerConfig | None,
    generator: torch.Generator,
) -> Controller | ProgramController:
    """A controller that has learned nothing; its first weights come from the generator."""
    sizes: Any = {"hidden_size": config.hidden_size, "init_range": config.init_range, "generator": generator}
    if controller is None:
        return Controller(decisions, **sizes)
    return ProgramController(program_of(decisions, controller), **sizes)
