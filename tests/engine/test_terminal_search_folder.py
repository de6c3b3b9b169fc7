import csv
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from search_engine.architectures.reading import architecture_from_json
from search_engine.config.changes import Change
from search_engine.config.reading import read_config
from search_engine.config.search import SearchConfig
from search_engine.errors import CheckpointError, UserError
from search_engine.events import ChildFinished, Event, LimitsChanged, SearchStarted, StateChanged, StepProposed
from search_engine.strategies.base import Proposal
from search_engine.terminal.search_folder import SearchFolder
from tests.engine.toy import ToyEvaluator

DATA = {"name": "toy"}


@pytest.fixture(autouse=True)
def no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Power does not fail in these tests, and thousands of syncs take a minute."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


def config(reuse: str = "off", lookahead: int = 0, seed: int = 1) -> SearchConfig:
    return read_config(
        SearchConfig,
        {
            "space": {"blocks": 1, "operations": ["identity"], "combinations": ["add", "concat"]},
            "strategy": {"kind": "ppo", "step_size": 3, "lookahead": lookahead, "hidden_size": 4},
            "budget": {"children": 8, "reuse": reuse},
            "reproducibility": {"seed": seed},
        },
    )


def reward(proposal: Proposal) -> float | None:
    """The fifth child is lost; the reward of the others tells where they were measured."""
    place = 3 * proposal.step + proposal.slot
    return None if place == 4 else 0.5 + place % 4 / 100


def take(folder: SearchFolder, count: int | None = None, rule: Callable[[Proposal], float | None] = reward) -> Any:
    """Search for so many events, or to the end; the evaluator that was used."""
    evaluator = ToyEvaluator(rule)
    events = folder.run(evaluator, data=DATA, should_stop=lambda: False)
    for number, _ in enumerate(events, 1):
        if number == count:
            events.close()
    folder.close()
    return evaluator


def logged(path: Path) -> list[dict[str, Any]]:
    """The lines of a log without their time, and so without the digest of it."""
    lines = [json.loads(line) for line in (path / "events.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key not in ("at", "digest")} for line in lines]


def test_a_whole_search_leaves_its_files(tmp_path: Path) -> None:
    folder = SearchFolder(tmp_path, config())
    take(folder)
    assert folder.is_finished
    assert {path.name for path in tmp_path.iterdir()} == {
        "config.json", "events.jsonl", "strategy.safetensors", "strategy-before.safetensors", "children.csv",
        "best.json", "rewards.html",
    }  # fmt: skip
    assert read_config(SearchConfig, json.loads((tmp_path / "config.json").read_text())) == config()
    assert isinstance(folder.events[0], SearchStarted) and folder.events[0].data == DATA
    assert folder.events[-1] == StateChanged(state="finished")
    assert [line["n"] for line in logged(tmp_path)] == list(range(1, len(folder.events) + 1))


def test_the_table_has_one_row_per_child(tmp_path: Path) -> None:
    take(SearchFolder(tmp_path, config()))
    with (tmp_path / "children.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["step"], row["slot"]) for row in rows] == [
        ("0", "0"), ("0", "1"), ("0", "2"), ("1", "0"), ("1", "1"), ("1", "2"), ("2", "0"), ("2", "1"),
    ]  # fmt: skip
    assert (rows[3]["reward"], rows[3]["reason"], rows[3]["parameters"]) == ("0.53", "", "7")
    assert (rows[4]["reward"], rows[4]["reason"]) == ("", "lost")
    assert len(rows[0]["decisions"].split()) == 10 and len(rows[0]["hash"]) == 64


def test_the_best_child_is_the_first_of_the_highest_reward_and_can_be_read(tmp_path: Path) -> None:
    folder = SearchFolder(tmp_path, config())
    take(folder)
    best = json.loads((tmp_path / "best.json").read_text())
    assert best == folder.best()
    assert (best["search"]["step"], best["search"]["slot"], best["search"]["reward"]) == (1, 0, 0.53)
    assert architecture_from_json(best).hash == best["search"]["hash"]


def test_a_search_without_any_reward_has_no_best(tmp_path: Path) -> None:
    folder = SearchFolder(tmp_path, config())
    take(folder, rule=lambda proposal: None)
    assert folder.is_finished and folder.best() is None
    assert not (tmp_path / "best.json").exists()


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cuts=st.lists(st.integers(1, 45), min_size=1, max_size=3),
    reuse=st.sampled_from(["off", "copy"]),
    lookahead=st.sampled_from([0, 1]),
    torn=st.integers(0, 30),
)
def test_a_search_interrupted_anywhere_logs_and_computes_the_same(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], reuse: str, lookahead: int, torn: int
) -> None:
    straight_path, broken_path = tmp_path_factory.mktemp("straight"), tmp_path_factory.mktemp("broken")
    straight = SearchFolder(straight_path, config(reuse, lookahead))
    take(straight)
    for cut in cuts:
        take(SearchFolder(broken_path, config(reuse, lookahead)), cut)
        with (broken_path / "events.jsonl").open("ab") as file:
            file.write(b'{"n": 99, "at": 1763800000.1, "kind'[:torn])
    broken = SearchFolder(broken_path, config(reuse, lookahead))
    take(broken)
    assert broken.fingerprint == straight.fingerprint != ""
    assert logged(broken_path) == logged(straight_path)
    for name in ("children.csv", "best.json", "config.json"):
        assert (broken_path / name).read_bytes() == (straight_path / name).read_bytes()


def test_finished_children_are_not_trained_again_after_an_interruption(tmp_path: Path) -> None:
    take(SearchFolder(tmp_path, config()), 1 + 1 + 4 + 4 + 2)  # In the middle of the third child.
    evaluator = take(SearchFolder(tmp_path, config()))
    assert evaluator.evaluated[0] == (0, 2)
    assert len(evaluator.evaluated) == 6


def test_a_finished_search_computes_nothing_when_it_is_run_again(tmp_path: Path) -> None:
    take(SearchFolder(tmp_path, config()))
    before = logged(tmp_path)
    folder = SearchFolder(tmp_path, config())
    assert folder.is_finished
    assert take(folder).evaluated == []
    assert logged(tmp_path) == before


def test_twins_are_copied_across_an_interruption(tmp_path: Path) -> None:
    take(SearchFolder(tmp_path, config("copy")), 16)  # After the first step.
    folder = SearchFolder(tmp_path, config("copy"))
    evaluator = take(folder)
    verdicts: list[Event] = [event for event in folder.events if isinstance(event, ChildFinished)]
    twins = {(e.step, e.slot) for e in verdicts if isinstance(e, ChildFinished) and e.twin is not None}
    assert any(step > 0 for step, _ in twins)
    assert not twins & set(evaluator.evaluated)


def test_a_folder_of_another_search_is_refused_and_left_alone(tmp_path: Path) -> None:
    take(SearchFolder(tmp_path, config()))
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(UserError, match="holds something else than this search; choose another folder"):
        SearchFolder(tmp_path, config(seed=2))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_lost_log_is_not_taken_for_a_new_search(tmp_path: Path) -> None:
    take(SearchFolder(tmp_path, config()))
    (tmp_path / "events.jsonl").unlink()
    with pytest.raises(CheckpointError, match="has 0 events"):
        SearchFolder(tmp_path, config())


def test_changes_lead_to_the_same_fingerprint_wherever_the_search_was_left(tmp_path: Path) -> None:
    changes = (Change(from_step=1, children=10), Change(from_step=2, children=7))
    whole = SearchFolder(tmp_path / "whole", config(), changes)
    take(whole)
    assert [len(event.proposals) for event in whole.events if isinstance(event, StepProposed)] == [3, 3, 1]
    assert whole.children == 7 and whole.fingerprint != fingerprint_of(tmp_path / "plain")
    take(SearchFolder(tmp_path / "left", config(), changes), count=14)
    left = SearchFolder(tmp_path / "left", config())  # It knows its changes.
    take(left)
    assert left.fingerprint == whole.fingerprint
    told = [event for event in left.events if isinstance(event, LimitsChanged)]
    assert [(event.limits, event.from_step) for event in told] == [({"children": 10}, 1), ({"children": 7}, 2)]
    assert json.loads((tmp_path / "left" / "changes.json").read_text())[1] == {"from_step": 2, "children": 7}


def fingerprint_of(place: Path) -> str:
    folder = SearchFolder(place, config())
    take(folder)
    return folder.fingerprint


def test_a_change_may_come_while_a_search_lies_in_its_folder(tmp_path: Path) -> None:
    take(SearchFolder(tmp_path / "two", config()), count=16)  # Within its second step.
    changes = [Change(from_step=2, children=12)]
    later = SearchFolder(tmp_path / "two", config(), changes)
    take(later)
    whole = SearchFolder(tmp_path / "one", config(), changes)
    take(whole)
    assert later.fingerprint == whole.fingerprint and later.children == 12


@pytest.mark.parametrize("change", [Change(from_step=3, children=20), Change(from_step=1, children=4)])
def test_a_change_that_contradicts_what_was_drawn_is_refused_and_not_kept(tmp_path: Path, change: Change) -> None:
    take(SearchFolder(tmp_path, config()))
    before = (tmp_path / "events.jsonl").read_bytes()
    with pytest.raises(UserError, match="changes"):
        SearchFolder(tmp_path, config(), [change])
    assert not (tmp_path / "changes.json").exists() and (tmp_path / "events.jsonl").read_bytes() == before
    folder = SearchFolder(tmp_path, config())
    assert folder.is_finished
    folder.close()
