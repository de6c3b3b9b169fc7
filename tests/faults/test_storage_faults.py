"""Every write, fsync and rename of a worker and its trainer fails once, in turn: what is computed stays the same."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction

from search_engine import storage
from tests.faults import fake_engine
from tests.faults.memory_trainer import MemoryTrainer
from tests.faults.small_streams import start
from tests.faults.straight_run import compared
from webapp.searches import artifacts, checker, event_log, late_bundles, storage_pauses
from webapp.searches.models import Artifact, Job, Stream
from webapp.searches.workers import reconciler
from webapp.searches.workers.worker import WorkingProcess

pytestmark = pytest.mark.django_db
REFUSALS = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS)
EVERY = 1 if os.environ.get("CELLWRIGHT_FAULTS") == "all" else 7  # Which calls fail; a file takes nine of them.
LOOKS = 12  # After so many looks everything has ended.


class Undone(Exception):
    """Ends a transaction that shall leave nothing behind."""


@pytest.fixture(autouse=True)
def a_disk(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ARTIFACTS_DIR = tmp_path / "store"
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)  # Power does not fail here, and thousands take minutes.
    monkeypatch.setattr(storage_pauses, "WAIT_SECONDS", 0.0)
    monkeypatch.setattr(reconciler, "_trouble", -1e9)


def work(folder: Path) -> None:
    """A worker and a reconciler look in turn, until nothing is due and nothing waits."""
    spool = folder / "spool" / "w"
    worker = WorkingProcess(
        name="w:1", spool=spool, start_trainer=lambda threads: MemoryTrainer(spool, threads), is_stopping=lambda: False
    )
    for _ in range(LOOKS):
        worker.look()
        reconciler.watch_storage()
        for stream in Stream.objects.filter(kind="training", state="finished"):
            late_bundles.ask(stream.pk)
        if not Job.objects.filter(state__in=("due", "leased")).exists():
            break
    worker.end()


def what_is_wrong(folder: Path) -> Iterator[str]:
    stream = Stream.objects.get()
    yield from checker.check(stream)
    yield from compared(stream, fake_engine)
    if stream.state != "finished":
        yield f"It is {stream.state}."
    if stream.kind == "training" and not Artifact.objects.filter(label="Bundle").exists():
        yield "There is no bundle."
    if any(event["kind"] == "job_lost" for event in event_log.read(stream.pk, 0, 10_000)):
        yield "A refusal of the disk was counted as a loss."
    artifacts.sweep(older_than_seconds=-1.0)
    stored = {path.parent.name + path.name for path in (folder / "store").glob("??/*")}
    if left := stored - artifacts.files_of(stream.pk):
        yield f"After the sweep there are files that no row names: {left}."
    if left := [path for path in folder.rglob("*") if path.is_file() and path.name.startswith((".", "draft", "probe"))]:
        yield f"Temporary files were left: {left}."
    if list((folder / "spool").glob("*")):
        yield "The spool was left."


@contextmanager
def undone() -> Iterator[None]:
    try:
        with transaction.atomic():
            yield
            raise Undone
    except Undone:
        pass


def run(kind: str, folder: Path, settings: Any, before: Callable[[str, Path], None]) -> list[str]:
    """Everything that is wrong after a run, and then the states that its log tells of."""
    settings.ARTIFACTS_DIR = folder / "store"
    with undone():
        start(kind)
        storage.before = before
        work(folder)
        storage.before = lambda call, path: None
        problems = list(what_is_wrong(folder))
        told = [event["state"] for event in event_log.read(Stream.objects.get().pk, 0, 10_000) if "state" in event]
        return [*problems, *told]
    raise AssertionError


def refusing(number: int) -> Callable[[str, Path], None]:
    """Lets the n-th call fail, from 0."""
    made: list[str] = []

    def refuse(call: str, path: Path) -> None:
        made.append(call)
        if len(made) == number + 1:
            raise OSError(REFUSALS[number % len(REFUSALS)], "refused", str(path))

    return refuse


@pytest.mark.parametrize("kind", ["search", "shared search", "training", "late bundle"])
def test_whichever_write_fails_once_the_result_is_the_same_and_nothing_is_left(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(storage, "before", storage.before)  # Put back at the end.
    calls: list[tuple[str, str]] = []
    straight = run(kind, tmp_path / "straight", settings, lambda call, path: calls.append((call, path.name)))
    assert straight == ["finished"]
    assert {call for call, _ in calls} == {"write", "fsync", "rename"} and len(calls) > 30
    for number, (call, name) in list(enumerate(calls))[::EVERY]:
        found = run(kind, tmp_path / str(number), settings, refusing(number))
        is_over = found == ["finished"] and (name == "probe" or kind == "late bundle")  # Nothing was running.
        assert is_over or found == ["paused", "running", "finished"], f"call {number}, {call} of {name}: {found}"
