"""One byte of a file that a job goes on from is flipped: it is noticed, the one before is used, and the log says so."""

import os
from pathlib import Path
from typing import Any

import pytest

from tests.faults.damaged_streams import damages, flip, gone_on_from, problems, work, work_until_a_second_checkpoint
from tests.faults.small_streams import start
from webapp.searches import artifacts
from webapp.searches.models import Job, Search, Stream

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def a_disk(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ARTIFACTS_DIR = tmp_path / "store"
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


@pytest.mark.parametrize("is_anew", [False, True])
@pytest.mark.parametrize(
    ("kind", "job_kind"),
    [("search", "evaluate"), ("search", "retrain"), ("training", "train"), ("shared search", "share"),
     ("shared search", "teach")],
)  # fmt: skip
def test_a_damaged_checkpoint_is_noticed_and_the_one_before_it_is_used(
    tmp_path: Path, kind: str, job_kind: str, is_anew: bool
) -> None:
    start(kind)
    job = work_until_a_second_checkpoint(tmp_path, job_kind)
    before = artifacts.local_path(job.checkpoint_before)
    flip(job.checkpoint)
    if is_anew:
        flip(job.checkpoint_before)
    assert "The file" in " ".join(problems()[1:])
    requests = work(tmp_path)
    assert damages() == [(f"checkpoint of {job.what}", is_anew)]
    assert gone_on_from(requests, job) == (None if is_anew else str(before))
    assert problems() == ["finished"]


@pytest.mark.parametrize("steps", [0, 1])
@pytest.mark.parametrize("both", [False, True])
def test_a_damaged_strategy_is_computed_again_from_the_one_before_it_or_from_the_rewards(
    tmp_path: Path, steps: int, both: bool
) -> None:
    start("search")
    work(tmp_path, until=lambda: Job.objects.filter(kind="learn", step=steps, state="due").exists())
    search = Search.objects.get()
    assert search.steps_told == steps
    flip(search.strategy_state)
    if both and search.strategy_before:
        flip(search.strategy_before)
    work(tmp_path)
    assert damages() == [("state of the controller", both or steps == 0)]
    assert problems() == ["finished"]


@pytest.mark.parametrize("what", [("weights",), ("strategy_state",), ("weights", "strategy_state")])
@pytest.mark.parametrize(("kind", "step"), [("teach", 0), ("share", 1), ("teach", 1), ("derive", -1)])
def test_damaged_files_of_shared_weights_are_computed_again_from_those_before_them(
    tmp_path: Path, kind: str, step: int, what: tuple[str, ...]
) -> None:
    start("shared search")
    work(tmp_path, until=lambda: Job.objects.filter(kind=kind, step=step, state="due").exists())
    search = Search.objects.get()
    for each in what:
        flip(getattr(search, each))
    assert len(problems()) > 1
    work(tmp_path)
    assert {told for told, _ in damages()} == {
        {"weights": "file of the shared weights", "strategy_state": "state of the controller"}[each] for each in what
    }
    assert problems() == ["finished"]


def test_where_nothing_is_left_to_compute_from_the_search_says_so(tmp_path: Path) -> None:
    start("shared search")
    work(tmp_path, until=lambda: Job.objects.filter(kind="derive", state="due").exists())
    search = Search.objects.get()
    flip(search.weights)
    flip(search.weights_before)
    work(tmp_path)
    stream = Stream.objects.get()
    assert stream.state == "failed"
    assert stream.reason == "The file of the shared weights is damaged, and so is what it could be computed from again."
