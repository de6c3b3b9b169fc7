"""Long work on files while a lease is held."""

import threading

import pytest

from webapp.searches.leases import LeaseLost
from webapp.searches.workers.beside import beside


def test_what_takes_long_is_waited_for_and_the_lease_is_renewed_meanwhile() -> None:
    enough = threading.Event()
    renewals: list[int] = []

    def renew() -> None:
        renewals.append(1)
        if len(renewals) == 3:
            enough.set()

    assert beside(lambda: enough.wait(10), renew, every_seconds=0.001) is True
    assert len(renewals) >= 3


def test_what_is_quick_renews_nothing() -> None:
    def renew() -> None:
        raise AssertionError("nobody had to wait")

    assert beside(lambda: 7, renew) == 7


def test_its_error_comes_through() -> None:
    def fail() -> None:
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="the disk is full"):
        beside(fail, lambda: None)


def test_a_lost_lease_is_told_when_the_work_has_ended() -> None:
    begun, ended = threading.Event(), threading.Event()

    def act() -> None:
        begun.wait(10)
        ended.set()

    def renew() -> None:
        begun.set()
        raise LeaseLost

    with pytest.raises(LeaseLost):
        beside(act, renew, every_seconds=0.001)
    assert ended.is_set()  # No file is left half written by a thread that nobody waits for.
