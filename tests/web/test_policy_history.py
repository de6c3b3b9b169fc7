"""The policy over time: every step is read once, thinning keeps both ends, and when decisions froze, by hand."""

from typing import Any

import pytest
from django.test import Client

from search_engine.events import StepProposed
from tests.web.example_search import CONFIG, a_search
from webapp.accounts.models import User
from webapp.accounts.sign_in import get_or_create_user
from webapp.searches import event_log
from webapp.searches.companion import companion_config
from webapp.searches.models import Event, Search
from webapp.searches.policy_history import policy_history, thinned
from webapp.searches.start import start_search


@pytest.fixture
def owner(db: None) -> User:
    return get_or_create_user("owner")


@pytest.fixture
def search(owner: User) -> Search:
    return a_search(owner)


def draw(search: Search, step: int, *policy: tuple[float, ...]) -> Search:
    """One more step, drawn under this policy; the search as it is now."""
    entropies = tuple(round(0.1 * step, 3) for _ in policy)
    event_log.append(
        search.pk, [StepProposed(step=step, policy=policy, entropies=entropies, entropy=sum(entropies), proposals=())]
    )
    return Search.objects.get(pk=search.pk)


@pytest.mark.parametrize(("count", "points"), [(c, p) for c in (*range(40), 399, 1000, 3001) for p in (2, 3, 8, 150)])
def test_thinning_keeps_both_ends_and_never_more_than_was_asked_for(count: int, points: int) -> None:
    places, every = thinned(count, points)
    assert len(places) <= points and len(places) >= min(count, points // 2)
    assert places == sorted({*range(0, count, every), *([count - 1] if count else [])})
    assert count > points or every == 1


@pytest.mark.parametrize("points", [2, 3, 8, 21])
def test_a_place_that_is_shown_stays_until_every_second_one_goes(points: int) -> None:
    for count in range(1, 200):
        (before, every), (after, every_after) = thinned(count, points), thinned(count + 1, points)
        assert every_after in (every, 2 * every)
        assert {place for place in before if place % every_after == 0} <= set(after)


def test_before_the_first_draw_there_is_nothing(search: Search) -> None:
    found = policy_history(search, 100)
    assert (found.steps, found.policy, found.frozen, found.known, found.every) == ([], [], [], 0, 1)


def test_new_steps_join_those_that_were_read_before(search: Search) -> None:
    search = draw(search, 0, (0.5, 0.5), (0.2, 0.3, 0.5))
    assert policy_history(search, 100).policy == [[[0.5, 0.5], [0.2, 0.3, 0.5]]]
    search = draw(search, 1, (0.33333333, 0.66666667), (0.1, 0.1, 0.8))
    found = policy_history(search, 100)
    assert found.steps == [0, 1] and found.entropies == [[0.0, 0.0], [0.1, 0.1]]
    assert found.policy[1] == [[0.3333, 0.6667], [0.1, 0.1, 0.8]]


def test_only_what_was_not_read_before_is_read(search: Search) -> None:
    search = draw(search, 0, (0.5, 0.5))
    policy_history(search, 100)
    Event.objects.filter(stream_id=search.pk).delete()
    search = draw(search, 1, (0.4, 0.6))
    assert policy_history(search, 100).steps == [0, 1]


def test_a_log_that_ends_earlier_than_what_was_read_is_read_anew(search: Search) -> None:
    search = draw(draw(search, 0, (0.5, 0.5)), 1, (0.9, 0.1))
    policy_history(search, 100)
    Event.objects.filter(stream_id=search.pk, number=search.last_event).delete()
    Search.objects.filter(pk=search.pk).update(last_event=search.last_event - 1)
    assert policy_history(Search.objects.get(pk=search.pk), 100).steps == [0]


def test_a_decision_is_frozen_from_the_first_step_after_which_nothing_changes(search: Search) -> None:
    columns = [  # The first holds from step 2 on, the second changed its mind, the third gave way, the last was born.
        ((0.6, 0.4), (0.95, 0.05), (0.9, 0.1), (1.0,)),
        ((0.08, 0.92), (0.95, 0.05), (0.95, 0.05), (1.0,)),
        ((0.9, 0.1), (0.95, 0.05), (0.95, 0.05), (1.0,)),
        ((0.95, 0.05), (0.05, 0.95), (0.89, 0.11), (1.0,)),
    ]
    for step, policy in enumerate(columns):
        search = draw(search, step, *policy)
    assert policy_history(search, 100).frozen == [2, 3, None, None]


def test_thinning_does_not_change_when_a_decision_froze(search: Search) -> None:
    for step in range(40):
        search = draw(search, step, (0.95, 0.05) if step >= 13 else (0.5, 0.5))
    found = policy_history(search, 10)
    assert found.steps == [0, 8, 16, 24, 32, 39] and found.every == 8
    assert found.frozen == [13]


def test_the_api_says_what_the_events_say_and_that_random_search_does_not_learn(owner: User, client: Client) -> None:
    client.force_login(owner)
    search = draw(start_search(owner, CONFIG), 0, (0.25, 0.75))
    reply: Any = client.get(f"/api/searches/{search.pk}/policy").json()
    assert (reply["steps"], reply["policy"], reply["known"]) == ([0], [[[0.25, 0.75]]], 1)
    assert reply["threshold"] == 0.9 and not reply["is_random"]
    random = start_search(owner, companion_config(CONFIG))
    assert client.get(f"/api/searches/{random.pk}/policy").json()["is_random"]


def test_the_policy_of_somebody_else_is_not_found(owner: User, client: Client) -> None:
    client.force_login(get_or_create_user("somebody else"))
    search = start_search(owner, CONFIG)
    for path in ("policy", "decisions"):
        assert client.get(f"/api/searches/{search.pk}/{path}").status_code == 404


def test_nobody_gets_more_steps_than_a_page_can_draw(owner: User, client: Client) -> None:
    client.force_login(owner)
    search = start_search(owner, CONFIG)
    for points in (1, 1001):
        assert client.get(f"/api/searches/{search.pk}/policy?points={points}").status_code == 422
