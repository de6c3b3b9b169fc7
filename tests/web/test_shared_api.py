"""Searches with shared weights over the API and on pages: started, weighed, listed, looked at, beside a companion."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from search_engine.config.searches import ENAS_METHODS, read_search_config
from tests.faults import fake_shared
from tests.faults.steady_worker import work_off
from tests.web.example_search import a_worker
from webapp.accounts.models import User
from webapp.searches import checker
from webapp.searches.companion import companion_config, companion_of
from webapp.searches.models import Child, Job, Search, Stream
from webapp.searches.start import start_search

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("store")]
SMALL: dict[str, dict[str, Any]] = {
    "enas-micro": {
        "space": {"nodes": 2},
        "supernet": {"normal_cells": 1, "filters": 4},
        "derived": {"normal_cells": 1, "filters": 4},
        "derived_recipe": {"epochs": 2},
        "data": {"image_size": 16, "train_examples": 1000, "held_out_examples": 200},
    },
    "enas-macro": {
        "space": {"layers": 4},
        "supernet": {"filters": 4},
        "derived": {"filters": 4},
        "derived_recipe": {"epochs": 2},
        "data": {"image_size": 16, "train_examples": 1000, "held_out_examples": 200},
    },
    "enas-recurrent": {"space": {"nodes": 4}, "supernet": {"hidden": 16}, "derived": {"hidden": 16}},
}


def settings_of(method: str, **changes: Any) -> dict[str, Any]:
    small = {"method": method, "shared": {"epochs": 2}, "phases": {"rounds": 2}, "deriving": {"candidates": 3}}
    return small | SMALL[method] | changes


def send(client: Client, path: str, body: Any) -> tuple[int, Any]:
    answer = client.post(path, json.dumps(body), content_type="application/json")
    return answer.status_code, answer.json()


def errors(reply: Any) -> dict[str, str]:
    return {error["field"]: error["message"] for error in reply["errors"]}


@pytest.mark.parametrize("method", ENAS_METHODS)
def test_a_search_of_any_method_starts_with_its_first_shared_epoch(signed_in: Client, method: str) -> None:
    status, reply = send(signed_in, "/api/searches", {"config": settings_of(method)})
    assert status == 201, reply
    search = Search.objects.get(pk=reply["id"])
    assert read_search_config(search.config) == read_search_config(settings_of(method))
    assert (search.epochs, search.total) == (2, 3)
    (job,) = Job.objects.filter(stream_id=search.pk)
    assert (job.kind, job.step) == ("share", 0)
    assert checker.check(search.stream) == []
    found = signed_in.get(f"/api/searches/{search.pk}").json()
    assert (found["epochs"], found["epochs_shared"], found["steps_told"], found["done"]) == (2, 0, 0, 0)
    assert "0 of 2 epochs" in signed_in.get("/").content.decode()
    assert found["config"]["method"] == method
    told = signed_in.get(f"/api/searches/{search.pk}/events").json()["events"][0]
    assert len(told["decisions"]) > 3 and told["epochs"] == 2
    assert told["data"]["name"] == search.config["data"]["name"]


def test_an_unknown_method_is_refused_at_its_field(signed_in: Client) -> None:
    status, reply = send(signed_in, "/api/searches", {"config": {"method": "darts"}})
    assert status == 422
    assert errors(reply) == {
        "method": "is 'darts'; must be enas-micro or enas-macro or enas-recurrent, or left out."
    }  # fmt: skip
    for config in ([1], {"method": 3}, None):
        status, reply = send(signed_in, "/api/searches", {"config": config})
        assert status == 422 and len(errors(reply)) == 1, config


def test_every_wrong_value_of_any_method_is_named(signed_in: Client) -> None:
    config = settings_of("enas-micro", space={"nodes": 0}, shared={"epochs": "many"}, strategy={"kind": "dice"})
    for path in ("/api/searches", "/api/searches/estimate"):
        _, reply = send(signed_in, path, {"config": config})
        assert errors(reply) == {
            "space.nodes": "is 0; must be at least 1.",
            "shared.epochs": "is 'many'; must be a whole number.",
            "strategy.kind": "is 'dice'; must be 'reinforce' or 'ppo' or 'random'.",
        }
    assert not Search.objects.exists()


def test_what_the_data_cannot_give_is_refused_at_its_field(signed_in: Client) -> None:
    images = settings_of("enas-macro", data={"image_size": 64, "train_examples": 1000, "held_out_examples": 200})
    _, reply = send(signed_in, "/api/searches", {"config": images})
    assert list(errors(reply)) == ["data.image_size"]
    text = settings_of("enas-recurrent", shared={"batch_size": 4096, "epochs": 1}, data={"name": "no-such-text"})
    _, reply = send(signed_in, "/api/searches", {"config": text})
    assert list(errors(reply)) == ["data.name"]
    assert not Search.objects.exists()


@pytest.mark.parametrize("method", ENAS_METHODS)
def test_a_search_of_any_method_is_weighed_before_it_starts(signed_in: Client, method: str) -> None:
    body = {"config": settings_of(method), "companion": True}
    _, unmeasured = send(signed_in, "/api/searches/estimate", body)
    assert unmeasured["errors"] == [] and unmeasured["seconds"] is None and unmeasured["memory_bytes"] > 0
    a_worker(rate=1e8)
    _, alone = send(signed_in, "/api/searches/estimate", body | {"companion": False})
    assert alone["seconds"] > 2 * alone["epoch_seconds"] > 0
    assert alone["children"] == 3 and 0 < alone["parameters"]["low"] <= alone["parameters"]["high"]
    _, both = send(signed_in, "/api/searches/estimate", body)
    assert both["seconds"] == pytest.approx(2 * alone["seconds"])
    longer = settings_of(method, shared={"epochs": 4})
    _, twice = send(signed_in, "/api/searches/estimate", {"config": longer})
    assert twice["seconds"] == pytest.approx(alone["seconds"] + 2 * alone["epoch_seconds"])
    assert not Search.objects.exists()


@pytest.mark.parametrize("method", ENAS_METHODS)
def test_its_companion_draws_uniformly_with_the_same_training_and_budget(signed_in: Client, method: str) -> None:
    config = settings_of(method, strategy={"kind": "reinforce", "step_size": 7})
    status, reply = send(signed_in, "/api/searches", {"config": config, "companion": True})
    assert status == 201, reply
    search = Search.objects.get(pk=reply["id"])
    beside = companion_of(search)
    assert beside is not None and beside.group == search.group is not None
    assert (beside.config["strategy"]["kind"], beside.config["strategy"]["step_size"]) == ("random", 7)
    ours, theirs = dict(search.config), dict(beside.config)
    for config in (ours, theirs):
        del config["strategy"], config["name"]
    assert ours == theirs and beside.epochs == search.epochs
    status, reply = send(signed_in, f"/api/searches/{search.pk}/companion", {})
    assert (status, reply["id"]) == (201, str(beside.pk))
    with pytest.raises(Exception, match="random itself"):
        companion_config(read_search_config(beside.config))


def test_a_random_companion_of_shared_weights_is_no_pool_for_other_searches(signed_in: Client, owner: User) -> None:
    start_search(owner, fake_shared.small_config())
    status, reply = send(signed_in, "/api/searches", {"config": {"budget": {"children": 40}}})
    assert status == 201
    found = signed_in.get(f"/api/searches/{reply['id']}/comparison").json()
    assert (found["pool"], found["runs"]) == (0, 0)


@pytest.mark.parametrize("method", ENAS_METHODS)
def test_pages_show_a_search_from_its_start(signed_in: Client, owner: User, method: str) -> None:
    search = start_search(owner, read_search_config(settings_of(method, name="unshaken")))
    for path in ("/", f"/searches/{search.pk}", f"/searches/new?clone={search.pk}", "/api/searches"):
        answer = signed_in.get(path)
        assert answer.status_code == 200 and b"unshaken" in answer.content, path


def test_pages_show_a_finished_search_its_candidates_and_their_trainings(
    signed_in: Client, owner: User, tmp_path: Path
) -> None:
    search = start_search(owner, read_search_config(settings_of("enas-micro", name="unshaken")))
    Search.objects.filter(pk=search.pk).update(config=fake_shared.small_config(epochs=2).model_dump(mode="json"))
    work_off(tmp_path / "work")
    assert set(Stream.objects.values_list("state", flat=True)) == {"finished"}
    child = Child.objects.get(search=search, slot=0)
    paths = ["/", f"/searches/{search.pk}", f"/searches/{search.pk}/children/0/0/both.svg", "/api/trainings"]
    paths += [f"/api/searches/{search.pk}/{rest}" for rest in ("children", "children.csv", "rewards.html", "artifacts")]
    for path in paths:
        assert signed_in.get(path).status_code == 200, path
    assert child.parameters == 10
    labels = {file["label"] for file in signed_in.get(f"/api/searches/{search.pk}/artifacts").json()["artifacts"]}
    assert labels == {"Controller", "Shared weights"}


@pytest.mark.parametrize("method", ENAS_METHODS)
def test_a_candidate_has_a_page_and_a_form_for_its_training(signed_in: Client, owner: User, method: str) -> None:
    config = read_search_config(settings_of(method))
    search = start_search(owner, config)
    from search_engine.spaces.build import build_space

    space = build_space(config.space)
    decisions = [0] * len(space.decisions)
    architecture = space.decode(decisions)
    Child.objects.create(
        search=search, step=0, slot=2, decisions=decisions, architecture=architecture.to_json(), hash=architecture.hash,
        log_probability=-4.0, is_final=True, reward=0.4, parameters=10, mult_adds=10, seconds=1.0,
        perplexity=200.0 if method == "enas-recurrent" else None,
    )  # fmt: skip
    page = signed_in.get(f"/searches/{search.pk}/children/0/2").content.decode()
    assert "Candidate 2" in page and "Score under shared weights" in re.sub("<[^>]*>", "", page)  # Terms are buttons.
    assert ("200.0" if method == "enas-recurrent" else "40.0") in page
    form = signed_in.get(f"/trainings/new?search={search.pk}&step=0&slot=2")
    assert form.status_code == 200 and "Candidate 2 of" in form.content.decode()
    home = signed_in.get("/").content.decode()
    assert "best score under shared weights" in home and ("200.0" if method == "enas-recurrent" else "40.00 %") in home
    found = signed_in.get(f"/api/searches/{search.pk}/children/0/2").json()
    assert found["perplexity"] == (200.0 if method == "enas-recurrent" else None)
