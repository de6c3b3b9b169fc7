"""From JSON to a configuration, or to sentences on what is wrong with it."""

from typing import Any, TypeVar

from pydantic import ValidationError

from search_engine.config.base import Config
from search_engine.config.sentences import place_and_sentence
from search_engine.errors import ConfigError

C = TypeVar("C", bound="Config")


def read_config(model: type[C], value: Any) -> C:
    """The configuration in `value`, a JSON object; raises ConfigError for the first thing that is wrong."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise config_errors(error)[0] from error


def config_errors(error: ValidationError) -> list[ConfigError]:
    """One error per wrong field, each with a sentence that states found and wanted."""
    found: dict[str, ConfigError] = {}
    for detail in error.errors():
        field, message = place_and_sentence(detail)
        if detail["type"] == "too_short" and any(other.startswith(f"{field}.") for other in found):
            continue  # Entries that are wrong were not counted; only they are to be mended.
        found.setdefault(field, ConfigError(field, message))
    return list(found.values())
