"""Signing out in one tab shuts the live page in the other, over a real socket of the real server."""

import json
import re

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.test_sharing import START
from tests.running_application import RunningApplication
from tests.web.example_search import demo_json
from webapp.searches.live.page_rights import RIGHTS_SECONDS

PROMISED_SECONDS = 5


@pytest.fixture
def live_page(application: RunningApplication, owner_page: Page) -> Page:
    url = owner_page.evaluate(START, json.loads(json.dumps(demo_json(name="Left open"))))
    owner_page.goto(application.address + url)
    expect(owner_page.locator(".connection")).to_have_text("live")
    return owner_page


def test_a_live_page_is_shut_when_its_person_signs_out_in_another_tab(
    application: RunningApplication, context: BrowserContext, live_page: Page
) -> None:
    assert RIGHTS_SECONDS + 1 <= PROMISED_SECONDS  # A look takes well below a second.
    closed = []
    live_page.on("websocket", lambda line: closed.append("a new one"))
    other = context.new_page()
    other.goto(application.address)
    other.get_by_role("button", name="Sign out").click()
    expect(other).to_have_url(re.compile("/sign-in"))
    expect(live_page.locator(".connection")).to_contain_text("signed out", timeout=2000 * PROMISED_SECONDS)
    assert closed == []  # It does not knock again.
