"""The panel of workers: one is drained, and let work again."""

from typing import Any

from playwright.sync_api import Page, Route, expect

from tests.browser.live_page_server import Played, served
from tests.browser.recorded_search import recorded_search


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
