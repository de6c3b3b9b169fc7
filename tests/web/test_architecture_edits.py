"""Edits over HTTP and the page of the editor: what edits make, why not, whose architectures, what the address holds."""

import base64
import json
import uuid
from typing import Any

import pytest
from django.test import Client

from search_engine.architectures.reading import architecture_from_json
from search_engine.catalogue.published import published_names, read_published
from search_engine.config.searches import read_enas_config
from search_engine.editing.editor import MOST_EDITS
from search_engine.spaces.build import build_space
from tests.web.example_search import a_search, a_training
from tests.web.test_shared_api import settings_of
from webapp.accounts.models import User
from webapp.accounts.sign_in import get_or_create_user
from webapp.searches.models import Child, Search

pytestmark = pytest.mark.django_db

NASNET = read_published("nasnet-a").architecture
EDIT = {"place": "normal.blocks.1.operations.0", "choice": "conv_1x1"}
SMALL = {"layout": {"normal_cells": 1, "filters": 8}, "image_size": 16, "image_channels": 1, "classes": 10}


def send(client: Client, path: str, body: Any) -> tuple[int, Any]:
    answer = client.post(path, json.dumps(body), content_type="application/json")
    return answer.status_code, answer.json()


def made(client: Client, **body: Any) -> Any:
    status, reply = send(client, "/api/architectures/edits", body)
    assert status == 200, reply
    return reply


def options(client: Client, **body: Any) -> Any:
    status, reply = send(client, "/api/architectures/edits/options", body)
    assert status == 200, reply
    return reply


def test_an_edit_answers_with_architecture_picture_counts_changes_and_files(signed_in: Client) -> None:
    reply = made(signed_in, name="nasnet-a", edits=[EDIT], **SMALL)
    edited = architecture_from_json(reply["architecture"])
    assert edited.normal.blocks[1].operations[0] == "conv_1x1" and reply["hash"] == edited.hash
    assert [piece["name"] for piece in reply["pieces"]] == ["normal", "reduction"]
    assert 'data-place="normal.blocks.1.operations.0"' in reply["pieces"][0]["svg"]
    assert [change["sentence"] for change in reply["changes"]] == [
        "Normal cell, block 2: first operation conv 1x1 instead of sep 5x5."
    ]
    _, counted = send(signed_in, "/api/architectures/describe", {"architecture": reply["architecture"], **SMALL})
    _, before = send(signed_in, "/api/architectures/describe", {"name": "nasnet-a", **SMALL})
    assert reply["counts"] == counted and reply["before"] == before and counted != before
    assert json.loads(reply["files"][0]["text"]) == reply["architecture"] and reply["errors"] == []


@pytest.mark.parametrize("name", published_names())
def test_every_published_architecture_is_edited_at_any_part(signed_in: Client, name: str) -> None:
    place = {"cells": "reduction.concat", "macro": "layers.1.operation", "recurrent": "nodes.1.activation"}[
        read_published(name).architecture.kind
    ]
    (menu, *_) = options(signed_in, name=name, place=place)["menus"]
    choice = next(each["choice"] for each in menu["options"] if not each["is_chosen"] and not each["refusal"])
    reply = made(signed_in, name=name, edits=[{"place": place, "choice": choice}])
    assert reply["errors"] == [] and len(reply["changes"]) == 1 and reply["counts"]["parameters"] > 0


def test_a_refused_edit_is_told_with_its_reason_and_those_before_it_are_made(signed_in: Client) -> None:
    bad = {"place": "normal.blocks.1.inputs.0", "choice": "4"}
    reply = made(signed_in, name="nasnet-a", edits=[EDIT, bad, EDIT])
    assert reply["edits"] == [EDIT]
    assert reply["errors"] == [
        {"field": bad["place"], "message": "Block 3 comes after block 2; a block reads only what comes before it."}
    ]


def test_a_network_that_cannot_be_still_leaves_the_picture(signed_in: Client) -> None:
    reply = made(signed_in, name="nasnet-a", edits=[EDIT], image_size=1)
    assert reply["errors"] == [] and reply["pieces"] and reply["counts"]["parameters"] is None
    assert [error["field"] for error in reply["counts"]["errors"]] == ["image_size"]


def test_options_say_what_may_stand_there_and_why_not(signed_in: Client) -> None:
    operation, source = options(signed_in, name="nasnet-a", place="normal.blocks.1.operations.0")["menus"]
    assert operation["title"] == "Block 2: first operation" and source["title"] == "Block 2: first input"
    assert [each["choice"] for each in operation["options"] if each["is_chosen"]] == ["sep_conv_5x5"]
    assert [each["refusal"] for each in source["options"]][3] == "A block cannot read itself."
    after = options(signed_in, name="nasnet-a", edits=[EDIT], place=EDIT["place"])["menus"][0]
    assert [each["choice"] for each in after["options"] if each["is_chosen"]] == ["conv_1x1"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "architecture"),
        ({"architecture": {"format": 1, "kind": "x"}}, "kind"),
        ({"name": "nasnet-a", "architecture": {}}, ""),
    ],
)
def test_what_cannot_be_edited_is_told_in_the_answer(signed_in: Client, body: dict[str, Any], field: str) -> None:
    assert [error["field"] for error in made(signed_in, **body)["errors"]] == [field]
    assert [error["field"] for error in options(signed_in, place="normal.concat", **body)["errors"]] == [field]


def test_a_place_that_is_not_there_has_no_options(signed_in: Client) -> None:
    assert options(signed_in, name="nasnet-a", place="layers.0.operation")["errors"][0]["field"] == "place"


def test_edits_are_bounded(signed_in: Client) -> None:
    many = made(signed_in, name="nasnet-a", edits=[EDIT] * (MOST_EDITS + 1))
    assert len(many["edits"]) == MOST_EDITS and "Keep this one" in many["errors"][0]["message"]
    assert send(signed_in, "/api/architectures/edits", {"name": "nasnet-a", "edits": [EDIT] * 1001})[0] == 422
    long = {"place": "x" * 81, "choice": "1"}
    assert send(signed_in, "/api/architectures/edits", {"name": "nasnet-a", "edits": [long]})[0] == 422


def test_somebody_elses_architecture_is_not_edited(signed_in: Client, owner: User) -> None:
    search = a_search(get_or_create_user("stranger"), children=1)
    child = Child.objects.filter(search=search).first()
    assert child is not None
    where = {"search": str(search.pk), "step": child.step, "slot": child.slot}
    assert send(signed_in, "/api/architectures/edits", where)[0] == 404
    assert signed_in.get("/architectures/edit", where).status_code == 404
    training = a_training(get_or_create_user("stranger"), search)
    assert signed_in.get("/architectures/edit", {"training": str(training.pk)}).status_code == 404


def shown(client: Client, **query: Any) -> str:
    answer = client.get("/architectures/edit", query)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_page_shows_what_the_edits_in_its_address_make_beside_the_original(signed_in: Client) -> None:
    page = shown(signed_in, architecture="nasnet-a", edit="normal.blocks.1.operations.0:conv_1x1")
    edited = made(signed_in, name="nasnet-a", edits=[EDIT])["hash"]
    assert f"<code data-hash>{edited}</code>" in page and NASNET.hash != edited
    assert "conv 1x1 of previous input" in page and "sep 5x5 of previous input" in page


def test_an_address_with_an_edit_that_is_refused_says_so_and_shows_the_others(signed_in: Client) -> None:
    page = shown(signed_in, architecture="nasnet-a", edit=["normal.blocks.0.combination:concat", "nonsense", "a:b"])
    assert "There is no such place or choice in this architecture." in page
    assert "Normal cell, block 1: combination concat instead of add." in page


def test_the_page_is_reached_from_a_child_a_training_and_a_pasted_text(signed_in: Client, owner: User) -> None:
    search = a_search(owner, children=1)
    child = Child.objects.filter(search=search).first()
    assert child is not None
    of_child = {"search": str(search.pk), "step": child.step, "slot": child.slot}
    assert f"Child {child.step}.{child.slot}" in shown(signed_in, **of_child)
    training = a_training(owner, search)
    assert architecture_from_json(training.config["architecture"]).hash in shown(signed_in, training=str(training.pk))
    given = base64.urlsafe_b64encode(json.dumps(NASNET.to_json()).encode()).decode().rstrip("=")
    assert NASNET.hash in shown(signed_in, given=given)
    page = f"/searches/{search.pk}/children/{child.step}/{child.slot}"
    assert f"/architectures/edit?search={search.pk}" in signed_in.get(page).content.decode()
    assert "/architectures/edit?architecture=nasnet-a" in signed_in.get("/architectures/nasnet-a").content.decode()
    live = signed_in.get(f"/trainings/{training.pk}").content.decode()
    assert f"/architectures/edit?training={training.pk}" in live


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"architecture": "nobody"},
        {"architecture": str(uuid.uuid4())},
        {"search": "x", "step": "1", "slot": "1"},
        {"search": str(uuid.uuid4())},
        {"training": "x"},
        {"given": "!"},
        {"given": "e30"},
        {"given": "a" * 30_000},
        {"given": base64.urlsafe_b64encode(b"[" * 9000).decode()},
    ],
)
def test_an_address_that_names_nothing_is_not_found(signed_in: Client, query: dict[str, str]) -> None:
    assert signed_in.get("/architectures/edit", query).status_code == 404


def takers(client: Client, **body: Any) -> Any:
    status, reply = send(client, "/api/architectures/edits/searches", body)
    assert status == 200, reply
    return reply


def test_a_search_that_runs_takes_what_its_space_holds_and_says_why_not_else(signed_in: Client, owner: User) -> None:
    search = a_search(owner, children=1, name="Mine")
    a_search(get_or_create_user("stranger"), children=1, name="Not mine")
    child = Child.objects.filter(search=search).first()
    assert child is not None
    (taker,) = takers(signed_in, architecture=child.architecture)["searches"]
    assert (taker["name"], taker["takes"], taker["refusal"]) == ("Mine", "proposal", "")
    edit = {"place": "normal.blocks.0.operations.0", "choice": "dilated_sep_conv_3x3"}
    (other,) = takers(signed_in, architecture=child.architecture, edits=[edit])["searches"]
    assert other["refusal"].startswith("It is not in the space of this search")
    assert takers(signed_in, name="enas-macro-paper")["searches"] == []  # No search of such networks.


def test_a_search_that_has_ended_takes_no_proposal(signed_in: Client, owner: User) -> None:
    search = a_search(owner, children=1)
    search.state, search.ended = search.State.FINISHED, search.created
    search.save()
    child = Child.objects.filter(search=search).first()
    assert child is not None
    assert takers(signed_in, architecture=child.architecture)["searches"] == []
    assert [error["field"] for error in takers(signed_in)["errors"]] == ["architecture"]


def test_what_a_search_takes_is_proposed_to_it(signed_in: Client, owner: User) -> None:
    search = a_search(owner, children=1)
    child = Child.objects.filter(search=search).first()
    assert child is not None
    edit = {"place": "normal.blocks.0.operations.0", "choice": "identity"}
    architecture = made(signed_in, architecture=child.architecture, edits=[edit])["architecture"]
    (taker,) = takers(signed_in, architecture=architecture)["searches"]
    assert taker["refusal"] == ""
    status, proposed = send(signed_in, f"/api/searches/{taker['id']}/proposals", {"architecture": architecture})
    assert status == 201 and {"step", "slot", "url"} <= set(proposed)


def test_shared_weights_are_asked_for_a_score(signed_in: Client, owner: User) -> None:
    status, started = send(signed_in, "/api/searches", {"config": settings_of("enas-macro")})
    assert status == 201, started
    space = build_space(read_enas_config(Search.objects.get().config).space)
    architecture = space.decode([0] * len(space.decisions)).to_json()
    (taker,) = takers(signed_in, architecture=architecture)["searches"]
    assert (taker["takes"], taker["refusal"]) == ("score", "")
    (other,) = takers(signed_in, name="enas-macro-paper")["searches"]
    assert other["refusal"].startswith("It is not in the space of this search")
