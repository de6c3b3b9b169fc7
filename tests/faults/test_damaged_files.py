"""One byte of a file that a job goes on from is flipped: it is noticed, the one before is used, and the log says so."""

import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.faults import fake_engine
from tests.faults.memory_trainer import MemoryTrainer
from tests.faults.small_streams import start
from tests.faults.straight_run import compared
from webapp.searches import artifacts, checker, event_log
from webapp.searches.models import Job, Search, Stream
from webapp.searches.workers.trainer_process import Message, TrainerGone
from webapp.searches.workers.worker import WorkingProcess

pytestmark = pytest.mark.django_db(transaction=True)


class DyingTrainer(MemoryTrainer):
    """Dies before it gives out a message for which `dies` says so, once."""

    dies: Callable[[Message], bool] = staticmethod(lambda message: False)

    def receive(self, timeout_seconds: float) -> Message | None:
        message = super().receive(timeout_seconds)
        if message is not None and DyingTrainer.dies(message):
            DyingTrainer.dies = staticmethod(lambda message: False)
            raise TrainerGone("the trainer was killed by SIGKILL")
        return message


@pytest.fixture(autouse=True)
def a_disk(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ARTIFACTS_DIR = tmp_path / "store"
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)


def flip(sha256: str) -> None:
    """One bit of the file, anywhere."""
    path = artifacts.local_path(sha256)
    content, chance = bytearray(path.read_bytes()), random.Random(sha256)
    content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    path.write_bytes(content)


def work(folder: Path, until: Callable[[], bool] = lambda: False) -> list[Message]:
    """A worker works, and ends before the next job where `until` says so; what its trainers were asked."""
    trainers: list[DyingTrainer] = []

    def start_trainer(threads: int) -> DyingTrainer:
        trainers.append(DyingTrainer(folder / "spool" / "w", threads))
        return trainers[-1]

    worker = WorkingProcess(name="w:1", spool=folder / "spool" / "w", start_trainer=start_trainer, is_stopping=until)
    worker.look()
    worker.end()
    return [request for trainer in trainers for request in trainer.requests]


def problems() -> list[str]:
    stream = Stream.objects.exclude(state="deleting").get()
    return [stream.state, *checker.check(stream), *compared(stream, fake_engine)]


def damages() -> list[tuple[str, bool]]:
    events = event_log.read(Stream.objects.get().pk, 0, 10_000)
    return [(event["what"], event["is_anew"]) for event in events if event["kind"] == "file_damaged"]


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
    _let_them_be_long()

    def has_checkpoints(message: Message) -> bool:
        return Job.objects.filter(kind=job_kind, state="leased").exclude(checkpoint_before="").exists()

    DyingTrainer.dies = staticmethod(has_checkpoints)
    work(tmp_path, until=lambda: Job.objects.filter(attempts=1).exists())
    job = Job.objects.exclude(checkpoint_before="").get()
    assert job.kind == job_kind and job.checkpoint != job.checkpoint_before
    before = artifacts.local_path(job.checkpoint_before)
    flip(job.checkpoint)
    if is_anew:
        flip(job.checkpoint_before)
    assert "The file" in " ".join(problems()[1:])
    requests = work(tmp_path)
    assert damages() == [(f"checkpoint of {job.what}", is_anew)]
    assert requests[0]["checkpoint"] == (None if is_anew else str(before))
    assert problems() == ["finished"]


def _let_them_be_long() -> None:
    """Four epochs or rounds each, so that there are two checkpoints before the last."""
    for search in Search.objects.filter(epochs=0):
        search.config["recipe"]["epochs"] = search.config["finals"]["epochs"] = 4
        search.save(update_fields=["config"])
    for search in Search.objects.exclude(epochs=0):
        search.config["phases"]["rounds"] = 4
        search.save(update_fields=["config"])


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
