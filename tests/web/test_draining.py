"""A worker is drained and let work again, over HTTP; what it does meanwhile is in test_worker."""

import json

import pytest

from tests.faults import fake_engine
from tests.web.example_search import a_worker
from webapp.accounts.models import User
from webapp.searches import leases, lifecycle
from webapp.searches.costs.estimate import live_speeds
from webapp.searches.models import Job, Worker
from webapp.searches.workers import reconciler

pytestmark = pytest.mark.django_db
KINDS = tuple(Job.Kind.values)


@pytest.fixture
def owner(client):
    owner = User.objects.create(name="owner", is_admin=True)
    client.force_login(owner)
    return owner


def drain(client, name, value):
    return client.patch(f"/api/workers/{name}", json.dumps({"is_drained": value}), content_type="application/json")


def start(owner):
    config = fake_engine.small_config()
    return lifecycle.create_search(owner, config, decisions=fake_engine.DECISIONS, data=fake_engine.DATA)


def test_a_drained_worker_claims_nothing_until_it_works_again(client, owner):
    start(owner)
    a_worker("host:1"), a_worker("host:2")
    assert drain(client, "host:1", True).json() == {"is_drained": True}
    told = {each["name"]: each["is_drained"] for each in client.get("/api/workers").json()["workers"]}
    assert told == {"host:1": True, "host:2": False}
    assert leases.claim("host:1", KINDS) is None
    assert drain(client, "host:1", False).status_code == 200
    assert leases.claim("host:1", KINDS).worker == "host:1"


def test_its_heartbeat_asks_for_a_pause_and_nobody_elses_does(client, owner):
    start(owner), start(owner)
    a_worker("host:1"), a_worker("host:2")
    held = {name: leases.claim(name, KINDS) for name in ("host:1", "host:2")}
    drain(client, "host:1", True)
    wanted = {name: leases.renew(claim.job_id, claim.fence, 1) for name, claim in held.items()}
    assert wanted == {"host:1": "paused", "host:2": "running"}


def test_a_drained_worker_is_neither_rung_nor_counted_on(client, owner, monkeypatch):
    start(owner)
    a_worker("host:1")
    rings = []
    monkeypatch.setattr(reconciler, "ring_workers", rings.append)
    drain(client, "host:1", True)
    reconciler.ring()
    assert rings == [] and live_speeds() == []
    drain(client, "host:1", False)
    reconciler.ring()
    assert rings == [1] and len(live_speeds()) == 1


def test_a_worker_that_is_not_there_and_another_word_are_refused(client, owner):
    a_worker("host:1")
    assert drain(client, "host:2", True).status_code == 404
    assert drain(client, "host:1", "perhaps").status_code == 422
    assert not Worker.objects.get().is_drained


def test_only_an_administrator_drains_and_everybody_may_look(client, owner):
    a_worker("host:1")
    client.force_login(User.objects.create(name="somebody else"))
    assert client.get("/api/workers").json()["may_drain"] is False
    answer = drain(client, "host:1", True)
    assert answer.status_code == 403
    assert answer.json()["errors"][0]["message"] == "Only an administrator can drain workers or use a host again."
    assert client.patch("/api/workers/hosts/here", "{}", content_type="application/json").status_code == 403
    assert drain(client, "host:9", True).status_code == 403  # Nobody learns by it who is there.
    assert not Worker.objects.get().is_drained
