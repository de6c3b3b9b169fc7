"""Live pages before anything has happened, and where nothing ever did: each part says what comes or what to do."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.answering import without_charts
from tests.browser.live_page_server import Played, served
from tests.browser.test_live_elements import Line
from tests.browser.test_shared_page import recorded


@pytest.fixture(autouse=True)
def chartless(page: Page) -> None:
    """Without Plotly: what charts say where they are empty has its own test."""
    without_charts(page)


def stopped(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The first event, and that it was stopped then; what follows never happened, and gives the stand-in a picture."""
    first = events[0]
    end = {"n": 2, "at": first["at"] + 1, "kind": "state_changed", "version": 1, "state": "stopped", "reason": None}
    return [first, end, *events[1:]]


def seen(page: Page, selector: str) -> Any:
    found = page.locator(selector)
    found.scroll_into_view_if_needed()
    return found


@pytest.mark.parametrize("kind", ["running-search", "enas-micro"])
def test_before_the_first_event_each_part_says_what_comes(page: Page, kind: str) -> None:
    Line(page)
    events = recorded(kind)
    with served(Played("search", events, 1)) as address:
        page.goto(address)
        expect(seen(page, "event-log")).not_to_have_text("")
        if kind == "running-search":
            expect(page.locator("best-cell")).to_contain_text("The first are drawn in a moment.")
            expect(seen(page, "running-children")).to_contain_text("The controller is drawing the next architectures.")
        else:
            expect(seen(page, "epochs-table")).to_contain_text("Each adds a row when its controller phase is over.")
        words = "No child has ended yet. The first rows come by themselves."
        candidates = "Candidates are drawn and scored after the last epoch."
        expect(seen(page, "children-table")).to_contain_text(words if kind == "running-search" else candidates)


@pytest.mark.parametrize(
    ("kind", "says"), [("running-search", "No child was trained."), ("enas-micro", "No candidate was drawn.")]
)
def test_a_search_that_ended_with_nothing_says_what_can_be_done(page: Page, kind: str, says: str) -> None:
    Line(page)
    events = stopped(recorded(kind))
    with served(Played("search", events, 2)) as address:
        page.goto(address)
        expect(seen(page, "children-table")).to_contain_text(f"{says} A clone of this search can start")
        expect(page.get_by_role("link", name="Clone")).to_be_visible()


def test_without_workers_it_says_how_to_start_some(page: Page) -> None:
    Line(page)
    page.route("**/api/workers", lambda route: route.fulfill(json={"workers": [], "hosts": []}))
    with served(Played("search", recorded("running-search"), 1)) as address:
        page.goto(address)
        expect(seen(page, "workers-panel")).to_contain_text("manage.py worker starts some")


def test_a_training_before_its_first_epoch_says_what_comes(page: Page) -> None:
    Line(page)
    with served(Played("training", recorded("finished-training"), 1)) as address:
        page.goto(address)
        expect(page.locator("training-end")).to_contain_text("can be downloaded when the training has ended")


def test_a_log_without_events_says_so(page: Page) -> None:
    Line(page)
    with served(Played("training", recorded("finished-training"), 1)) as address:
        page.goto(address)
        log = page.locator("event-log")
        expect(log.locator("li")).to_have_count(1)
        expect(log.get_by_text("Nothing has happened yet.")).to_be_hidden()
        log.evaluate("element => { element.remove(); document.body.append(element); element.render({ log: [] }); }")
        expect(log.get_by_text("Nothing has happened yet. What happens shows here as it comes.")).to_be_visible()
