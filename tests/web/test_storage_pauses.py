"""A stream that a disk paused says why and goes on by itself; one that a person paused does not."""

import errno
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection

from search_engine import storage
from tests.faults.fake_engine import DATA, DECISIONS, small_config
from tests.faults.memory_trainer import MemoryTrainer
from webapp.accounts.sign_in import get_or_create_user
from webapp.searches import clock, event_log, leases, lifecycle, storage_pauses
from webapp.searches.log_sentences import sentence
from webapp.searches.models import Event, Job, Search, Stream
from webapp.searches.workers import reconciler, worker

pytestmark = pytest.mark.django_db(transaction=True)
FULL = "The disk is full. It goes on by itself when files can be written again."


@pytest.fixture
def search(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Search:
    settings.ARTIFACTS_DIR = tmp_path / "store"
    monkeypatch.setattr(reconciler, "_trouble", -1e9)
    monkeypatch.setattr(reconciler, "ring_workers", lambda times: None)
    return lifecycle.create_search(get_or_create_user("owner"), small_config(), decisions=DECISIONS, data=DATA)


@pytest.fixture
def full() -> Iterator[pytest.MonkeyPatch]:
    """The disk is full until this is undone."""

    def refuse(call: str, path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    patch = pytest.MonkeyPatch()
    patch.setattr(storage, "before", refuse)
    yield patch
    patch.undo()


def state_of(search: Search) -> tuple[str, str]:
    return Stream.objects.values_list("state", "reason").get(pk=search.pk)


def seconds_pass(seconds: float) -> None:
    Event.objects.update(at=clock.now() - seconds)


def a_worker(folder: Path) -> worker.WorkingProcess:
    spool = folder / "spool" / "w"
    return worker.WorkingProcess(
        name="w:1", spool=spool, start_trainer=lambda threads: MemoryTrainer(spool, threads), is_stopping=lambda: False
    )


def test_the_reconciler_pauses_with_the_reason_and_lets_go_on(search: Search, full: pytest.MonkeyPatch) -> None:
    reconciler.look()
    assert state_of(search) == ("paused", FULL)
    event = event_log.read(search.pk, 0)[-1]
    assert sentence(event) == f"Now paused: {FULL}"
    seconds_pass(60)
    reconciler.look()
    assert state_of(search) == ("paused", FULL)  # It is still full.
    full.undo()
    reconciler.look()
    assert state_of(search) == ("running", "")


def test_a_job_whose_file_could_not_be_written_is_due_and_counts_no_loss(
    search: Search, full: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    a_worker(tmp_path).look()
    job = Job.objects.get()
    assert (job.state, job.attempts, job.lease_until, state_of(search)) == ("due", 0, None, ("paused", FULL))
    assert not (tmp_path / "spool" / "w").exists()


def test_a_worker_that_was_refused_asks_the_disk_before_it_takes_a_job(
    search: Search, full: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    worker = a_worker(tmp_path)
    worker.look()
    lifecycle.resume(search.pk)  # A person does not want to wait.
    fence = Job.objects.get().fence
    worker.look()
    assert Job.objects.get().fence == fence  # Nobody claimed it.
    full.undo()
    worker.look()
    assert state_of(search) == ("finished", "")


def test_a_persons_pause_is_never_undone(search: Search, full: pytest.MonkeyPatch) -> None:
    lifecycle.pause(search.pk)
    reconciler.look()
    full.undo()
    seconds_pass(600)
    reconciler.look()
    assert state_of(search) == ("paused", "")


def test_a_pause_of_the_disk_becomes_a_persons_when_they_pause_too(search: Search, full: pytest.MonkeyPatch) -> None:
    reconciler.look()
    lifecycle.pause(search.pk)
    full.undo()
    seconds_pass(600)
    reconciler.look()
    assert state_of(search) == ("paused", "")
    with pytest.raises(lifecycle.CommandRefused):
        lifecycle.pause(search.pk)
    lifecycle.resume(search.pk)
    assert state_of(search) == ("running", "")


def test_a_disk_that_refuses_again_and_again_is_asked_less_often(search: Search) -> None:
    for wait in (4, 8, 16):
        storage_pauses.pause_all("The disk is full.")
        storage_pauses.resume_what_waits()
        assert state_of(search)[0] == "paused"
        seconds_pass(wait - 1)
        storage_pauses.resume_what_waits()
        assert state_of(search)[0] == "paused"
        seconds_pass(wait + 1)
        storage_pauses.resume_what_waits()
        assert state_of(search) == ("running", "")


def test_little_room_is_a_reason_too(search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_pauses, "LEAST_FREE_BYTES", 2**63)
    reconciler.look()
    assert state_of(search)[1].startswith("The disk has less than")


def test_a_database_that_is_full_gets_the_job_back_when_it_takes_writes_again(
    search: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite may use no more pages than it has; the first wait behind the refusal makes room."""
    if connection.vendor != "sqlite":
        pytest.skip("SQLite's way of being full")
    waits: list[float] = []

    def allow_pages(count: int) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"PRAGMA max_page_count = {count}")

    def fill_up(job_id: int, fence: int, sentence: str) -> None:
        if not waits:
            allow_pages(1)  # It then is as many as there are.
            with connection.cursor() as cursor:
                cursor.execute("CREATE TABLE filling AS SELECT zeroblob(1000000) AS content")
        give_back(job_id, fence, sentence)

    def wait(seconds: float) -> None:
        waits.append(seconds)
        allow_pages(2**30)

    give_back = storage_pauses.give_back
    monkeypatch.setattr(storage_pauses, "give_back", fill_up)
    monkeypatch.setattr(worker.time, "sleep", wait)
    monkeypatch.setattr(MemoryTrainer, "_keep", lambda *_: (_ for _ in ()).throw(OSError(errno.EIO, "no disk")))
    a_worker(tmp_path).look()
    assert waits == [worker.GIVE_BACK_SECONDS]
    assert (Job.objects.get().state, Job.objects.get().attempts, state_of(search)[0]) == ("due", 0, "paused")


def database_error(code: int) -> OperationalError:
    cause = sqlite3.OperationalError("database or disk is full")
    cause.sqlite_errorcode = code
    error = OperationalError(str(cause))
    error.__cause__ = cause
    return error


def test_errors_of_the_database_that_are_none_of_the_disk_are_told_apart() -> None:
    assert storage_pauses.sentence_of(database_error(sqlite3.SQLITE_FULL)) == "The disk of the database is full."
    assert storage_pauses.sentence_of(database_error(sqlite3.SQLITE_IOERR_FSYNC)) is not None
    assert storage_pauses.sentence_of(database_error(sqlite3.SQLITE_BUSY)) is None
    assert storage_pauses.sentence_of(ValueError("no error of a disk")) is None


def test_nobody_loses_a_lease_while_and_just_after_the_disk_refused(search: Search, full: pytest.MonkeyPatch) -> None:
    claim = leases.claim("w:1", ["learn"])
    assert claim is not None
    Job.objects.update(lease_until=clock.now() - 1)
    reconciler.look()
    full.undo()
    reconciler.look()
    assert Job.objects.get().state == "leased"
    reconciler._trouble -= leases.LEASE_SECONDS
    reconciler.look()
    assert Job.objects.get().state == "due"
