"""A database that is away for longer than a lease costs nobody a job, and no child one of its attempts."""

import math
from pathlib import Path
from typing import Any, NoReturn

import pytest
from django.db import OperationalError

from tests.faults.fake_engine import DATA, DECISIONS, small_config
from webapp.accounts.sign_in import get_or_create_user
from webapp.searches import clock, leases, lifecycle, storage_pauses
from webapp.searches.models import Job
from webapp.searches.workers import driver, reconciler
from webapp.searches.workers.driver import Driver

pytestmark = pytest.mark.django_db(transaction=True)


class OwnClock:
    """In the place of the module `time`."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class Silent:
    """A trainer that is not asked for anything."""

    threads = 1


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> OwnClock:
    own = OwnClock()
    monkeypatch.setattr(driver, "time", own)
    return own


def claimed() -> leases.Claim:
    lifecycle.create_search(get_or_create_user("owner"), small_config(), decisions=DECISIONS, data=DATA)
    claim = leases.claim("h:1", ["learn"])
    assert claim is not None
    return claim


def driver_of(claim: leases.Claim, folder: Path, is_stopping: Any = lambda: False) -> Driver:
    return Driver(claim, Silent(), folder, is_stopping)  # type: ignore[arg-type]


def test_what_is_to_be_handed_in_waits_for_a_database_that_is_away_for_minutes(own: OwnClock, tmp_path: Path) -> None:
    drives = driver_of(claimed(), tmp_path)

    def hand_in() -> str:
        if own.now < 1300.0:
            raise OperationalError("connection refused")
        return "kept"

    assert drives._persist(hand_in) == "kept"
    assert own.now >= 1300.0
    assert own.now - drives._grew < 1.0, "the trainer was not heard meanwhile, which is no silence of its own"


def test_whoever_shall_end_does_not_wait_for_the_database(own: OwnClock, tmp_path: Path) -> None:
    drives = driver_of(claimed(), tmp_path, lambda: own.now > 1010.0)

    def fail() -> NoReturn:
        raise OperationalError("connection refused")

    with pytest.raises(OperationalError):
        drives._persist(fail)
    assert own.now < 1015.0


def test_what_a_disk_refuses_is_given_back_after_a_lease(
    own: OwnClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "sentence_of", lambda error: "The disk of the database is full.")
    drives = driver_of(claimed(), tmp_path)

    def fail() -> NoReturn:
        raise OperationalError("database or disk is full")

    with pytest.raises(OperationalError):
        drives._persist(fail)
    assert own.now < 1000.0 + 2 * leases.LEASE_SECONDS


def test_nobody_loses_a_job_because_the_database_was_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciler, "_trouble", -math.inf)
    claim = claimed()
    Job.objects.update(lease_until=clock.now() - 60)  # It could not be renewed.

    def gone() -> NoReturn:
        raise OperationalError("connection refused")

    reconciler._safely(gone, "look")
    reconciler.expire_leases()
    assert leases.renew(claim.job_id, claim.fence, 1) == "running"
    Job.objects.update(lease_until=clock.now() - 60)
    monkeypatch.setattr(reconciler, "_trouble", reconciler._trouble - leases.LEASE_SECONDS)
    reconciler.expire_leases()  # Whoever is silent a lease's time later is gone.
    assert Job.objects.get().state == "due"
    assert storage_pauses.sentence_of(OperationalError("connection refused")) is None
