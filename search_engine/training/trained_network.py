"""A network that was trained for keeps, read back from its file and scored."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from search_engine import checkpoints
from search_engine.architectures.reading import architecture_from_json
from search_engine.config.reading import read_config
from search_engine.config.training import TrainingConfig
from search_engine.config.trainings import reads_text
from search_engine.data.batches import test_part_of
from search_engine.data.named_images import named_images
from search_engine.data.own_set import describe_in
from search_engine.errors import CheckpointError, ConfigError
from search_engine.networks.plan_network import PlanNetwork
from search_engine.training.scoring import accuracy
from search_engine.training.trained_language_network import TrainedLanguageNetwork
from search_engine.training.trained_plan import trained_plan


def read_trained_network(path: Path) -> "TrainedNetwork | TrainedLanguageNetwork":
    """Raises CheckpointError where the file is damaged or holds no trained network."""
    tensors, metadata = checkpoints.load(path)
    if metadata.get("kind") != "network":
        raise CheckpointError(str(path), "holds no trained network.")
    return (TrainedLanguageNetwork if reads_text(metadata["config"]) else TrainedNetwork)(tensors, metadata)


class TrainedNetwork:
    """What a file says of a network: its configuration, its weights, and how its images were normalised.

    classes: their names, in the order of the logits. plan: the network as it was kept.
    """

    def __init__(self, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> None:
        self.tensors, self.metadata = tensors, metadata
        self.config = read_config(TrainingConfig, metadata["config"])
        self.architecture = architecture_from_json(self.config.architecture)
        self.normalisation: dict[str, list[float]] = metadata["normalisation"]
        self.classes: tuple[str, ...] = tuple(metadata["data"]["classes"])
        self.plan = trained_plan(
            self.architecture,
            self.config.layout,
            self.config.recipe,
            image_channels=metadata["data"]["channels"],
            image_size=self.config.data.image_size,
            classes=len(self.classes),
        ).without_auxiliary()

    def score(self, data_name: str, *, folder: Path) -> dict[str, Any]:
        """The accuracy on the test images of a data set, in [0, 1], and how many there are.

        folder: where downloads are kept. Raises ConfigError where the data set has other classes than the network,
        DataError where it cannot be had.
        """
        name = named_images(data_name, folder)
        wanted = describe_in(name, folder)
        if (self.plan.image[0], self.classes) != (wanted.channels, wanted.classes):
            trained = self.metadata["data"]["name"]
            raise ConfigError("--data", f"is {data_name}; the network tells the classes of {trained} apart.")
        test = test_part_of(name, self.config.data.image_size, self.normalisation, folder=folder)
        return {"test_accuracy": accuracy(self.network(), test), "test_examples": len(test)}

    def network(self) -> PlanNetwork:
        """Raises CheckpointError where the weights are those of another network."""
        network = PlanNetwork(self.plan, generator=torch.Generator())
        try:
            network.load_state_dict(self.tensors)
        except RuntimeError as error:
            raise CheckpointError("", "the weights belong to another network.") from error
        return network
