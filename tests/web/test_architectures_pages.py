"""The gallery's pages: what they show, to whom, and that the page of a child is built of the same parts."""

import html
import json
import re
from typing import Any

import pytest
from django.test import Client

from search_engine.catalogue.published import LEFT_OUT, published_names, read_published
from search_engine.formats.dialects import DIALECTS, CannotHold, write
from tests.web.example_search import a_search
from tests.web.test_architectures_api import MINE, a_kept_one, send, training_json
from webapp.accounts.models import User
from webapp.accounts.sign_in import get_or_create_user
from webapp.searches.models import ImportedArchitecture

pytestmark = pytest.mark.django_db


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return answer.content.decode()


def embedded(text: str, name: str) -> Any:
    found = re.search(rf'id="{name}"[^>]*>(.*?)</script>', text, re.DOTALL)
    assert found, name
    return json.loads(found.group(1))


def test_the_gallery_says_how_to_import_before_the_first_and_what_is_left_out(signed_in: Client) -> None:
    text = page(signed_in, "/architectures")
    assert "You have none yet." in text and 'href="/architectures/import"' in text and LEFT_OUT in text
    for name in published_names():
        assert f'href="/architectures/{name}"' in text


def test_the_gallery_can_be_of_one_kind(signed_in: Client) -> None:
    a_kept_one(signed_in, "My own cells")
    kinds = {name: read_published(name).architecture.kind for name in published_names()}
    for kind in set(kinds.values()):
        text = page(signed_in, f"/architectures?kind={kind}")
        shown = {name for name in kinds if f'href="/architectures/{name}"' in text}
        assert shown == {name for name in kinds if kinds[name] == kind}
        assert ("My own cells" in text) == (kind == "cells")
        assert "You have none yet." not in text
    assert signed_in.get("/architectures?kind=klingon").status_code == 404


@pytest.mark.parametrize("name", published_names())
def test_every_published_architecture_has_a_page_with_picture_source_results_and_files(
    signed_in: Client, name: str
) -> None:
    published = read_published(name)
    text = page(signed_in, f"/architectures/{name}")
    assert text.count('<svg xmlns="http://www.w3.org/2000/svg" class="cell-drawing"') == (
        2 if published.architecture.kind == "cells" else 1
    )
    assert f'href="https://arxiv.org/abs/{re.search(r"arXiv:([0-9.]+)", published.source).group(1)}"' in text  # type: ignore[union-attr]
    assert text.count('class="result-verdict"') == len(published.results)
    for dialect in DIALECTS:
        held = write(published.architecture, dialect.name)
        address = f'href="/api/architectures/{name}/{dialect.filename}"'
        assert (address in text) == (not isinstance(held, CannotHold))
        if isinstance(held, CannotHold):
            assert held.sentence in html.unescape(text)


def test_what_does_not_follow_from_the_released_code_is_said_to_be_so(signed_in: Client) -> None:
    text = page(signed_in, "/architectures/nasnet-a")
    results = read_published("nasnet-a").results
    assert text.count('<span class="is-good">Yes</span>') == sum(result.follows_code is True for result in results)
    assert text.count('<span class="is-warn">No</span>') == sum(result.follows_code is False for result in results)


def test_a_budget_says_what_it_finds_for_each_kind_of_architecture(signed_in: Client) -> None:
    assert "N and F are found; all else is as above." in page(signed_in, "/architectures/nasnet-a")
    assert ">F is found; all else is as above." in page(signed_in, "/architectures/enas-macro-released")
    assert "found; all else" not in page(signed_in, "/architectures/darts-v2-rnn")


def test_the_counts_that_a_page_opens_with_are_those_of_its_first_published_size(signed_in: Client) -> None:
    text = page(signed_in, "/architectures/nasnet-a")
    assert "<dd>3,346,538</dd>" in text and "<dd>544,333,312</dd>" in text
    title, _, values = embedded(text, "sizes")[0]
    assert title == "6 @ 768" and values["layout"]["filters"] == 32
    assert embedded(text, "counted") == {"name": "nasnet-a"}


def test_a_recurrent_cell_is_counted_by_its_own_sizes_and_can_be_trained(signed_in: Client) -> None:
    text = page(signed_in, "/architectures/darts-v2-rnn")
    assert 'data-path="hidden"' in text and 'data-path="layout.filters"' not in text
    assert 'href="/trainings/new?architecture=darts-v2-rnn"' in text


def test_mine_shows_what_was_pasted_and_can_be_renamed_and_deleted(signed_in: Client) -> None:
    kept = a_kept_one(signed_in, "My <b>cell</b>")
    text = page(signed_in, f"/architectures/{kept}")
    assert MINE.splitlines()[0] in html.unescape(text) and "<b>cell</b>" not in text
    assert 'data-act="ask-rename"' in text and 'data-act="ask-delete"' in text
    assert embedded(text, "counted") == {"id": kept}
    assert 'data-act="ask-delete"' not in page(signed_in, "/architectures/nasnet-a")


def test_pictures_are_whole_or_in_pieces(signed_in: Client) -> None:
    for name, pieces in (("nasnet-a", ("normal", "reduction", "whole")), ("darts-v2-rnn", ("whole",))):
        for piece in pieces:
            answer = signed_in.get(f"/architectures/{name}/{piece}.svg")
            assert answer.headers["Content-Type"] == "image/svg+xml" and answer.content.startswith(b"<svg")
    assert signed_in.get("/architectures/darts-v2-rnn/normal.svg").status_code == 404


def test_what_belongs_to_somebody_else_or_to_nobody_has_no_page(signed_in: Client) -> None:
    stranger = Client()
    stranger.force_login(get_or_create_user("stranger"))
    theirs = a_kept_one(stranger, "Not mine")
    for address in (
        f"/architectures/{theirs}",
        f"/architectures/{theirs}/whole.svg",
        f"/trainings/new?architecture={theirs}",
        "/architectures/no-such",
        "/trainings/new?architecture=no-such",
    ):
        assert signed_in.get(address).status_code == 404, address
    assert "Not mine" not in page(signed_in, "/architectures")


@pytest.mark.parametrize("name", [n for n in published_names() if read_published(n).architecture.kind != "recurrent"])
def test_the_training_form_of_a_published_architecture_starts_as_it_stands(signed_in: Client, name: str) -> None:
    text = page(signed_in, f"/trainings/new?architecture={name}")
    assert embedded(text, "extra") == {"name": name} and f'href="/architectures/{name}"' in text
    layout: dict[str, Any] = {}
    for path, kind, value in re.findall(r'data-path="layout\.(\w+)" data-kind="(integer|fixed)" value="([^"]*)"', text):
        layout[path] = int(value) if kind == "integer" else value
    assert layout["kind"] == read_published(name).architecture.kind
    config = training_json(layout=layout)
    _, cost = send(signed_in, "/api/trainings/estimate", {"name": name, "config": config})
    assert cost["errors"] == [] and cost["parameters"]["low"] > 0
    status, reply = send(signed_in, "/api/trainings", {"name": name, "config": config})
    assert status == 201, reply
    shown = page(signed_in, reply["url"])
    assert f'href="/architectures/{name}"' in shown and read_published(name).title in html.unescape(shown)


def test_a_training_names_my_own_architecture_as_long_as_it_is_there(signed_in: Client) -> None:
    kept = a_kept_one(signed_in)
    _, reply = send(signed_in, "/api/trainings", {"id": kept, "config": training_json()})
    assert f'href="/architectures/{kept}"' in page(signed_in, reply["url"])
    ImportedArchitecture.objects.all().delete()
    assert f'href="/architectures/{kept}"' not in page(signed_in, reply["url"])


def test_the_page_of_a_child_has_the_same_parts(signed_in: Client, owner: User) -> None:
    search = a_search(owner, children=1)
    text = page(signed_in, f"/searches/{search.pk}/children/0/0")
    assert embedded(text, "counted") == {"search": str(search.pk), "step": 0, "slot": 0}
    assert f'href="/api/searches/{search.pk}/children/0/0/architecture.json"' in text
    assert text.count('class="piece"') == 2 and "<network-counts>" in text


def test_no_page_of_the_gallery_holds_a_style_or_a_script_of_its_own(signed_in: Client) -> None:
    kept = a_kept_one(signed_in)
    names = [f"/architectures/{name}" for name in (*published_names(), kept, "import")]
    for address in ["/architectures", *names, "/trainings/new?architecture=nasnet-a"]:
        text = page(signed_in, address)
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", text), address
        for attributes in re.findall(r"<script([^>]*)>", text):
            assert "src=" in attributes or 'type="application/json"' in attributes, address
