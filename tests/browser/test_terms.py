"""Terms in a real browser: opened by key, click or touch, in reach and in sight at every width, in every form."""

import re
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

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
