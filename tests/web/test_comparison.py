"""A search against random search, from rows: who counts, who is comparable, what is waited for, and what is said."""

from typing import Any

import pytest
from django.test import Client

from search_engine.config.search import SearchConfig
from tests.web.example_search import CONFIG, demo_json
from webapp.accounts.models import User
from webapp.accounts.sign_in import get_or_create_user
from webapp.searches import companion, comparison, lifecycle
from webapp.searches.models import Child, Search

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair(owner: User) -> tuple[Search, Search]:
    """A search of 120 children in steps of ten, and its companion, both without any children so far."""
    search = companion.start_with_companion(owner, CONFIG)
    beside = companion.companion_of(search)
    assert beside is not None
    return search, beside


def give(search: Search, rewards: list[float | None], *, first: int = 0, **more: Any) -> None:
    """Children with these rewards in the order of their places; complete steps are told."""
    Child.objects.bulk_create(
        Child(
            search=search, step=place // 10, slot=place % 10, decisions=[], architecture={}, hash="0" * 64,
            log_probability=-1.0, is_final=True, reward=reward, **({"reason": "lost"} if reward is None else more),
        )
        for place, reward in enumerate(rewards, first)
    )  # fmt: skip
    done = Child.objects.filter(search=search).count()
    Search.objects.filter(pk=search.pk).update(steps_told=done // 10)


def now(search: Search) -> comparison.Compared:
    return comparison.compared(Search.objects.get(pk=search.pk))


def rising(count: int, start: float, end: float) -> list[float | None]:
    return [start + (end - start) * index / count + 0.01 * (index % 3) for index in range(count)]


def test_at_first_it_says_what_it_waits_for(pair: tuple[Search, Search]) -> None:
    found = now(pair[0])
    assert found.waiting == (
        "A verdict waits for 10 random children, of which 0 are there, and two complete steps of the controller, "
        "of which 0 are there."
    )
    assert (found.band, found.lead, found.test, found.sentences) == ((), None, None, ())
    assert not found.is_over


def test_without_any_random_search_it_says_so(owner: User) -> None:
    search = companion.start_search(owner, CONFIG)
    give(search, rising(30, 0.5, 0.6))
    assert now(search).waiting == comparison.NOTHING_YET


def test_the_lead_is_taken_where_both_have_children(pair: tuple[Search, Search]) -> None:
    give(pair[0], [0.5, 0.9, 0.95])
    give(pair[1], [0.6, 0.7])
    found = now(pair[0])
    assert (found.at, found.counted, found.pool) == (2, 3, 2)
    assert found.lead == pytest.approx(0.9 - 0.7)  # The best of two against the expected best of the two random ones.


def test_a_late_policy_that_is_better_is_ahead_and_says_that_it_is_one_run(pair: tuple[Search, Search]) -> None:
    give(pair[0], rising(80, 0.6, 0.8))
    give(pair[1], rising(80, 0.6, 0.62))
    found = now(pair[0])
    assert found.test is not None and found.test.verdict == "ahead" and found.test.p < 0.01
    assert (found.test.late, found.test.random) == (20, 80)  # Two of eight steps are the last quarter.
    assert "This is one run of the controller, against one run of random search." in found.sentences[0]
    assert "So far" in found.sentences[0] and "80 random children of one run" in found.sentences[1]


def test_where_random_is_better_it_says_so_in_words(pair: tuple[Search, Search]) -> None:
    give(pair[0], rising(40, 0.62, 0.6))
    give(pair[1], rising(40, 0.7, 0.72))
    found = now(pair[0])
    assert found.test is not None and found.test.verdict == "not ahead"
    assert found.sentences[0].startswith("Random search is as good or better")
    assert found.lead is not None and found.lead < 0


def test_lost_and_copied_children_count_on_neither_side_and_failed_ones_on_both(pair: tuple[Search, Search]) -> None:
    for search in pair:
        give(search, [0.5, None, 0.6])
        give(search, [0.0], first=3, reason="diverged")
        give(search, [0.9], first=4, twin_step=0, twin_slot=0)
        give(search, [0.7], first=5)
    found = now(pair[0])
    assert (found.counted, found.pool) == (4, 4)
    assert found.lead == pytest.approx(0.0)
    assert [place for place, _ in found.band] == [0, 2, 3, 5]  # Where the children that count stand.


def test_while_all_children_of_both_sides_are_over_a_bound_it_waits(pair: tuple[Search, Search]) -> None:
    for search in pair:
        give(search, [0.0] * 40, reason="over the bound: 90,000 parameters", over="parameters")
    found = now(pair[0])
    assert (found.test, found.lead, found.band) == (None, None, ())
    assert found.waiting == comparison.NONE_TRAINED and found.sentences == ()
    for search in pair:
        lifecycle.stop(search.pk)
    assert now(pair[0]).waiting == comparison.NONE_WILL_BE


def test_children_over_a_bound_count_as_soon_as_one_was_trained(pair: tuple[Search, Search]) -> None:
    for search, trained in zip(pair, (True, False), strict=True):
        give(search, [0.0] * 30, reason="over the bound: 90,000 parameters", over="parameters")
        give(search, [0.7 if trained else 0.0] * 10, first=30, reason="" if trained else "over the bound")
    found = now(pair[0])
    assert found.test is not None and found.test.verdict == "ahead"
    assert found.lead == pytest.approx(0.7)


def test_the_pool_is_shared_by_equal_settings_whatever_seed_name_and_size(owner: User) -> None:
    search = companion.start_search(owner, CONFIG)
    random = {"kind": "random", "step_size": 5}
    alike = demo_json(name="other", strategy={}, reproducibility={"seed": 7}, budget={"children": 50})
    unlike = [
        demo_json(data={"train_examples": 1000}), demo_json(recipe={"epochs": 2}), demo_json(space={"blocks": 3}),
        demo_json(child={"filters": 16}), demo_json(budget={"reuse": "copy"}),
        demo_json(reproducibility={"threads": 2}), demo_json(bounds={"parameters": 50_000}),
        demo_json(objective={"cost": "parameters", "target": 50_000}),
    ]  # fmt: skip
    for number, config in enumerate([alike, *unlike]):
        other = companion.start_search(owner, SearchConfig.model_validate(config | {"strategy": random}))
        give(other, [0.1 * number + 0.05])
    stranger = SearchConfig.model_validate(alike | {"strategy": random})
    give(companion.start_search(get_or_create_user("stranger"), stranger), [0.99])
    assert comparison.random_pool(search) == ([0.05], 1)


def test_the_band_is_thinned_and_ends_with_the_search_or_the_pool(pair: tuple[Search, Search]) -> None:
    give(pair[1], rising(120, 0.5, 0.7))
    give(companion.start_search(pair[0].owner, companion.companion_config(CONFIG)), rising(300, 0.5, 0.7))
    found = now(pair[0])
    assert (found.pool, found.runs) == (420, 2)
    assert found.band[0][1].n == 1 and found.band[-1][1].n == 120
    assert len(found.band) <= comparison.MOST_POINTS


def test_when_all_has_ended_too_few_children_are_called_too_few(pair: tuple[Search, Search]) -> None:
    give(pair[1], [0.5])
    for search in pair:
        lifecycle.stop(search.pk)
    found = now(pair[0])
    assert found.is_over and found.waiting.startswith(
        "Too small for a verdict: it takes 10 random children, of which 1"
    )


def test_the_api_tells_all_of_it(pair: tuple[Search, Search], owner: User, client: Client) -> None:
    client.force_login(owner)
    give(pair[0], rising(40, 0.6, 0.8))
    give(pair[1], rising(40, 0.6, 0.62))
    reply = client.get(f"/api/searches/{pair[0].pk}/comparison").json()
    assert reply["verdict"] == "ahead" and reply["test"]["late"] == 20
    assert reply["test"]["difference"] == pytest.approx(reply["test"]["late_mean"] - reply["test"]["random_mean"])
    assert reply["companion"] == {
        "id": str(pair[1].pk), "url": f"/searches/{pair[1].pk}", "state": "running", "done": 40, "total": 120,
    }  # fmt: skip
    assert reply["band"][0].keys() == {"n", "place", "expected", "low", "high"} and len(reply["band"]) == 40


def test_the_api_refuses_a_random_search_and_a_strangers(pair: tuple[Search, Search], client: Client) -> None:
    client.force_login(get_or_create_user("stranger"))
    assert client.get(f"/api/searches/{pair[0].pk}/comparison").status_code == 404
    client.force_login(pair[0].owner)
    answer = client.get(f"/api/searches/{pair[1].pk}/comparison")
    assert answer.status_code == 422 and "random itself" in answer.json()["errors"][0]["message"]
