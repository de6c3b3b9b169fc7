"""Searches with shared weights by what is typed."""

import json

import pytest

from search_engine.__main__ import main
from search_engine.terminal.given import any_search_config
from tests.engine.toy_shared import shared_config


@pytest.fixture
def search(tmp_path):
    """Searches in the folder of this name by a configuration: (status)."""

    def run(config, *more):
        (tmp_path / "search.json").write_text(json.dumps(config.model_dump(mode="json")))
        place = ["--out", str(tmp_path / "out"), "--data-folder", str(tmp_path / "data")]
        return main(["search", str(tmp_path / "search.json"), *place, *more])

    return run


def test_a_search_prints_its_best_candidate_what_was_trained_and_the_fingerprint(search, capsys, tmp_path):
    assert search(shared_config()) == 0
    out, err = capsys.readouterr()
    best, trained, fingerprint = out.splitlines()
    assert best.startswith("best candidate, reward 0.") and best.endswith(str(tmp_path / "out" / "best.json"))
    assert trained.startswith("trained from scratch, test accuracy 0.")
    assert len(fingerprint.removeprefix("fingerprint ")) == 64
    assert "epoch 1 of 2: shared loss" in err and "controller 2 of 2: mean reward" in err
    assert "4 candidates, best reward" in err

    assert search(shared_config(), "--json") == 0
    out, err = capsys.readouterr()
    figures = json.loads(out)
    assert figures["fingerprint"] == fingerprint.removeprefix("fingerprint ") and len(figures["trained"]) == 1
    assert "scored already" in err


def test_a_search_may_end_without_a_training(search, capsys):
    assert search(shared_config(deriving={"candidates": 4, "train": 0})) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["best", "fingerprint"]


def test_a_wrong_setting_is_one_line(tmp_path, capsys):
    (tmp_path / "search.json").write_text('{"method": "enas-macro", "deriving": {"candidates": 0}}')
    assert main(["search", str(tmp_path / "search.json"), "--out", str(tmp_path / "out")]) == 2
    assert capsys.readouterr().err == "deriving.candidates: is 0; must be at least 1.\n"


def test_strategies_are_not_compared_with_shared_weights(tmp_path, capsys):
    assert main(["compare", "enas-macro-demo", "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        "CONFIG: is of method enas-macro; comparisons are of searches without shared weights.\n"
    )


def test_a_text_of_ones_own_is_named_by_its_file(tmp_path):
    path = tmp_path / ("a" * 100) / "text.txt"  # Longer than the name of a data set may be.
    path.parent.mkdir()
    path.write_text("one fish two fish\n" * 100)
    value = {"method": "enas-recurrent", "data": {"name": str(path)}}
    (tmp_path / "search.json").write_text(json.dumps(value))
    config = any_search_config(str(tmp_path / "search.json"), tmp_path / "data")
    assert config.data.name == "own" and len(config.data.own) == 64
