"""Sizes of an architecture over HTTP: what fits a budget, cost over filters, and trainings of the same architecture."""

import json
from typing import Any

import pytest
from django.test import Client

from tests.web.example_search import a_search, a_training
from webapp.accounts.models import User
from webapp.accounts.sign_in import get_or_create_user
from webapp.searches.models import Training

pytestmark = pytest.mark.django_db
MOBILE = {"layout": {"skeleton": "imagenet", "normal_cells": 4, "filters": 44}, "image_size": 224, "classes": 1000}


def ask(client: Client, what: str, **body: Any) -> Any:
    answer = client.post(f"/api/architectures/{what}", json.dumps(body), content_type="application/json")
    assert answer.status_code == 200, answer.content
    return answer.json()


def a_finished_training(owner: User) -> Training:
    training = a_training(owner, a_search(owner, children=1))
    training.state, training.test_accuracy, training.test_examples = Training.State.FINISHED, 0.75, 2000
    training.ended = training.created
    training.save()
    return training


def test_the_published_mobile_network_is_the_closest_under_its_own_budget(signed_in: Client) -> None:
    reply = ask(signed_in, "fit", name="nasnet-a", budget=5_300_000, **MOBILE)
    counted = ask(signed_in, "describe", name="nasnet-a", **MOBILE)
    best = reply["fits"][0]
    assert (best["normal_cells"], best["filters"]) == (4, 44)
    assert best["parameters"] == counted["parameters"] == 5_289_978 and best["mult_adds"] == counted["mult_adds"]
    assert counted["activation_bytes"] > 0


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"budget": 0}, "budget"),
        ({"budget": "many"}, "budget"),
        ({"budget": True}, "budget"),
        ({}, "budget"),
        ({"budget": 1000, "of": "price"}, "of"),
        ({"budget": 1000, "image_size": 1}, "image_size"),
        ({"budget": 1000, "layout": {"skeleton": "round"}}, "layout.skeleton"),
    ],
)
def test_a_wrong_budget_is_told_at_its_field(signed_in: Client, body: dict[str, Any], field: str) -> None:
    reply = ask(signed_in, "fit", name="nasnet-a", **body)
    assert [error["field"] for error in reply["errors"]] == [field] and reply["fits"] == []


def test_a_budget_below_the_smallest_network_has_no_rows(signed_in: Client) -> None:
    assert ask(signed_in, "fit", name="nasnet-a", budget=10) == {"fits": [], "errors": []}


def test_a_recurrent_cell_has_no_filters_to_fit(signed_in: Client) -> None:
    assert "no filters" in ask(signed_in, "fit", name="darts-v2-rnn", budget=10**6)["errors"][0]["message"]


def test_finished_trainings_of_the_same_architecture_are_points(signed_in: Client, owner: User) -> None:
    training = a_finished_training(owner)
    reply = ask(signed_in, "transfer", architecture=training.config["architecture"])
    (point,) = reply["trained"]
    assert (point["test_accuracy"], point["test_examples"]) == (0.75, 2000)
    assert point["data_title"] == "Fashion-MNIST, 10,000 images"
    assert point["data"] == training.config["data"]["name"] and point["parameters"] == training.parameters
    assert point["url"] == f"/trainings/{training.pk}"
    assert reply["curve"] and ask(signed_in, "transfer", name="nasnet-a")["trained"] == []


def test_trainings_that_run_or_belong_to_others_are_no_points(client: Client, owner: User) -> None:
    training = a_finished_training(owner)
    architecture = training.config["architecture"]
    client.force_login(get_or_create_user("stranger"))
    assert ask(client, "transfer", architecture=architecture)["trained"] == []
    training.state, training.ended = Training.State.RUNNING, None
    training.save()
    client.force_login(owner)
    assert ask(client, "transfer", architecture=architecture)["trained"] == []


def test_the_training_form_is_filled_with_the_size_that_was_chosen(signed_in: Client) -> None:
    sizes = "layout.skeleton=imagenet&layout.normal_cells=3&layout.filters=12&data.image_size=64"
    page = signed_in.get(f"/trainings/new?architecture=nasnet-a&{sizes}")
    fields = {field.path: field for fieldset in page.context["fieldsets"] for field in fieldset.fields}
    assert fields["layout.normal_cells"].text == "3" and fields["layout.filters"].text == "12"
    assert fields["data.image_size"].text == "64" and fields["layout.skeleton"].text == "imagenet"


@pytest.mark.parametrize("wrong", ["layout.normal_cells=x", "layout.skeleton=round", "data.image_size=-1"])
def test_a_link_with_a_size_that_no_form_holds_is_not_found(signed_in: Client, wrong: str) -> None:
    assert signed_in.get(f"/trainings/new?architecture=nasnet-a&{wrong}").status_code == 404


def test_published_sizes_are_marked_with_the_counts_of_the_code(signed_in: Client) -> None:
    marks = {mark["size"]: mark for mark in ask(signed_in, "transfer", name="nasnet-a")["published"]}
    assert marks["4 @ 1056"]["parameters"] == 5_289_978 and marks["4 @ 1056"]["is_as_printed"]
    assert marks["6 @ 768"]["is_as_printed"] and marks["6 @ 4032"]["parameters"] == 88_753_150
    assert marks["7 @ 2304"]["parameters"] == 32_590_954 and not marks["7 @ 2304"]["is_as_printed"]
