"""A training that ended without a bundle: the button that has one made, and what the page says of it."""

import pytest
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.answering import without_charts
from tests.browser.live_page_server import Played, served
from tests.browser.recorded_search import recorded_training
from tests.browser.watched_pages import PHONE, watch

TRAINING = recorded_training()
WEIGHTS = {"id": "w", "label": "Weights", "filename": "weights.safetensors", "size": 1000, "url": "/api/artifacts/w"}
BUNDLE = {"id": "b", "label": "Bundle", "filename": "bundle.zip", "size": 2000, "url": "/api/artifacts/b"}


class Server:
    """Stands in for the list of files and for what the button asks. bundle: the state that the next answer tells."""

    def __init__(self, page: Page) -> None:
        self.bundle, self.asked, self.refusal = "absent", 0, ""
        page.route("**/api/trainings/*/artifacts", self._list)
        page.route("**/api/trainings/*/bundle", self._ask)
        page.route_web_socket("**/ws/streams/**", lambda line: None)
        without_charts(page)

    def _list(self, route: Route) -> None:
        files = [WEIGHTS, BUNDLE] if self.bundle == "there" else [WEIGHTS]
        route.fulfill(json={"artifacts": files, "bundle": self.bundle})

    def _ask(self, route: Route) -> None:
        self.asked += 1
        if self.refusal:
            route.fulfill(status=409, json={"errors": [{"field": "", "message": self.refusal}]})
            return
        self.bundle = "waiting"
        route.fulfill(status=202, json={"bundle": self.bundle})


@pytest.fixture
def server(page: Page) -> Server:
    return Server(page)


def test_a_bundle_is_made_at_the_press_of_a_button_and_then_downloaded(page: Page, server: Server) -> None:
    with served(Played("training", TRAINING, len(TRAINING))) as address:
        page.goto(address)
        button = page.get_by_role("button", name="Make the bundle")
        told = page.get_by_role("status").filter(has_text="bundle")
        expect(told).to_contain_text("There is no bundle of this training yet")
        assert server.asked == 0
        button.click()
        expect(told).to_have_text("The bundle waits for a worker.")
        busy = page.get_by_role("button", name="Making the bundle")
        expect(busy).to_be_disabled()
        server.bundle = "making"
        expect(told).to_contain_text("A worker makes the bundle.")
        server.bundle = "there"
        expect(page.get_by_role("link", name="Download bundle")).to_be_visible()
        expect(busy).to_be_hidden()
        assert server.asked == 1


def test_a_bundle_that_failed_says_so_and_can_be_tried_again(context: BrowserContext) -> None:
    page = context.new_page()
    watched = watch(page)
    server = Server(page)
    server.bundle = "failed"
    page.set_viewport_size(PHONE)
    with served(Played("training", TRAINING, len(TRAINING))) as address:
        page.goto(address)
        expect(page.get_by_text("failed every time it was tried")).to_be_visible()
        server.refusal = "The server is full."
        page.get_by_role("button", name="Try again").click()
        expect(page.get_by_text("The server is full.")).to_be_visible()
        server.refusal = ""
        page.get_by_role("button", name="Make the bundle").click()
        expect(page.get_by_text("The bundle waits for a worker.")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    (refusal,) = watched.complaints  # The browser itself notes the 409.
    assert "409" in refusal
