"""Terms in a real browser: opened by key, click or touch, in reach and in sight at every width, in every form."""

import os
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from search_engine.events import ChildFinished, JobLost
from tests.browser.answering import Answering
from tests.browser.live_page_server import Played, served
from tests.browser.recorded_search import recorded_search
from tests.browser.watched_pages import DESKTOP, PHONE, watch
from tests.running_application import RunningApplication

SLOW = 20_000  # Milliseconds: the machine may be busy with other tests.


def test_a_term_opens_by_key_holds_the_keyboard_and_closes_with_escape(
    application: RunningApplication, owner_page: Page
) -> None:
    owner_page.goto(f"{application.address}/searches/new")
    button, card = owner_page.get_by_role("button", name="policy", exact=True), owner_page.locator("#term-policy")
    expect(card).to_be_hidden()
    button.focus()
    owner_page.keyboard.press("Enter")
    expect(card).to_be_visible()
    expect(card).to_contain_text("appendix A.2")
    owner_page.keyboard.press("Tab")
    expect(card.get_by_role("link", name="All terms")).to_be_focused()
    owner_page.keyboard.press("Escape")
    expect(card).to_be_hidden()
    expect(button).to_be_focused()
    button.click()
    card.get_by_role("link", name="All terms").click()
    expect(owner_page).to_have_url(re.compile("/docs/terms#policy$"))
    expect(owner_page.get_by_role("heading", name="Policy", exact=True)).to_be_in_viewport()


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_word_that_a_script_writes_explains_itself_and_stays_where_it_is_while_figures_change(
    page: Page, viewport: Any
) -> None:
    page.set_viewport_size(viewport)
    server, events = Answering(page, "limits"), recorded_search()
    with served(Played("search", events, 60)) as address:
        page.goto(address)
        button, card = page.locator("state-strip").get_by_role("button", name="children"), page.locator("#term-child")
        button.focus()
        page.keyboard.press("Enter")
        expect(card).to_be_visible()
        lost = JobLost(what="child 9.9", worker="worker-1", reason="no sign of life", attempt=1).to_json()
        failed = ChildFinished(step=9, slot=0, reward=0.1, reason="diverged", parameters=1, mult_adds=1, seconds=1.0)
        for number, event in enumerate((lost, failed.to_json()), 61):
            server.tell({"n": number, "at": events[60]["at"], **event})
        expect(page.locator(".strip-children dt")).to_have_text(re.compile(r"^children done, \d+ failed$"))
        expect(card).to_be_visible()
        box = card.bounding_box()
        assert box and box["x"] >= 0 and box["x"] + box["width"] <= viewport["width"]
        assert box["y"] >= 0 and box["y"] + box["height"] <= viewport["height"]
        page.keyboard.press("Escape")
        expect(card).to_be_hidden()
        expect(button).to_be_focused()
        assert page.evaluate("[...document.querySelectorAll('.term')].every(button => button.popoverTargetElement)")
        assert page.locator("live-page .chart-legend .term").count() >= 1
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
        if folder := os.environ.get("SCREENSHOTS"):
            button.click()
            page.screenshot(path=Path(folder) / f"script-term-{viewport['width']}.png")


def test_the_form_of_another_method_brings_its_own_terms(application: RunningApplication, owner_page: Page) -> None:
    owner_page.goto(f"{application.address}/searches/new")
    owner_page.get_by_role("link", name="ENAS macro").click()
    button = owner_page.get_by_role("button", name="shared epoch", exact=True).first
    button.click(timeout=SLOW)
    expect(owner_page.locator("#term-shared-epoch")).to_be_visible()


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_explanation_is_in_sight_and_the_pages_do_not_scroll_sideways(
    browser: Browser, application: RunningApplication, tmp_path_factory: Any, viewport: Any, scheme: Any
) -> None:
    context = browser.new_context(viewport=viewport, color_scheme=scheme)
    watched = watch(context.new_page())
    page = watched.page
    page.goto(application.link)
    folder = tmp_path_factory.getbasetemp()
    for number, address in enumerate(("/architectures", "/docs", "/docs/live-page", "/docs/terms")):
        page.goto(application.address + address)
        if address == "/architectures":
            page.get_by_role("button", name="mult-adds", exact=True).click()
            box = page.locator("#term-mult-adds").bounding_box()
            assert box and box["x"] >= 0 and box["x"] + box["width"] <= viewport["width"]
            assert box["y"] >= 0 and box["y"] + box["height"] <= viewport["height"]
        if address == "/docs/live-page":
            page.wait_for_function(
                "[...document.images].length === 3 && [...document.images].every(i => i.naturalWidth)"
            )
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
        page.screenshot(path=folder / f"terms-{number}-{viewport['width']}-{scheme}.png")
    context.close()
    assert watched.complaints == []
