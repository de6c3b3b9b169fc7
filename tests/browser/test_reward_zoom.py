"""A part of a long search, shown closely: what the chart asks for, what it draws, and what comes behind it."""

import json
from collections.abc import Iterator
from functools import partial, reduce
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Route, WebSocketRoute, expect

from tests.browser.live_page_server import Played, served
from tests.browser.recorded_search import recorded_search
from webapp.searches import live_state

SEARCH = recorded_search()
DONE = 120  # Verdicts that are there when the page is opened.
TRACE = "(name) => document.querySelector('.js-plotly-plot').data.find((trace) => trace.name === name)?.x.length ?? 0"
SHOWN = "() => document.querySelector('.js-plotly-plot').layout.xaxis.range"


class Thin(Played):
    """A search whose state has few points for all its children, as of a very long one."""

    def state(self, n: int | None = None) -> dict[str, Any]:
        apply = partial(live_state.apply, limits=live_state.Limits(points=24))
        return reduce(lambda state, event: apply(state, event), self.events[: self.n], live_state.initial(self.kind))


class Curves:
    """The server's answers: one point for each child that is asked for."""

    def __init__(self, page: Page) -> None:
        self.asked: list[tuple[float, float]] = []
        page.route("**/curve?*", self._answer)

    def _answer(self, route: Route) -> None:
        query = parse_qs(urlsplit(route.request.url).query)
        first, last = float(query["first"][0]), float(query["last"][0])
        self.asked.append((first, last))
        places = range(int(first), int(min(last, DONE - 1)) + 1)
        points = [[index, 0.25 + index / 1000, 0] for index in places]
        curve = {"points": points, "best": [point[:2] for point in points], "means": [], "steps": [], "done": DONE}
        route.fulfill(body=json.dumps(curve), content_type="application/json")


@pytest.fixture
def curves(page: Page) -> Curves:
    return Curves(page)


@pytest.fixture
def line(page: Page) -> list[WebSocketRoute]:
    connections: list[WebSocketRoute] = []
    page.route_web_socket("**/ws/streams/**", lambda each: connections.append(each))
    return connections


@pytest.fixture
def long_search(page: Page, curves: Curves, line: list[WebSocketRoute]) -> Iterator[Played]:
    n = [event["n"] for event in SEARCH if event["kind"] == "child_finished"][DONE - 1]
    with served(played := Thin("search", SEARCH, n)) as address:
        page.goto(address)
        page.wait_for_function("() => document.querySelector('.js-plotly-plot')?.data?.length")
        yield played


def _drawn(page: Page, count: int) -> None:
    page.wait_for_function(f"() => ({TRACE})('child') === {count}")


def test_where_the_state_is_thin_the_whole_curve_is_asked_for_once(
    page: Page, long_search: Played, curves: Curves, line: list[WebSocketRoute]
) -> None:
    _drawn(page, DONE)
    newer = [event for event in SEARCH[long_search.n :] if event["n"] <= long_search.n + 12]
    verdicts = sum(event["kind"] == "child_finished" and event["twin"] is None for event in newer)
    assert verdicts > 0
    line[-1].send(json.dumps({"events": newer}))
    _drawn(page, DONE + verdicts)  # What comes by the socket stands behind what the server told.
    assert curves.asked == [(0, 160)]


def test_buttons_show_a_part_more_closely_and_all_of_it_again(page: Page, long_search: Played, curves: Curves) -> None:
    _drawn(page, DONE)
    page.get_by_role("button", name="Closer").click()
    expect(page.get_by_text("children 40 to 120")).to_be_visible()
    _drawn(page, DONE - 40)
    page.get_by_role("button", name="Earlier").click()
    expect(page.get_by_text("children 0 to 80")).to_be_visible()
    _drawn(page, 81)
    assert page.evaluate(SHOWN) == [-0.5, 80.5]
    page.get_by_role("button", name="Whole search").click()
    _drawn(page, DONE)
    assert curves.asked == [(0, 160), (40, 120), (0, 80), (0, 160)]


def test_a_frame_drawn_with_the_mouse_is_asked_for_and_two_clicks_show_all(
    page: Page, long_search: Played, curves: Curves
) -> None:
    _drawn(page, DONE)
    box = page.locator("reward-chart .nsewdrag").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + box["width"] / 4, box["y"] + 50)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 55, steps=4)
    page.mouse.up()
    page.wait_for_function("() => document.querySelector('.chart-zoom span').textContent")
    _drawn(page, 41)
    first, last = curves.asked[-1]
    assert abs(first - 40) <= 1 and last - first == 40
    page.mouse.dblclick(box["x"] + box["width"] / 2, box["y"] + 50)
    _drawn(page, DONE)


def test_a_short_search_is_shown_out_of_its_state_alone(page: Page, curves: Curves, line: list[WebSocketRoute]) -> None:
    n = [event["n"] for event in SEARCH if event["kind"] == "child_finished"][DONE - 1]
    with served(Played("search", SEARCH, n)) as address:
        page.goto(address)
        page.wait_for_function("() => document.querySelector('.js-plotly-plot')?.data?.length")
        page.get_by_role("button", name="Closer").click()
        page.wait_for_function(f"() => ({SHOWN})()[0] === 39.5")
        assert curves.asked == []
