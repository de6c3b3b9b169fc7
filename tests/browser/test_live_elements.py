"""The live pages over recorded events: what they draw, how they follow the socket, and what their buttons ask for."""

import hashlib
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Page, WebSocketRoute, expect

from tests.browser.answering import without_charts
from tests.browser.live_page_server import HONESTY, Played, served
from tests.browser.recorded_search import recorded_search, recorded_training
from tests.browser.watched_pages import PHONE, watch

VENDOR = Path(__file__).resolve().parents[2] / "frontend" / "static" / "vendor"
SEARCH = recorded_search()
TRAINING = recorded_training()


class Line:
    """The test's end of the live socket: who connected, and a way to send."""

    def __init__(self, page: Page) -> None:
        self.connections: list[WebSocketRoute] = []
        page.route_web_socket("**/ws/streams/**", lambda line: self.connections.append(line))

    def send(self, events: list[dict[str, Any]]) -> None:
        self.connections[-1].send(json.dumps({"events": events}))


def _number_of(kind: str, nth: int) -> int:
    """How many events there are up to the nth of this kind."""
    return [event["n"] for event in SEARCH if event["kind"] == kind][nth - 1]


@pytest.fixture
def line(page: Page) -> Line:
    return Line(page)


def _open(page: Page, played: Played) -> Iterator[None]:
    with served(played) as address:
        page.clock.set_fixed_time(played.events[max(played.n, 1) - 1]["at"])
        page.goto(address)
        yield


@pytest.fixture
def chartless(page: Page) -> None:
    """Charts draw nothing: for tests of other things, because Plotly takes seconds to be read."""
    # As Plotly does, it gives every plot its `on`.
    without_charts(page)


@pytest.fixture
def drawn(page: Page, line: Line) -> Iterator[Played]:
    """A search of which 61 children have a verdict."""
    played = Played("search", SEARCH, _number_of("child_finished", 61))
    yield from (played for _ in _open(page, played))


@pytest.fixture
def midway(chartless: None, drawn: Played) -> Played:
    """The same without charts."""
    return drawn


@pytest.fixture
def beginning(page: Page, line: Line, chartless: None) -> Iterator[Played]:
    """A search whose first two children are in training."""
    played = Played("search", SEARCH, _number_of("epoch_ended", 3))
    yield from (played for _ in _open(page, played))


def test_every_child_is_a_mark_of_the_chart(page: Page, drawn: Played) -> None:
    state = drawn.state()
    counted = [flag for _, _, flag in state["points"]]
    marks = page.locator("reward-chart .scatterlayer .trace .points path.point")
    steps = sum(1 for _, mean, _, _ in state["steps"] if mean is not None)
    expect(marks).to_have_count(len(counted) + steps)


def test_children_that_come_by_the_socket_become_marks_too(page: Page, line: Line, drawn: Played) -> None:
    page.locator("reward-chart .trace").first.wait_for()
    page.clock.resume()
    line.send(SEARCH[drawn.n : _number_of("controller_updated", 9)])
    line.send(SEARCH[_number_of("controller_updated", 9) :])
    steps = sum(1 for event in SEARCH if event["kind"] == "controller_updated")
    marks = page.locator("reward-chart .scatterlayer .trace .points path.point")
    expect(marks).to_have_count(160 + steps)
    page.locator("cost-chart").scroll_into_view_if_needed()
    state = drawn.state(len(SEARCH))
    marks = 160 - state["failed"] + len(state["fronts"]["parameters"])  # Who is on the front has a mark on top.
    expect(page.locator("cost-chart .scatterlayer .trace .points path.point")).to_have_count(marks)


def test_the_charts_are_seen_and_not_blank(page: Page, drawn: Played) -> None:
    page.locator("reward-chart .trace").first.wait_for()
    main = _pixels_like(page.locator("reward-chart .chart-plot"), (11, 101, 119))
    assert main > 500, "the mean of each step is the main line"
    page.locator("cost-chart").scroll_into_view_if_needed()
    page.locator("cost-chart .point").first.wait_for()
    assert _pixels_like(page.locator("cost-chart .chart-plot"), (11, 101, 119)) > 200


def test_the_charts_are_drawn_anew_when_the_colour_scheme_changes(page: Page, drawn: Played) -> None:
    page.locator("reward-chart .trace").first.wait_for()
    page.emulate_media(color_scheme="dark")
    expect(page.locator("reward-chart path.js-line").last).to_have_css("stroke", "rgb(91, 194, 212)")
    assert _pixels_like(page.locator("reward-chart .chart-plot"), (91, 194, 212)) > 500


def test_the_first_screen_needs_no_scrolling(page: Page, midway: Played) -> None:
    page.locator("best-cell svg").wait_for()
    for selector in ("state-strip", "reward-chart", ".honesty", "best-cell"):
        box = page.locator(selector).bounding_box()
        assert box["y"] + box["height"] <= 900, selector
    expect(page.get_by_text(HONESTY)).to_be_visible()


def test_a_phone_has_one_column_and_no_sideways_scrolling(context: BrowserContext) -> None:
    page = watch(context.new_page())
    page.page.set_viewport_size(PHONE)
    Line(page.page)
    with served(Played("search", SEARCH, 400)) as address:
        page.page.goto(address)
        page.page.locator("best-cell svg").wait_for()
        page.page.locator("reward-chart .trace").first.wait_for()
        assert page.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        chart, cell = (page.page.locator(name).bounding_box() for name in ("reward-chart", "best-cell"))
        assert cell["y"] >= chart["y"] + chart["height"]
    assert page.complaints == []


def test_before_the_first_verdict_the_page_shows_children_training_and_the_uniform_policy(
    page: Page, beginning: Played
) -> None:
    expect(page.locator("best-cell h2")).to_have_text("Child 0.0, in training")
    expect(page.locator("best-cell svg")).to_be_visible()
    expect(page.locator("running-children li")).to_have_count(2)
    expect(page.locator("running-children li").first).to_contain_text("epoch 2 of 3")
    assert len(page.locator("running-children .spark-line").first.get_attribute("d")) > 5
    cells = page.locator("policy-map td[data-place]")
    state = beginning.state()
    expect(cells).to_have_count(sum(len(decision["options"]) for decision in state["decisions"]))
    operations = {cells.nth(index).text_content() for index in range(cells.count())}
    assert operations == {"50", "33", "8"}  # One of two inputs or combinations, of three inputs, of 13 operations.
    expect(page.get_by_role("link", name="Train this")).to_be_hidden()


def test_events_change_the_page_without_a_reload(page: Page, line: Line, beginning: Played) -> None:
    expect(page.locator(".strip-children dd")).to_have_text("0 of 160")
    until = _number_of("controller_updated", 2)
    line.send(SEARCH[beginning.n : until])
    expect(page.locator(".strip-children dd")).to_have_text("20 of 160")
    best = beginning.state(until)["best"]
    expect(page.locator(".strip-best dd")).to_have_text(f"{best['reward'] * 100:.2f} %")
    expect(page.locator("best-cell h2")).to_have_text(f"Best cell: child {best['step']}.{best['slot']}")
    expect(page.locator("event-log li").first).to_contain_text("Step 1: the controller learned.")


def test_a_broken_line_comes_back_where_it_was_and_counts_nothing_twice(
    page: Page, line: Line, beginning: Played
) -> None:
    line.send(SEARCH[beginning.n : 40])
    expect(page.locator(".strip-children dd")).to_have_text(f"{beginning.state(40)['done']} of 160")
    page.clock.resume()
    line.connections[-1].close(code=1011)
    expect(page.locator(".connection")).to_have_text("reconnecting")
    expect(page.locator(".connection")).to_have_text("live")
    assert line.connections[-1].url.endswith("?after=40")
    line.send(SEARCH[30:60])  # Ten of them are known already.
    expect(page.locator(".strip-children dd")).to_have_text(f"{beginning.state(60)['done']} of 160")


def test_a_gap_in_the_socket_is_filled_from_the_api(page: Page, line: Line, beginning: Played) -> None:
    beginning.n = 90
    line.send(SEARCH[80:90])
    expect(page.locator(".strip-children dd")).to_have_text(f"{beginning.state(90)['done']} of 160")


def test_a_silent_socket_makes_the_page_ask_by_itself(page: Page, line: Line, chartless: None) -> None:
    played = Played("search", SEARCH, 20)
    with served(played) as address:
        page.clock.install()
        page.goto(address)
        page.clock.run_for(500)
        expect(page.locator(".strip-children dd")).to_have_text(f"{played.state()['done']} of 160")
        played.n = 70
        page.clock.run_for(22_000)
        for _ in range(20):  # The answer comes by the real network; drawing waits for the page's own clock.
            page.clock.run_for(500)
            page.wait_for_timeout(50)
        expect(page.locator(".strip-children dd")).to_have_text(f"{played.state()['done']} of 160")


def test_a_refused_connection_says_why_and_does_not_come_again(page: Page, line: Line, beginning: Played) -> None:
    page.clock.resume()
    line.connections[-1].close(code=4401)
    expect(page.locator(".connection")).to_have_text("You are signed out. Open your sign-in link again.")
    page.wait_for_timeout(1200)
    assert len(line.connections) == 1


def test_stop_asks_before_it_stops(page: Page, midway: Played) -> None:
    page.get_by_role("button", name="Stop", exact=True).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    page.get_by_role("button", name="Keep going").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert midway.posts == []
    page.get_by_role("button", name="Stop", exact=True).click()
    with page.expect_response("**/stop") as answered:
        page.get_by_role("button", name="Stop the search").click()
    headers = answered.value.request.headers
    assert re.fullmatch(r"[0-9a-f]{32}", headers["idempotency-key"]) and headers["x-csrftoken"]
    expect(page.get_by_role("dialog")).to_be_hidden()
    assert [path.rsplit("/", 1)[1] for path in midway.posts] == ["stop"]


def test_a_refused_action_is_one_sentence_beside_the_buttons(context: BrowserContext) -> None:
    watched = watch(context.new_page())
    page = watched.page
    line = Line(page)
    played = Played("search", SEARCH, 50)
    with served(played) as address:
        page.goto(address)
        line.send([{"n": 51, "at": SEARCH[49]["at"], "kind": "state_changed", "state": "paused", "reason": None}])
        expect(page.locator("state-strip .state")).to_have_text("paused")
        page.get_by_role("button", name="Resume").click()
        expect(page.locator("stream-actions [data-error]")).to_have_text("It is not paused.")
    (refusal,) = watched.complaints  # The browser itself notes the 409.
    assert "409" in refusal


def test_the_table_is_sorted_and_paged_by_the_server(page: Page, midway: Played) -> None:
    table = page.locator("children-table")
    table.scroll_into_view_if_needed()
    expect(table.locator("tbody tr")).to_have_count(8)
    best = midway.state()["best"]
    expect(table.locator("tbody tr").first).to_contain_text(f"{best['step']}.{best['slot']}")
    table.get_by_role("button", name="Parameters").click()
    expect(table.locator("th[data-column=parameters]")).to_have_attribute("aria-sort", "ascending")
    least = min(parameters for parameters, *_ in midway.state()["sizes"])
    expect(table.locator("tbody tr").first).to_contain_text(f"{least / 1000:.1f} k")
    table.get_by_role("button", name="Next").click()
    expect(table.locator(".pager span")).to_have_text("page 2 of 8")
    expect(table.locator("tbody tr svg").first).to_be_visible()


def test_the_figures_of_the_policy_are_read_with_the_arrow_keys(page: Page, midway: Played) -> None:
    state = midway.state()
    page.get_by_role("button", name="One step, in figures").click()
    page.locator("policy-map td[data-place]").first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowRight")
    share = state["policy"]["probabilities"][1][1] * 100
    expect(page.locator(".policy-readout")).to_have_text(
        f"normal 1 input 2: previous, step {state['policy']['step']}: {share:.1f} % (all alike: 50.0 %)"
    )
    expect(page.locator("policy-map td:focus")).to_have_count(1)


def test_the_latest_cell_is_one_click_away(page: Page, midway: Played) -> None:
    latest = midway.state()["latest"]
    page.get_by_role("button", name="Latest").click()
    expect(page.locator("best-cell h2")).to_have_text(f"Latest cell: child {latest['step']}.{latest['slot']}")
    step, slot = latest["step"], latest["slot"]
    href = page.get_by_role("link", name="Train this").get_attribute("href")
    assert href.endswith(f"&step={step}&slot={slot}")


def test_elements_that_leave_and_come_back_are_whole_again(page: Page, line: Line, drawn: Played) -> None:
    page.locator("reward-chart .trace").first.wait_for()
    page.evaluate("const p = document.querySelector('live-page'); const q = p.parentNode; p.remove(); q.prepend(p);")
    page.locator("reward-chart .trace").first.wait_for()
    page.locator("best-cell svg").wait_for()
    wholes = {
        "state-strip dl": 1, "policy-map table": 6, ".chart-legend": 2, ".chart-plot": 2, "event-log ol": 1,
        "event-log li": len(drawn.state()["log"]), "running-children ul": 1, "children-table th": 6,
        "workers-panel th": 3, "download-menu details": 1, ".switch button": 7, ".policy-strip": 20,
    }  # fmt: skip
    for selector, count in wholes.items():
        expect(page.locator(selector), selector).to_have_count(count)
    assert len(line.connections) == 2
    page.get_by_role("button", name="Latest").click()
    expect(page.locator("best-cell h2")).to_contain_text("Latest cell")


def test_a_png_of_the_cells_is_made_in_the_browser(page: Page, midway: Played) -> None:
    page.locator("download-menu summary").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Picture (PNG)").click()
    image = Image.open(download.value.path())
    assert image.width > 400 and len(image.getcolors(1_000_000)) > 20


def test_a_training_shows_its_test_once_at_the_end(page: Page, line: Line) -> None:
    with served(Played("training", TRAINING, 8)) as address:
        page.clock.set_fixed_time(TRAINING[7]["at"])
        page.goto(address)
        expect(page.locator(".strip-epochs dd")).to_have_text("7 of 12")
        expect(page.locator(".strip-test dd")).to_have_text("after the end")
        expect(page.locator("training-chart .point")).to_have_count(14)
        expect(page.get_by_text("can be downloaded when the training has ended")).to_be_visible()
        line.send(TRAINING[8:])
        expect(page.locator("[data-test]")).to_have_text("86.15 % on 2,000 test images, looked at once")
        expect(page.get_by_role("link", name="Checkpoint")).to_be_visible()
        expect(page.get_by_role("button", name="Stop", exact=True)).to_be_hidden()


def test_the_vendored_files_are_those_that_were_checked() -> None:
    sums = (VENDOR / "plotly" / "SHA256SUMS").read_text().splitlines()
    assert {line.split()[1] for line in sums} == {"plotly-cartesian.min.js", "LICENSE"}
    for line in sums:
        digest, name = line.split()
        assert hashlib.sha256((VENDOR / "plotly" / name).read_bytes()).hexdigest() == digest


def _pixels_like(locator: Any, colour: tuple[int, int, int]) -> int:
    """How many pixels of the element's picture are nearly of this colour."""
    image = Image.open(io.BytesIO(locator.screenshot())).convert("RGB")
    colours = image.getcolors(image.width * image.height)
    return sum(n for n, pixel in colours if all(abs(a - b) < 12 for a, b in zip(pixel, colour, strict=True)))


def test_before_the_first_draw_the_cell_panel_shows_open_cells_and_how_much_is_open(
    page: Page, line: Line, chartless: None
) -> None:
    with served(Played("search", SEARCH, _number_of("search_started", 1))) as address:
        page.goto(address)
        expect(page.locator("best-cell h2")).to_have_text("Nothing is drawn yet")
        expect(page.locator("best-cell .open-cells")).to_be_visible()
        expect(page.locator("best-cell")).to_contain_text("20 open decisions, about 10¹³ architectures.")
        line.send(SEARCH[1 : _number_of("step_proposed", 1)])
        expect(page.locator("best-cell h2")).to_have_text("Child 0.0, drawn")
        expect(page.locator("best-cell")).to_contain_text("Drawn, not yet trained")
        expect(page.locator("best-cell .open-cells")).to_be_hidden()


def test_where_every_child_failed_no_cell_is_called_the_best(page: Page, line: Line, chartless: None) -> None:
    failed = [
        {**event, "reward": 0.0, "reason": "diverged", "twin": None} if event["kind"] == "child_finished" else event
        for event in SEARCH
    ]
    with served(Played("search", failed, len(failed))) as address:
        page.goto(address)
        expect(page.locator("best-cell h2")).to_contain_text("no reward")
        expect(page.locator("best-cell .best-facts")).to_contain_text("no measured reward")
        advice = page.locator("state-strip .strip-reason")
        expect(advice).to_contain_text("No child has a reward, so there is no best cell: all 160 failed.")
        expect(advice).to_contain_text("a lower learning rate")
        row = page.locator("children-table tbody tr").first
        row.scroll_into_view_if_needed()
        expect(row.locator("td").nth(2)).to_have_text("–diverged")


def test_where_every_child_is_over_a_bound_the_advice_is_on_bounds(page: Page, line: Line, chartless: None) -> None:
    reason = "over the bound: the network has 8,750 parameters, at most 5,000 were allowed"
    told = {"reward": 0.0, "reason": reason, "twin": None, "over": "parameters", "times": 1.75}
    over = [event | told if event["kind"] == "child_finished" else event for event in SEARCH]
    with served(Played("search", over, len(over))) as address:
        page.goto(address)
        advice = page.locator("state-strip .strip-reason")
        expect(advice).to_contain_text("No child was trained, so there is no best cell: all 160 are over a bound.")
        expect(advice).to_contain_text("choose looser bounds")
        expect(advice).not_to_contain_text("learning rate")
        expect(page.locator("event-log")).to_contain_text(f"was never trained, because it is {reason}.")
        page.locator("children-table tbody tr").first.scroll_into_view_if_needed()
        expect(page.locator("children-table tbody tr").first).to_contain_text("8,750 parameters")
        frame = page.locator(".children-frame")
        assert frame.evaluate("frame => frame.scrollWidth <= frame.clientWidth")


def test_a_search_with_rewards_gets_no_advice_on_failing(page: Page, midway: Played) -> None:
    expect(page.locator(".strip-children dd")).to_have_text("61 of 160")
    expect(page.locator("state-strip .strip-reason")).to_be_hidden()


def test_behind_its_last_epoch_a_training_says_what_it_still_does(page: Page, line: Line, chartless: None) -> None:
    last = max(event["n"] for event in TRAINING if event["kind"] == "epoch_ended")
    with served(Played("training", TRAINING, last - 1)) as address:
        page.goto(address)
        said = page.locator("state-strip .strip-reason")
        expect(said).to_be_hidden()
        line.send(TRAINING[last - 1 : last])
        expect(said).to_contain_text("The last epoch is done. Now the test images are looked at")
        line.send(TRAINING[last:])
        expect(said).to_be_hidden()


def test_a_training_of_two_epochs_has_no_number_twice_on_its_axis(page: Page, line: Line) -> None:
    short = [
        {**event, "config": {**event["config"], "recipe": {**event["config"]["recipe"], "epochs": 2}}}
        if event["kind"] == "training_started"
        else {**event, "epochs": 2}
        for event in TRAINING[:3]
    ]
    with served(Played("training", short, 3)) as address:
        page.goto(address)
        page.locator("training-chart .point").first.wait_for()
        assert page.locator("training-chart .xtick text").all_text_contents() == ["1", "2"]


def test_accuracies_that_lie_close_have_no_number_twice_on_their_axis(page: Page, line: Line) -> None:
    close = [
        {**event, "accuracy": 0.861 + event["epoch"] / 10_000} if event["kind"] == "epoch_ended" else event
        for event in TRAINING[:6]
    ]
    with served(Played("training", close, 6)) as address:
        page.goto(address)
        page.locator("training-chart .point").first.wait_for()
        ticks = page.locator("training-chart .y2tick text").all_text_contents()
        assert len(ticks) > 2 and len(set(ticks)) == len(ticks)


def test_the_page_stands_before_its_charts_can_be_drawn(page: Page, line: Line) -> None:
    page.route("**/plotly-cartesian.min.js", lambda route: None)  # It never comes.
    with served(Played("search", SEARCH, _number_of("child_finished", 61))) as address:
        page.goto(address, wait_until="commit")
        expect(page.locator(".strip-children dd")).to_have_text("61 of 160")
        expect(page.locator("best-cell svg")).to_be_visible()
