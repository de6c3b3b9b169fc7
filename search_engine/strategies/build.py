"""The strategy that a configuration asks for, and the file it is kept in between steps."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from search_engine import checkpoints
from search_engine.config.changes import Change, in_rounds
from search_engine.config.controller import AnyControllerConfig
from search_engine.config.enas_search import EnasSearchConfig
from search_engine.config.search import SearchConfig
from search_engine.config.strategy import (
    AnyStrategyConfig,
    EvolutionConfig,
    LocalSearchConfig,
    PpoConfig,
    PpoReplayConfig,
    ReinforceConfig,
)
from search_engine.cost import child_parameters
from search_engine.errors import CheckpointError
from search_engine.spaces.base import Space
from search_engine.spaces.build import build_space
from search_engine.strategies.base import Strategy
from search_engine.strategies.evolution import Evolution
from search_engine.strategies.local_search import LocalSearch
from search_engine.strategies.ppo import Ppo
from search_engine.strategies.ppo_replay import PpoReplay
from search_engine.strategies.random import Random
from search_engine.strategies.reinforce import Reinforce
from search_engine.strategies.screening import Screening


def build_strategy(config: SearchConfig, changes: Sequence[Change] = ()) -> Strategy:
    """A strategy that has drawn its first steps and learned nothing yet. changes: of this search, by their steps."""
    return build_strategy_for(
        build_space(config.space),
        config.strategy,
        None,
        children=config.budget.children,
        seed=config.reproducibility.seed,
        changes=changes,
        screening=_screening(config),
    )


def build_shared_strategy(config: EnasSearchConfig, changes: Sequence[Change] = ()) -> Strategy:
    """The same for a search with shared weights, whose strategy counts rounds."""
    return build_strategy_for(
        build_space(config.space),
        config.strategy,
        config.controller,
        children=config.children,
        seed=config.reproducibility.seed,
        changes=in_rounds(config, changes),
    )


def build_strategy_for(
    space: Space,
    strategy: AnyStrategyConfig,
    controller: AnyControllerConfig | None,
    *,
    children: int,
    seed: int,
    changes: Sequence[Change] = (),
    screening: Screening | None = None,
) -> Strategy:
    """The same over any space. controller: of the kind of the space, None for NASNet's; others leave it.

    screening: not with local search.
    """
    budget: Any = {"children": children, "seed": seed, "changes": changes}
    if isinstance(strategy, LocalSearchConfig):
        assert screening is None, "local search tries every neighbour: SearchConfig refuses to screen them"
        return LocalSearch(space, strategy, **budget)
    budget["screening"] = screening
    if isinstance(strategy, PpoReplayConfig):
        return PpoReplay(space, strategy, controller, **budget)
    if isinstance(strategy, PpoConfig):
        return Ppo(space, strategy, controller, **budget)
    if isinstance(strategy, ReinforceConfig):
        return Reinforce(space, strategy, controller, **budget)
    if isinstance(strategy, EvolutionConfig):
        return Evolution(space, strategy, **budget)
    return Random(space, strategy, **budget)


def _screening(config: SearchConfig) -> Screening | None:
    if config.screening.drawn == 1:
        return None
    return Screening(config.screening.drawn, partial(child_parameters, config.child, config.data.image_size))


def encode_strategy(strategy: Strategy, extra: Mapping[str, Any]) -> bytes:
    """The content of a file with the whole state; equal states make equal bytes.

    extra: a JSON object that is kept beside it and given back by load.
    """
    tensors, state = strategy.state_dict()
    return checkpoints.encode(tensors, {"strategy": state, "extra": extra})


def load_strategy(path: Path, strategy: Strategy) -> dict[str, Any]:
    """Let a freshly built strategy go on from a file; returns what was kept beside it.

    Raises CheckpointError when the file is damaged, holds no strategy, or was saved under another configuration.
    """
    tensors, metadata = checkpoints.load(path)
    if "strategy" not in metadata:
        raise CheckpointError(str(path), "holds no strategy.")
    strategy.load_state_dict(tensors, metadata["strategy"])
    extra: dict[str, Any] = metadata["extra"]
    return extra
