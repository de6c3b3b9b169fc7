"""A training for keeps: one architecture, trained with every epoch scored, and looked at by the test images once."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from search_engine.architectures.reading import architecture_from_json
from search_engine.config.training import TrainingConfig
from search_engine.cost import mult_adds, parameters
from search_engine.data.batches import DataParts
from search_engine.errors import ConfigError
from search_engine.events import EpochEnded, TrainingFinished, TrainingStarted
from search_engine.networks.plan_network import PlanNetwork
from search_engine.returning import Returning
from search_engine.seeds import Seeds
from search_engine.training.kept_checks import check_checkpoint, check_epoch
from search_engine.training.numerics import NUMERICS_VERSION
from search_engine.training.precision import must_compute_on
from search_engine.training.scoring import accuracy
from search_engine.training.train import Progress, Trainee, train, unless_out_of_memory
from search_engine.training.trained_plan import trained_plan


@dataclass(frozen=True, slots=True)
class TestResult:
    """The one look at the test images. Accuracies in [0, 1]; seconds: of all epochs together."""

    __test__ = False  # Not a test, whatever pytest thinks of its name.

    test_accuracy: float
    test_examples: int
    held_out_accuracy: float
    seconds: float


class TrainingForKeeps:
    """One training that can be left after any epoch and gone on with to the bit. plan: the network as it is kept."""

    def __init__(
        self, config: TrainingConfig, *, data: DataParts, device: torch.device, place: tuple[int, ...] = ()
    ) -> None:
        """place: of its seeds, where it is one of several trainings of one seed.

        Raises ArchitectureError for a wrong architecture, ConfigError where the network does not fit into memory or the
        device lacks the recipe's precision.
        """
        self.config = config
        self._data = data
        self._seeds = Seeds(config.reproducibility.seed, place)
        self.architecture = architecture_from_json(config.architecture)
        must_compute_on(config.recipe, device)
        self._trained_plan = trained_plan(
            self.architecture,
            config.layout,
            config.recipe,
            image_channels=data.description.channels,
            image_size=config.data.image_size,
            classes=len(data.description.classes),
        )
        self.plan = self._trained_plan.without_auxiliary()
        trainee = unless_out_of_memory(lambda: self._build(device))
        if isinstance(trainee, str):
            raise ConfigError("layout.filters", f"is {config.layout.filters}; the network does not fit into memory.")
        self._trainee = trainee

    def _build(self, device: torch.device) -> Trainee:
        generator = torch.Generator().manual_seed(self._seeds.of("weights"))
        return Trainee(PlanNetwork(self._trained_plan, generator=generator).to(device), self.config.recipe)

    @property
    def parameters(self) -> int:
        return parameters(self.plan)

    @property
    def mult_adds(self) -> int:
        return mult_adds(self.plan)

    def figures(self) -> dict[str, float]:
        """What stands beside the result."""
        return {"parameters": self.parameters, "mult_adds": self.mult_adds}

    def started(self) -> TrainingStarted:
        return TrainingStarted(
            config=self.config.model_dump(mode="json"),
            data=self._data.description.to_json(),
            hash=self.architecture.hash,
            parameters=self.parameters,
            mult_adds=self.mult_adds,
        )

    def epochs(self) -> Generator[EpochEnded, None, None]:
        """Train to the last epoch. Raises ConfigError when the recipe turns out not to work on this machine."""
        epochs = Returning(
            train(self._trainee, self._data.train, self._data.held_out, seeds=self._seeds, score_every_epoch=True)
        )
        for record in epochs:
            yield EpochEnded(
                epoch=record.epoch,
                epochs=self.config.recipe.epochs,
                loss=record.loss,
                accuracy=record.accuracy,
                learning_rate=record.learning_rate,
                seconds=record.seconds,
            )
        check_epoch(epochs.returned, self.config, self._trainee.progress.epochs_done + 1)

    def checkpoint(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """(tensors, metadata) after an epoch: all that is needed to go on."""
        return self._trainee.tensors(), self._metadata("training")

    def restore(self, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> None:
        """Go on from a checkpoint. Raises CheckpointError when it belongs to another training."""
        check_checkpoint(metadata, self.config)
        self._trainee.restore(tensors, Progress(**metadata["progress"]))

    def test(self) -> TestResult:
        """Score the test images: once, after the last epoch; nothing was chosen by them."""
        progress = self._trainee.progress
        assert progress.epochs_done == self.config.recipe.epochs and progress.accuracy is not None
        with self._trainee.as_scored():
            test_accuracy = accuracy(self._trainee.network, self._data.test)
        return TestResult(
            test_accuracy=test_accuracy,
            test_examples=len(self._data.test),
            held_out_accuracy=progress.accuracy,
            seconds=progress.seconds,
        )

    def finished(self, result: TestResult, checkpoint: str) -> TrainingFinished:
        """checkpoint: SHA-256 of the file of the trained network."""
        return TrainingFinished(
            test_accuracy=result.test_accuracy,
            test_examples=result.test_examples,
            held_out_accuracy=result.held_out_accuracy,
            checkpoint=checkpoint,
            seconds=result.seconds,
        )

    def network_file(self, result: TestResult | None) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """(tensors, metadata) of the trained network: its weights and statistics, and where they come from.

        result: None where the test images were not looked at, as in the final round of a search.
        """
        accuracies: dict[str, Any] = {"held_out_accuracy": self._trainee.progress.accuracy}
        if result is not None:
            accuracies |= {"test_accuracy": result.test_accuracy, "test_examples": result.test_examples}
        return self._trainee.trained_network(), self._metadata("network") | accuracies

    def _metadata(self, kind: str) -> dict[str, Any]:
        """architecture, layout, recipe, data and seed are in the configuration."""
        return {
            "kind": kind,
            "config": self.config.model_dump(mode="json"),
            "hash": self.architecture.hash,
            "data": self._data.description.to_json(),
            "normalisation": self._data.train.normalisation(),
            "numerics": NUMERICS_VERSION,
            "progress": self._trainee.progress.to_json(),
        }
