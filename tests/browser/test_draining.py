"""The panel of workers: one is drained, and let work again."""

from typing import Any

from playwright.sync_api import Page, Route, expect

from tests.browser.live_page_server import Played, served
from tests.browser.recorded_search import recorded_search
from tests.browser.test_shared_page import recorded


def test_a_worker_is_drained_and_let_work_again(page: Page) -> None:
    worker: dict[str, Any] = {
        "name": "host:7", "device": "cpu", "job": "child 3.4", "seen": 0.4, "is_here": True, "is_drained": False,
    }  # fmt: skip
    asked = []

    def change(route: Route) -> None:
        asked.append((route.request.method, route.request.post_data_json))
        worker.update(route.request.post_data_json)
        worker["job"] = None if worker["is_drained"] else "child 3.5"
        route.fulfill(json=route.request.post_data_json)

    page.route("**/api/workers", lambda route: route.fulfill(json={"workers": [worker]}))
    page.route("**/api/workers/host%3A7", change)
    page.route_web_socket("**/ws/streams/**", lambda line: None)
    events = recorded_search()
    with served(Played("search", events, len(events))) as address:
        page.goto(address)
        page.locator("workers-panel").scroll_into_view_if_needed()
        page.get_by_role("button", name="Drain host:7").click()
        expect(page.get_by_role("cell", name="is drained")).to_be_visible()
        page.get_by_role("button", name="Let host:7 work again").click()
        expect(page.get_by_role("cell", name="child 3.5")).to_be_visible()
        assert asked == [("PATCH", {"is_drained": True}), ("PATCH", {"is_drained": False})]


WORKER = {
    "name": "host:7", "host": "host", "device": "cpu", "job": None, "seen": 0.4, "is_here": True, "is_drained": False,
}  # fmt: skip
WHY = "Work was lost on it 3 times in a row: the trainer was killed by SIGKILL (3 times)."


def test_a_host_that_is_set_aside_says_why_and_is_used_again(page: Page) -> None:
    aside = {
        "name": "host", "is_drained": False, "is_set_aside": True, "keeps_losing": True, "why": WHY,
        "seconds_until_trial": 41.2,
    }  # fmt: skip
    asked = []

    def workers(route: Route) -> None:
        route.fulfill(json={"workers": [WORKER, WORKER | {"name": "host:8"}], "hosts": [] if asked else [aside]})

    def change(route: Route) -> None:
        asked.append(route.request.post_data_json)
        route.fulfill(json=aside)

    page.route("**/api/workers", workers)
    page.route("**/api/workers/hosts/host", change)
    page.route_web_socket("**/ws/streams/**", lambda line: None)
    events = recorded_search()
    with served(Played("search", events, len(events))) as address:
        page.goto(address)
        page.locator("workers-panel").scroll_into_view_if_needed()
        expect(page.get_by_text(WHY)).to_contain_text("It tries one job in 42 s.")
        page.get_by_role("button", name="Use host host again").click()
        expect(page.get_by_text(WHY)).to_have_count(0)
        page.get_by_role("button", name="Drain all of host").click()
        expect(page.get_by_role("button", name="Drain all of host")).to_be_enabled()
    assert asked == [{"is_set_aside": False}, {"is_drained": True}]


def test_a_host_that_keeps_losing_jobs_and_is_the_only_one_is_warned_of(page: Page) -> None:
    losing = {
        "name": "host", "is_drained": False, "is_set_aside": False, "keeps_losing": True, "why": WHY,
        "seconds_until_trial": None,
    }  # fmt: skip
    page.route("**/api/workers", lambda route: route.fulfill(json={"workers": [WORKER], "hosts": [losing]}))
    page.route_web_socket("**/ws/streams/**", lambda line: None)
    events = recorded_search()
    with served(Played("search", events, len(events))) as address:
        page.goto(address)
        page.locator("workers-panel").scroll_into_view_if_needed()
        warning = page.get_by_text("Jobs keep being lost on host host, which goes on because no other host is sound.")
        expect(warning).to_contain_text(WHY)
        expect(page.get_by_role("button", name="Use host host again")).to_have_count(0)


def test_a_search_on_which_nobody_works_now_says_so_and_whom_the_workers_serve(page: Page) -> None:
    other = WORKER | {
        "job": "child 0.1", "stream": "f" * 8, "stream_name": "Another <b>one</b>", "stream_url": "/searches/f",
    }  # fmt: skip
    page.route("**/api/workers", lambda route: route.fulfill(json={"workers": [other], "hosts": []}))
    page.route_web_socket("**/ws/streams/**", lambda line: None)
    events = recorded("enas-micro")
    with served(Played("search", events, 1)) as address:
        page.goto(address)
        page.locator("workers-panel").scroll_into_view_if_needed()
        expect(page.locator("workers-panel")).to_contain_text("child 0.1 of Another <b>one</b>")
        expect(page.locator("workers-panel")).to_contain_text("No worker is on this one now.")
        expect(page.locator("phase-panel")).to_contain_text("Waits for a worker.")
        page.unroute("**/api/workers")
        search = page.evaluate("JSON.parse(document.getElementById('page').textContent).id")
        ours = other | {"stream": search, "stream_url": f"/searches/{search}"}
        page.route("**/api/workers", lambda route: route.fulfill(json={"workers": [ours], "hosts": []}))
        expect(page.locator("phase-panel")).not_to_contain_text("Waits for a worker.", timeout=15_000)
        expect(page.locator("workers-panel")).not_to_contain_text("Another")
