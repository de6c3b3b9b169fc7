"""Shared weights of either sort, on images or on text, and what derived architectures of them would cost."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from search_engine.architectures.reading import Architecture
from search_engine.architectures.recurrent import RecurrentArchitecture
from search_engine.config.enas_search import EnasRecurrentSearchConfig
from search_engine.config.searches import AnyEnasSearchConfig
from search_engine.cost import mult_adds, parameters
from search_engine.data.batches import DataParts, prepare
from search_engine.data.text_reading import unigram_perplexity
from search_engine.data.token_streams import TextParts, prepare_text
from search_engine.network_plan import plan
from search_engine.recurrent_plan import recurrent_parameters
from search_engine.training.shared_images import ImageSearchConfig, SharedImages
from search_engine.training.shared_text import SharedText
from search_engine.training.shared_weights import SharedWeights

SharedData = DataParts | TextParts
CostOf = Callable[[Architecture], tuple[int, int]]  # (parameters, mult-adds) of an architecture trained from scratch.


def prepare_shared(config: AnyEnasSearchConfig, *, folder: Path, device: torch.device) -> SharedData:
    """Read the images or the text. Raises UserError at the field that is wrong."""
    if isinstance(config, EnasRecurrentSearchConfig):
        return prepare_text(config.data, folder=folder, device=device)
    return prepare(config.data, seed=config.reproducibility.seed, folder=folder, device=device)


def build_shared_weights(config: AnyEnasSearchConfig, data: SharedData, *, device: torch.device) -> SharedWeights:
    """The weights as they are before the first epoch. Raises ConfigError where data, sizes or memory do not fit."""
    if isinstance(config, EnasRecurrentSearchConfig):
        assert isinstance(data, TextParts), "a recurrent search reads text"
        return SharedText(config, data=data, device=device)
    assert isinstance(data, DataParts), "searches of image networks see images"
    return SharedImages(config, data=data, device=device)


def data_shown(data: SharedData) -> dict[str, Any]:
    """What events.SearchStarted shows of the data; of a text also the perplexity of guessing by frequency alone."""
    if isinstance(data, DataParts):
        return data.description.to_json()
    train, valid = data.train.tokens.cpu().numpy(), data.valid.tokens.cpu().numpy()
    unigram = {"valid": unigram_perplexity(train, valid, len(data.vocabulary))}
    return data.description.to_json() | {"unigram_perplexity": unigram}


def derived_cost(config: AnyEnasSearchConfig, data: SharedData) -> CostOf:
    """What an architecture costs in the layout in which it would be trained from scratch; of a cell for one word."""
    if isinstance(config, EnasRecurrentSearchConfig):
        assert isinstance(data, TextParts)
        hidden, vocabulary = config.derived.hidden, len(data.vocabulary)

        def of_cell(architecture: Architecture) -> tuple[int, int]:
            assert isinstance(architecture, RecurrentArchitecture)
            count = recurrent_parameters(architecture, hidden=hidden, vocabulary=vocabulary)
            return count, count

        return of_cell
    assert isinstance(data, DataParts)
    return _cost_of_images(config, data)


def _cost_of_images(config: ImageSearchConfig, data: DataParts) -> CostOf:
    description = data.description

    def of_network(architecture: Architecture) -> tuple[int, int]:
        network = plan(
            architecture,
            config.derived,
            image_channels=description.channels,
            image_size=config.data.image_size,
            classes=len(description.classes),
        )
        return parameters(network), mult_adds(network)

    return of_network
