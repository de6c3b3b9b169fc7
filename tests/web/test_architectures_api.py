"""The gallery over HTTP: what is there, what a text says, keeping, counting, files; owner only."""

import json
import uuid
from typing import Any

import pytest
from django.test import Client

from search_engine.architectures.reading import architecture_from_json
from search_engine.catalogue.published import published_names, read_published
from search_engine.formats.dialects import DIALECTS, CannotHold, write
from tests.web.example_search import a_search
from webapp.accounts.models import User
from webapp.accounts.sign_in import get_or_create_user
from webapp.searches.models import ImportedArchitecture, Training

pytestmark = pytest.mark.django_db

DARTS_TEXT = """DARTS_V2 = Genotype(
  normal=[('sep_conv_3x3', 0), ('sep_conv_3x3', 1), ('sep_conv_3x3', 0), ('sep_conv_3x3', 1),
          ('sep_conv_3x3', 1), ('skip_connect', 0), ('skip_connect', 0), ('dil_conv_3x3', 2)],
  normal_concat=[2, 3, 4, 5],
  reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('max_pool_3x3', 1),
          ('max_pool_3x3', 0), ('skip_connect', 2), ('skip_connect', 2), ('max_pool_3x3', 1)],
  reduce_concat=[2, 3, 4, 5])"""
MINE = DARTS_TEXT.replace("dil_conv_3x3", "dil_conv_5x5")  # Published by nobody.


def send(client: Client, path: str, body: Any, method: str = "post", **headers: str) -> tuple[int, Any]:
    answer = getattr(client, method)(path, json.dumps(body), content_type="application/json", headers=headers)
    return answer.status_code, answer.json()


def errors(reply: Any) -> dict[str, str]:
    return {error["field"]: error["message"] for error in reply["errors"]}


def a_kept_one(client: Client, name: str = "Mine", text: str = MINE) -> str:
    status, reply = send(client, "/api/architectures", {"text": text, "name": name})
    assert status == 201 and reply["is_new"]
    return reply["id"]


def test_the_gallery_lists_what_is_published_and_what_is_mine(signed_in: Client, client: Client) -> None:
    kept = a_kept_one(signed_in)
    stranger = Client()
    stranger.force_login(get_or_create_user("stranger"))
    a_kept_one(stranger, "Not mine")
    gallery = signed_in.get("/api/architectures").json()
    assert {entry["name"] for entry in gallery["published"]} == set(published_names())
    assert [(entry["id"], entry["title"], entry["kind"]) for entry in gallery["own"]] == [(kept, "Mine", "cells")]


def test_a_darts_text_is_recognised_drawn_and_kept_by_nobody(signed_in: Client) -> None:
    status, reply = send(signed_in, "/api/architectures/read", {"text": MINE})
    assert status == 200 and reply["errors"] == []
    assert (reply["dialect"], reply["kind"], reply["there"]) == ("darts", "cells", None)
    assert reply["svg"].startswith("<svg") and reply["dialect_title"]
    assert architecture_from_json(reply["architecture"]).hash == reply["hash"]
    assert not ImportedArchitecture.objects.exists()


def test_what_is_in_the_gallery_already_is_named(signed_in: Client) -> None:
    published = json.dumps(read_published("nasnet-a").architecture.to_json())
    _, reply = send(signed_in, "/api/architectures/read", {"text": published})
    assert reply["dialect"] == "json" and reply["there"]["url"] == "/architectures/nasnet-a"
    kept = a_kept_one(signed_in)
    _, reply = send(signed_in, "/api/architectures/read", {"text": MINE})
    assert reply["there"]["id"] == kept


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("hello", "NAS-Bench-201"),
        ("Genotype(normal=[('sep_conv_3x3', 9)])", ""),
        ('{"format": 1, "kind": "cells"}', "normal"),
        ("x" * 100_001, "100,001 bytes"),
        ("ü" * 60_000, "120,000 bytes"),
        ("a\0b", "no text"),
        ("a\ud800b", "no text"),
    ],
)
def test_a_mistake_is_one_sentence_at_the_text_and_nothing_is_kept(signed_in: Client, text: str, words: str) -> None:
    status, reply = send(signed_in, "/api/architectures/read", {"text": text})
    assert status == 200 and list(errors(reply)) == ["text"] and reply["svg"] == ""
    assert words in errors(reply)["text"] and errors(reply)["text"].endswith((".", "..."))
    status, reply = send(signed_in, "/api/architectures", {"text": text, "name": "Mine"})
    assert status == 422 and list(errors(reply)) == ["text"]
    assert not ImportedArchitecture.objects.exists()


def test_a_dialect_that_is_named_and_unknown_is_refused_at_its_field(signed_in: Client) -> None:
    _, reply = send(signed_in, "/api/architectures/read", {"text": MINE, "dialect": "klingon"})
    assert list(errors(reply)) == ["dialect"]


def test_a_kept_architecture_remembers_what_was_pasted(signed_in: Client, owner: User) -> None:
    row = ImportedArchitecture.objects.get(pk=a_kept_one(signed_in, "  My   cell "))
    assert (row.owner, row.name, row.dialect, row.text) == (owner, "My cell", "darts", MINE)
    assert architecture_from_json(row.architecture).hash == row.hash and row.code_version
    told = signed_in.get(f"/api/architectures/{row.pk}").json()
    assert (told["text"], told["dialect"], told["title"]) == (MINE, "darts", "My cell")


def test_keeping_the_same_again_leads_to_the_one_there(signed_in: Client) -> None:
    kept = a_kept_one(signed_in)
    status, reply = send(signed_in, "/api/architectures", {"text": "G = " + MINE.split("=", 1)[1], "name": "Other"})
    assert (status, reply["id"], reply["is_new"]) == (200, kept, False)
    assert ImportedArchitecture.objects.get().name == "Mine"
    stranger = Client()
    stranger.force_login(get_or_create_user("stranger"))
    assert a_kept_one(stranger) != kept


def test_one_key_keeps_one_architecture(signed_in: Client) -> None:
    body = {"text": MINE, "name": "Mine"}
    first = send(signed_in, "/api/architectures", body, Idempotency_Key="k")
    assert send(signed_in, "/api/architectures", body, Idempotency_Key="k") == first and first[0] == 201
    assert send(signed_in, "/api/architectures", body | {"name": "x"}, Idempotency_Key="k")[0] == 409


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, "a\0b"])
def test_a_name_that_is_none_is_refused_at_its_field(signed_in: Client, name: str) -> None:
    status, reply = send(signed_in, "/api/architectures", {"text": MINE, "name": name})
    assert status == 422 and list(errors(reply)) == ["name"]
    kept = a_kept_one(signed_in)
    status, reply = send(signed_in, f"/api/architectures/{kept}", {"name": name}, method="patch")
    assert status == 422 and list(errors(reply)) == ["name"]
    assert ImportedArchitecture.objects.get().name == "Mine"


def test_mine_can_be_renamed_and_deleted_and_a_published_one_cannot(signed_in: Client) -> None:
    kept = a_kept_one(signed_in)
    status, reply = send(signed_in, f"/api/architectures/{kept}", {"name": "Another"}, method="patch")
    assert status == 200 and reply["title"] == "Another"
    for method, body in (("patch", {"name": "x"}), ("delete", {})):
        assert send(signed_in, "/api/architectures/nasnet-a", body, method=method)[0] == 404
    assert send(signed_in, f"/api/architectures/{kept}", {}, method="delete") == (200, {"id": kept})
    assert send(signed_in, f"/api/architectures/{kept}", {}, method="delete")[0] == 404
    assert not ImportedArchitecture.objects.exists()


def test_what_belongs_to_somebody_else_does_not_exist(signed_in: Client) -> None:
    stranger = Client()
    stranger.force_login(get_or_create_user("stranger"))
    theirs = a_kept_one(stranger)
    for address in (f"/api/architectures/{theirs}", f"/api/architectures/{theirs}/architecture.json"):
        assert signed_in.get(address).status_code == 404
    for method, body in (("patch", {"name": "x"}), ("delete", {})):
        assert send(signed_in, f"/api/architectures/{theirs}", body, method=method)[0] == 404
    assert send(signed_in, "/api/architectures/describe", {"id": theirs})[0] == 404
    assert send(signed_in, "/api/trainings", {"id": theirs, "config": {}})[0] == 404
    for key in ("no-such", str(uuid.uuid4())):
        assert signed_in.get(f"/api/architectures/{key}").status_code == 404


def test_a_browser_without_the_csrf_header_keeps_and_deletes_nothing(owner: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(owner)
    assert send(browser, "/api/architectures", {"text": MINE, "name": "Mine"})[0] == 403
    assert send(browser, f"/api/architectures/{uuid.uuid4()}", {}, method="delete")[0] == 403


def test_a_published_one_states_its_source_and_what_does_not_follow_from_the_code(signed_in: Client) -> None:
    told = signed_in.get("/api/architectures/nasnet-a").json()
    assert "1707.07012" in told["source"] and told["note"]
    assert {result["follows_code"] for result in told["results"]} == {True, False}


@pytest.mark.parametrize("name", published_names())
def test_every_dialect_is_a_file_or_a_sentence(signed_in: Client, name: str) -> None:
    architecture = read_published(name).architecture
    files = {file["dialect"]: file for file in signed_in.get(f"/api/architectures/{name}").json()["files"]}
    assert list(files) == [dialect.name for dialect in DIALECTS]
    for dialect in DIALECTS:
        text = write(architecture, dialect.name)
        answer = signed_in.get(f"/api/architectures/{name}/{dialect.filename}")
        if isinstance(text, CannotHold):
            assert files[dialect.name]["url"] == "" and files[dialect.name]["sentence"] == text.sentence
            assert answer.status_code == 422 and errors(answer.json()) == {"": text.sentence}
        else:
            assert files[dialect.name]["sentence"] == ""
            assert signed_in.get(files[dialect.name]["url"]).content.decode() == text
            assert answer.headers["Content-Disposition"].startswith("attachment")
    assert signed_in.get(f"/api/architectures/{name}/picture.svg").content.startswith(b"<svg")


LARGE = {
    "layout": {"skeleton": "imagenet", "normal_cells": 6, "filters": 168, "stem_filters": 96,
               "previous_after_reduction": "two-before"},
    "image_size": 331, "classes": 1000,
}  # fmt: skip


def describe(client: Client, **body: Any) -> Any:
    status, reply = send(client, "/api/architectures/describe", body)
    assert status == 200
    return reply


def test_the_published_sizes_are_counted_to_the_last_parameter(signed_in: Client) -> None:
    """NASNet-A large and 6 @ 768, as the catalogue states them from the released code."""
    large = describe(signed_in, name="nasnet-a", **LARGE)
    assert (large["parameters"], large["mult_adds"], large["with_auxiliary"]) == (88753150, 23783414658, 93320934)
    small = describe(signed_in, name="nasnet-a", layout={"normal_cells": 6, "filters": 32})
    assert (small["parameters"], small["mult_adds"]) == (3346538, 544333312)


def test_the_parts_add_up_and_each_has_the_shape_that_leaves_it(signed_in: Client) -> None:
    large = describe(signed_in, name="nasnet-a", **LARGE)
    parts = {part["name"]: part for part in large["parts"]}
    assert sum(part["parameters"] for part in large["parts"]) == large["with_auxiliary"]
    assert parts["stem"]["shape"] == [96, 165, 165] and parts["stem"]["parameters"] == 96 * 3 * 9 + 2 * 96
    assert parts["cell_17"]["shape"] == [4032, 11, 11] and parts["cell_11"]["shape"] == [2016, 21, 21]
    assert parts["head"]["shape"] == [1000, 1, 1] and parts["head"]["parameters"] == 4033 * 1000
    assert large["parts"][-1]["name"] == "auxiliary"


def test_mine_a_child_and_one_that_is_sent_are_counted_alike(signed_in: Client, owner: User) -> None:
    kept = a_kept_one(signed_in)
    row = ImportedArchitecture.objects.get(pk=kept)
    mine = describe(signed_in, id=kept, layout={"filters": 8})
    assert mine["parameters"] and mine == describe(signed_in, architecture=row.architecture, layout={"filters": 8})
    search = a_search(owner, children=1)
    child = search.children.get()
    assert describe(signed_in, search=str(search.pk), step=0, slot=0) == describe(
        signed_in, architecture=child.architecture
    )


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"layout": {"filters": 7}}, "layout.filters"),
        ({"layout": {"filters": "many"}}, "layout.filters"),
        ({"layout": {"skeleton": "imagenet", "filters": 44}, "image_size": 12}, "image_size"),
        ({"image_size": "wide"}, "image_size"),
        ({"classes": 0}, "classes"),
        ({"layout": {"kind": "macro"}}, "layout.kind"),
        ({"layout": {"colour": 1}}, "layout.colour"),
    ],
)
def test_a_network_that_cannot_be_is_told_at_its_field(signed_in: Client, body: Any, field: str) -> None:
    reply = describe(signed_in, name="nasnet-a", **body)
    assert list(errors(reply)) == [field] and reply["parameters"] is None and reply["parts"] == []


def test_two_architectures_or_none_are_refused(signed_in: Client) -> None:
    json_form = read_published("nasnet-a").architecture.to_json()
    assert "Two architectures" in errors(describe(signed_in, name="nasnet-a", architecture=json_form))[""]
    assert list(errors(describe(signed_in))) == ["architecture"]


def training_json(**changes: Any) -> dict[str, Any]:
    return {"layout": {"normal_cells": 1, "filters": 8}, "recipe": {"epochs": 1}} | changes


def test_a_training_remembers_where_its_architecture_comes_from(signed_in: Client) -> None:
    kept = a_kept_one(signed_in)
    architecture = read_published("nasnet-a").architecture
    for named, imported, published in (
        ({"name": "nasnet-a"}, None, "nasnet-a"),
        ({"id": kept}, kept, ""),
        ({"architecture": architecture.to_json()}, None, ""),
    ):
        status, reply = send(signed_in, "/api/trainings", {**named, "config": training_json()})
        assert status == 201, reply
        told = signed_in.get(f"/api/trainings/{reply['id']}").json()
        assert (told["imported"], told["published"], told["child"]) == (imported, published, None)
        assert architecture_from_json(told["config"]["architecture"]).hash == told["hash"]


def test_an_architecture_in_the_configuration_is_not_silently_exchanged_for_the_named_one(signed_in: Client) -> None:
    named, other = (read_published(name).architecture.to_json() for name in ("nasnet-a", "darts-v2"))
    for path in ("/api/trainings", "/api/trainings/estimate"):
        _, reply = send(signed_in, path, {"name": "nasnet-a", "config": training_json(architecture=other)})
        assert list(errors(reply)) == ["architecture"]
    assert not Training.objects.exists()
    status, _ = send(signed_in, "/api/trainings", {"name": "nasnet-a", "config": training_json(architecture=named)})
    assert status == 201


def test_a_training_outlives_the_architecture_it_came_from(signed_in: Client) -> None:
    kept = a_kept_one(signed_in)
    _, reply = send(signed_in, "/api/trainings", {"id": kept, "config": training_json()})
    assert send(signed_in, f"/api/architectures/{kept}", {}, method="delete")[0] == 200
    training = Training.objects.get(pk=reply["id"])
    assert training.imported is None and signed_in.get(f"/trainings/{training.pk}").status_code == 200


def test_a_training_that_is_no_configuration_is_refused_with_a_sentence(signed_in: Client) -> None:
    for config in ("x", None, [], {"layout": {"filters": 7}}):
        status, reply = send(signed_in, "/api/trainings", {"name": "nasnet-a", "config": config})
        assert status == 422 and errors(reply)
    assert not Training.objects.exists()


def test_a_recurrent_cell_is_counted_by_hand(signed_in: Client) -> None:
    """Two units, three words: an embedding of 3 x 2, node 0 with two 2 x 4 matrices, every other node with one."""
    nodes = len(read_published("darts-v2-rnn").architecture.nodes)  # type: ignore[union-attr]
    told = describe(signed_in, name="darts-v2-rnn", hidden=2, vocabulary=3)
    assert told["parameters"] == 3 * 2 + 2 * 8 + (nodes - 1) * 8
    assert told["mult_adds"] == 2 * 8 + (nodes - 1) * 8 + 3 * 2 and told["with_auxiliary"] is None
    assert list(errors(describe(signed_in, name="darts-v2-rnn", hidden=0))) == ["hidden"]
    assert list(errors(describe(signed_in, name="darts-v2-rnn", image_size=32))) == ["image_size"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (
            "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|",
            "nas_bench_201",
        ),
        (json.dumps(read_published("enas-macro-paper").architecture.to_json()), "macro"),
    ],
)
def test_other_networks_are_read_kept_counted_and_trained_too(signed_in: Client, text: str, kind: str) -> None:
    _, reply = send(signed_in, "/api/architectures/read", {"text": text})
    assert (reply["kind"], reply["errors"]) == (kind, [])
    kept = a_kept_one(signed_in, text=text)
    assert describe(signed_in, id=kept)["parameters"] > 0
    config = training_json(layout={"filters": 8})  # Its kind is the architecture's.
    status, reply = send(signed_in, "/api/trainings", {"id": kept, "config": config})
    assert status == 201, reply
    training = Training.objects.get(pk=reply["id"])
    assert training.config["layout"]["kind"] == kind and training.parameters > 0


def test_a_recurrent_cell_is_not_trained_on_images(signed_in: Client) -> None:
    status, reply = send(signed_in, "/api/trainings", {"name": "darts-v2-rnn", "config": {"data": {"image_size": 28}}})
    assert status == 422 and list(errors(reply)) == ["data.image_size"]
    assert not Training.objects.exists()
