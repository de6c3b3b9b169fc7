"""The standalone evaluator: every child is trained from scratch, as in the NASNet search."""

from collections.abc import Generator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from search_engine.config.search import SearchConfig
from search_engine.cost import mult_adds, parameters
from search_engine.cost_rules import (
    OverBound,
    bound_errors,
    cost_in_the_reward,
    costed_plan,
    over_a_count,
    over_the_latency,
    shaped_reward,
)
from search_engine.data.batches import DataParts, prepare
from search_engine.errors import CheckpointError
from search_engine.evaluators.base import Evaluator
from search_engine.events import EpochEnded, Event, Latency
from search_engine.network_plan import NetworkPlan
from search_engine.networks.plan_network import PlanNetwork
from search_engine.returning import Returning
from search_engine.seeds import Seeds
from search_engine.strategies.base import Evaluation, Proposal, Strategy
from search_engine.training.latency import measure_latency
from search_engine.training.precision import must_compute_on
from search_engine.training.train import Progress, Trainee, train, unless_out_of_memory
from search_engine.training.trained_plan import trained_plan

ChildCheckpoint = tuple[Mapping[str, Tensor], Mapping[str, Any]]


class StandaloneEvaluator(Evaluator):
    """Rewards a child with its accuracy on the held-out images after the recipe's last epoch (NASNet, A.2 and A.3).

    Everything random is drawn from (search seed, purpose, step, slot, epoch), so a child gives the same reward wherever
    and after whatever it is trained.
    """

    def __init__(
        self, config: SearchConfig, *, device: torch.device, folder: Path, data: DataParts | None = None
    ) -> None:
        """folder: where downloaded data sets are. data: the parts, where somebody has them at hand already.

        Raises ConfigError where the device lacks the recipe's precision or no network can meet the bounds; else as
        data.batches.prepare does.
        """
        must_compute_on(config.recipe, device)
        self._config = config
        self._device = device
        seed = config.reproducibility.seed
        self._data = data or prepare(config.data, seed=seed, folder=folder, device=device)
        self._latency: Latency | None = None
        for error in bound_errors(config, image_channels=self._channels, classes=self._classes):
            raise error

    def prepare(self, strategy: Strategy) -> Generator[Event, None, None]:
        yield from ()

    def evaluate(self, proposal: Proposal) -> Generator[Event, None, Evaluation]:
        epochs = Returning(self.train_child(proposal))
        for event, _ in epochs:
            yield event
        return epochs.returned

    def train_child(
        self, proposal: Proposal, checkpoint: ChildCheckpoint | None = None
    ) -> Generator[tuple[EpochEnded, Trainee], None, Evaluation]:
        """As `evaluate`, with the trainee beside each event, from which `child_checkpoint` makes a checkpoint.

        Goes on from such a checkpoint, to the same bits; raises CheckpointError where it is another child's. A child
        over a bound is not trained; a latency that the checkpoint has is not measured again.
        """
        child_plan = self._plan(proposal)
        self._latency = None if checkpoint is None else _latency_in(checkpoint)
        if (broken := self._over_a_bound(proposal)) is not None:
            refused = self._infeasible(proposal, child_plan, broken.reason, 0.0)
            return replace(refused, over=broken.bound, times=broken.times)
        trainee = unless_out_of_memory(lambda: self._build(child_plan, proposal))
        if isinstance(trainee, str):
            return self._infeasible(proposal, child_plan, trainee, 0.0)
        if checkpoint is not None:
            _restore(trainee, proposal, checkpoint)
        epochs = Returning(
            train(trainee, self._data.train, self._data.held_out, seeds=self._seeds(proposal), score_every_epoch=False)
        )
        for record in epochs:
            event = EpochEnded(
                step=proposal.step,
                slot=proposal.slot,
                epoch=record.epoch,
                epochs=self._config.recipe.epochs,
                loss=record.loss,
                accuracy=record.accuracy,
                learning_rate=record.learning_rate,
                seconds=record.seconds,
            )
            yield event, trainee
        if epochs.returned is not None:
            return self._infeasible(proposal, child_plan, epochs.returned, trainee.progress.seconds)
        return self._measured(proposal, child_plan, trainee.progress)

    def _plan(self, proposal: Proposal) -> NetworkPlan:
        return trained_plan(
            proposal.architecture,
            self._config.child,
            self._config.recipe,
            image_channels=self._channels,
            image_size=self._config.data.image_size,
            classes=self._classes,
        )

    @property
    def latency(self) -> Latency | None:
        """Of the child that is evaluated, or was the last; None where none is measured. Its checkpoint must hold it."""
        return self._latency

    @property
    def _channels(self) -> int:
        return self._data.description.channels

    @property
    def _classes(self) -> int:
        return len(self._data.description.classes)

    def _over_a_bound(self, proposal: Proposal) -> OverBound | None:
        """By the counts of the plan, then by the latency, which is measured here unless it is known."""
        config = self._config
        if not (config.bounds.any or config.measures_latency):
            return None
        network = self._costed(proposal)
        broken = over_a_count(config.bounds, parameters(network), mult_adds(network))
        if broken is not None or not config.measures_latency:
            return broken
        if self._latency is None:
            measured = unless_out_of_memory(lambda: measure_latency(network, config.bounds, self._device))
            if isinstance(measured, str):
                return OverBound(None, None, measured)
            self._latency = measured
        return over_the_latency(config.bounds, self._latency)

    def _costed(self, proposal: Proposal) -> NetworkPlan:
        return costed_plan(
            self._config, proposal.architecture, image_channels=self._channels, classes=self._classes
        )  # fmt: skip

    def _build(self, child_plan: NetworkPlan, proposal: Proposal) -> Trainee:
        generator = torch.Generator().manual_seed(self._seeds(proposal).of("weights"))
        return Trainee(PlanNetwork(child_plan, generator=generator).to(self._device), self._config.recipe)

    def _seeds(self, proposal: Proposal) -> Seeds:
        return Seeds(self._config.reproducibility.seed, (proposal.step, proposal.slot))

    def _measured(self, proposal: Proposal, child_plan: NetworkPlan, progress: Progress) -> Evaluation:
        return Evaluation(
            step=proposal.step,
            slot=proposal.slot,
            reward=self._reward(proposal, progress.accuracy),
            parameters=parameters(child_plan.without_auxiliary()),
            mult_adds=mult_adds(child_plan.without_auxiliary()),
            seconds=progress.seconds,
            accuracy=progress.accuracy if self._config.weighs_cost else None,
            latency=self._latency,
        )

    def _reward(self, proposal: Proposal, accuracy: float | None) -> float | None:
        objective = self._config.objective
        if accuracy is None or not self._config.weighs_cost:
            return accuracy
        return shaped_reward(objective, accuracy, cost_in_the_reward(objective, self._costed(proposal), self._latency))

    def _infeasible(self, proposal: Proposal, child_plan: NetworkPlan, reason: str, seconds: float) -> Evaluation:
        return Evaluation(
            step=proposal.step,
            slot=proposal.slot,
            reward=self._config.budget.infeasible_reward,
            reason=reason,
            parameters=parameters(child_plan.without_auxiliary()),
            mult_adds=mult_adds(child_plan.without_auxiliary()),
            seconds=seconds,
            latency=self._latency,
        )


def child_checkpoint(proposal: Proposal, trainee: Trainee, latency: Latency | None = None) -> ChildCheckpoint:
    """(tensors, metadata) after an epoch, for checkpoints.encode. latency: the evaluator's."""
    return trainee.tensors(), ({} if latency is None else {"latency": latency.model_dump(mode="json")}) | {
        "kind": "child",
        "hash": proposal.architecture.hash,
        "step": proposal.step,
        "slot": proposal.slot,
        "progress": trainee.progress.to_json(),
    }


def _latency_in(checkpoint: ChildCheckpoint) -> Latency | None:
    known = checkpoint[1].get("latency")
    return None if known is None else Latency.model_validate(known)


def _restore(trainee: Trainee, proposal: Proposal, checkpoint: ChildCheckpoint) -> None:
    tensors, metadata = checkpoint
    found = [metadata.get(name) for name in ("kind", "hash", "step", "slot")]
    if found != ["child", proposal.architecture.hash, proposal.step, proposal.slot]:
        raise CheckpointError("", f"the checkpoint is not of child {proposal.step}.{proposal.slot}.")
    trainee.restore(tensors, Progress(**metadata["progress"]))
