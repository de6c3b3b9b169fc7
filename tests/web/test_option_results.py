"""What came of options: counts and means by hand, who counts, and the children behind an option."""

from typing import Any

import pytest
from django.test import Client

from search_engine.events import ChildFinished
from tests.web.example_search import a_search
from webapp.accounts.models import User
from webapp.searches import event_log
from webapp.searches.models import Child, Search
from webapp.searches.option_results import option_results

pytestmark = pytest.mark.django_db


@pytest.fixture
def search(owner: User) -> Search:
    """24 children; the first decision explains all of their rewards: .2 with its option 0, .6 with its option 1."""
    search = a_search(owner, children=24)
    for place, child in enumerate(search.children.order_by("step", "slot")):
        child.decisions[0] = place % 2
        child.reward = 0.6 if place % 2 else 0.2
        child.save()
    return search


def test_counts_and_means_by_hand(search: Search) -> None:
    found = option_results(search)
    assert (found.done, found.counted, found.mean) == (24, 24, pytest.approx(0.4))
    first = found.decisions[0]
    assert first.name == "normal 1 input 1"
    assert [(each.option, each.count) for each in first.options] == [("current input", 12), ("previous input", 12)]
    assert [each.mean for each in first.options] == pytest.approx([0.2, 0.6])
    assert first.importance is not None
    assert first.importance.share == pytest.approx(1.0) and not first.importance.may_be_chance


def test_copies_lost_children_and_those_without_a_verdict_do_not_count(search: Search) -> None:
    children = list(search.children.order_by("step", "slot")[:3])
    Child.objects.filter(pk=children[0].pk).update(twin_step=1, twin_slot=1)
    Child.objects.filter(pk=children[1].pk).update(reward=None, reason="lost")
    Child.objects.filter(pk=children[2].pk).update(reward=None, is_final=False)
    found = option_results(search)
    assert (found.done, found.counted) == (23, 21)
    assert [each.count for each in found.decisions[0].options] == [10, 11]


def test_a_new_verdict_is_seen(search: Search) -> None:
    Child.objects.filter(pk=search.children.first().pk).update(reward=None, is_final=False)
    assert option_results(search).done == 23
    Child.objects.filter(search=search, is_final=False).update(reward=0.9, is_final=True)
    assert option_results(search).done == 24


def test_of_a_long_search_one_child_more_is_nothing_new_until_it_has_ended(owner: User) -> None:
    search = a_search(owner, children=101)
    first = search.children.order_by("step", "slot")[:1]
    Child.objects.filter(pk__in=first.values("pk")).update(reward=None, is_final=False)
    assert option_results(search).done == 100
    Child.objects.filter(search=search, is_final=False).update(reward=0.9, is_final=True)
    assert option_results(search).done == 100
    search.state = Search.State.STOPPED
    assert option_results(search).done == 101


def test_with_few_children_no_importance_is_claimed(owner: User) -> None:
    found = option_results(a_search(owner, children=4))
    assert {each.importance for each in found.decisions} == {None}


def test_before_the_first_verdict_every_option_is_there_with_nothing(owner: User) -> None:
    found = option_results(a_search(owner))
    assert (found.counted, found.mean) == (0, None)
    assert {(each.count, each.mean) for decision in found.decisions for each in decision.options} == {(0, None)}


def test_the_api_lists_the_children_that_took_an_option_best_first(search: Search, client: Client) -> None:
    client.force_login(search.owner)
    reply: Any = client.get(f"/api/searches/{search.pk}/children?decision=0&option=1&size=5").json()
    assert (reply["total"], reply["pages"], len(reply["children"])) == (12, 3, 5)
    assert {child["reward"] for child in reply["children"]} == {0.6}
    assert client.get(f"/api/searches/{search.pk}/children?decision=99&option=1").json()["total"] == 0


def test_an_option_without_its_decision_is_refused_at_the_field(search: Search, client: Client) -> None:
    client.force_login(search.owner)
    answer = client.get(f"/api/searches/{search.pk}/children?option=1")
    assert answer.status_code == 422
    assert answer.json()["errors"] == [
        {"field": "decision", "message": "A decision and its option are asked for together."}
    ]


def test_after_an_event_results_and_children_are_those_of_the_verdicts_before_it(
    search: Search, client: Client
) -> None:
    client.force_login(search.owner)
    children = list(search.children.order_by("step", "slot")[:6])
    for child in children:
        told = ChildFinished(
            step=child.step, slot=child.slot, reward=child.reward, parameters=1, mult_adds=1, seconds=1.0
        )
        event_log.append(search.pk, [told])
    search.refresh_from_db()
    at = search.last_event - 1  # The last of the six has no verdict there.
    found: Any = client.get(f"/api/searches/{search.pk}/decisions?at={at}").json()
    first = found["decisions"][0]
    assert (found["done"], found["counted"], [each["count"] for each in first["options"]]) == (5, 5, [3, 2])
    assert client.get(f"/api/searches/{search.pk}/decisions?at=1").json()["counted"] == 0
    address = f"/api/searches/{search.pk}/states/children?at={at}&decision=0"
    reply: Any = client.get(f"{address}&option=1").json()
    assert [(each["step"], each["slot"]) for each in reply["children"]] == [
        (each.step, each.slot) for each in children[1:5:2]
    ]
    assert client.get(address).status_code == 422
    assert option_results(search).done == 24


def test_the_api_says_how_much_each_decision_matters(search: Search, client: Client) -> None:
    client.force_login(search.owner)
    reply: Any = client.get(f"/api/searches/{search.pk}/decisions").json()
    assert (reply["counted"], len(reply["decisions"])) == (24, len(search.children.first().decisions))
    assert reply["decisions"][0]["importance"]["may_be_chance"] is False
    assert reply["decisions"][0]["options"][1] == {"option": "previous input", "count": 12, "mean": pytest.approx(0.6)}
