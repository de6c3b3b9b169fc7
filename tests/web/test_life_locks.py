"""Whoever's lock can be taken is dead, and nobody else is. What such a worker held is due again at once."""

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError

from tests.web.example_search import a_search
from webapp.accounts.models import User
from webapp.searches import clock, event_log, leases
from webapp.searches.models import Job, Worker
from webapp.searches.workers import life_locks, orphaned_jobs, reconciler, spools
from webapp.searches.workers.life_locks import LifeLock

HOLD = """
import subprocess, sys
from pathlib import Path
from django.conf import settings
settings.configure(DATA_FOLDER=Path(sys.argv[1]))
from webapp.searches.workers import life_locks
assert life_locks.hold("h:1") is not None
child = subprocess.Popen(["sleep", "60"])
print(child.pid, flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Path) -> Path:
    settings.DATA_FOLDER = tmp_path
    return tmp_path


def held(worker: str) -> LifeLock:
    lock = life_locks.hold(worker)
    assert lock is not None
    return lock


def die(lock: LifeLock) -> None:
    """As the kernel does it for whoever was killed: the file stays, and nobody has it open."""
    os.close(lock.file)


def dead() -> list[str]:
    return life_locks.for_each_dead(lambda worker: None)


def test_who_holds_its_lock_lives_and_who_does_not_is_dead_and_then_forgotten() -> None:
    living, dying = held("h:1"), held("h:2")
    assert dead() == []
    die(dying)
    assert dead() == ["h:2"]
    assert dead() == []
    assert life_locks.is_held("h:1") and not life_locks.is_held("h:2")
    die(living)


def test_a_killed_process_is_dead_although_what_it_started_lives_on(folder: Path) -> None:
    """Trainers and all else that it starts do not inherit the lock."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None and process.stdin is not None
    child = int(process.stdout.readline())
    try:
        assert dead() == []
        process.kill()
        process.wait()
        os.kill(child, 0)
        assert dead() == ["h:1"]
    finally:
        os.kill(child, signal.SIGKILL)
        process.stdin.close()
        process.stdout.close()


def test_who_ends_in_order_leaves_no_file(folder: Path) -> None:
    held("h:1").release()
    assert dead() == []
    assert [path for path in folder.rglob("*") if path.is_file()] == []


def test_what_fails_for_a_dead_worker_is_tried_again() -> None:
    die(held("h:1"))

    def fail(worker: str) -> None:
        raise DatabaseError("the database is away")

    with pytest.raises(DatabaseError):
        life_locks.for_each_dead(fail)
    assert dead() == ["h:1"]


def test_no_two_living_processes_have_one_name() -> None:
    first, second = life_locks.named("h", 1), life_locks.named("h", 1)
    assert (first[0], second[0]) == ("h:1", "h:1-2")
    for _, lock in (first, second):
        assert lock is not None
        die(lock)
    again = life_locks.named("h", 1)
    assert again[0] == "h:1"
    assert again[1] is not None
    again[1].release()


def test_a_name_is_taken_by_nobody_while_its_dead_owner_is_looked_after() -> None:
    die(held("h:1"))

    def claim_it(worker: str) -> None:
        with pytest.raises(life_locks.NameTaken):
            life_locks.hold(worker)

    assert life_locks.for_each_dead(claim_it) == ["h:1"]


def test_a_file_that_is_removed_while_somebody_waits_for_it_is_no_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between opening and locking, the old file is found dead and removed: the lock of a file that is gone is none."""
    die(held("h:1"))
    lock, removed = fcntl.flock, []

    def remove_then_lock(file: int, how: int) -> None:
        if not removed:
            monkeypatch.setattr(fcntl, "flock", lock)
            removed.extend(dead())
        lock(file, how)

    monkeypatch.setattr(fcntl, "flock", remove_then_lock)
    living = held("h:1")
    assert removed == ["h:1"]
    assert dead() == []
    assert life_locks.is_held("h:1")
    living.release()


def test_of_workers_of_another_machine_nothing_is_known(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    die(held("elsewhere:1"))
    start = folder / "start"
    start.write_text("another start of a kernel\n")
    monkeypatch.setattr(life_locks, "KERNEL_START", start)
    assert dead() == []
    assert not life_locks.is_held("elsewhere:1")
    life_locks.forget_other_starts({"elsewhere:1"})
    assert len(list((folder / "alive").rglob("elsewhere:1"))) == 1
    life_locks.forget_other_starts(set())
    assert list((folder / "alive").iterdir()) == []


def test_a_system_that_does_not_number_its_starts_knows_nothing(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(life_locks, "KERNEL_START", folder / "missing")
    assert life_locks.named("h", 1) == ("h:1", None)
    assert dead() == []


def test_where_every_lock_is_granted_none_is_relied_on(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setattr(fcntl, "flock", lambda file, how: None)
    assert life_locks.hold("h:1") is None
    assert dead() == []


def test_where_locks_are_refused_a_worker_works_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(file: int, how: int) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert life_locks.hold("h:1") is None
    assert dead() == []


def test_the_spool_of_a_living_process_that_this_container_does_not_see_stays(
    monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    monkeypatch.setattr(spools.psutil, "pid_exists", lambda pid: False)
    monkeypatch.setattr(spools.socket, "gethostname", lambda: "h")
    living = held("h:1")
    for name in ("h:1", "h:1-2", "h:3"):
        (folder / "spool" / name).mkdir(parents=True)
    assert [spool.name for spool in spools.remove_dead_spools()] == ["h:1-2", "h:3"]
    living.release()


# --- What a dead worker held. -----------------------------------------------------------------------------------------


def working(worker: str) -> LifeLock:
    """A worker that is there and holds a job."""
    lock = held(worker)
    Worker.objects.create(name=worker, host="h", device="cpu", speed=[0, 1e-9, 0], seen=clock.now())
    assert leases.claim(worker, [kind.value for kind in Job.Kind]) is not None
    return lock


@pytest.mark.django_db(transaction=True)
def test_the_job_of_a_dead_worker_is_due_before_its_lease_ends_and_others_are_rung(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rings: list[int] = []
    monkeypatch.setattr(reconciler, "ring_workers", rings.append)
    search = a_search(User.objects.create(name="owner"))
    lock = working("h:1")
    Worker.objects.create(name="h:2", host="h", device="cpu", speed=[0, 1e-9, 0], seen=clock.now())
    reconciler.take_from_dead_workers()
    job = Job.objects.get(worker="h:1")
    assert (job.state, rings) == ("leased", [])
    die(lock)
    reconciler.take_from_dead_workers()
    lost = event_log.read(search.pk, 0)[-1]
    assert (lost["kind"], lost["worker"], lost["reason"]) == ("job_lost", "h:1", "its process ended")
    after = Job.objects.get(pk=job.pk)
    assert (after.state, after.attempts, after.fence) == ("due", 1, job.fence + 1)
    assert rings == [1]
    assert [worker.name for worker in Worker.objects.all()] == ["h:2"]


@pytest.mark.django_db(transaction=True)
def test_the_spool_of_a_dead_worker_goes_with_its_jobs(folder: Path) -> None:
    a_search(User.objects.create(name="owner"))
    dead, living = working("h:1"), held("h:2")
    for name in ("h:1", "h:2"):
        (folder / "spool" / name).mkdir(parents=True)
        (folder / "spool" / name / "draft").write_bytes(b"half a checkpoint")
    die(dead)
    assert orphaned_jobs.take_back() == ["h:1"]
    assert [spool.name for spool in (folder / "spool").iterdir()] == ["h:2"]
    living.release()


@pytest.mark.django_db(transaction=True)
def test_what_a_dead_worker_was_about_to_hand_in_is_refused() -> None:
    a_search(User.objects.create(name="owner"))
    lock = working("h:1")
    job = Job.objects.get(worker="h:1")
    die(lock)
    assert orphaned_jobs.take_back() == ["h:1"]
    with pytest.raises(leases.LeaseLost):
        leases.release(job.pk, job.fence)


@pytest.mark.django_db(transaction=True)
def test_a_worker_without_a_lock_keeps_its_job_until_its_lease_ends() -> None:
    a_search(User.objects.create(name="owner"))
    working("h:1").release()
    assert orphaned_jobs.take_back() == []
    assert Job.objects.get(worker="h:1").state == "leased"
