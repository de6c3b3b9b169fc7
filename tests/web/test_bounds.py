"""Bounds and cost in the web app: refused at the field, told before the start, kept in rows and shown apart."""

import json

import pytest

from search_engine.config.layout import LayoutConfig
from search_engine.config.reading import read_config
from search_engine.config.search import SearchConfig
from search_engine.cost import mult_adds, parameters
from search_engine.events import ChildFinished, Latency
from search_engine.network_plan import plan
from search_engine.spaces.nasnet import NasnetSpace
from webapp.accounts.sign_in import get_or_create_user
from webapp.searches import final_round, lifecycle, planner
from webapp.searches.child_rows import children_csv
from webapp.searches.companion import companion_config
from webapp.searches.costs.advice import UNREPEATABLE, honesty
from webapp.searches.costs.estimate import search_cost
from webapp.searches.costs.uniform_draws import DRAWS, drawn_children, over_the_bounds
from webapp.searches.models import Child
from webapp.searches.pages.listing import entries_of
from webapp.searches.pages.settings_shown import settings_shown
from webapp.searches.start import start_search

SMALL = {
    "space": {"blocks": 2}, "child": {"normal_cells": 1, "filters": 4}, "recipe": {"epochs": 2},
    "data": {"image_size": 12, "train_examples": 100, "held_out_examples": 100},
    "budget": {"children": 4}, "strategy": {"kind": "random", "step_size": 4},
}  # fmt: skip


def bounded(**parts):
    return read_config(SearchConfig, SMALL | parts)


@pytest.mark.django_db
def test_the_estimate_says_how_many_uniform_draws_are_over_the_bounds():
    sizes = sorted(each.parameters for each in drawn_children(bounded()))
    config = bounded(bounds={"parameters": sizes[DRAWS // 2 - 1]})
    over = sum(size > sizes[DRAWS // 2 - 1] for size in sizes)
    assert 0 < over < DRAWS and over_the_bounds(config) == over
    assert f"{over} of 200 uniform draws are over the bounds; such children are told as failed, untrained." in (
        search_cost(config, []).notes
    )


@pytest.mark.django_db
def test_without_bounds_the_estimate_says_nothing_of_them():
    assert not any("bounds" in note for note in search_cost(bounded(), []).notes)


@pytest.mark.django_db
def test_the_target_network_is_what_the_draws_are_held_against():
    target = {"network": "target", "target_normal_cells": 2, "target_filters": 8, "target_image_size": 16}
    larger = bounded(child={"normal_cells": 2, "filters": 8}, data=SMALL["data"] | {"image_size": 16})
    least = min(each.parameters for each in drawn_children(larger))
    assert over_the_bounds(bounded(bounds={"parameters": least - 1} | target)) == DRAWS
    assert over_the_bounds(bounded(bounds={"parameters": least - 1})) < DRAWS


@pytest.mark.django_db
def test_a_bound_that_no_network_meets_is_refused_at_its_field(client):
    client.force_login(get_or_create_user("owner"))
    body = {"config": SMALL | {"bounds": {"parameters": 10}}}
    answer = client.post("/api/searches", json.dumps(body), content_type="application/json")
    assert answer.status_code == 422
    [error] = answer.json()["errors"]
    assert error["field"] == "bounds.parameters" and error["message"].startswith("is 10; no network can meet it")
    weighed = client.post("/api/searches/estimate", json.dumps(body), content_type="application/json").json()
    assert weighed["errors"] == [error]


@pytest.mark.django_db
def test_a_verdict_keeps_accuracy_bound_and_latency_in_its_row_and_in_the_api(client):
    owner = get_or_create_user("owner")
    client.force_login(owner)
    from tests.faults import fake_engine

    search = lifecycle.create_search(
        owner, fake_engine.small_config(), decisions=fake_engine.DECISIONS, data=fake_engine.DATA
    )
    for slot in (0, 1):
        Child.objects.create(
            search=search, step=0, slot=slot, decisions=[], architecture={}, hash="a", log_probability=0
        )
    timed = Latency(ms=2.5, batch=1, repeats=21, warm_up=5, device="cpu, 1 thread")
    sizes = {"parameters": 10, "mult_adds": 10, "seconds": 0.0}
    planner.decide(search, ChildFinished(step=0, slot=0, reward=0.5, accuracy=0.75, latency=timed, **sizes))
    planner.decide(search, ChildFinished(step=0, slot=1, reward=0.0, reason="over", over="parameters", **sizes))
    one, two = client.get(f"/api/searches/{search.pk}/children?sort=step&order=asc").json()["children"]
    assert (one["reward"], one["accuracy"], one["over"], one["latency"]) == (0.5, 0.75, "", timed.model_dump())
    assert (two["accuracy"], two["over"], two["latency"]) == (None, "parameters", None)
    assert children_csv(search).splitlines()[0].endswith("accuracy,over,latency,perplexity,off_policy")


def test_a_search_that_measures_says_that_its_fingerprint_does_not_repeat():
    assert UNREPEATABLE in honesty(bounded(bounds={"latency_ms": 5.0}))
    assert UNREPEATABLE in honesty(bounded(objective={"cost": "latency", "target": 5.0}))
    assert UNREPEATABLE not in honesty(bounded(objective={"cost": "parameters", "target": 5.0}))


def searched(name, **verdict):
    """A search of the owner whose child 0.0 has this verdict, and child 0.1 a lower reward and a higher accuracy."""
    owner = get_or_create_user("owner")
    search = lifecycle.create_search(owner, bounded(name=name), decisions=(), data={})
    lower = {"reward": 0.1} | ({"accuracy": 0.9} if "accuracy" in verdict else {})
    for slot, told in enumerate((verdict, lower)):
        Child.objects.create(
            search=search, step=0, slot=slot, decisions=[], architecture={}, hash="0" * 64, log_probability=-1.0,
            is_final=True, **told,
        )  # fmt: skip
    return owner


@pytest.mark.django_db
def test_lists_show_a_weighed_reward_as_a_number_with_the_accuracy_of_the_same_child(client):
    searched("weighed", reward=0.7153, accuracy=0.702)
    client.force_login(searched("plain", reward=0.7153))
    shown = {entry.name: entry.result for entry in entries_of(get_or_create_user("owner"))}
    assert shown == {"weighed": "0.7153, accuracy 70.20 %", "plain": "71.53 %"}
    listed = {row["name"]: row for row in client.get("/api/searches").json()["searches"]}
    assert (listed["weighed"]["best_reward"], listed["weighed"]["best_accuracy"]) == (0.7153, 0.702)
    assert (listed["plain"]["best_reward"], listed["plain"]["best_accuracy"]) == (0.7153, None)


@pytest.mark.django_db
def test_a_finalist_is_told_with_reward_and_accuracy_and_is_never_over_a_bound():
    sizes = {"parameters": 5, "mult_adds": 5, "seconds": 1.0}
    config = bounded(bounds={"parameters": 10**6}, finals={"children": 3}, objective={"cost": "mult_adds", "target": 9})
    search = lifecycle.create_search(get_or_create_user("owner"), config, decisions=(), data={})
    for slot in range(2):
        Child.objects.create(
            search=search, step=0, slot=slot, decisions=[], architecture={}, hash=str(slot) * 64, log_probability=-1.0
        )
    over = ChildFinished(step=0, slot=0, reward=0.9, reason="over", over="parameters", times=1.5, **sizes)
    planner.decide(search, over)
    planner.decide(search, ChildFinished(step=0, slot=1, reward=0.5, accuracy=0.25, **sizes))
    (finalist,) = final_round.choose(search, config).finalists
    assert (finalist.slot, finalist.reward, finalist.accuracy) == (1, 0.5, 0.25)


def test_the_random_companion_keeps_to_the_same_bounds_and_objective():
    config = bounded(
        strategy={"kind": "ppo", "step_size": 4}, bounds={"parameters": 10**6},
        objective={"cost": "mult_adds", "target": 10**6},
    )  # fmt: skip
    beside = companion_config(config)
    assert (beside.bounds, beside.objective) == (config.bounds, config.objective)


def test_settings_without_a_bound_do_not_read_as_at_most_nothing():
    shown = settings_shown(SearchConfig, bounded(bounds={"mult_adds": 900_000}).model_dump(mode="json"))
    rows = {row["title"]: row["value"] for section in shown for row in section["rows"]}
    assert (rows["Most parameters"], rows["Most mult-adds"]) == ("no bound", "900000")
    assert rows["Longest latency"] == "no bound" and rows["Momentum"] == "0.9"


@pytest.mark.django_db
def test_the_page_of_a_child_states_the_cost_that_is_bounded_and_how_a_latency_was_measured(client):
    """Counted once more here, from the layout that the settings of the target describe."""
    space = NasnetSpace(bounded().space)
    architecture = space.decode([0] * len(space.decisions))
    target = {"network": "target", "target_normal_cells": 2, "target_filters": 16, "target_image_size": 32}
    shown = {}
    for name, bounds in (("child", {}), ("target", target)):
        config = bounded(bounds=bounds | {"latency_ms": 5.0})
        client.force_login(get_or_create_user("owner"))
        search = start_search(get_or_create_user("owner"), config)
        Child.objects.create(
            search=search, step=0, slot=0, decisions=[0] * len(space.decisions), architecture=architecture.to_json(),
            hash=architecture.hash, log_probability=-1.0, is_final=True, reward=0.5,
            latency={"ms": 0.7501, "batch": 2, "repeats": 7, "warm_up": 5, "device": "cpu, 1 thread"},
        )  # fmt: skip
        shown[name] = client.get(f"/searches/{search.pk}/children/0/0").content.decode()
        assert "0.7501 ms" in shown[name] and "(batch 2, cpu, 1 thread, median of 7)" in shown[name]
    larger = LayoutConfig(normal_cells=2, filters=16, reductions=bounded().child.reductions)
    network = plan(architecture, larger, image_channels=1, image_size=32, classes=10)
    assert "target network" not in shown["child"]
    assert f"<dt>Parameters of the target network</dt><dd>{parameters(network):,}</dd>" in shown["target"]
    assert f"<dt>Its mult-adds per image</dt><dd>{mult_adds(network):,}</dd>" in shown["target"]
    assert "<dt>Its measured latency</dt>" in shown["target"]
