"""Accuracy against cost: the front that is folded point by point, and the chart whose points open their cells."""

import json
import random

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from search_engine.events import FinalistsChosen, FinalistShown
from tests.browser.live_page_server import ID, Played, served
from tests.browser.recorded_search import recorded_search
from tests.browser.watched_pages import PHONE
from webapp.searches.bounded_lists import front_with

CHART = "cost-chart"


def bounded_search():
    """The recorded search, with cost in the reward, measured latencies and some children over a bound."""
    events = recorded_search()
    for event in events:
        if event["kind"] != "child_finished":
            continue
        ms = round(event["parameters"] / 20_000 + (event["slot"] % 3) * 0.3, 3)
        timed = {"ms": ms, "batch": 1, "repeats": 21, "warm_up": 5, "device": "cpu, 1 thread"}
        if event["parameters"] > 105_000:
            event |= {
                "reward": 0.0,
                "twin": None,
                "over": "parameters",
                "times": event["parameters"] / 105_000,
                "reason": (
                    f"over the bound: the network has {event['parameters']:,} parameters, at most 105,000 were allowed"
                ),
            }
        elif event["reason"] is None:
            event |= {"accuracy": event["reward"], "reward": round(event["reward"] * (ms / 3) ** -0.07, 6)}
            event["latency"] = timed
    return events


SEARCH = bounded_search()


def opened(page: Page, address: str) -> None:
    page.route_web_socket("**/ws/streams/**", lambda line: None)
    page.clock.set_fixed_time(SEARCH[-1]["at"])
    page.goto(address)
    page.locator(CHART).scroll_into_view_if_needed()
    page.locator(f"{CHART} .point").first.wait_for()


@pytest.fixture
def chart_page(page: Page):
    with served(Played("search", SEARCH, len(SEARCH))) as address:
        opened(page, address)
        yield page


def test_both_folds_of_50_000_points_give_the_same_front_and_it_is_the_right_one(page: Page) -> None:
    draw = random.Random(0)
    points = [[draw.randrange(1, 10**6), round(draw.random(), 3), index] for index in range(50_000)]
    front: list = []
    for point in points:
        front = front_with(front, point, 400)
    best: dict[int, float] = {}
    for cost, accuracy, _ in points:
        best[cost] = max(best.get(cost, 0.0), accuracy)
    expected, highest = [], -1.0
    for cost in sorted(best):
        if best[cost] > highest:
            highest = best[cost]
            expected.append((cost, highest))
    assert [(cost, accuracy) for cost, accuracy, _ in front] == expected
    with served(Played("search", [], 0)) as address:
        page.goto(address.replace("/live", "/empty"))
        folded = page.evaluate(
            """async ([module, points]) => {
                const { frontWith } = await import(module);
                return points.reduce((front, point) => frontWith(front, point, 400), []);
            }""",
            [f"{settings.STATIC_URL}js/live/front.js", points],
        )
    assert folded == front


def test_the_front_is_drawn_and_children_over_a_bound_are_drawn_apart(chart_page: Page) -> None:
    over = sum("over" in event for event in SEARCH)
    failed = sum(e["kind"] == "child_finished" and e["reason"] is not None for e in SEARCH)
    traces = chart_page.evaluate(f"document.querySelector('{CHART} .chart-plot').data.map(t => [t.name, t.x.length])")
    assert over > 3
    assert [count for name, count in traces if name == "child"] == [160 - failed]
    assert [count for name, count in traces if name == "over a bound"] == [over]
    told = chart_page.evaluate(
        f"document.querySelector('{CHART} .chart-plot').data.find(t => t.name === 'over a bound').customdata.at(-1)[1]"
    )
    times = max(e["times"] for e in SEARCH if e.get("over"))  # The dearest comes last.
    assert told.endswith(f" {100 * (times - 1):.0f} % over the bound on parameters, never trained")
    expect(chart_page.locator("state-strip")).to_contain_text(f"{over} over bounds")


def test_the_axis_can_be_any_cost_that_is_known(chart_page: Page) -> None:
    for along, title in (("mult_adds", "mult-adds (log scale)"), ("latency", "latency (ms, log scale)")):
        chart_page.locator(f"{CHART} button[data-along={along}]").click()
        expect(chart_page.locator(f"{CHART} .xtitle")).to_have_text(title)


def test_arrow_keys_go_from_child_to_child_and_enter_opens_one(chart_page: Page) -> None:
    chart_page.locator(f"{CHART} .chart-plot").focus()
    chart_page.keyboard.press("Home")
    words = chart_page.locator(f"{CHART} .cost-words")
    expect(words).to_contain_text("Enter opens it")
    cheapest = words.inner_text()
    chart_page.keyboard.press("ArrowRight")
    expect(words).not_to_have_text(cheapest)
    step, slot = words.inner_text().split(":")[0].removeprefix("child ").split(".")
    with chart_page.expect_request(f"**/searches/{ID}/children/{step}/{slot}"):
        chart_page.route(f"**/searches/{ID}/children/{step}/{slot}", lambda route: route.fulfill(body="opened"))
        chart_page.keyboard.press("Enter")


def test_arrow_keys_reach_the_children_over_a_bound_too(chart_page: Page) -> None:
    chart_page.locator(f"{CHART} .chart-plot").focus()
    chart_page.keyboard.press("End")
    words = chart_page.locator(f"{CHART} .cost-words")
    expect(words).to_contain_text("over the bound on parameters, never trained. Enter opens it")
    step, slot = words.inner_text().split(":")[0].removeprefix("child ").split(".")
    ring = f"document.querySelector('{CHART} .chart-plot').data.find(({{name}}) => name === 'chosen')?.x.length"
    chart_page.wait_for_function(f"() => {ring} === 1")
    with chart_page.expect_request(f"**/searches/{ID}/children/{step}/{slot}"):
        chart_page.route(f"**/searches/{ID}/children/{step}/{slot}", lambda route: route.fulfill(body="opened"))
        chart_page.keyboard.press("Enter")


def test_short_latencies_are_written_in_milliseconds(page: Page) -> None:
    events = [
        event | {"latency": event["latency"] | {"ms": event["latency"]["ms"] / 10}} if event.get("latency") else event
        for event in SEARCH
    ]
    with served(Played("search", events, len(events))) as address:
        opened(page, address)
        page.locator(f"{CHART} button[data-along=latency]").click()
        expect(page.locator(f"{CHART} .xtitle")).to_have_text("latency (ms, log scale)")
        ticks = page.locator(f"{CHART} .xtick").all_text_contents()
        assert len(ticks) >= 3 and all(0.1 < float(tick) < 2 for tick in ticks)


def test_ticks_of_a_logarithmic_axis_are_few_and_round(page: Page) -> None:
    with served(Played("search", [], 0)) as address:
        page.goto(address.replace("/live", "/empty"))
        ticks = page.evaluate(
            """async ([module, ranges]) => {
                const { logTicks } = await import(module);
                return ranges.map((values) => logTicks(values).tickvals ?? null);
            }""",
            [f"{settings.STATIC_URL}js/drawing/figure_base.js",
             [[5100, 20100], [9_570, 25_000], [0.6, 1.3], [90_000, 4e9], [1, 1e12], [7, 7], [0, 1]]],
        )  # fmt: skip
    assert ticks == [
        [7000, 10000, 15000, 20000],
        [10000, 15000, 20000],
        [0.6, 0.7, 0.8, 1, 1.2],
        [1e5, 1e6, 1e7, 1e8, 1e9],
        [1e0, 1e3, 1e6, 1e9, 1e12],
        None,
        None,
    ]


def test_a_click_on_a_point_opens_its_cell(chart_page: Page) -> None:
    chart_page.route("**/searches/*/children/*/*", lambda route: route.fulfill(body="opened"))
    point = chart_page.locator(f"{CHART} .scatterlayer .trace .points path.point").first.bounding_box()
    assert point is not None
    x, y = point["x"] + point["width"] / 2, point["y"] + point["height"] / 2
    chart_page.mouse.move(x, y)
    with chart_page.expect_request(f"**/searches/{ID}/children/*/*"):
        chart_page.mouse.click(x, y)


def test_the_chart_fits_a_phone(page: Page) -> None:
    page.set_viewport_size(PHONE)
    with served(Played("search", SEARCH, len(SEARCH))) as address:
        opened(page, address)
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_weighed_reward_is_a_number_with_the_accuracy_beside_it_wherever_it_stands(page: Page) -> None:
    events = with_one_finalist(SEARCH)
    with served(Played("search", events, len(events))) as address:
        opened(page, address)
        best = Played("search", SEARCH, len(SEARCH)).state()["best"]
        told, accuracy = f"{best['reward']:.4f}", f"accuracy {100 * best['accuracy']:.2f} %"
        expect(page.locator("best-cell .best-facts")).to_contain_text(f"{told}, {accuracy}")
        page.locator("children-table").scroll_into_view_if_needed()  # It asks only while it can be seen.
        expect(page.locator("children-table tbody tr").first).to_contain_text(f"{told}{accuracy}")
        expect(page.locator("final-round tbody tr")).to_contain_text(f"{told}, {accuracy}")
        expect(page.locator(".strip-best")).to_have_text(f"best reward, {accuracy}{told}")


def test_the_latest_child_says_which_bound_it_is_over_and_by_how_much(page: Page) -> None:
    last = max(event["n"] for event in SEARCH if event.get("over"))
    with served(Played("search", SEARCH, last)) as address:
        opened(page, address)
        page.get_by_role("button", name="Latest").click()
        share = 100 * (SEARCH[last - 1]["times"] - 1)
        words = f"{share:.2g} % over the bound on parameters, never trained · "
        expect(page.locator("best-cell .best-facts")).to_contain_text(words)


def test_an_excess_is_never_told_as_nothing(page: Page) -> None:
    with served(Played("search", [], 0)) as address:
        page.goto(address.replace("/live", "/empty"))
        words = page.evaluate(
            """async (module) => {
                const { overBound } = await import(module);
                return [1.25, 1.034, 1.0012, 1.00000001, 12, undefined].map(
                    (times) => overBound({ over: "mult_adds", times }));
            }""",
            f"{settings.STATIC_URL}js/drawing/cost_words.js",
        )
    shares = ["25 % ", "3.4 % ", "0.12 % ", "less than 0.01 % ", "1,100 % ", ""]
    assert words == [f"{share}over the bound on mult-adds, never trained" for share in shares]


def with_one_finalist(events):
    """The same before its end, when the best child was chosen for the final round."""
    best = Played("search", events, len(events)).state()["best"]
    finalist = FinalistShown(rank=1, **{
        name: best[name] for name in ("step", "slot", "reward", "accuracy", "architecture", "hash")
    })  # fmt: skip
    row = FinalistsChosen(finalists=(finalist,)).to_json()
    return [*events[:-1], {"n": len(events), "at": events[-1]["at"], **row}]


def test_no_event_of_the_recording_is_unknown_to_the_engine() -> None:
    from search_engine.events import event_from_json

    for event in SEARCH:
        event_from_json(
            {name: value for name, value in json.loads(json.dumps(event)).items() if name not in ("n", "at")}
        )
