"""Limits over HTTP: at the start, changed later, refused at their field, and told as a file."""

import json

import pytest

from tests.web.example_search import a_search, demo_json
from webapp.accounts.models import User
from webapp.searches import lifecycle
from webapp.searches.companion import add_companion
from webapp.searches.models import Event, Search

pytestmark = pytest.mark.django_db


@pytest.fixture
def owner(client):
    owner = User.objects.create(name="owner")
    client.force_login(owner)
    return owner


def post(client, address, body, key="k"):
    answer = client.post(address, json.dumps(body), content_type="application/json", headers={"Idempotency-Key": key})
    return answer.status_code, answer.json()


def limits_of(client, search):
    told = client.get(f"/api/searches/{search.pk}").json()
    return {name: told[name] for name in ("total", "max_workers", "max_hours")}


def test_limits_are_changed_once_per_key_and_told(client, owner):
    search = a_search(owner)
    address = f"/api/searches/{search.pk}/limits"
    body = {"children": 60, "workers": 2, "hours": 1.5}
    for _ in range(2):
        status, told = post(client, address, body)
        assert (status, told) == (200, {"id": str(search.pk), "epochs": None, **body})
    assert limits_of(client, search) == {"total": 60, "max_workers": 2, "max_hours": 1.5}
    assert Event.objects.filter(stream_id=search.pk, kind="limits_changed").count() == 1
    assert post(client, address, {"workers": None, "hours": 2}, "other")[0] == 200
    assert limits_of(client, search) == {"total": 60, "max_workers": None, "max_hours": 2.0}


@pytest.mark.parametrize(
    ("body", "field", "message"),
    [
        ({"children": 7}, "children", "is 7; 10 are drawn already, so it must be at least 10."),
        ({"children": 0}, "children", "is 0; must be at least 1."),
        ({"children": 12.5}, "children", "is 12.5; must be a whole number."),
        ({"epochs": 3}, "epochs", "is no limit of this search; its length is the number of children."),
        ({"workers": 0}, "workers", "is 0; must be at least 1."),
        ({"hours": 0}, "hours", "is 0; must be at least 0.01."),
        ({"hours": "2"}, "hours", "is '2'; must be a number."),
        ({"lookahead": 1}, "lookahead", "is not a setting of this program."),
    ],
)
def test_what_cannot_be_is_refused_at_its_field(client, owner, body, field, message):
    search = a_search(owner, children=10)
    status, answer = post(client, f"/api/searches/{search.pk}/limits", body)
    assert (status, answer["errors"]) == (422, [{"field": field, "message": message}])


def test_another_owner_and_an_ended_search_are_refused(client, owner):
    search = a_search(owner)
    address = f"/api/searches/{search.pk}"
    lifecycle.stop(search.pk)
    assert post(client, f"{address}/limits", {"workers": 1})[0] == 409
    client.force_login(User.objects.create(name="stranger"))
    assert post(client, f"{address}/limits", {"workers": 1})[0] == 404
    assert client.get(f"{address}/changes").status_code == 404


def test_the_changes_can_be_downloaded_for_a_terminal(client, owner):
    search = a_search(owner)
    lifecycle.change_limits(search.pk, {"children": 60})
    answer = client.get(f"/api/searches/{search.pk}/changes")
    assert answer.json() == [{"from_step": 0, "children": 60}]
    assert answer["Content-Disposition"] == 'attachment; filename="changes.json"'


def test_a_search_and_its_companion_start_with_limits(client, owner):
    body = {"config": demo_json(), "companion": True, "limits": {"workers": 1, "hours": 2}}
    assert post(client, "/api/searches", body)[0] == 201
    assert set(Search.objects.values_list("max_workers", "max_hours")) == {(1, 2.0)}
    refused = post(client, "/api/searches", body | {"limits": {"workers": -1}}, "other")
    assert refused[1]["errors"] == [{"field": "limits.workers", "message": "is -1; must be at least 1."}]


def test_a_companion_that_comes_later_has_the_budget_in_force(owner):
    search = a_search(owner)
    lifecycle.change_limits(search.pk, {"children": 60})
    companion = Search.objects.get(pk=add_companion(search).pk)
    assert (companion.total, companion.config["budget"]["children"]) == (60, 120)
