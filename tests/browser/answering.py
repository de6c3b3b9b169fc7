"""A live page of which a test plays the server: its commands, its socket, and charts that draw nothing."""

import json
from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, Route, WebSocketRoute

from tests.browser.live_page_server import ID


def without_charts(page: Page) -> None:
    """Let the charts' library do nothing, which takes no time."""
    nothing = "window.Plotly = {react(plot) { plot.on = () => {}; }, purge() {}};"
    page.route("**/plotly-cartesian.min.js", lambda route: route.fulfill(body=nothing, content_type="text/javascript"))


class Answering:
    """Answers one command of the search's page, or refuses it with `errors`; tells events through the socket.

    asked: the bodies that came, in order.
    """

    def __init__(self, page: Page, command: str, then: Callable[["Answering", Any], None] | None = None) -> None:
        """command: the last word of its address; then: what follows an answer, given the body."""
        self.asked: list[Any] = []
        self.errors: list[dict[str, str]] = []
        self._then = then
        self._line: WebSocketRoute | None = None
        page.route(f"**/api/searches/{ID}/{command}", self._answer)
        page.route_web_socket("**/ws/streams/**", self._connected)
        without_charts(page)

    def tell(self, event: dict[str, Any]) -> None:
        assert self._line is not None
        self._line.send(json.dumps({"events": [event]}))

    def _connected(self, line: WebSocketRoute) -> None:
        self._line = line

    def _answer(self, route: Route) -> None:
        body = route.request.post_data_json
        self.asked.append(body)
        if self.errors:
            route.fulfill(status=422, json={"errors": self.errors})
            return
        route.fulfill(json={"id": ID} | body)
        if self._then is not None:
            self._then(self, body)
