"""The page's reducer, run in the browser over the recorded streams that its Python twin is tested by too."""

import json
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.live_page_server import Played, served
from tests.browser.recorded_search import recorded_search, recorded_training
from webapp.searches import live_state

STREAMS = Path(__file__).resolve().parents[1] / "golden" / "streams"
FOLD = """async ({module, kind, limits, events, sizes}) => {
    const {apply, initial, LIMITS} = await import(module);
    const states = [];
    let state = initial(kind);
    for (const event of events) {
        const before = JSON.stringify(state);
        const next = apply(state, event, limits ?? LIMITS);
        if (JSON.stringify(state) !== before) throw new Error(`event ${event.n} changed the state before it`);
        if (apply(next, event, limits ?? LIMITS) !== next) throw new Error(`event ${event.n} counted twice`);
        state = next;
        if (sizes.includes(event.n)) states.push(state);
    }
    return states;
}"""


@pytest.fixture
def reducer_page(page: Page):
    with served(Played("search", [], 0)) as address:
        page.goto(address.replace("/live", "/empty"))
        yield page


def _folded(page: Page, kind: str, limits: Any, events: list[Any], sizes: list[int]) -> list[Any]:
    from django.conf import settings

    module = f"{settings.STATIC_URL}js/live/state.js"
    return page.evaluate(
        FOLD, {"module": module, "kind": kind, "limits": limits, "events": events, "sizes": sizes}
    )  # fmt: skip


@pytest.mark.parametrize("path", sorted(STREAMS.glob("*.json")), ids=lambda path: path.stem)
def test_the_browser_arrives_at_the_golden_state(path: Path, reducer_page: Page) -> None:
    golden = json.loads(path.read_text())
    events = golden["events"]
    (state,) = _folded(reducer_page, golden["kind"], golden["limits"], events, [len(events)])
    assert state == golden["state"]


@pytest.mark.parametrize("kind", ["search", "training"])
def test_both_languages_agree_after_every_part_of_a_stream(kind: str, reducer_page: Page) -> None:
    events = recorded_search(steps=4) if kind == "search" else recorded_training()
    sizes = list(range(1, len(events) + 1, 7))
    states = _folded(reducer_page, kind, None, events, sizes)
    for size, state in zip(sizes, states, strict=True):
        assert state == reduce(live_state.apply, events[:size], live_state.initial(kind))


def test_an_event_after_a_gap_is_refused(reducer_page: Page) -> None:
    events = recorded_search(steps=1)
    with pytest.raises(Exception, match="event 3 cannot follow event 1"):
        _folded(reducer_page, "search", None, [events[0], events[2]], [3])


def test_an_event_that_only_a_later_version_knows_is_passed_over(reducer_page: Page) -> None:
    told = recorded_search(steps=1)
    told.insert(5, {"kind": "told_by_a_later_version", "at": told[5]["at"], "what": [1, 2]})
    events = [event | {"n": number} for number, event in enumerate(told, start=1)]
    (state,) = _folded(reducer_page, "search", None, events, [len(events)])
    assert state == reduce(live_state.apply, events, live_state.initial("search"))


@pytest.mark.parametrize(("loss", "what"), [(0.5, "the controller learned"), (None, "the strategy was told what came")])
def test_only_what_has_a_loss_has_learned(reducer_page: Page, loss: float | None, what: str) -> None:
    events = [
        event | ({"loss": loss} if event["kind"] == "controller_updated" else {}) for event in recorded_search(steps=1)
    ]
    (state,) = _folded(reducer_page, "search", None, events, [len(events)])
    assert state == reduce(live_state.apply, events, live_state.initial("search"))
    assert what in str(state["log"])
