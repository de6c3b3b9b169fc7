"""The dialog of limits on a live page: what is in force, what is sent, what is refused, by keyboard and on a phone."""

import os
from pathlib import Path

from playwright.sync_api import BrowserContext, Page, expect

from search_engine.events import LimitsChanged
from tests.browser.answering import Answering
from tests.browser.live_page_server import Played, served
from tests.browser.recorded_search import recorded_search
from tests.browser.watched_pages import PHONE, watch

SEARCH = recorded_search()
SEEN = 60  # Events that the page starts with.
DRAWN = sum(len(event["proposals"]) for event in SEARCH[:SEEN] if event["kind"] == "step_proposed")


def test_limits_are_changed_by_keyboard_and_shown_when_their_event_comes(page: Page) -> None:
    server = Answering(page, "limits")
    with served(Played("search", SEARCH, SEEN)) as address:
        page.goto(address)
        page.get_by_role("button", name="Limits").focus()
        page.keyboard.press("Enter")
        children = page.get_by_label("Children in all")
        expect(children).to_be_focused()
        expect(children).to_have_value("160")
        expect(page.get_by_label("Workers at a time")).to_have_value("")
        expect(page.get_by_text(f"{DRAWN} are drawn already, which stay.")).to_be_visible()
        page.keyboard.press("Control+a")
        page.keyboard.type("80")
        page.keyboard.press("Tab")
        page.keyboard.type("2")
        page.keyboard.press("Enter")
        expect(children).to_be_hidden()
        assert server.asked == [{"children": 80, "workers": 2}]
        event = LimitsChanged(limits={"children": 80, "workers": 2}, from_step=3).to_json()
        server.tell({"n": SEEN + 1, "at": SEARCH[SEEN]["at"], **event})
        expect(page.locator("[data-in-short]")).to_have_text("at most 2 workers")
        expect(page.locator("state-strip")).to_contain_text("of 80")
        page.get_by_role("button", name="Limits").click()
        expect(children).to_have_value("80")
        page.get_by_label("Workers at a time").fill("")
        page.get_by_role("button", name="Change", exact=True).click()
        expect(children).to_be_hidden()
        assert server.asked[1:] == [{"workers": None}]


def test_what_is_refused_is_said_at_its_field(context: BrowserContext) -> None:
    page = context.new_page()
    watched = watch(page)
    server = Answering(page, "limits")
    server.errors = [{"field": "children", "message": "is 3; 40 are drawn already, so it must be at least 40."}]
    with served(Played("search", SEARCH, SEEN)) as address:
        page.goto(address)
        page.get_by_role("button", name="Limits").click()
        children = page.get_by_label("Children in all")
        children.fill("")
        page.get_by_role("button", name="Change", exact=True).click()
        expect(page.get_by_text("Is empty; must be a whole number.")).to_be_visible()
        assert server.asked == []
        children.fill("3")
        page.get_by_role("button", name="Change", exact=True).click()
        expect(page.get_by_text("Is 3; 40 are drawn already, so it must be at least 40.")).to_be_visible()
        expect(children).to_be_focused()
        page.keyboard.press("Escape")
        expect(children).to_be_hidden()
    (refusal,) = watched.complaints  # The browser itself notes the 422.
    assert "422" in refusal


def test_the_dialog_fits_a_phone(page: Page) -> None:
    page.set_viewport_size(PHONE)
    Answering(page, "limits")
    with served(Played("search", SEARCH, SEEN)) as address:
        page.goto(address)
        page.get_by_role("button", name="Limits").click()
        box = page.locator("stream-limits dialog").bounding_box()
        assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"]
        if folder := os.environ.get("SCREENSHOTS"):
            page.screenshot(path=Path(folder) / "limits-phone.png")
            page.set_viewport_size({"width": 1280, "height": 800})
            page.screenshot(path=Path(folder) / "limits.png")


def test_what_has_ended_has_no_limits_to_change(page: Page) -> None:
    Answering(page, "limits")
    with served(Played("search", SEARCH, len(SEARCH))) as address:
        page.goto(address)
        expect(page.get_by_role("button", name="Delete", exact=True)).to_be_visible()
        expect(page.get_by_role("button", name="Limits")).to_be_hidden()
