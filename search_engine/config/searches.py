"""A search of any method: with children trained one by one, or with shared weights."""

from collections.abc import Mapping
from typing import Any

from search_engine.config.enas_search import EnasMacroSearchConfig, EnasMicroSearchConfig, EnasRecurrentSearchConfig
from search_engine.config.reading import read_config
from search_engine.config.search import SearchConfig
from search_engine.errors import ConfigError

AnyEnasSearchConfig = EnasMicroSearchConfig | EnasMacroSearchConfig | EnasRecurrentSearchConfig
AnySearchConfig = SearchConfig | AnyEnasSearchConfig

ENAS_METHODS: dict[str, type[AnyEnasSearchConfig]] = {
    "enas-micro": EnasMicroSearchConfig,
    "enas-macro": EnasMacroSearchConfig,
    "enas-recurrent": EnasRecurrentSearchConfig,
}


def read_search_config(value: Any) -> AnySearchConfig:
    """The configuration in a JSON object, as `search_model` says. Raises ConfigError for the first thing wrong."""
    return read_config(search_model(value), value)


def search_model(value: Any) -> type[AnySearchConfig]:
    """The model of a JSON object: what names no method is a search whose children are trained one by one.

    Raises ConfigError for an unknown method.
    """
    method = value.get("method") if isinstance(value, Mapping) else None
    if method is None:
        return SearchConfig
    if not isinstance(method, str) or method not in ENAS_METHODS:
        raise ConfigError("method", f"is {method!r}; must be {' or '.join(ENAS_METHODS)}, or left out.")
    return ENAS_METHODS[method]


def read_enas_config(value: Any) -> AnyEnasSearchConfig:
    """The configuration of a search with shared weights. Raises ConfigError, also for one of another method."""
    config = read_search_config(value)
    if isinstance(config, SearchConfig):
        raise ConfigError("method", f"is missing; must be {' or '.join(ENAS_METHODS)}.")
    return config
