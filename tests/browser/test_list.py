"""The list of searches and trainings in a browser: filtered, named, tagged, ticked, archived and deleted there."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.test_compare import SMALL
from tests.browser.watched_pages import PHONE, watch
from tests.running_application import RunningApplication

START = """async (configs) => {
    const token = document.querySelector('meta[name="csrf-token"]').content;
    const headers = {"Content-Type": "application/json", "X-CSRFToken": token};
    for (const [config, stops] of configs) {
        const reply = await fetch("/api/searches", {method: "POST", headers, body: JSON.stringify({config})});
        if (stops) await fetch(`/api${(await reply.json()).url}/stop`, {method: "POST", headers, body: "{}"});
    }
}"""
NAMES = ("Listed one", "Listed two", "Listed three")


@pytest.fixture
def list_page(owner_page: Page, application: RunningApplication) -> Iterator[Page]:
    """The list with three stopped searches, and one that runs for long."""
    long: dict[str, Any] = SMALL | {"name": "Listed and running", "budget": {"children": 5000}}
    owner_page.evaluate(START, [[long, False], *([SMALL | {"name": name}, True] for name in NAMES)])
    owner_page.goto(f"{application.address}/?text=listed")
    yield owner_page
    listed = f"{application.address}/api/streams?text=listed&archived=all"
    token = owner_page.locator('meta[name="csrf-token"]').get_attribute("content")
    headers = {"X-CSRFToken": token or "", "Referer": application.address}
    owner_page.goto("about:blank")  # A page that shows what is deleted asks for it in vain, and complains.
    for entry in owner_page.request.get(listed).json()["streams"]:
        owner_page.request.delete(f"{application.address}/api{entry['url']}", headers=headers)
    # What is being deleted waits for its leases and is listed until it is gone: the next test would find it, too.
    give_up = time.monotonic() + 60
    while owner_page.request.get(listed).json()["streams"]:
        assert time.monotonic() < give_up, "what was listed is still there a minute after it was deleted"
        time.sleep(0.2)


def row(page: Page, name: str) -> Any:
    return page.locator(".entry", has_text=name)


def choose(page: Page, name: str, action: str) -> None:
    """By keyboard, from the menu of a line."""
    row(page, name).locator(".entry-menu > summary").focus()
    page.keyboard.press("Enter")
    row(page, name).get_by_role("button", name=action).press("Enter")


def test_the_list_is_used_by_keyboard_and_what_is_archived_comes_back(list_page: Page, context: BrowserContext) -> None:
    page = list_page
    choose(page, "Listed two", "Rename")
    page.keyboard.type("Listed <b>2</b>")
    page.keyboard.press("Enter")
    expect(row(page, "Listed <b>2</b>").locator(".entry-menu > summary")).to_be_focused()
    choose(page, "Listed one", "Tags")
    for tag in ("night", "cifar"):
        page.keyboard.type(tag)
        page.keyboard.press("Enter")
    expect(row(page, "Listed one").get_by_role("button", name="Take the tag night away")).to_be_visible()
    page.keyboard.press("Backspace")
    expect(row(page, "Listed one").get_by_role("button", name="Take the tag night away")).to_have_count(0)
    page.keyboard.press("Escape")
    choose(page, "Listed one", "Notes")
    page.keyboard.type("To be looked at again.")
    page.keyboard.press("Control+Enter")
    expect(row(page, "Listed one").locator("[data-notes]")).to_have_text("To be looked at again.")

    page.get_by_label("State", exact=True).select_option("stopped")
    page.wait_for_url("**/?text=listed&state=stopped")
    expect(page.locator(".entry")).to_have_count(3)
    page.get_by_role("link", name="cifar").click()
    page.wait_for_url("**/?tag=cifar")
    expect(page.get_by_label("Tag", exact=True)).to_have_value("cifar")
    page.go_back()
    page.go_back()
    expect(page.locator(".entry")).to_have_count(4)

    choose(page, "Listed one", "Archive")
    expect(row(page, "Listed one")).to_be_hidden()
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    page.keyboard.press("Enter")
    expect(row(page, "Listed one")).to_be_visible()
    _on_a_phone(page, context)
    page.get_by_role("link", name="Listed one").click()
    expect(page.locator("state-strip .state")).to_have_text("stopped")  # The scripts are there.
    page.get_by_role("button", name="Tags", exact=True).press("Enter")
    expect(page.get_by_label("New tag")).to_be_focused()
    page.keyboard.type("later")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(page.locator("stream-labels").get_by_role("link")).to_have_text(["cifar", "later"])
    expect(page.locator("stream-labels")).to_contain_text("To be looked at again.")


def _on_a_phone(page: Page, context: BrowserContext) -> None:
    phone = watch(context.new_page())
    phone.page.set_viewport_size(PHONE)
    phone.page.goto(page.url)
    expect(phone.page.get_by_label("State", exact=True)).to_be_hidden()
    phone.page.get_by_role("button", name="Filters").click()
    expect(phone.page.get_by_label("State", exact=True)).to_be_visible()
    assert phone.page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    choose(phone.page, "running", "Archive")
    expect(phone.page.get_by_text("This search is running; only a stopped or")).to_be_visible()
    expect(row(phone.page, "running")).to_be_visible()
    (refusal,) = phone.complaints  # The browser itself notes the 409.
    assert "409" in refusal
    phone.page.close()


def test_ticks_are_kept_between_pages_and_one_question_is_asked_of_all(
    list_page: Page, application: RunningApplication
) -> None:
    page = list_page
    row(page, "Listed one").get_by_role("checkbox").check()
    page.goto(f"{application.address}/?text=listed+three")
    row(page, "Listed three").get_by_role("checkbox").check()
    expect(page.locator("[data-count]")).to_have_text("2 ticked, 1 of them on other pages")
    page.locator(".ticked").get_by_role("button", name="Delete").click()
    dialog = page.get_by_role("dialog", name="Delete these 2 for good?")
    expect(dialog.get_by_role("listitem").first).to_contain_text("Listed one: ")
    dialog.get_by_role("button", name="Delete for good").click()
    expect(page.locator("[data-count]")).to_have_text("Nothing is ticked")
    expect(row(page, "Listed three")).to_have_count(0, timeout=30_000)  # It goes when it is gone, without a reload.
    page.goto(f"{application.address}/?text=listed")
    expect(page.locator(".entry:not(:has(.is-deleting))")).to_have_count(2)
