"""A training of either sort: on images or on text, as the kind of its architecture says."""

from collections.abc import Mapping
from typing import Any

from search_engine.config.language import LanguageTrainingConfig
from search_engine.config.reading import read_config
from search_engine.config.training import TrainingConfig

AnyTrainingConfig = TrainingConfig | LanguageTrainingConfig


def read_training_config(value: Any) -> AnyTrainingConfig:
    """The configuration in a JSON object: a recurrent architecture reads text, every other one sees images.

    Raises ConfigError for the first thing that is wrong.
    """
    if reads_text(value):
        return read_config(LanguageTrainingConfig, value)
    return read_config(TrainingConfig, value)


def reads_text(value: Any) -> bool:
    """Whether the training in this JSON object is one on text."""
    architecture = value.get("architecture") if isinstance(value, Mapping) else None
    return isinstance(architecture, Mapping) and architecture.get("kind") == "recurrent"
