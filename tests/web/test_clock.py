"""A clock that is set, forward or back, takes no job from anybody who is alive, and keeps none from anybody."""

import logging
import time
from collections.abc import Callable, Iterator

import pytest

from search_engine.events import StateChanged
from tests.faults.fake_engine import DATA, DECISIONS, small_config
from webapp.accounts.sign_in import get_or_create_user
from webapp.searches import clock, deletion, event_log, leases, lifecycle, live_state, running_time, storage_pauses
from webapp.searches.models import Job, Search, Stream, Worker
from webapp.searches.workers import reconciler

pytestmark = pytest.mark.django_db(transaction=True)
HOUR, DAY = 3600.0, 24 * 3600.0


class Clocks:
    """The wall clock, which can be set, and the process's own, which cannot."""

    def __init__(self) -> None:
        self.wall, self.own, self.slow = 1_800_000_000.0, 50.0, 0.0

    def passes(self, seconds: float) -> None:
        self.wall += seconds
        self.own += seconds

    def read(self) -> float:
        self.own += self.slow
        return self.wall


@pytest.fixture
def clocks(monkeypatch: pytest.MonkeyPatch) -> Iterator[Clocks]:
    clocks = Clocks()
    with clock.replaced(clocks.read):
        monkeypatch.setattr(reconciler, "_clock", clock.Watch(lambda: clocks.own))
        monkeypatch.setattr(reconciler, "ring_workers", lambda times: None)
        monkeypatch.setattr(storage_pauses, "trouble", lambda: None)  # It would write a file at each look.
        yield clocks


def start() -> Search:
    return lifecycle.create_search(get_or_create_user("owner"), small_config(), decisions=DECISIONS, data=DATA)


def claimed(worker: str = "h:1") -> leases.Claim:
    claim = leases.claim(worker, ["learn"])
    assert claim is not None
    return claim


def look_for(clocks: Clocks, seconds: float, meanwhile: Callable[[], object] = lambda: None) -> None:
    """The reconciler looks every two seconds."""
    for _ in range(round(seconds / 2)):
        reconciler.look()
        clocks.passes(2.0)
        meanwhile()


def test_a_steady_clock_is_steady_however_long_nobody_looks(clocks: Clocks) -> None:
    watch = clock.Watch(lambda: clocks.own)
    assert watch.look() == 0.0
    for seconds in (0.1, 2.0, DAY):
        clocks.passes(seconds)
        assert watch.look() == 0.0
    assert watch.was_steady_for(DAY)


@pytest.mark.parametrize("jump", [2.0, -2.0, HOUR, -DAY])
def test_a_clock_that_was_set_is_noticed_once(clocks: Clocks, jump: float) -> None:
    watch = clock.Watch(lambda: clocks.own)
    watch.look()
    clocks.passes(2.0)
    clocks.wall += jump
    assert watch.look() == pytest.approx(jump)
    assert not watch.was_steady_for(1.0)
    clocks.passes(2.0)
    assert watch.look() == 0.0
    assert watch.was_steady_for(1.0) and not watch.was_steady_for(5.0)


def test_a_clock_that_runs_a_little_fast_is_steady(clocks: Clocks) -> None:
    watch = clock.Watch(lambda: clocks.own)
    for _ in range(1000):
        clocks.passes(2.0)
        clocks.wall += 0.01
        assert watch.look() == 0.0


def test_an_answer_that_takes_long_says_nothing_and_is_not_trusted(clocks: Clocks) -> None:
    watch = clock.Watch(lambda: clocks.own)
    watch.look()
    clocks.slow = 20.0  # The database is busy; its clock was read at an unknown moment of that time.
    assert watch.look() == 0.0
    assert not watch.was_steady_for(1.0)
    clocks.slow = 0.0
    clocks.wall += 20.0
    assert watch.look() == 0.0


@pytest.mark.parametrize("jump", [HOUR, -DAY])
def test_whoever_is_alive_keeps_its_job_when_the_clock_is_set(
    clocks: Clocks, jump: float, caplog: pytest.LogCaptureFixture
) -> None:
    search = start()
    claim = claimed()
    reconciler.look()
    with caplog.at_level(logging.WARNING):
        clocks.wall += jump
        look_for(clocks, 20.0, lambda: leases.renew(claim.job_id, claim.fence, 1))
    job = Job.objects.get()
    assert (job.state, job.fence, job.attempts) == ("leased", claim.fence, 0)
    assert "job_lost" not in [event["kind"] for event in event_log.read(search.pk, 0)]
    assert sum("clock was set" in record.message for record in caplog.records) == 1


@pytest.mark.parametrize("jump", [0.0, HOUR, -DAY])
def test_a_dead_workers_job_is_due_again_soon_however_the_clock_is_set(clocks: Clocks, jump: float) -> None:
    start()
    claimed()
    reconciler.look()
    clocks.wall += jump
    look_for(clocks, 12.0)
    assert Job.objects.get().state == "due"


@pytest.mark.parametrize("jump", [HOUR, -DAY])
def test_a_worker_that_is_alive_keeps_its_row_and_its_speed_when_the_clock_is_set(clocks: Clocks, jump: float) -> None:
    Worker.objects.create(name="h:1", host="h", device="cpu", speed=[0, 1e-9, 0], seen=clock.now(), is_drained=True)
    reconciler.look()
    clocks.wall += jump
    look_for(clocks, 80.0, lambda: Worker.objects.update(seen=clock.now()))
    assert list(Worker.objects.values_list("speed", "is_drained")) == [([0, 1e-9, 0], True)]


@pytest.mark.parametrize("jump", [HOUR, -HOUR])
def test_a_worker_that_died_is_forgotten_though_it_was_seen_in_times_to_come(clocks: Clocks, jump: float) -> None:
    Worker.objects.create(name="h:1", host="h", device="cpu", seen=clock.now())
    reconciler.look()
    clocks.wall += jump
    look_for(clocks, 80.0)
    assert not Worker.objects.exists()


def test_deleting_does_not_wait_for_a_lease_in_times_to_come(clocks: Clocks) -> None:
    search = start()
    claimed()
    deletion.delete(search.pk)
    Job.objects.filter(stream=search.pk).update(state="leased", worker="h:1", lease_until=clock.now() + HOUR)
    reconciler.look()
    assert not Stream.objects.filter(pk=search.pk).exists()


def test_what_waits_for_a_disk_goes_on_though_it_was_paused_in_times_to_come(clocks: Clocks) -> None:
    search = start()
    clocks.wall += DAY
    storage_pauses.pause_all("The disk is full.")
    assert Stream.objects.get(pk=search.pk).state == "paused"
    clocks.wall -= DAY
    storage_pauses.resume_what_waits()
    assert Stream.objects.get(pk=search.pk).state == "running"


@pytest.mark.parametrize("jump", [HOUR, -HOUR, DAY, -DAY])
def test_no_hours_of_a_search_pass_when_the_clock_is_set(clocks: Clocks, jump: float) -> None:
    search = start()
    Search.objects.update(max_hours=0.5)
    look_for(clocks, 10.0)
    clocks.wall += jump
    look_for(clocks, 10.0)
    ran = running_time.seconds(Stream.objects.get(pk=search.pk))
    assert 10.0 <= ran <= 22.0
    assert "limits_changed" not in [event["kind"] for event in event_log.read(search.pk, 0)]


def test_the_time_that_a_search_ran_is_never_negative(clocks: Clocks) -> None:
    search = start()
    clocks.wall -= DAY
    event_log.append(search.pk, [StateChanged(state="paused")])
    assert live_state.state_at(Stream.objects.get(pk=search.pk))["active_seconds"] == 0.0


def test_the_processes_own_clock_is_one_that_nobody_sets() -> None:
    assert clock.Watch()._own is time.monotonic
