"""Somebody is invited, comes in, comes back by a password, makes a token, and is let go, in two browsers."""

import json
import re
import urllib.request
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.watched_pages import PHONE, Watched, watch
from tests.running_application import RunningApplication

PASSWORD = "correct horse battery"


@pytest.fixture
def guest(browser: Browser) -> Iterator[Watched]:
    """A telephone that nobody has signed in."""
    context = browser.new_context(viewport=PHONE, color_scheme="dark")
    yield watch(context.new_page())
    context.close()


def invited(page: Page, address: str) -> str:
    """The link of a new invitation."""
    page.goto(f"{address}/people")
    expect(page.get_by_text("No invitation is open.")).to_be_visible()
    page.get_by_role("button", name="Invite somebody").press("Enter")
    page.keyboard.type("Ann")  # The dialog begins at its first field.
    dialog = page.get_by_role("dialog", name="Invite somebody")
    dialog.get_by_label("Searches and trainings open").fill("two")
    dialog.get_by_role("button", name="Make the link").click()
    expect(dialog.get_by_text("must be a whole number from 0")).to_be_visible()
    expect(dialog.get_by_label("Searches and trainings open")).to_be_focused()
    page.keyboard.press("Control+a")
    page.keyboard.type("2")
    page.keyboard.press("Enter")
    link = page.get_by_label("Invitation", exact=True)
    expect(link).to_have_value(re.compile("/invited#"))
    page.get_by_role("button", name="Done").press("Enter")
    return link.input_value()


def new_token(page: Page) -> str:
    page.get_by_role("button", name="New token").click()
    page.get_by_label("What it is for").fill("notebook")
    page.get_by_role("button", name="Make the token").click()
    shown = page.get_by_label("Token", exact=True)
    expect(shown).to_have_value(re.compile("^cw_"))
    token = shown.input_value()
    expect(page.get_by_label("Command", exact=True)).to_have_value(re.compile(f"^curl .*{token}"))
    page.get_by_role("button", name="Done").click()
    expect(page.get_by_role("button", name="Revoke the token notebook")).to_be_visible()
    return token


def test_a_person_comes_in_comes_back_and_is_let_go(
    application: RunningApplication, owner_page: Page, guest: Watched
) -> None:
    page, link = guest.page, invited(owner_page, application.address)
    page.goto(link)
    expect(page.get_by_text("owner invites you to use Cellwright here.")).to_be_visible()
    expect(page).to_have_url(f"{application.address}/invited")  # The secret has left the address.
    page.keyboard.type("Ann Example")
    page.get_by_label("A password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{application.address}/")
    page.get_by_role("button", name="Sign out").click()

    page.goto(f"{application.address}/account")
    page.get_by_label("Name").fill("Ann Example")
    page.get_by_role("textbox", name="Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{application.address}/account")
    expect(page.get_by_text("0 of 2")).to_be_visible()
    token = new_token(page)
    request = urllib.request.Request(
        f"{application.address}/api/account", headers={"Authorization": f"Bearer {token}"}
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert json.load(answer)["name"] == "Ann Example"
    wide = page.evaluate("document.documentElement.scrollWidth")
    assert wide <= PHONE["width"]
    assert guest.complaints == []

    owner_page.reload()
    owner_page.get_by_role("button", name="Change Ann Example").click()
    owner_page.get_by_role("button", name="Deactivate").click()
    expect(owner_page.get_by_role("button", name="Let in again")).to_be_visible()
    owner_page.keyboard.press("Escape")
    expect(owner_page.get_by_role("button", name="Change Ann Example")).to_be_focused()
    page.reload()
    expect(page).to_have_url(re.compile("/sign-in"))
