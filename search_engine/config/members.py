"""The same search with another strategy or another seed: what the members of a group differ in."""

from typing import Any, TypeVar, get_args

from search_engine.config.enas_search import EnasSearchConfig
from search_engine.config.finals import FinalsConfig
from search_engine.config.reading import read_config
from search_engine.config.search import SearchConfig
from search_engine.errors import ConfigError

AnySearch = TypeVar("AnySearch", SearchConfig, EnasSearchConfig)


def strategies_of(model: type[SearchConfig] | type[EnasSearchConfig]) -> tuple[str, ...]:
    """The strategies that a search of this model may have, by their names."""
    union = model.model_fields["strategy"].annotation
    return tuple(part.model_fields["kind"].default for part in get_args(union))


def member_config(config: AnySearch, *, strategy: str, seed: int) -> AnySearch:
    """This search with another seed, and perhaps another strategy. Raises ConfigError.

    The strategy that the configuration names keeps its settings; another one has its defaults, with the same children
    per step and as many steps ahead, and no final round: strategies are compared by their children.
    """
    allowed = strategies_of(type(config))
    if strategy not in allowed:
        raise ConfigError("strategies", f"has {strategy!r}; must name some of {', '.join(allowed)}.")
    whole: dict[str, Any] = config.model_dump(mode="json")
    whole["reproducibility"]["seed"] = seed
    if strategy != config.strategy.kind:
        kept = {name: whole["strategy"][name] for name in ("step_size", "lookahead")}
        whole["strategy"] = {"kind": strategy, **kept}
        if "finals" in whole:
            whole["finals"] = FinalsConfig().model_dump(mode="json")
    return read_config(type(config), whole)
