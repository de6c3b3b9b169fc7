"""A training for keeps on text: one recurrent cell, scored on the validation part each epoch, on the test part once."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from search_engine.architectures.reading import architecture_from_json
from search_engine.architectures.recurrent import RecurrentArchitecture
from search_engine.config.language import LanguageTrainingConfig
from search_engine.data.text_reading import unigram_perplexity
from search_engine.data.token_streams import TextParts
from search_engine.errors import ArchitectureError, ConfigError
from search_engine.events import EpochEnded, TrainingFinished, TrainingStarted
from search_engine.networks.recurrent_network import RecurrentNetwork
from search_engine.returning import Returning
from search_engine.seeds import Seeds
from search_engine.training.kept_checks import check_checkpoint, check_epoch
from search_engine.training.language_train import (
    LanguageProgress,
    LanguageTrainee,
    nats_per_token,
    perplexity_of,
    train_on_text,
)
from search_engine.training.numerics import NUMERICS_VERSION
from search_engine.training.train import unless_out_of_memory


@dataclass(frozen=True, slots=True)
class LanguageTestResult:
    """The one look at the test part. test_tokens: how many were guessed; seconds: of all epochs together."""

    test_perplexity: float
    test_tokens: int
    held_out_perplexity: float
    seconds: float


class LanguageTraining:
    """One training on text that can be left after any epoch and gone on with to the bit."""

    def __init__(self, config: LanguageTrainingConfig, *, data: TextParts, device: torch.device) -> None:
        """Raises ArchitectureError for a wrong architecture, ConfigError where text or network do not fit."""
        self.config = config
        self._data = data
        self._seeds = Seeds(config.reproducibility.seed)
        architecture = architecture_from_json(config.architecture)
        if not isinstance(architecture, RecurrentArchitecture):
            raise ArchitectureError(
                "architecture.kind", f"is {architecture.kind}; a recurrent cell is trained on text."
            )
        self.architecture = architecture
        data.train.steps(config.recipe.batch_size)  # Refuses a text that is too short before anything is computed.
        trainee = unless_out_of_memory(lambda: self._build(device))
        if isinstance(trainee, str):
            raise ConfigError("layout.hidden", f"is {config.layout.hidden}; the network does not fit into memory.")
        self._trainee = trainee

    def _build(self, device: torch.device) -> LanguageTrainee:
        network = RecurrentNetwork(
            self.architecture,
            vocabulary=len(self._data.vocabulary),
            hidden=self.config.layout.hidden,
            generator=torch.Generator().manual_seed(self._seeds.of("weights")),
            initial_range=self.config.recipe.initial_range,
        )
        return LanguageTrainee(network.to(device), self.config.recipe)

    @property
    def parameters(self) -> int:
        return sum(parameter.numel() for parameter in self._trainee.parameters)

    @property
    def mult_adds(self) -> int:
        """Of one word, forward: every weight once, and the vectors of the softmax, which are those of the embedding."""
        return self.parameters

    def figures(self) -> dict[str, float]:
        """What stands beside the result: the test part's perplexity by guessing from frequency alone among it."""
        unigram = self._unigram_perplexity()["test"]
        return {"test_unigram_perplexity": unigram, "parameters": self.parameters, "mult_adds": self.mult_adds}

    def data_shown(self) -> dict[str, Any]:
        """What the text is, and the perplexity of guessing from frequency alone on both scored parts."""
        return self._data.description.to_json() | {"unigram_perplexity": self._unigram_perplexity()}

    def _unigram_perplexity(self) -> dict[str, float]:
        data, size = self._data, len(self._data.vocabulary)
        train = data.train.tokens.cpu().numpy()
        parts = {"valid": data.valid.tokens, "test": data.test.tokens}
        return {name: unigram_perplexity(train, tokens.cpu().numpy(), size) for name, tokens in parts.items()}

    def started(self) -> TrainingStarted:
        return TrainingStarted(
            config=self.config.model_dump(mode="json"),
            data=self.data_shown(),
            hash=self.architecture.hash,
            parameters=self.parameters,
            mult_adds=self.mult_adds,
        )

    def epochs(self) -> Generator[EpochEnded, None, None]:
        """Train to the last epoch. Raises ConfigError when the recipe turns out not to work on this machine."""
        epochs = Returning(train_on_text(self._trainee, self._data.train, self._data.valid, seeds=self._seeds))
        for record in epochs:
            yield EpochEnded(
                epoch=record.epoch,
                epochs=self.config.recipe.epochs,
                loss=record.loss,
                perplexity=record.perplexity,
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
        self._trainee.restore(tensors, LanguageProgress.from_json(metadata["progress"]))

    def test(self) -> LanguageTestResult:
        """Score the test part: once, after the last epoch; nothing was chosen by it."""
        progress, test = self._trainee.progress, self._data.test
        assert progress.epochs_done == self.config.recipe.epochs
        nats = nats_per_token(self._trainee.scored, test, self.config.recipe.test_batch)
        if (perplexity := perplexity_of(nats)) == float("inf"):
            raise ConfigError("recipe.learning_rate", "left a network whose perplexity on the test part is no number.")
        return LanguageTestResult(
            test_perplexity=perplexity,
            test_tokens=len(test) - 1,
            held_out_perplexity=perplexity_of(progress.losses[-1]),
            seconds=progress.seconds,
        )

    def finished(self, result: LanguageTestResult, checkpoint: str) -> TrainingFinished:
        """checkpoint: SHA-256 of the file of the trained network."""
        return TrainingFinished(
            test_perplexity=result.test_perplexity,
            test_examples=result.test_tokens,
            held_out_perplexity=result.held_out_perplexity,
            checkpoint=checkpoint,
            seconds=result.seconds,
        )

    def network_file(self, result: LanguageTestResult) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """(tensors, metadata) of the trained network: its weights, its vocabulary, and where they come from."""
        figures = {
            "test_perplexity": result.test_perplexity,
            "test_tokens": result.test_tokens,
            "held_out_perplexity": result.held_out_perplexity,
            "unigram_perplexity": self._unigram_perplexity()["test"],
            "vocabulary": list(self._data.vocabulary),
        }
        return dict(self._trainee.scored.state_dict()), self._metadata("network") | figures

    def _metadata(self, kind: str) -> dict[str, Any]:
        """architecture, layout, recipe, data and seed are in the configuration."""
        return {
            "kind": kind,
            "config": self.config.model_dump(mode="json"),
            "hash": self.architecture.hash,
            "data": self._data.description.to_json(),
            "numerics": NUMERICS_VERSION,
            "progress": self._trainee.progress.to_json(),
        }
