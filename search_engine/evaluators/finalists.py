"""Trains a finalist from scratch: as a training for keeps, but without a look at the test images.

Which finalist is kept is decided by the held-out images, so nothing here may know the test images.
"""

from collections.abc import Generator, Mapping
from typing import Any

import torch
from torch import Tensor

from search_engine import checkpoints
from search_engine.config.search import SearchConfig
from search_engine.cost import mult_adds, parameters
from search_engine.data.batches import DataParts
from search_engine.errors import CheckpointError, ConfigError
from search_engine.events import FinalistEpochEnded, FinalistFinished
from search_engine.training.for_keeps import TrainingForKeeps

FINALS = 1  # Behind (step, slot) in the place of a finalist's seeds, so that nothing is drawn as for the child.
Checkpoint = tuple[Mapping[str, Tensor], Mapping[str, Any]]


class FinalistTraining:
    """One finalist, which can be left after any epoch and gone on with to the bit."""

    def __init__(
        self, config: SearchConfig, *, rank: int, step: int, slot: int, architecture: dict[str, Any], data: DataParts,
        device: torch.device, checkpoint: Checkpoint | None = None,
    ) -> None:  # fmt: skip
        """checkpoint: to go on from. Raises CheckpointError where it is another finalist's, and ConfigError where the
        network does not fit into memory."""
        self._place = {"rank": rank, "step": step, "slot": slot}
        training = config.final_training(architecture)
        self._training = TrainingForKeeps(training, data=data, device=device, place=(step, slot, FINALS))
        self._past: list[dict[str, Any]] = []
        if checkpoint is not None:
            tensors, metadata = checkpoint
            if metadata.get("finalist") != self._place:
                raise CheckpointError("", f"the checkpoint is not of finalist {rank}.")
            self._training.restore(tensors, metadata["training"])
            self._past = list(metadata["epochs"])

    @property
    def past(self) -> list[FinalistEpochEnded]:
        """The epochs that lie behind it."""
        return [FinalistEpochEnded(**epoch) for epoch in self._past]

    def epochs(self) -> Generator[FinalistEpochEnded, None, FinalistFinished]:
        """Train to the last epoch; the verdict, without its checkpoint. Diverging or running out of memory is one."""
        reason = None
        try:
            for ended in self._training.epochs():
                event = FinalistEpochEnded(
                    rank=self._place["rank"], **ended.model_dump(exclude={"kind", "version", "step", "slot"})
                )
                self._past.append(event.model_dump(mode="json", exclude={"kind", "version"}))
                yield event
        except ConfigError as error:
            reason = f"{error.field} {error.message}"
        accuracy = self._past[-1]["accuracy"] if reason is None else None
        return FinalistFinished(
            rank=self._place["rank"],
            accuracy=accuracy,
            reason=reason,
            parameters=parameters(self._training.plan),
            mult_adds=mult_adds(self._training.plan),
            seconds=sum(epoch["seconds"] for epoch in self._past),
        )

    def checkpoint(self) -> bytes:
        """The file after an epoch: all that is needed to go on, and the epochs so far."""
        tensors, metadata = self._training.checkpoint()
        return checkpoints.encode(
            tensors, {"kind": "finalist", "finalist": self._place, "training": metadata, "epochs": self._past}
        )

    def network_file(self) -> bytes:
        """The file of the trained network, which `evaluate` reads as it reads a training's."""
        return checkpoints.encode(*self._training.network_file(None))


def not_fitting(rank: int, error: ConfigError) -> FinalistFinished:
    """The verdict on a finalist whose network could not be built."""
    return FinalistFinished(
        rank=rank, accuracy=None, reason=f"{error.field} {error.message}", parameters=0, mult_adds=0, seconds=0.0
    )
