"""The same search with several seeds or strategies: one group, started once, with its cost told before."""

import json
from typing import Any

import pytest
from django.test import Client

from search_engine.errors import UserError
from tests.web.example_search import CONFIG, a_search, a_worker, demo_json
from webapp.accounts.models import User
from webapp.accounts.sign_in import get_or_create_user
from webapp.searches import groups, lifecycle
from webapp.searches.groups import Wanted
from webapp.searches.models import Group, Search

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("store")]


def send(client: Client, path: str, body: Any, **headers: str) -> tuple[int, Any]:
    answer = client.post(path, json.dumps(body), content_type="application/json", headers=headers)
    return answer.status_code, answer.json()


def test_five_seeds_beside_a_search_start_four_more(owner: User) -> None:
    search = a_search(owner)
    group, started = groups.add_members(search, Wanted(seeds=range(1, 6)))
    assert [each.config["reproducibility"]["seed"] for each in started] == [2, 3, 4, 5]
    assert set(group.streams.values_list("pk", flat=True)) == {search.pk, *(each.pk for each in started)}
    assert started[0].name == "Two-minute demo (seed 2)"


def test_asking_again_starts_only_what_is_missing(owner: User) -> None:
    search = a_search(owner)
    groups.add_members(search, Wanted(seeds=[1, 2]))
    search.refresh_from_db()
    group, started = groups.add_members(search, Wanted(seeds=[1, 2, 3], strategies=["ppo", "random"]))
    found = [(each.config["strategy"]["kind"], each.config["reproducibility"]["seed"]) for each in started]
    assert found == [("random", 1), ("random", 2), ("ppo", 3), ("random", 3)]
    assert group.streams.count() == 6 and Group.objects.count() == 1


def test_members_have_the_total_that_the_search_has_by_now(owner: User) -> None:
    search = a_search(owner)
    lifecycle.change_limits(search.pk, {"children": 40})
    _, (started,) = groups.add_members(search, Wanted(seeds=[2]))
    assert Search.objects.get(pk=started.pk).total == 40


def test_a_request_starts_a_group_once_and_says_where_it_is_compared(signed_in: Client, owner: User) -> None:
    search = a_search(owner)
    body = {"search": str(search.pk), "seeds": [1, 2, 3]}
    first = send(signed_in, "/api/groups", body, **{"Idempotency-Key": "k"})
    assert first[0] == 201 and send(signed_in, "/api/groups", body, **{"Idempotency-Key": "k"}) == first
    assert Search.objects.count() == 3 and len(first[1]["started"]) == 2
    assert first[1]["url"] == f"/compare?streams={first[1]['id']}"


def test_a_group_can_be_started_from_a_configuration(signed_in: Client) -> None:
    status, _ = send(signed_in, "/api/groups", {"config": demo_json(), "seeds": [5, 6], "strategies": ["random"]})
    assert status == 201
    assert sorted(each.config["reproducibility"]["seed"] for each in Search.objects.all()) == [5, 6]
    assert {each.config["strategy"]["kind"] for each in Search.objects.all()} == {"random"}


def test_the_cost_before_the_start_is_that_of_all_that_would_be_started(signed_in: Client, owner: User) -> None:
    a_worker()
    search = a_search(owner)
    _, one = send(signed_in, "/api/searches/estimate", {"config": demo_json()})
    _, five = send(signed_in, "/api/groups/estimate", {"search": str(search.pk), "seeds": [1, 2, 3, 4, 5]})
    assert five["children"] == 4 * one["children"] == 480
    assert five["seconds"] == pytest.approx(4 * one["seconds"])
    assert Search.objects.count() == 1


def test_nothing_left_to_start_costs_nothing(signed_in: Client, owner: User) -> None:
    search = a_search(owner)
    _, cost = send(signed_in, "/api/groups/estimate", {"search": str(search.pk), "seeds": [1]})
    assert (cost["children"], cost["errors"]) == (0, [])


def test_too_many_or_unknown_members_are_refused_with_a_sentence(signed_in: Client, owner: User) -> None:
    with pytest.raises(UserError, match="make 52 searches; must make from 1 to 50"):
        groups.members_of(CONFIG, Wanted(seeds=range(26), strategies=["ppo", "random"]))
    body = {"search": str(a_search(owner).pk), "seeds": [1, 2], "strategies": ["annealing"]}
    status, reply = send(signed_in, "/api/groups", body)
    assert status == 422 and reply["errors"][0]["field"] == "strategies"
    assert Search.objects.count() == 1 and not Group.objects.exists()


def test_a_body_with_neither_or_both_is_refused(signed_in: Client) -> None:
    for body in ({"seeds": [1]}, {"seeds": [1], "config": {}, "search": "00000000-0000-0000-0000-000000000000"}):
        assert send(signed_in, "/api/groups", body)[0] == 422


def test_a_search_of_somebody_else_cannot_be_run_again(signed_in: Client) -> None:
    search = a_search(get_or_create_user("other"))
    assert send(signed_in, "/api/groups", {"search": str(search.pk), "seeds": [2]})[0] == 404
    assert Search.objects.count() == 1
