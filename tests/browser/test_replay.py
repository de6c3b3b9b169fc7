"""A replay shows what the live page showed: the same elements at every event, whichever way one came there."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser import live_page_server
from tests.browser.answering import without_charts
from tests.browser.live_page_server import Played, served
from tests.browser.recorded_search import recorded_search, recorded_training
from tests.browser.replay_server import Replayed, ReplayHandler
from tests.browser.test_live_elements import Line
from tests.browser.test_shared_page import recorded
from tests.browser.watched_pages import PHONE, watch
from tests.web.slow_sizes import size

SEARCH = recorded_search(steps=6, size=6)
STREAMS = {
    "search": ("search", SEARCH),
    "training": ("training", recorded_training()),
    "enas-micro": ("search", recorded("enas-micro")),
    "enas-macro": ("search", recorded("enas-macro")),
    "enas-recurrent": ("search", recorded("enas-recurrent")),
}
# What both pages show of the stream itself. The line to the server is no part of it.
SHOWN = """() => [...document.querySelectorAll(
    "state-strip, best-cell, running-children, event-log, children-table, print-of-search, final-round, " +
    "shared-architecture, phase-panel, epochs-table, [data-test], reward-chart .only-read, shared-chart .only-read, " +
    "training-chart .only-read, .policy-foot"
)].map((node) => {
    const copy = node.cloneNode(true);
    for (const each of copy.querySelectorAll("[hidden], .connection, [role=status], svg, .button")) each.remove();
    const paths = [...node.querySelectorAll("svg path")].map((path) => path.getAttribute("d"));
    if (!node.checkVisibility()) return [node.localName, "", []];
    return [node.localName, copy.textContent.replace(/\\s+/g, " ").trim(), paths];
})"""
MARKS = "reward-chart .scatterlayer .trace .points path.point"


@pytest.fixture(autouse=True)
def _answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live_page_server, "_Handler", ReplayHandler)


@pytest.fixture
def chartless(page: Page) -> None:
    without_charts(page)


def go(page: Page, n: int) -> None:
    """By the slider, as a hand would move it."""
    page.locator(".replay-slider").evaluate(
        "(slider, n) => { slider.value = n; slider.dispatchEvent(new Event('input')); }", n
    )
    expect(page.locator(".replay-event")).to_contain_text(f"Event {n:,} of ")


def settled(page: Page, script: str) -> Any:
    """What the script finds, once it finds the same three times."""
    found: list[Any] = []
    for _ in range(30):
        page.wait_for_timeout(300)
        found.append(page.evaluate(script))
        if len(found) > 2 and found[-1] == found[-2] == found[-3]:
            return found[-1]
    raise AssertionError("The page does not come to rest.")


def shown_live(context: BrowserContext, kind: str, events: list[dict[str, Any]], n: int) -> Any:
    """What the live page shows after event n, at the moment of that event."""
    page = context.new_page()
    Line(page)
    without_charts(page)
    with served(Played(kind, events, n)) as address:
        page.clock.set_fixed_time(events[n - 1]["at"])
        page.goto(address)
        see_everything(page)
        found = settled(page, SHOWN)
    page.close()
    return found


def see_everything(page: Page) -> None:
    """Elements that ask only while they are seen have asked then."""
    page.set_viewport_size({"width": 1440, "height": 4000})


@pytest.mark.parametrize("name", STREAMS)
def test_a_replay_shows_what_the_live_page_showed(
    name: str, page: Page, context: BrowserContext, chartless: None
) -> None:
    kind, events = STREAMS[name]
    last = len(events)
    with served(Replayed(kind, events)) as address:
        page.goto(address)
        see_everything(page)
        # On, back, to the end, and to the beginning.
        for n in dict.fromkeys((last * 2 // 3, last // 5 + 1, last, 2)[: size(quick=2, slow=4)]):
            go(page, n)
            found, wanted = settled(page, SHOWN), shown_live(context, kind, events, n)
            assert [each for each in zip(found, wanted, strict=True) if each[0] != each[1]] == [], n


def test_the_chart_of_a_replay_has_the_points_of_its_moment(page: Page) -> None:
    with served(Replayed("search", SEARCH, at=len(SEARCH))) as address:
        page.goto(address)
        for n in (len(SEARCH), len(SEARCH) // 2):
            go(page, n)
            state = Played("search", SEARCH, n).state()
            told = sum(1 for step in state["steps"] if step[1] is not None)
            expect(page.locator(MARKS)).to_have_count(len(state["points"]) + told)


def test_a_click_in_the_policy_shows_the_children_that_had_taken_the_option_by_then(
    page: Page, chartless: None
) -> None:
    half, last = len(SEARCH) // 2, len(SEARCH)
    with served(Replayed("search", SEARCH, at=half)) as address:
        page.goto(address)
        page.get_by_label("normal 1 operation 1 over time").focus()
        page.keyboard.press("Enter")
        panel = page.get_by_role("region", name="Children that took the option")
        for n in (half, last):
            go(page, n)
            counted = Played("search", SEARCH, n).results()["counted"]
            expect(panel).to_contain_text(re.compile(rf"\b{counted} children that count"))
        assert panel.locator("li").count() > 0
        expect(panel.get_by_role("button", name="Ban here")).to_be_hidden()


@pytest.fixture
def replay(page: Page, chartless: None) -> Iterator[Replayed]:
    played = Replayed("search", SEARCH)
    with served(played) as address:
        page.goto(address)
        expect(page.locator(".replay-event")).to_have_text(f"Event 1 of {len(SEARCH):,}")
        expect(page.locator(".mark.is-step")).to_have_count(1)
        yield played


def test_keys_go_by_events_steps_and_to_the_ends(page: Page, replay: Replayed) -> None:
    steps = [event["n"] for event in SEARCH if event["kind"] == "step_proposed"]
    last = len(SEARCH)
    for key, n in (
        ("ArrowRight", 2), ("ArrowRight", 3), ("ArrowLeft", 2), ("PageUp", steps[1]), ("PageUp", steps[2]),
        ("PageDown", steps[1]), ("End", last), ("ArrowRight", last), ("Home", 1), ("ArrowLeft", 1),
    ):  # fmt: skip
        page.keyboard.press(key)
        expect(page.locator(".replay-event")).to_have_text(f"Event {n:,} of {last:,}")
    page.locator(".replay-slider").focus()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".replay-event")).to_have_text(f"Event 2 of {last:,}")
    expect(page.locator(".replay-slider")).to_have_attribute(
        "aria-valuetext", f"Event 2 of {last:,}, 22 Nov, 08:26:40, 0:00 running"
    )


def test_the_address_names_the_moment(page: Page, replay: Replayed) -> None:
    go(page, 77)
    page.wait_for_url("**?at=77")


def test_it_plays_to_the_end_stops_there_and_plays_again_from_the_beginning(page: Page, replay: Replayed) -> None:
    page.clock.install()
    page.clock.resume()
    page.get_by_label("Speed").select_option("1000")
    page.get_by_role("button", name="Play").click()
    expect(page.get_by_role("button", name="Pause")).to_be_visible()
    expect(page.locator(".replay-event")).to_have_text(f"Event {len(SEARCH):,} of {len(SEARCH):,}")
    expect(page.get_by_role("button", name="Play")).to_be_visible()
    expect(page.locator(".state")).to_have_text("finished")
    page.get_by_label("Speed").select_option("1")
    page.get_by_role("button", name="Play").click()
    expect(page.locator(".state")).to_have_text("running")
    page.get_by_role("button", name="Pause").click()


def test_the_whole_search_plays_in_half_a_minute(page: Page, replay: Replayed) -> None:
    page.get_by_role("button", name="Play").click()
    page.wait_for_timeout(3000)
    page.get_by_role("button", name="Pause").click()
    n = int(page.locator(".replay-event").inner_text().split()[1].replace(",", ""))
    assert len(SEARCH) * 0.03 < n < len(SEARCH) * 0.25  # A tenth, on a machine that may be busy.


def test_by_time_the_slider_stands_where_the_moment_is(page: Page, replay: Replayed) -> None:
    go(page, 100)
    page.get_by_label("The slider goes by").select_option("time")
    slider = page.locator(".replay-slider")
    assert float(slider.evaluate("(node) => node.value")) == pytest.approx(SEARCH[99]["at"], abs=0.01)
    wanted = next(event for event in SEARCH if event["at"] > SEARCH[0]["at"] + 30)
    slider.evaluate("(node, at) => { node.value = at; node.dispatchEvent(new Event('input')); }", wanted["at"] + 0.001)
    expect(page.locator(".replay-event")).to_have_text(f"Event {wanted['n']:,} of {len(SEARCH):,}")


def test_who_trained_what_then_is_told_by_the_events(page: Page, replay: Replayed) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    started = [event for event in SEARCH if event["kind"] == "child_started"]
    go(page, started[1]["n"])
    for event in started[:2]:
        expect(page.locator("workers-then tbody")).to_contain_text(
            f"{event['worker']}child {event['step']}.{event['slot']}"
        )
    page.locator("workers-then").scroll_into_view_if_needed()
    page.wait_for_timeout(300)
    assert not any("/api/workers" in url for url in asked)


def test_nothing_can_be_done_on_a_replay(page: Page, replay: Replayed) -> None:
    for act in ("pause", "resume", "ask-stop", "delete", "open"):
        expect(page.locator(f"[data-act={act}]")).to_have_count(0)
    expect(page.locator("stream-priority")).to_have_count(0)
    assert replay.posts == []


def test_a_replay_of_what_still_runs_grows_and_leads_to_the_live_page(page: Page, chartless: None) -> None:
    played = Replayed("search", SEARCH, n=100)
    with served(played) as address:
        page.clock.install()
        page.goto(address)
        page.clock.run_for(1000)
        expect(page.locator(".replay-event")).to_have_text("Event 1 of 100")
        link = page.get_by_role("link", name="Jump to live")
        expect(link).to_have_attribute("href", f"/searches/{live_page_server.ID}")
        played.n = len(SEARCH)
        for _ in range(15):
            page.clock.run_for(1000)
            page.wait_for_timeout(30)
        expect(page.locator(".replay-event")).to_have_text(f"Event 1 of {len(SEARCH):,}")
        expect(page.get_by_role("link", name="Live page")).to_be_visible()


def test_going_far_asks_for_a_near_state_and_back_asks_for_nothing(page: Page, chartless: None) -> None:
    long = recorded_search(steps=40, size=10)
    assert len(long) > 1800
    played = Replayed("search", long)
    with served(played) as address:
        page.goto(address)
        go(page, 1700)
        assert played.asked == ["states 1700"]
        requests: list[str] = []
        page.on("request", lambda request: requests.append(request.url))
        for n in (1690, 1699, 1675):
            go(page, n)
        assert [url for url in requests if "/states?" in url or "/events" in url] == []


def test_a_server_that_does_not_answer_is_told_and_forgotten(page: Page, replay: Replayed) -> None:
    page.route("**/events?**", lambda route: route.fulfill(body="no JSON"))
    page.keyboard.press("End")
    expect(page.locator(".replay-problem")).to_contain_text("The server answered with an error")
    page.unroute("**/events?**")
    page.keyboard.press("Home")
    page.keyboard.press("End")
    expect(page.locator(".replay-event")).to_have_text(f"Event {len(SEARCH):,} of {len(SEARCH):,}")
    expect(page.locator(".replay-problem")).to_have_text("")


def test_a_phone_has_the_bar_in_sight_and_no_sideways_scrolling(context: BrowserContext) -> None:
    watched = watch(context.new_page())
    page = watched.page
    page.set_viewport_size(PHONE)
    with served(Replayed("search", SEARCH, at=100)) as address:
        page.goto(address)
        page.locator("best-cell svg").wait_for()
        box = page.locator("replay-bar").bounding_box()
        assert box["y"] + box["height"] <= PHONE["height"] + 1 and box["height"] < 200
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert watched.complaints == []
