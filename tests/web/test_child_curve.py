"""The curve between two children: everything where there is little, the extremes where there is much, by hand."""

import random
from itertools import pairwise

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from search_engine.events import ChildFinished, ControllerUpdated, StepProposed
from tests.web.example_search import a_search
from webapp.accounts.models import User
from webapp.accounts.sign_in import get_or_create_user
from webapp.searches import event_log, live_state
from webapp.searches.child_curve import child_curve
from webapp.searches.models import Search

SIZE = 10  # Children of a step in the example.


@pytest.fixture
def owner(db: None) -> User:
    return get_or_create_user("owner")


@pytest.fixture
def search(owner: User) -> Search:
    return a_search(owner)


def verdict(index: int, reward: float | None, **more: object) -> ChildFinished:
    cost = {"parameters": 1000, "mult_adds": 10_000, "seconds": 1.0}
    return ChildFinished(step=index // SIZE, slot=index % SIZE, reward=reward, **cost, **more)


def told(search: Search, *events: object) -> Search:
    event_log.append(search.pk, list(events))
    return Search.objects.get(pk=search.pk)


def learned(step: int, mean: float) -> list[object]:
    update = ControllerUpdated(step=step, mean_reward=mean, baseline=0.5, state_sha256="0" * 64, fingerprint="0" * 64)
    return [StepProposed(step=step, policy=(), entropies=(), entropy=2.5, proposals=()), update]


def test_of_a_short_search_everything_is_told(search: Search) -> None:
    over = verdict(3, 0.0, reason="over", over="parameters", times=1.5)
    copy = verdict(2, 0.6, twin=(0, 0))
    search = told(search, verdict(0, 0.6), verdict(1, None, reason="lost"), copy, over, verdict(4, 0.75))
    found = child_curve(search, 0, 10**9, 500)
    assert found.points == [[0, 0.6, 0], [1, None, 2], [2, 0.6, 1], [3, 0.0, 3, "parameters", 1.5], [4, 0.75, 0]]
    assert found.best == [[0, 0.6], [4, 0.75], [4, 0.75]] and found.means == [] and found.done == 5


def test_of_a_long_one_every_stretch_keeps_its_lowest_and_highest(search: Search) -> None:
    generator = random.Random(2)
    rewards = [round(generator.random(), 4) for _ in range(1000)]
    search = told(search, *(verdict(index, reward) for index, reward in enumerate(rewards)))
    found = child_curve(search, 0, 10**9, 20)
    assert len(found.points) <= 40
    kept = {index: reward for index, reward, _ in found.points}
    for first in range(0, 1000, 50):  # 999 / 20 is a little less than 50, so the stretches end one or more earlier.
        part = rewards[first : first + 45]
        inside = [reward for index, reward in kept.items() if first - 3 <= index < first + 50]
        assert min(inside) <= min(part) and max(inside) >= max(part)


def test_the_best_so_far_keeps_every_rise_and_stands_at_both_ends(search: Search) -> None:
    rewards = [0.1, 0.3, 0.2, 0.5, 0.4, 0.5, 0.7, 0.1]
    search = told(search, *(verdict(index, reward) for index, reward in enumerate(rewards)))
    assert child_curve(search, 0, 7, 2).best == [[0, 0.1], [1, 0.3], [3, 0.5], [6, 0.7], [7, 0.7]]
    assert child_curve(search, 4, 7, 2).best == [[4, 0.5], [6, 0.7], [7, 0.7]]


def test_a_part_has_the_moving_mean_of_what_was_before_it(search: Search) -> None:
    search = told(search, *(verdict(index, index / 100) for index in range(40)))
    found = child_curve(search, 30, 39, 500)
    assert [index for index, *_ in found.points] == list(range(30, 40))
    assert found.means[0] == [30, pytest.approx(sum(range(11, 31)) / 20 / 100)]


def test_steps_are_told_with_their_mean_once_the_controller_has_learned(search: Search) -> None:
    drawn, update = learned(1, 0.625)
    search = told(search, *learned(0, 0.5), drawn, *(verdict(index, 0.5) for index in range(20)))
    assert child_curve(search, 0, 10**9, 500).steps == [[0, 0.5, 2.5, 0.5], [1, None, 2.5, None]]
    search = told(search, update)
    assert child_curve(search, 0, 10**9, 500).steps[1] == [1, 0.625, 2.5, 0.5]


def test_as_after_an_event_only_what_was_there_is_told(search: Search) -> None:
    search = told(search, *learned(0, 0.5), *(verdict(index, index / 10) for index in (2, 0, 1)))
    first = search.last_event - 2  # The first of the three verdicts.
    assert child_curve(search, 0, 10**9, 500, at=first).points == [[2, 0.2, 0]]
    assert child_curve(search, 0, 10**9, 500, at=first + 1).points == [[0, 0.0, 0], [2, 0.2, 0]]


def test_events_are_read_once(search: Search) -> None:
    search = told(search, *(verdict(index, 0.5) for index in range(20)))
    child_curve(search, 0, 10**9, 500)
    search = told(search, verdict(20, 0.75))
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert child_curve(search, 0, 10**9, 500).done == 21
    assert len(queries) == 3 and all(f'"number" > {search.last_event - 1}' in query["sql"] for query in queries)


def test_what_the_api_tells_is_bounded_however_long_the_search_is(search: Search, client: Client, owner: User) -> None:
    generator = random.Random(4)
    search = told(search, *(verdict(index, generator.random()) for index in range(3000)))
    client.force_login(owner)
    answer = client.get(f"/api/searches/{search.pk}/curve?points=500")
    assert answer.status_code == 200 and len(answer.content) < 80_000
    points = answer.json()["points"]
    assert len(points) <= 1000 and all(before[0] < after[0] for before, after in pairwise(points))
    page = client.get(f"/searches/{search.pk}")
    assert len(page.content) < 300_000  # The state that it carries is bounded as well.
    assert len(live_state.state_at(search)["points"]) <= live_state.LIMITS.points
    assert client.get(f"/api/searches/{search.pk}/curve?points=1").status_code == 422
