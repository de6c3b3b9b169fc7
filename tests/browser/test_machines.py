"""The pages of the machines and of notices in a browser, over answers of the API that are given here."""

from typing import Any

from playwright.sync_api import Page, Route, expect

from tests.browser.watched_pages import DESKTOP, PHONE
from tests.running_application import RunningApplication

WORKER = {
    "name": "host:7", "host": "host", "device": "cpu", "memory": 16e9, "memory_used": 4e9, "own_memory": 1.2e9,
    "load": 0.5, "cores": 8, "speed": [], "seen": 2.0, "seconds_since_seen": 1.0, "is_here": True, "is_drained": False,
    "job": "child 3.4", "stream": "1", "stream_name": "Mine <b>", "stream_url": "/searches/1", "since": 1.0,
    "part": 0.25, "seconds_left": 90.0,
}  # fmt: skip
WAITING = {"stream": None, "name": "", "url": "", "priority": "first", "due": 3, "seconds": 95.0}
LEFT = {"stream": "1", "name": "Mine <b>", "url": "/searches/1", "seconds": 3723.0, "why": ""}


def test_the_board_shows_hosts_workers_the_queue_and_the_time_left(
    application: RunningApplication, owner_page: Page
) -> None:
    page, changed = owner_page, []
    told: dict[str, Any] = {
        "workers": [dict(WORKER)],
        "hosts": [],
        "may_drain": True,
        "waiting": [WAITING],
        "left": [LEFT],
    }

    def change(route: Route) -> None:
        changed.append(route.request.post_data_json)
        told["workers"][0]["is_drained"] = True
        route.fulfill(json=route.request.post_data_json)

    page.route("**/api/workers", lambda route: route.fulfill(json=told))
    page.route("**/api/workers/host%3A7", change)
    page.goto(f"{application.address}/machines")
    board = page.locator("machines-board")
    for words in ("Memory: 4.00 GB of 16.0 GB", "Load: 50 % of 8 cores", "child 3.4 of Mine <b>", "25 %", "1:30 left",
                  "something of another user – 3 jobs due, goes first, its turn comes in about 1:35",
                  "Mine <b> – about 1:02:03"):  # fmt: skip
        expect(board).to_contain_text(words)
    page.get_by_role("button", name="Drain host:7").press("Enter")
    expect(page.get_by_role("button", name="Let host:7 work again")).to_be_focused()
    assert changed == [{"is_drained": True}]
    page.set_viewport_size(PHONE)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    frame = board.locator(".table-frame")
    assert frame.evaluate("frame => frame.scrollWidth <= frame.clientWidth"), "the table is as wide as the phone"
    expect(board.get_by_role("columnheader", name="Holds")).to_have_count(1)
    told.update(may_drain=False)
    expect(page.get_by_role("button", name="Let host:7 work again")).to_have_count(0, timeout=9000)
    told.update(workers=[], waiting=[], left=[])
    expect(board).to_contain_text("manage.py worker --processes 4", timeout=9000)
    page.set_viewport_size(DESKTOP)


def test_permission_is_asked_by_the_button_alone_and_a_notice_is_shown_once(
    application: RunningApplication, owner_page: Page
) -> None:
    page = owner_page
    page.add_init_script(
        """
        window.shown = []; window.asked = 0;
        class Notice extends EventTarget {
          constructor(title, options) { super(); window.shown.push([title, options.tag]); }
        }
        Notice.permission = "default";
        Notice.requestPermission = async () => { window.asked += 1; Notice.permission = "granted"; return "granted"; };
        window.Notification = Notice;
        """
    )
    page.goto(f"{application.address}/notices")
    button = page.get_by_role("button", name="Show notices in this browser")
    expect(button).to_be_visible()
    assert page.evaluate("window.asked") == 0
    button.click()
    expect(page.get_by_text("Browser: Chrome (this one)")).to_be_visible()
    page.get_by_role("button", name="Send a test: Browser: Chrome").click()
    expect(page.locator("[data-notices]")).to_contain_text("This is a test.", timeout=9000)
    page.wait_for_function("window.shown.length === 1", timeout=9_000)
    assert page.evaluate("window.shown[0][0]") == "This is a test." and page.evaluate("window.asked") == 1
    page.get_by_role("button", name="Remove: Browser: Chrome").click()
    expect(button).to_be_visible()
    assert page.evaluate("localStorage.getItem('cellwright-notices')") is None


def test_the_secret_of_a_webhook_is_shown_when_it_is_added(application: RunningApplication, owner_page: Page) -> None:
    page = owner_page
    page.route("**/api/notices/targets", lambda route: route.fulfill(json={"secret": "s" * 64}))
    page.goto(f"{application.address}/notices")
    page.get_by_label("Address of a webhook").fill("https://example.org/hook")
    page.keyboard.press("Enter")
    expect(page.locator("[data-secret-text]")).to_have_text("s" * 64)
    expect(page.get_by_label("Address of a webhook")).to_have_value("")
