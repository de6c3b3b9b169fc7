"""A recurrent network that was trained for keeps, read back from its file and scored."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from search_engine.architectures.recurrent import RecurrentArchitecture
from search_engine.config.language import OWN, LanguageTrainingConfig
from search_engine.config.reading import read_config
from search_engine.data.named_text import named_text
from search_engine.data.text_reading import read_text
from search_engine.data.texts import describe_text, level_of
from search_engine.data.token_streams import on_device
from search_engine.errors import CheckpointError, ConfigError
from search_engine.networks.recurrent_network import RecurrentNetwork
from search_engine.training.language_train import nats_per_token, perplexity_of


class TrainedLanguageNetwork:
    """What a file says of a network on text: its configuration, its weights, and its vocabulary, by token numbers."""

    def __init__(self, tensors: Mapping[str, Tensor], metadata: Mapping[str, Any]) -> None:
        self.config = read_config(LanguageTrainingConfig, metadata["config"])
        self.tensors, self.metadata = tensors, metadata
        self.architecture = RecurrentArchitecture.from_json(self.config.architecture)
        self.vocabulary: tuple[str, ...] = tuple(metadata["vocabulary"])

    def score(self, data_name: str, *, folder: Path) -> dict[str, Any]:
        """The perplexity on the test part of a text, in the words that the network knows, and of how many tokens.

        folder: where own texts are kept. Raises ConfigError where the text is of characters and the network of words,
        or the other way round; DataError where the text cannot be had.
        """
        trained = level_of(self.config.data)
        wanted = self.config.data.model_copy(update=named_text(data_name, folder) | {"level": trained})
        if wanted.name != OWN and describe_text(wanted.name).level != trained:
            raise ConfigError("--data", f"is {data_name}; the network reads {trained}.")
        text = on_device(read_text(wanted, folder, vocabulary=self.vocabulary), torch.device("cpu"))
        perplexity = perplexity_of(nats_per_token(self.network(), text.test, self.config.recipe.test_batch))
        return {"test_perplexity": perplexity, "test_examples": len(text.test) - 1}

    def network(self) -> RecurrentNetwork:
        """Raises CheckpointError where the weights are those of another network."""
        network = RecurrentNetwork(
            self.architecture,
            vocabulary=len(self.vocabulary),
            hidden=self.config.layout.hidden,
            generator=torch.Generator(),
        )
        try:
            network.load_state_dict(dict(self.tensors))
        except RuntimeError as error:
            raise CheckpointError("", "the weights belong to another network.") from error
        return network
