"""The menu of priorities on a live page: it sends what is chosen, and shows what the server has."""

from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.browser.answering import without_charts
from tests.browser.live_page_server import ID, Played, served
from tests.browser.recorded_search import recorded_training
from tests.browser.watched_pages import watch

TRAINING = recorded_training()
OPEN = [event for event in TRAINING if event["kind"] not in ("training_finished", "state_changed")]


class Server:
    def __init__(self, page: Page) -> None:
        self.asked: list[object] = []
        self.refuses = False
        page.route(f"**/api/trainings/{ID}", self._answer)
        page.route_web_socket("**/ws/streams/**", lambda line: None)
        without_charts(page)

    def _answer(self, route: Route) -> None:
        assert route.request.method == "PATCH"
        self.asked.append(route.request.post_data_json)
        if self.refuses:
            route.fulfill(status=409, json={"errors": [{"field": "", "message": "This training is stopped."}]})
            return
        route.fulfill(json={"id": ID, **route.request.post_data_json})


def test_what_is_chosen_is_sent_and_what_is_refused_is_put_back(context: BrowserContext) -> None:
    page = context.new_page()
    watched = watch(page)
    server = Server(page)
    with served(Played("training", OPEN, len(OPEN))) as address:
        page.goto(address)
        menu = page.get_by_label("Priority")
        expect(menu).to_have_value("normal")
        menu.select_option("first")
        expect(menu).to_be_enabled()
        assert server.asked == [{"priority": "first"}]
        server.refuses = True
        menu.select_option("later")
        expect(page.get_by_role("alert").filter(has_text="This training is stopped.")).to_be_visible()
        expect(menu).to_have_value("first")
    (refusal,) = watched.complaints  # The browser itself notes the 409.
    assert "409" in refusal


def test_what_has_ended_has_no_priority(page: Page) -> None:
    Server(page)
    with served(Played("training", TRAINING, len(TRAINING))) as address:
        page.goto(address)
        expect(page.get_by_role("button", name="Delete", exact=True)).to_be_visible()
        expect(page.get_by_label("Priority")).to_be_hidden()
