import time
import uuid

import pytest
import redis
from django.db import transaction

from search_engine.events import ChildStarted, JobLost, event_from_json
from tests.faults import fake_engine
from webapp.accounts.models import User
from webapp.searches import clock, event_log, lifecycle
from webapp.searches.models import Event, Stream


def begun(slot):
    return ChildStarted(step=0, slot=slot, worker="w")


@pytest.fixture
def stream(db):
    owner = User.objects.create(name="owner")
    search = lifecycle.create_search(
        owner, fake_engine.small_config(), decisions=fake_engine.DECISIONS, data=fake_engine.DATA
    )
    return Stream.objects.get(pk=search.pk)


def test_numbers_go_on_without_gaps(stream):
    assert event_log.append(stream.pk, [begun(0), begun(1)]) == 3
    assert event_log.append(stream.pk, []) == 3
    assert event_log.append(stream.pk, [begun(2)]) == 4
    assert [event["n"] for event in event_log.read(stream.pk, 0)] == [1, 2, 3, 4]
    assert Stream.objects.get(pk=stream.pk).last_event == 4


def test_a_transaction_that_fails_leaves_no_gap(stream):
    with pytest.raises(RuntimeError), transaction.atomic():
        event_log.append(stream.pk, [begun(0)])
        raise RuntimeError
    assert event_log.append(stream.pk, [begun(1)]) == 2


def test_events_travel_whole_and_come_back(stream):
    lost = JobLost(what="child 0.1", worker="w", reason="r", attempt=2)
    with clock.replaced(lambda: 1234.5):
        event_log.append(stream.pk, [lost])
    (wire,) = event_log.read(stream.pk, 1)
    assert (wire.pop("n"), wire.pop("at")) == (2, 1234.5)
    assert event_from_json(wire) == lost


def test_reading_starts_after_a_number_and_ends_at_the_limit(stream):
    event_log.append(stream.pk, [begun(slot) for slot in range(10)])
    assert [event["n"] for event in event_log.read(stream.pk, 4, limit=3)] == [5, 6, 7]
    assert event_log.read(stream.pk, 11) == []


def test_streams_are_numbered_apart(stream):
    other = lifecycle.create_search(
        stream.owner, fake_engine.small_config(), decisions=fake_engine.DECISIONS, data=fake_engine.DATA
    )
    event_log.append(stream.pk, [begun(0)])
    assert event_log.append(other.pk, [begun(0)]) == 2


def test_the_clock_is_the_databases_and_goes_on_within_a_transaction(stream):
    first = clock.now()
    time.sleep(0.01)
    assert abs(clock.now() - time.time()) < 0.5
    assert clock.now() > first


def test_the_bell_rings_after_the_commit_and_once_per_append(stream, monkeypatch, django_capture_on_commit_callbacks):
    rung = []
    monkeypatch.setattr(event_log, "ring", rung.append)
    with django_capture_on_commit_callbacks(execute=True):
        event_log.append(stream.pk, [begun(0), begun(1)])
        assert rung == []
    assert rung == [stream.pk]


class DeafRedis:
    def __init__(self):
        self.calls = 0

    def publish(self, channel, data):
        self.calls += 1
        raise redis.ConnectionError("nobody is there")


def test_a_bell_that_does_not_answer_is_left_alone_for_a_while(settings, monkeypatch):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    deaf = DeafRedis()
    monkeypatch.setattr(event_log, "_bell", lambda url: deaf)
    monkeypatch.setattr(event_log, "_silent_until", 0.0)
    event_log.ring(uuid.uuid4())
    event_log.ring(uuid.uuid4())
    assert deaf.calls == 1
    monkeypatch.setattr(event_log, "_silent_until", time.monotonic() - 1)
    event_log.ring(uuid.uuid4())
    assert deaf.calls == 2


def test_a_missing_redis_costs_a_moment_and_no_event(stream, settings, monkeypatch, django_capture_on_commit_callbacks):
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    monkeypatch.setattr(event_log, "_silent_until", 0.0)
    before = time.monotonic()
    with django_capture_on_commit_callbacks(execute=True):
        event_log.append(stream.pk, [begun(0)])
    assert time.monotonic() - before < 2
    assert Event.objects.filter(stream=stream).count() == 2


def test_without_redis_nobody_is_called(settings, monkeypatch):
    settings.REDIS_URL = ""
    monkeypatch.setattr(event_log, "_bell", lambda url: pytest.fail("was called"))
    event_log.ring(uuid.uuid4())
