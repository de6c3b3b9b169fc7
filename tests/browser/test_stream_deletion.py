"""Deleting from a live page: the dialog says what goes, and nothing goes before it is answered."""

import json

import pytest
from playwright.sync_api import BrowserContext, Page, Route, WebSocketRoute, expect

from tests.browser.answering import without_charts
from tests.browser.live_page_server import Played, served
from tests.browser.recorded_search import recorded_training
from tests.browser.watched_pages import watch

TRAINING = recorded_training()


class Server:
    """Stands in for what the API says of deleting."""

    def __init__(self, page: Page) -> None:
        self.deleted, self.refusal = 0, ""
        page.route("**/api/trainings/*/outlook", lambda route: route.fulfill(json=OUTLOOK))
        page.route("**/api/trainings/11111111-2222-4333-8444-555555555555", self._delete)
        page.route_web_socket("**/ws/streams/**", lambda line: None)
        without_charts(page)

    def _delete(self, route: Route) -> None:
        assert route.request.method == "DELETE"
        if self.refusal:
            route.fulfill(status=404, json={"errors": [{"field": "", "message": self.refusal}]})
            return
        self.deleted += 1
        route.fulfill(status=202, json={"id": "1", "state": "deleting"})


OUTLOOK = {"goes": ["Its figures and curve, 2 files of 3.5 MB together, and its log."], "stays": ["Something else."]}


@pytest.fixture
def server(page: Page) -> Server:
    return Server(page)


def test_the_dialog_says_what_goes_and_what_stays_and_can_be_left(page: Page, server: Server) -> None:
    with served(Played("training", TRAINING, len(TRAINING))) as address:
        page.goto(address)
        page.get_by_role("button", name="Delete", exact=True).click()
        dialog = page.get_by_role("dialog", name="Delete this training for good?")
        expect(dialog.get_by_role("listitem")).to_have_text([*OUTLOOK["goes"], *OUTLOOK["stays"]])
        expect(dialog.get_by_role("button", name="Keep it")).to_be_focused()
        dialog.get_by_role("button", name="Keep it").click()
        expect(dialog).to_be_hidden()
        assert server.deleted == 0


def test_after_the_answer_the_page_leaves_for_the_list(page: Page, server: Server) -> None:
    with served(Played("training", TRAINING, len(TRAINING))) as address:
        page.goto(address)
        page.get_by_role("button", name="Delete", exact=True).click()
        origin = "/".join(address.split("/")[:3])
        page.route(f"{origin}/", lambda route: route.fulfill(body="<p>The list</p>", content_type="text/html"))
        page.get_by_role("button", name="Delete the training").click()
        expect(page.get_by_text("The list")).to_be_visible()
        assert server.deleted == 1


def test_the_training_that_goes_on_behind_the_open_dialog_can_be_deleted(page: Page) -> None:
    sockets: list[WebSocketRoute] = []
    asked: list[Route] = []
    without_charts(page)
    page.route_web_socket("**/ws/streams/**", lambda line: sockets.append(line))
    page.route("**/api/trainings/*/outlook", lambda route: asked.append(route))
    with served(Played("training", TRAINING, len(TRAINING) - 1)) as address:
        with page.expect_request("**/outlook"):
            page.goto(address)
            page.get_by_role("button", name="Delete", exact=True).click()
        shown = page.locator("state-strip .state")
        before = shown.inner_text()
        sockets[-1].send(json.dumps({"events": TRAINING[-1:]}))
        expect(shown).not_to_have_text(before)  # The page has drawn the event, and the answer has not come.
        asked[-1].fulfill(json=OUTLOOK)
        expect(page.get_by_role("button", name="Delete the training")).to_be_enabled()


def test_a_refusal_is_said_in_the_dialog(context: BrowserContext) -> None:
    page = context.new_page()
    watched = watch(page)
    server = Server(page)
    server.refusal = "There is no such training, or it is not yours."
    with served(Played("training", TRAINING, len(TRAINING))) as address:
        page.goto(address)
        page.get_by_role("button", name="Delete", exact=True).click()
        page.get_by_role("button", name="Delete the training").click()
        expect(page.get_by_role("alert").filter(has_text="There is no such training")).to_be_visible()
    (refusal,) = watched.complaints  # The browser itself notes the 404.
    assert "404" in refusal


def test_what_another_page_deletes_cannot_be_deleted_again(page: Page, server: Server) -> None:
    last = {"n": len(TRAINING) + 1, "at": 1.0, "kind": "state_changed", "state": "deleting", "reason": None}
    events = [*TRAINING, last]
    with served(Played("training", events, len(events))) as address:
        page.goto(address)
        expect(page.get_by_role("button", name="Being deleted")).to_be_disabled()
        expect(page.locator("state-strip .state")).to_have_text("deleting")
        expect(page.get_by_role("button", name="Stop")).to_be_hidden()
