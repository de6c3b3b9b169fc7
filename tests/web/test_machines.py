"""What the page of the machines is told: memory and load of hosts, what each worker does, who waits and how long."""

import json
from typing import Any

import pytest

from search_engine.events import ChildStarted, EpochEnded
from tests.web.example_search import a_search, a_worker
from webapp.accounts.models import User
from webapp.searches import clock, event_log, leases, lifecycle
from webapp.searches.api.workers import ELSEWHERE
from webapp.searches.models import Job, Worker
from webapp.searches.time_left import now as time_left
from webapp.searches.workers.worker import Presence, measured

pytestmark = pytest.mark.django_db
KINDS = tuple(Job.Kind.values)


@pytest.fixture(autouse=True)
def fresh() -> None:
    time_left.forget()


def told(client: Any) -> dict[str, Any]:
    time_left.forget()
    return client.get("/api/workers").json()


def test_a_worker_says_how_much_memory_and_load_there_is() -> None:
    Presence("host:1", "host", "cpu", 1).say()
    worker = Worker.objects.get()
    assert 0 < worker.own_memory < worker.memory_used < worker.memory
    assert 0 <= worker.load <= 1 and worker.cores >= 1


def test_a_system_that_does_not_tell_keeps_no_worker_from_being_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise OSError("nobody knows")

    monkeypatch.setattr("psutil.virtual_memory", fail)
    assert measured() == {}
    Presence("host:1", "host", "cpu").say()
    assert Worker.objects.get().load is None


def test_what_a_worker_does_is_told_with_its_progress(client: Any, owner: User, time: list[float]) -> None:
    client.force_login(owner)
    a_worker("host:1")
    search = a_search(owner, children=3, name="mine")
    Job.objects.create(stream_id=search.pk, kind="evaluate", step=1, slot=0)
    Job.objects.filter(kind="learn").delete()
    claim = leases.claim("host:1", KINDS)
    event_log.append(search.pk, [ChildStarted(step=1, slot=0, worker="host:1")])
    time[0] += 10
    ended = EpochEnded(step=1, slot=0, epoch=1, epochs=4, loss=1.0, accuracy=0.5, learning_rate=0.1, seconds=10.0)
    event_log.append(search.pk, [ended])
    time[0] += 5
    (worker,) = told(client)["workers"]
    assert claim is not None and worker["job"] == "child 1.0" and worker["stream_name"] == "mine"
    assert (worker["since"], worker["seconds_left"], worker["part"]) == (1000.0, 25.0, pytest.approx(15 / 40))


def test_the_queue_is_everybodys_and_names_are_told_of_ones_own(client: Any, owner: User) -> None:
    ours = a_search(owner, name="ours")
    theirs = a_search(User.objects.create(name="somebody else"), name="theirs")
    lifecycle.prioritise(theirs.pk, 1)
    a_worker("host:1")
    client.force_login(owner)
    first, second = told(client)["waiting"]
    assert (first["stream"], first["name"], first["url"], first["priority"], first["due"]) == (None, "", "", "first", 1)
    assert (second["name"], second["priority"], second["url"]) == ("ours", "normal", f"/searches/{ours.pk}")
    assert [first["seconds"], second["seconds"]] == [0.0, None]  # One worker is free now; then nobody knows.
    (left,) = told(client)["left"]
    assert left["stream"] == str(ours.pk)
    leases.claim("host:1", KINDS)
    (worker,) = told(client)["workers"]
    assert (worker["job"], worker["stream"], worker["part"]) == (ELSEWHERE, None, None)
    assert str(theirs.pk) not in json.dumps(told(client))


def test_what_was_stopped_a_moment_ago_waits_no_more(client: Any, owner: User) -> None:
    client.force_login(owner)
    search = a_search(owner)
    a_worker()
    assert len(told(client)["waiting"]) == len(told(client)["left"]) == 1
    lifecycle.stop(search.pk)
    now = client.get("/api/workers").json()  # What is kept of the last look still knows it.
    assert now["waiting"] == now["left"] == []


def test_without_a_worker_the_time_left_says_why(client: Any, owner: User) -> None:
    client.force_login(owner)
    search = a_search(owner)
    answer = client.get(f"/api/searches/{search.pk}/time-left").json()
    assert answer == {"seconds": None, "why": "No worker is there.", "at": pytest.approx(clock.now(), abs=5)}
    a_worker()
    time_left.forget()
    assert client.get(f"/api/searches/{search.pk}/time-left").json()["seconds"] > 0
    lifecycle.pause(search.pk)
    assert client.get(f"/api/searches/{search.pk}/time-left").json()["why"] == "It is paused."


def test_how_long_something_takes_is_told_to_those_who_may_see_it(client: Any, owner: User) -> None:
    search = a_search(owner)
    client.force_login(User.objects.create(name="somebody else"))
    assert client.get(f"/api/searches/{search.pk}/time-left").status_code == 404
    assert told(client)["left"] == []


def test_the_page_stands(client: Any, owner: User) -> None:
    client.force_login(owner)
    assert b"machines-board" in client.get("/machines").content
