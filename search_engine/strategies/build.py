"""The strategy that a configuration asks for, and the file it is kept in between steps."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from search_engine import checkpoints
from search_engine.config.search import SearchConfig
from search_engine.config.strategy import PpoConfig
from search_engine.errors import CheckpointError
from search_engine.spaces.nasnet import NasnetSpace
from search_engine.strategies.base import Strategy
from search_engine.strategies.ppo import Ppo
from search_engine.strategies.random import Random


def build_strategy(config: SearchConfig) -> Strategy:
    """A strategy that has drawn its first steps and learned nothing yet."""
    space = NasnetSpace(config.space)
    children, seed = config.budget.children, config.reproducibility.seed
    if isinstance(config.strategy, PpoConfig):
        return Ppo(space, config.strategy, children=children, seed=seed)
    return Random(space, config.strategy, children=children, seed=seed)


def save_strategy(path: Path, strategy: Strategy, extra: Mapping[str, Any]) -> None:
    """Keep the whole state in one file. extra: a JSON object that is kept beside it and given back by load."""
    checkpoints.atomic_write(path, encode_strategy(strategy, extra))


def encode_strategy(strategy: Strategy, extra: Mapping[str, Any]) -> bytes:
    """The content of that file; equal states make equal bytes."""
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
