"""What trainings for keeps check alike, on images and on text: whether an epoch failed, and whose a checkpoint is."""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from search_engine.config.trainings import AnyTrainingConfig
from search_engine.errors import CheckpointError, ConfigError
from search_engine.training.train import DIVERGED


def check_epoch(reason: str | None, config: AnyTrainingConfig, epoch: int) -> None:
    """reason: why the training ended before its last epoch, or None. Raises ConfigError at the setting to change."""
    recipe = config.recipe
    if reason == DIVERGED:
        raise ConfigError(
            "recipe.learning_rate", f"is {recipe.learning_rate}; the loss ceased to be finite in epoch {epoch}."
        )
    if reason is not None:
        raise ConfigError("recipe.batch_size", f"is {recipe.batch_size}; ran out of memory in epoch {epoch}.")


def check_checkpoint(metadata: Mapping[str, Any], config: AnyTrainingConfig) -> None:
    """Raises CheckpointError unless it is of this training, with the default for every setting it did not know yet."""
    if metadata.get("kind") != "training" or not _is_alike(metadata.get("config"), config):
        raise CheckpointError("", "the checkpoint belongs to another training.")


def _is_alike(found: Any, config: AnyTrainingConfig) -> bool:
    try:
        return type(config).model_validate(found) == config
    except ValidationError:
        return False
