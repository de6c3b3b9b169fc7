"""The page of a search with shared weights: what it is given, and the pictures of its epochs."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from search_engine.config.strategy import RandomConfig
from search_engine.events import Event, event_from_json
from search_engine.presets import DEMO
from search_engine.shared_presets import MACRO_DEMO, MICRO_DEMO, RECURRENT_DEMO
from tests.web.test_views import page
from webapp.accounts.models import User
from webapp.accounts.sign_in import get_or_create_user
from webapp.searches import event_log
from webapp.searches.models import Search, Stream, Training
from webapp.searches.pages.shared_page import honesty
from webapp.searches.start import start_search, start_training

pytestmark = pytest.mark.django_db
STREAMS = Path(__file__).resolve().parents[1] / "golden" / "streams"
DEMOS = {"enas-micro": MICRO_DEMO.config, "enas-macro": MACRO_DEMO.config, "enas-recurrent": RECURRENT_DEMO.config}


def recorded(kind: str) -> list[Event]:
    """The events of a real search behind its first one, up to its last controller phase."""
    rows = json.loads((STREAMS / f"{kind}.json").read_text())["events"][1:]
    told = [row for row in rows if row["kind"] in ("shared_epoch_ended", "controller_phase_ended")]
    return [event_from_json({name: row[name] for name in row if name not in ("n", "at")}) for row in told]


def a_shared_search(owner: User, kind: str) -> Search:
    search = start_search(owner, DEMOS[kind])
    event_log.append(search.pk, recorded(kind))
    return search


def facts(html: str) -> dict[str, Any]:
    found = re.search(r'id="page"[^>]*>(.*?)</script>', html, re.DOTALL)
    assert found
    value: dict[str, Any] = json.loads(found.group(1))
    return value


@pytest.mark.parametrize("kind", DEMOS)
def test_the_page_says_what_scripts_must_know(signed_in: Client, owner: User, kind: str) -> None:
    search = a_shared_search(owner, kind)
    html = page(signed_in, f"/searches/{search.pk}")
    assert facts(html) == {
        "kind": "search", "id": str(search.pk), "method": kind, "scale": 80.0 if kind == "enas-recurrent" else None,
        "thumbnail": "normal" if kind == "enas-micro" else "whole", "epoch_seconds": None, "trained": 1, "learns": True,
        "has_companion": False, "role": "owner", "gets_files": True,
    }  # fmt: skip
    assert "<shared-architecture" in html and "<reward-chart" not in html
    assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:", html)


@pytest.mark.parametrize("kind", DEMOS)
@pytest.mark.parametrize("which", ["best", "sampled", "learned"])
def test_architectures_of_an_epoch_are_drawn_from_its_events(
    signed_in: Client, owner: User, kind: str, which: str
) -> None:
    search = a_shared_search(owner, kind)
    answer = signed_in.get(f"/searches/{search.pk}/epochs/1/{which}.svg")
    assert answer.status_code == 200 and answer["Content-Type"] == "image/svg+xml"
    assert answer.content.startswith(b"<svg") and "max-age" in answer["Cache-Control"]


@pytest.mark.parametrize("kind", DEMOS)
def test_before_anything_is_scored_one_architecture_of_the_space_is_drawn(
    signed_in: Client, owner: User, kind: str
) -> None:
    search = start_search(owner, DEMOS[kind])
    answer = signed_in.get(f"/searches/{search.pk}/example.svg")
    assert answer.status_code == 200 and answer.content.startswith(b"<svg")
    nasnet = start_search(owner, DEMO.config)
    theirs = start_search(get_or_create_user("stranger"), DEMOS[kind])
    for other in (nasnet, theirs):
        assert signed_in.get(f"/searches/{other.pk}/example.svg").status_code == 404


def test_what_no_epoch_has_and_what_is_somebody_elses_is_not_found(signed_in: Client, owner: User) -> None:
    search = a_shared_search(owner, "enas-macro")
    theirs = a_shared_search(get_or_create_user("stranger"), "enas-macro")
    for address in (f"{search.pk}/epochs/9/best", f"{search.pk}/epochs/0/worst", f"{theirs.pk}/epochs/0/best"):
        assert signed_in.get(f"/searches/{address}.svg").status_code == 404


def test_honesty_is_of_the_strategy_and_of_the_text() -> None:
    assert "whatever the controller does" in honesty(MACRO_DEMO.config)
    uniform = MACRO_DEMO.config.model_copy(update={"strategy": RandomConfig()})
    assert "Nothing learns to choose here" in honesty(uniform)
    assert "80 over the perplexity" in honesty(RECURRENT_DEMO.config)
    assert "Penn Treebank" in honesty(RECURRENT_DEMO.config) and "Penn" not in honesty(MACRO_DEMO.config)


def test_the_list_of_trainings_can_be_that_of_one_search(signed_in: Client, owner: User) -> None:
    search = a_shared_search(owner, "enas-recurrent")
    ours, meter = (a_training_of(search, slot) for slot in (0, 1))
    Training.objects.filter(pk=meter.pk).update(for_meter=True)
    start_training(owner, search_config(search).final_training(an_architecture("enas-recurrent"), ""), None)
    answer = signed_in.get(f"/api/trainings?search={search.pk}").json()
    assert [each["id"] for each in answer["trainings"]] == [str(ours.pk)]
    assert signed_in.get("/api/trainings").json()["total"] == 3


def a_training_of(search: Search, slot: int) -> Stream:
    architecture = an_architecture("enas-recurrent")
    child = search.children.create(
        step=0, slot=slot, decisions=[], architecture=architecture, hash="0" * 64, log_probability=-1.0
    )
    return start_training(search.owner, search_config(search).final_training(architecture, ""), child)


def an_architecture(kind: str) -> dict[str, Any]:
    return next(event.architecture for event in recorded(kind) if event.kind == "shared_epoch_ended")


def search_config(search: Search) -> Any:
    return DEMOS[search.config["method"]]
