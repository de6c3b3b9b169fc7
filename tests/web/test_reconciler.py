"""The reconciler finds what a crash left undone, rings as many workers as can work, and survives its own failures."""

import pytest
from django.db import DatabaseError

from tests.faults.fake_engine import DATA, DECISIONS, small_config
from webapp.accounts.sign_in import get_or_create_user
from webapp.searches import clock, event_log, leases, lifecycle, planner
from webapp.searches.models import Job, Search, Worker
from webapp.searches.workers import reconciler

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def rings(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many workers were rung at each call."""
    heard: list[int] = []
    monkeypatch.setattr(reconciler, "ring_workers", heard.append)
    return heard


def start() -> Search:
    return lifecycle.create_search(get_or_create_user("owner"), small_config(), decisions=DECISIONS, data=DATA)


def add_worker(name: str, *, seen_ago: float = 0.0, speed: list[float] | None = None) -> Worker:
    measured = [0.0, 1e-9, 0.0] if speed is None else speed
    return Worker.objects.create(name=name, host="h", device="cpu", speed=measured, seen=clock.now() - seen_ago)


def test_a_silent_workers_job_is_due_again(rings: list[int]) -> None:
    search = start()
    claim = leases.claim("h:1", ["learn"])
    assert claim is not None
    Job.objects.update(lease_until=clock.now() - 1)
    reconciler.look()
    assert Job.objects.get().state == "due"
    assert [event["kind"] for event in event_log.read(search.pk, 0)][-1] == "job_lost"


def test_a_search_without_a_job_gets_what_is_due(rings: list[int]) -> None:
    start()
    Job.objects.all().delete()  # As if a crash had come between two commits that should have been one.
    reconciler.look()
    assert [(job.kind, job.state) for job in Job.objects.all()] == [("learn", "due")]


def test_a_search_with_work_is_left_alone(rings: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    start()
    monkeypatch.setattr(planner, "plan", lambda search_id: pytest.fail("planned without need"))
    reconciler.look()


def test_rings_are_as_many_as_can_be_answered(rings: list[int]) -> None:
    search = start()
    reconciler.ring()
    assert rings == []  # Nobody is there.
    add_worker("h:1")
    add_worker("h:2")
    add_worker("h:3", seen_ago=reconciler.PRESENT_SECONDS + 1)
    reconciler.ring()
    assert rings == [1]  # One job.
    for slot in range(5):
        Job.objects.create(stream_id=search.pk, kind="evaluate", step=0, slot=slot)
    reconciler.ring()
    assert rings == [1, 2]  # Six jobs, two idle workers who are there.
    assert leases.claim("h:1", ["evaluate"]) is not None
    reconciler.ring()
    assert rings == [1, 2, 1]  # One of them works.


def test_a_paused_search_rings_nobody(rings: list[int]) -> None:
    search = start()
    add_worker("h:1")
    lifecycle.pause(search.pk)
    reconciler.ring()
    assert rings == []


def test_a_worker_that_has_not_measured_itself_is_rung(rings: list[int]) -> None:
    add_worker("h:1", speed=[])
    reconciler.ring()
    assert rings == [1]


def test_workers_of_long_ago_are_forgotten() -> None:
    add_worker("h:1", seen_ago=reconciler.FORGET_WORKER_SECONDS + 1)
    add_worker("h:2", seen_ago=reconciler.FORGET_WORKER_SECONDS - 10)
    reconciler.forget_workers()
    assert [worker.name for worker in Worker.objects.all()] == ["h:2"]


def test_looking_twice_is_looking_once(rings: list[int]) -> None:
    search = start()
    reconciler.look()
    before = event_log.read(search.pk, 0), list(Job.objects.values())
    reconciler.look()
    assert (event_log.read(search.pk, 0), list(Job.objects.values())) == before


def test_one_failing_act_does_not_keep_the_others_from_being_done(
    rings: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    start()
    add_worker("h:1")

    def fail() -> None:
        raise DatabaseError("the database is away")

    monkeypatch.setattr(reconciler.leases, "expire", fail)
    reconciler.look()
    assert rings == [1]


def test_one_search_that_cannot_be_helped_keeps_no_other_from_being_helped(
    rings: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A configuration of another version of the program, for instance, which this one does not understand."""
    broken, sound = start(), start()
    Job.objects.filter(stream_id=broken.pk).update(attempts=leases.ATTEMPTS - 1)
    for _ in range(2):
        assert leases.claim("w", ("learn",))
    Job.objects.update(lease_until=0.0)
    set_aside = leases._set_aside

    def fail(job: Job, reason: str) -> object:
        if job.stream_id == broken.pk:
            raise ValueError("nobody understands this")
        return set_aside(job, reason)

    monkeypatch.setattr(leases, "_set_aside", fail)
    reconciler.look()
    assert Job.objects.get(stream_id=sound.pk).state == "due"

    Job.objects.all().delete()
    plan = reconciler.planner.plan

    def plan_or_fail(search_id: object) -> None:
        if search_id == broken.pk:
            raise ValueError("nobody understands this")
        plan(search_id)

    monkeypatch.setattr(reconciler.planner, "plan", plan_or_fail)
    reconciler.look()
    assert list(Job.objects.values_list("stream_id", flat=True)) == [sound.pk]
