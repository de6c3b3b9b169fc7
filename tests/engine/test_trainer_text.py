"""The trainer's job "train" on text, in this process; the process itself is tested in test_trainer.py."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch

from search_engine import checkpoints
from search_engine.data.own_text import keep_own_text
from search_engine.errors import ConfigError
from search_engine.trainer_jobs import Trainer

CELL = {
    "format": 1,
    "kind": "recurrent",
    "nodes": [{"source": None, "activation": "tanh"}, {"source": 0, "activation": "relu"}],
    "averaged": [1],
}


@pytest.fixture(autouse=True)
def numerics_left_as_found() -> Iterator[None]:
    yield
    torch.use_deterministic_algorithms(False)


@pytest.fixture
def trainer(tmp_path: Path) -> Trainer:
    (tmp_path / "spool").mkdir()
    return Trainer(spool=tmp_path / "spool", data_folder=tmp_path / "data", device=torch.device("cpu"))


@pytest.fixture
def config(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "mine.txt").write_text("one two three\nfour five\n" * 40)
    digest = keep_own_text(tmp_path / "mine.txt", tmp_path / "data")
    return {
        "architecture": CELL,
        "layout": {"kind": "recurrent", "hidden": 4},
        "recipe": {"epochs": 2, "batch_size": 4, "bptt": 5, "test_batch": 1},
        "data": {"name": "own", "own": digest},
    }


def train(trainer: Trainer, config: dict[str, Any], checkpoint: str | None = None) -> list[dict[str, Any]]:
    return list(trainer.job({"do": "train", "config": config, "checkpoint": checkpoint, "attempt": 1}))


def test_a_training_on_text_is_a_job_like_any_other(trainer: Trainer, config: dict[str, Any], tmp_path: Path) -> None:
    before = trainer.progress
    first, second, finished, end = train(trainer, config)
    assert [first["event"]["epoch"], second["event"]["epoch"]] == [1, 2]
    assert second["event"]["perplexity"] == finished["event"]["held_out_perplexity"]
    assert end["done"]["checkpoint"] == finished["event"]["checkpoint"]
    _, metadata = checkpoints.load(tmp_path / "spool" / end["done"]["checkpoint"])
    assert metadata["kind"] == "network" and metadata["vocabulary"][:2] == ["<unk>", "<eos>"]
    assert trainer.progress > before


def test_an_interrupted_training_on_text_goes_on_to_the_same_figures(
    trainer: Trainer, config: dict[str, Any], tmp_path: Path
) -> None:
    *_, straight, _ = train(trainer, config)
    trainer.is_interrupted.set()
    first, end = train(trainer, config)
    assert end == {"interrupted": {}}
    trainer.is_interrupted.clear()
    second, finished, _ = train(trainer, config, str(tmp_path / "spool" / first["checkpoint"]))
    assert second["event"]["epoch"] == 2
    assert finished["event"]["test_perplexity"] == straight["event"]["test_perplexity"]


def test_progress_grows_from_text_to_text(
    trainer: Trainer, config: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("search_engine.trainer_jobs.BUNDLE_SECONDS", 0)  # What is counted by the clock stays out of it.
    train(trainer, config)
    after_one = trainer.progress
    train(trainer, config)
    assert trainer.progress == 2 * after_one


def test_a_wrong_setting_for_text_is_refused_at_its_field(trainer: Trainer, config: dict[str, Any]) -> None:
    with pytest.raises(ConfigError) as refused:
        train(trainer, config | {"recipe": {"bptt": 1}})
    assert refused.value.field == "recipe.bptt"
