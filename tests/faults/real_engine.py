"""The real controller in a tiny space, for the simulation: what fake_engine has under the same names."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from search_engine.architectures.reading import Architecture
from search_engine.config.reading import read_config
from search_engine.config.search import SearchConfig
from search_engine.spaces.nasnet import NasnetSpace
from search_engine.strategies import build
from search_engine.strategies.base import Strategy
from tests.faults import fake_engine

build_strategy = build.build_strategy


def small_config(**sizes: Any) -> SearchConfig:
    config = fake_engine.small_config(**sizes).model_dump(mode="json")
    sizes = {name: config["strategy"][name] for name in ("step_size", "lookahead")}
    config["strategy"] = sizes | {"kind": "ppo", "hidden_size": 8, "epochs": 2, "learning_rate": 0.05}
    config["space"] = {"blocks": 1, "operations": ["identity", "conv_3x3"], "combinations": ["add"]}
    return read_config(SearchConfig, config)


def architecture_of(config: SearchConfig, decisions: Sequence[int]) -> Architecture:
    return NasnetSpace(config.space).decode(decisions)


def encode_strategy(strategy: Strategy) -> bytes:
    return build.encode_strategy(strategy, {})


def load_strategy(path: Path, strategy: Strategy) -> None:
    build.load_strategy(path, strategy)
