"""What one may start from, over the API: the same as the forms offer, and good enough to be started as it is."""

import uuid
from typing import Any

import pytest
from django.test import Client

from search_engine.config.controller_presets import PRESET_NAMES
from search_engine.config.searches import ENAS_METHODS, read_search_config
from tests.web.example_search import a_search
from tests.web.test_api import errors, send
from webapp.accounts.models import User
from webapp.searches.models import Search, Training
from webapp.searches.offers import METHODS, presets_of

pytestmark = pytest.mark.django_db


def test_every_preset_of_the_forms_is_offered_whole_and_one_is_weighed_as_it_is(signed_in: Client) -> None:
    presets = signed_in.get("/api/presets").json()["presets"]
    offered = [(method.name, preset) for method in METHODS for preset in presets_of(method.name)]
    assert [(each["method"], each["name"]) for each in presets] == [(name, preset.name) for name, preset in offered]
    assert [read_search_config(each["config"]) for each in presets] == [preset.config for _, preset in offered]
    _, cost = send(signed_in, "/api/searches/estimate", {"config": presets[0]["config"]})
    assert cost["errors"] == [] and cost["children"] == 140


def test_controllers_are_offered_for_every_method_with_shared_weights(signed_in: Client) -> None:
    controllers = signed_in.get("/api/presets").json()["controllers"]
    assert [(each["method"], each["name"]) for each in controllers] == [
        (method, name) for method in ENAS_METHODS for name in PRESET_NAMES
    ]


def defaults(client: Client, **named: Any) -> tuple[int, Any]:
    return send(client, "/api/trainings/defaults", named)


def test_a_child_is_offered_a_training_that_can_be_started_as_it_is(signed_in: Client, owner: User) -> None:
    search = a_search(owner, children=2)
    status, reply = defaults(signed_in, search=str(search.pk), step=0, slot=1)
    child = search.children.get(step=0, slot=1)
    assert status == 200 and reply["config"]["architecture"] == child.architecture
    assert reply["config"]["name"] == "Child 0.1 of Two-minute demo"
    status, _ = send(signed_in, "/api/trainings", {"search": str(search.pk), "step": 0, "slot": 1} | reply)
    assert status == 201 and Training.objects.get().child == child


def test_a_published_architecture_is_offered_a_small_training_of_its_title(signed_in: Client) -> None:
    status, reply = defaults(signed_in, name="nasnet-a")
    assert status == 200 and reply["config"]["name"] == "NASNet-A" and reply["config"]["recipe"]["epochs"] == 6


def test_nobody_is_offered_what_they_may_not_see_and_nothing_without_a_name(signed_in: Client) -> None:
    assert defaults(signed_in, search=str(uuid.uuid4()), step=0, slot=0)[0] == 404
    assert defaults(signed_in, name="nowhere")[0] == 404
    status, reply = defaults(signed_in)
    assert status == 422 and errors(reply) == {
        "architecture": "is missing: name one, or a child of a search, or give its JSON."
    }


def test_the_curve_of_rewards_is_a_figure(signed_in: Client, owner: User) -> None:
    figure = signed_in.get(f"/api/searches/{a_search(owner, children=3).pk}/rewards.json").json()
    assert figure["layout"]["title"]["text"] == "Two-minute demo"
    assert signed_in.get(f"/api/searches/{uuid.uuid4()}/rewards.json").status_code == 404
    assert Search.objects.count() == 1


def test_a_data_set_whose_files_are_here_has_samples_and_no_other(signed_in: Client) -> None:
    answer = signed_in.get("/api/data/samples/fashion-mnist-10k.png")
    assert answer.headers["Content-Type"] == "image/png" and answer.content.startswith(b"\x89PNG")
    for name in ("nowhere", "own-" + "0" * 64):
        assert signed_in.get(f"/api/data/samples/{name}.png").status_code == 404
