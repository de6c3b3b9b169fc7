"""A search with shared weights in a folder: it goes on where it was left, and ends the same."""

import csv
import json
from pathlib import Path

import pytest
import torch

from search_engine import checkpoints
from search_engine.config.changes import Change
from search_engine.data.named_text import named_text
from search_engine.errors import ConfigError, UserError
from search_engine.terminal import derived_trainings
from search_engine.terminal.shared_search_folder import SharedSearchFolder
from search_engine.terminal.shared_search_run import run_shared_search
from search_engine.training.kept import build_training
from search_engine.training.shared_building import prepare_shared
from tests.engine.toy_shared import shared_config

CPU = torch.device("cpu")
CONFIG = shared_config()


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return prepare_shared(CONFIG, folder=tmp_path_factory.mktemp("data"), device=CPU)


def searched(folder, data, *, stop_at=None, config=CONFIG):
    """Run until `should_stop` was asked so often: the folder, closed."""
    asked = 0

    def should_stop():
        nonlocal asked
        asked += 1
        return stop_at is not None and asked > stop_at

    search = SharedSearchFolder(folder, config)
    list(search.run(data, device=CPU, should_stop=should_stop))
    search.close()
    return search


def told(search):
    return [event.model_copy(update={"seconds": 0.0}) if "seconds" in type(event).model_fields else event
            for event in search.events]  # fmt: skip


def test_a_search_that_is_stopped_again_and_again_ends_as_one_that_is_not(tmp_path, data):
    whole = searched(tmp_path / "one", data)
    rounds = 0
    while not (left := searched(tmp_path / "two", data, stop_at=3)).is_derived:
        rounds += 1
        assert rounds < 30
    assert rounds > 3
    assert left.fingerprint == whole.fingerprint and len(whole.fingerprint) == 64
    assert told(left) == told(whole)
    names = ("weights.safetensors", "strategy.safetensors", "candidates.csv", "best.json")
    contents = [[(tmp_path / place / name).read_bytes() for name in names] for place in ("one", "two")]
    assert contents[0] == contents[1]
    assert not list((tmp_path / "two" / "files").iterdir())


def test_whoever_stops_pulling_loses_no_phase_that_was_over(tmp_path, data):
    whole = searched(tmp_path / "one", data)
    search = SharedSearchFolder(tmp_path / "two", CONFIG)
    events = search.run(data, device=CPU, should_stop=lambda: False)
    for event in events:
        if event.kind == "controller_phase_ended":
            break
    events.close()  # Told, but not saved: this is what a kill leaves behind.
    search.close()
    again = searched(tmp_path / "two", data)
    assert again.fingerprint == whole.fingerprint and told(again) == told(whole)


def test_a_folder_holds_what_was_found(tmp_path, data):
    search = searched(tmp_path, data)
    rows = list(csv.DictReader((tmp_path / "candidates.csv").read_text().splitlines()))
    assert [row["slot"] for row in rows] == ["0", "1", "2", "3"]
    best = json.loads((tmp_path / "best.json").read_bytes())
    assert best["search"]["reward"] == max(float(row["reward"]) for row in rows)
    assert [each["search"]["reward"] for each in search.best(3)] == sorted(
        (each["search"]["reward"] for each in search.best(3)), reverse=True
    )
    tensors, metadata = checkpoints.load(tmp_path / "weights.safetensors")
    assert metadata["kind"] == "shared weights" and metadata["step"] == 1 and tensors


def test_a_folder_of_another_search_is_refused(tmp_path, data):
    searched(tmp_path, data, stop_at=2)
    with pytest.raises(UserError, match="holds something else than this search"):
        SharedSearchFolder(tmp_path, shared_config(deriving={"candidates": 5}))


def run_whole(config, folder, data_folder):
    outcome = run_shared_search(config, folder, data_folder=data_folder, is_interrupted=lambda: False)
    assert outcome is not None
    return outcome


@pytest.mark.parametrize(("method", "count"), [("enas-micro", 1), ("enas-macro", 2)])
def test_the_terminal_trains_the_best_candidates_from_scratch_and_bundles_them(method, count, tmp_path):
    config = shared_config(method, deriving={"candidates": 4, "train": count})
    outcome = run_whole(config, tmp_path / "out", tmp_path / "data")
    names = [Path(trained["folder"]).name for trained in outcome["trained"]]
    assert names == ["trained-1", "trained-2"][:count]
    for trained in outcome["trained"]:
        assert (Path(trained["folder"]) / "bundle.zip").stat().st_size > 1000
        assert 0 <= trained["test_accuracy"] <= 1
    assert run_whole(config, tmp_path / "out", tmp_path / "data") == outcome


def test_a_recurrent_cell_is_found_trained_and_bundled(tmp_path):
    (tmp_path / "text.txt").write_text("one fish two fish red fish blue fish and nobody counts them all\n" * 200)
    text = named_text(str(tmp_path / "text.txt"), tmp_path / "data")
    config = shared_config("enas-recurrent", data=text)
    (trained,) = run_whole(config, tmp_path / "out", tmp_path / "data")["trained"]
    assert 1 < trained["test_perplexity"] < 100
    assert (tmp_path / "out" / "trained-1" / "bundle.zip").stat().st_size > 1000


@pytest.mark.parametrize(
    ("field", "shown"),
    [("recipe.learning_rate", "derived_recipe.learning_rate"), ("layout.filters", "derived.filters")],
)
def test_a_candidate_that_cannot_be_trained_is_told_and_the_next_one_is_trained(field, shown, tmp_path, monkeypatch):
    def failing(config, **more):
        if config.name.endswith("best"):
            raise ConfigError(field, "is 20; it failed.")
        return build_training(config, **more)

    monkeypatch.setattr(derived_trainings, "build_training", failing)
    config = shared_config(deriving={"candidates": 4, "train": 2})
    outcome = run_whole(config, tmp_path / "out", tmp_path / "data")
    first, second = outcome["trained"]
    assert first["failed"] == f"{shown} is 20; it failed."
    assert second["test_accuracy"] >= 0


def changed(folder, data, changes, *, stop_at=None):
    asked = 0

    def should_stop():
        nonlocal asked
        asked += 1
        return stop_at is not None and asked > stop_at

    search = SharedSearchFolder(folder, CONFIG, changes)
    list(search.run(data, device=CPU, should_stop=should_stop))
    search.close()
    return search


def test_more_epochs_lead_to_the_same_fingerprint_whenever_they_were_asked_for(tmp_path, data):
    assert CONFIG.epochs == 2
    changes = (Change(from_step=2, epochs=3),)
    whole = changed(tmp_path / "one", data, changes)
    assert whole.is_derived and whole.steps_told == 3
    left = changed(tmp_path / "two", data, None, stop_at=14)  # Within its second epoch.
    assert left.steps_told == 1
    later = changed(tmp_path / "two", data, changes)
    assert later.fingerprint == whole.fingerprint != changed(tmp_path / "three", data, None).fingerprint


def test_epochs_that_are_over_cannot_be_changed(tmp_path, data):
    whole = changed(tmp_path, data, None)
    with pytest.raises(UserError, match="would make it 3 epochs; 2 of 2 are over already"):
        SharedSearchFolder(tmp_path, CONFIG, (Change(from_step=2, epochs=3),))
    assert changed(tmp_path, data, None).fingerprint == whole.fingerprint
