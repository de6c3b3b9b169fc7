"""A link from its making to its end, with two browsers: the owner's, and that of somebody without an account."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.watched_pages import DESKTOP, Watched, watch
from tests.running_application import ROOT, RunningApplication, environment_of
from tests.web.example_search import demo_json

START = """async (config) => {
    const token = document.querySelector('meta[name="csrf-token"]').content;
    const headers = {"Content-Type": "application/json", "X-CSRFToken": token};
    const answer = await fetch("/api/searches", {method: "POST", headers, body: JSON.stringify({config})});
    return (await answer.json()).url;
}"""


@pytest.fixture
def stranger(browser: Browser) -> Iterator[Watched]:
    """Another browser, which nobody has signed in."""
    context = browser.new_context(viewport=DESKTOP)
    yield watch(context.new_page())
    context.close()


@pytest.fixture
def search(application: RunningApplication, owner_page: Page) -> str:
    url = owner_page.evaluate(START, json.loads(json.dumps(demo_json(name="Shown around"))))
    owner_page.goto(application.address + url)
    return str(url)


def made_link(page: Page) -> str:
    page.get_by_role("button", name="Share", exact=True).click()
    expect(page.get_by_text("No link stands now.")).to_be_visible()
    page.get_by_role("button", name="Make a link").click()
    link = page.get_by_label("The link, shown this once")
    expect(link).to_have_value(re.compile("/shared#"))
    expect(page.locator("[data-links] li")).to_have_count(1)
    return link.input_value()


def test_a_link_shows_page_and_replay_until_it_is_revoked(
    application: RunningApplication, owner_page: Page, stranger: Watched, search: str
) -> None:
    guest = stranger.page
    guest.goto(f"{application.address}{search}")
    expect(guest).to_have_url(re.compile("/sign-in"))
    guest.goto(made_link(owner_page))
    expect(guest).to_have_url(f"{application.address}{search}")
    expect(guest.get_by_role("heading", name="Shown around")).to_be_visible()
    expect(guest.locator(".connection")).to_have_text("live")
    expect(guest.get_by_role("button", name="Pause")).to_have_count(0)
    expect(guest.locator("event-log")).to_contain_text("Step 0", timeout=90_000)  # By the socket; a worker drew it.

    guest.get_by_role("link", name="Replay").click()
    expect(guest.locator(".replay-event")).to_contain_text("Event 1 of ")
    guest.keyboard.press("End")
    expect(guest.locator(".replay-event")).not_to_contain_text("Event 1 of ")
    guest.get_by_role("link", name=re.compile("live", re.IGNORECASE)).click()
    expect(guest.locator(".connection")).to_have_text("live")

    assert stranger.complaints == []
    owner_page.get_by_role("button", name=re.compile("Revoke the link")).click()
    expect(owner_page.get_by_text("No link stands now.")).to_be_visible()
    expect(guest.locator(".connection")).to_contain_text("revoked", timeout=10_000)
    guest.reload()
    expect(guest).to_have_url(re.compile("/sign-in"))
    # What the page asked for before it heard of the end was refused, and nothing else was wrong.
    assert [each for each in stranger.complaints if "401 (Unauthorized)" not in each] == []


def sign_in(application: RunningApplication, page: Page, name: str) -> None:
    """As somebody else, who gets the link from a terminal."""
    command = [sys.executable, "manage.py", "sign_in_link", name, "--base", application.address]
    environment = os.environ | environment_of(application.folder)
    page.goto(subprocess.check_output(command, cwd=ROOT, env=environment, text=True).strip())


def test_a_reader_looks_and_a_co_owner_pauses(
    application: RunningApplication, owner_page: Page, stranger: Watched, search: str
) -> None:
    ada = stranger.page
    sign_in(application, ada, "ada")
    owner_page.get_by_role("button", name="Share", exact=True).click()
    expect(owner_page.get_by_text("It is shared with nobody yet.")).to_be_visible()
    dialog = owner_page.get_by_role("dialog")
    dialog.get_by_label("Name").fill("ada")
    dialog.get_by_label("Name").press("Enter")
    expect(owner_page.locator("[data-persons] li")).to_contain_text("ada reader, since")

    ada.goto(application.address)
    ada.get_by_role("link", name="Shown around").click()
    expect(ada.get_by_text("Shared with you: you can look, and nothing can be changed.")).to_be_visible()
    expect(ada.get_by_role("button", name="Pause")).to_have_count(0)

    dialog.get_by_label("Name").fill("ada")
    dialog.locator("[name=role]").select_option("co-owner")
    dialog.get_by_role("button", name="Share", exact=True).click()
    expect(owner_page.locator("[data-persons] li")).to_contain_text("ada co-owner, since")
    ada.reload()
    expect(ada.get_by_role("button", name="Share", exact=True)).to_have_count(0)
    ada.get_by_role("button", name="Pause").click()
    expect(ada.get_by_role("button", name="Resume")).to_be_visible()

    owner_page.get_by_role("button", name="No longer share with ada").click()
    expect(owner_page.get_by_text("It is shared with nobody yet.")).to_be_visible()
    expect(ada.locator(".connection")).not_to_have_text("live", timeout=10_000)
    assert ada.goto(application.address + search).status == 404  # type: ignore[union-attr]


def test_a_link_that_is_not_complete_says_so_and_leaves_the_address(
    application: RunningApplication, browser: Browser
) -> None:
    page = browser.new_context().new_page()
    page.goto(f"{application.address}/shared#half-a-secret")
    expect(page.get_by_role("status")).to_contain_text("This link shows nothing")
    expect(page).to_have_url(f"{application.address}/shared")
    page.context.close()
