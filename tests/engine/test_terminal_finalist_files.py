import json
import os

import pytest
import torch

from search_engine.config.reading import read_config
from search_engine.config.search import SearchConfig
from search_engine.data.batches import prepare
from search_engine.evaluators.finalists import FinalistTraining
from search_engine.terminal.search_folder import SearchFolder
from search_engine.training.trained_network import read_trained_network
from tests.engine.toy import ToyEvaluator

CONFIG = read_config(SearchConfig, {
    "space": {"blocks": 1, "operations": ["identity", "max_pool_3x3"], "combinations": ["add"]},
    "strategy": {"kind": "random", "step_size": 2},
    "child": {"normal_cells": 1, "reductions": 1, "filters": 2},
    "recipe": {"epochs": 1, "reestimate_batches": 1},
    "data": {"image_size": 8, "train_examples": 32, "held_out_examples": 20},
    "budget": {"children": 4},
    "finals": {"children": 2, "epochs": 2, "normal_cells": 1, "filters": 2},
})  # fmt: skip
DEVICE = torch.device("cpu")


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda handle: None)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return prepare(CONFIG.data, seed=1, folder=tmp_path_factory.mktemp("data"), device=DEVICE)


def take(path, data, count=None):
    """Search for so many events, or to the end; which finalists' epochs were computed, and the folder."""
    computed = []

    def build(finalist, checkpoint):
        training = FinalistTraining(
            CONFIG, **finalist.model_dump(exclude={"reward", "hash"}), data=data, device=DEVICE, checkpoint=checkpoint
        )
        epochs = training.epochs

        def watched():
            steps = epochs()
            while True:
                try:
                    event = next(steps)
                except StopIteration as end:
                    return end.value
                computed.append((event.rank, event.epoch))
                yield event

        training.epochs = watched
        return training

    folder = SearchFolder(path, CONFIG)
    evaluator = ToyEvaluator(lambda proposal: 0.5 + proposal.step / 10 + proposal.slot / 100)
    events = folder.run(evaluator, data={}, should_stop=lambda: False, build_finalist=build)
    for number, _ in enumerate(events, 1):
        if number == count:
            events.close()
    folder.close()
    return computed, folder


def told(folder):
    """The events without what may differ: seconds, and the file names that follow from them."""
    drop = {"seconds", "checkpoint"}
    return [{key: value for key, value in event.to_json().items() if key not in drop} for event in folder.events]


def test_a_search_left_after_any_event_of_its_final_round_goes_on_to_the_same_result(tmp_path, data):
    _, straight = take(tmp_path / "straight", data)
    kinds = [event.kind for event in straight.events]
    first = kinds.index("finalists_chosen")
    assert kinds[first:] == [
        "finalists_chosen",
        *("finalist_started", "finalist_epoch_ended", "finalist_epoch_ended", "finalist_finished") * 2,
        "result_kept", "state_changed",
    ]  # fmt: skip
    for count in range(first, len(kinds) + 1):
        path = tmp_path / str(count)
        before, _ = take(path, data, count)
        after, folder = take(path, data)
        assert told(folder) == told(straight) and folder.fingerprint == straight.fingerprint
        assert folder.is_finished
        # No epoch was trained twice, and none was left out.
        assert before + after == [(1, 1), (1, 2), (2, 1), (2, 2)]


def test_the_result_is_a_network_that_can_be_evaluated_and_nothing_else_is_left(tmp_path, data):
    _, folder = take(tmp_path, data)
    assert not list(tmp_path.glob("finalist-*"))
    network = read_trained_network(tmp_path / "result.safetensors")
    chosen = next(event for event in folder.events if event.kind == "finalists_chosen")
    kept = folder.result
    assert network.config.architecture == chosen.finalists[kept.rank - 1].architecture
    assert network.config == CONFIG.final_training(network.config.architecture)
    assert network.score("fashion-mnist-10k", folder=tmp_path)["test_examples"] == 2000


def test_a_search_whose_settings_say_nothing_of_finalists_goes_on(tmp_path):
    """The folder of an earlier version knows no final round."""
    config = read_config(SearchConfig, CONFIG.model_dump(mode="json", exclude={"finals"}))
    SearchFolder(tmp_path, config).close()
    stored = json.loads((tmp_path / "config.json").read_text())
    del stored["finals"]
    (tmp_path / "config.json").write_text(json.dumps(stored))
    SearchFolder(tmp_path, config).close()
