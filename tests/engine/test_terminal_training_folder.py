import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from search_engine import checkpoints
from search_engine.catalogue.published import read_published
from search_engine.config.reading import read_config
from search_engine.config.training import TrainingConfig
from search_engine.data.batches import DataParts, prepare
from search_engine.errors import UserError
from search_engine.terminal.training_folder import TrainingFolder
from search_engine.training.for_keeps import TrainingForKeeps

CPU = torch.device("cpu")


def config(seed: int = 1) -> TrainingConfig:
    value = {
        "architecture": read_published("nasnet-a").architecture.to_json(),
        "layout": {"normal_cells": 1, "reductions": 1, "filters": 2},
        "recipe": {"epochs": 3, "batch_size": 32},
        "data": {"image_size": 8, "train_examples": 64, "held_out_examples": 50},
        "reproducibility": {"seed": seed},
    }
    return read_config(TrainingConfig, value)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> DataParts:
    return prepare(config().data, seed=1, folder=tmp_path_factory.mktemp("data"), device=CPU)


def opened(path: Path, data: DataParts, seed: int = 1) -> TrainingFolder:
    return TrainingFolder(path, TrainingForKeeps(config(seed), data=data, device=CPU))


def train(path: Path, data: DataParts, events: int | None = None) -> list[str]:
    """Train for so many events, or to the end; their kinds."""
    folder = opened(path, data)
    kinds = []
    running = folder.run()
    for event in running:
        kinds.append(event.kind)
        if len(kinds) == events:
            running.close()
    folder.close()
    return kinds


def logged(path: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (path / "events.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k not in ("at", "seconds", "checkpoint", "digest")} for line in lines]


def test_a_training_leaves_its_files(tmp_path: Path, data: DataParts) -> None:
    assert train(tmp_path, data) == ["training_started", *["epoch_ended"] * 3, "training_finished"]
    assert {path.name for path in tmp_path.iterdir()} == {
        "config.json", "architecture.json", "events.jsonl", "checkpoint.safetensors", "checkpoint-before.safetensors",
        "network.safetensors", "result.json",
    }  # fmt: skip
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["checkpoint"] == hashlib.sha256((tmp_path / "network.safetensors").read_bytes()).hexdigest()
    assert result["test_examples"] == len(data.test)


def test_a_training_interrupted_after_every_event_ends_with_the_same_network(tmp_path: Path, data: DataParts) -> None:
    straight, broken = tmp_path / "straight", tmp_path / "broken"
    train(straight, data)
    kinds = [train(broken, data, 1)[0]]
    while kinds[-1] != "training_finished":
        kinds = train(broken, data, 2 if kinds == ["training_started"] else 1)
    assert logged(broken) == logged(straight)
    first, _ = checkpoints.load(straight / "network.safetensors")
    second, _ = checkpoints.load(broken / "network.safetensors")
    assert first.keys() == second.keys()
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_training_killed_while_it_finishes_scores_once_more_and_says_the_same(
    tmp_path: Path, data: DataParts
) -> None:
    train(tmp_path, data)
    before = logged(tmp_path)
    (tmp_path / "result.json").unlink()  # As if the process had died just before it was written.
    assert train(tmp_path, data) == ["training_finished"]
    assert logged(tmp_path) == before


def test_another_training_is_refused(tmp_path: Path, data: DataParts) -> None:
    train(tmp_path, data, 2)
    with pytest.raises(UserError, match="holds something else than this training"):
        opened(tmp_path, data, seed=2)
