"""The live page against random search: the band, the lead, the verdict, and what it says while it waits."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import Page, expect

from search_engine.comparison import band, thinned
from tests.browser.live_page_server import ID, Played, served
from tests.browser.recorded_search import recorded_search
from tests.browser.watched_pages import PHONE

SEARCH = recorded_search()
POOL = [0.6 + 0.001 * (number * 37 % 100) for number in range(160)]
COMPANION = {"id": ID, "url": f"/searches/{ID}", "state": "finished", "done": 160, "total": 160}
AHEAD: dict[str, Any] = {
    "verdict": "ahead",
    "sentences": ["The controller is ahead of random search. This is one run of the controller.", "How it counts."],
    "waiting": "",
    "companion": COMPANION,
    "counted": 156,
    "pool": 160,
    "runs": 1,
    "at": 156,
    "lead": 0.0123,
    "test": {
        "late": 40, "random": 160, "late_mean": 0.71, "random_mean": 0.65, "difference": 0.06, "low": 0.05,
        "high": 0.07, "p": 0.0005,
    },
    "band": [
        {"n": each.n, "place": each.n - 1, "expected": each.expected, "low": each.low, "high": each.high}
        for each in band(POOL, thinned(160, 100))
    ],
    "is_over": True,
}  # fmt: skip
WAITING = AHEAD | {
    "verdict": "waiting", "sentences": [], "waiting": "A verdict waits for 10 random children, of which 0 are there.",
    "companion": COMPANION | {"state": "running", "done": 0}, "counted": 3, "pool": 0, "runs": 0, "at": 0,
    "lead": None, "test": None, "band": [], "is_over": False,
}  # fmt: skip
TRACES = """() => (document.querySelector('reward-chart .js-plotly-plot')?.data ?? []).map(({ name, fill, x }) =>
  [name ?? '', fill ?? 'none', x.length])"""


@pytest.fixture
def played(page: Page) -> Iterator[Played]:
    page.route_web_socket("**/ws/streams/**", lambda line: None)
    yield Played("search", SEARCH, len(SEARCH))


def test_the_band_stands_in_the_chart_the_lead_in_the_strip_and_the_verdict_in_words(
    page: Page, played: Played
) -> None:
    played.comparison = AHEAD
    with served(played) as address:
        page.goto(address)
        expect(page.locator(".strip-lead")).to_have_text("ahead of random (one run)+1.23 points")
        expect(page.locator("random-comparison .verdict")).to_have_text("The controller is ahead")
        panel = page.locator("random-comparison")
        expect(panel).to_contain_text("This is one run of the controller.")
        expect(panel).to_contain_text("+6.00 points (+5.00 to +7.00)")
        expect(panel.get_by_role("link", name="The random search beside it")).to_have_attribute(
            "href", COMPANION["url"]
        )
        expect(panel.get_by_role("button", name="Compare with random search")).to_be_hidden()
        expect(page.locator("reward-chart .chart-legend")).to_contain_text("best of n random children")
        page.wait_for_function(f"() => ({TRACES})().some(([name]) => name === 'best of n random')")
        traces = page.evaluate(TRACES)
        assert ["", "tonexty", 100] in traces and ["best of n random", "none", 100] in traces


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_band_is_drawn_in_the_colours_of_the_scheme(page: Page, played: Played, scheme: Any) -> None:
    played.comparison = AHEAD
    page.emulate_media(color_scheme=scheme)
    with served(played) as address:
        page.goto(address)
        area = page.locator("reward-chart .fills path").first
        expect(area).to_be_attached(timeout=20_000)
        blue = {"light": "rgb(67, 97, 184)", "dark": "rgb(146, 169, 255)"}[scheme]
        assert area.evaluate("(path) => getComputedStyle(path).fill") == blue


def test_where_random_is_as_good_the_page_says_so(page: Page, played: Played) -> None:
    played.comparison = AHEAD | {"verdict": "not ahead", "lead": -0.004, "sentences": ["Random search is as good."]}
    with served(played) as address:
        page.goto(address)
        expect(page.locator("random-comparison .verdict")).to_have_text("Random is as good or better")
        expect(page.locator(".strip-lead")).to_have_text("behind random (one run)−0.40 points")


def test_while_it_waits_it_says_for_what_and_asks_again_until_the_companion_has_ended(
    page: Page, played: Played
) -> None:
    played.comparison = WAITING
    with served(played) as address:
        page.goto(address)
        expect(page.locator("random-comparison")).to_contain_text("A verdict waits for 10 random children")
        expect(page.locator(".strip-lead dd")).to_have_text("–")
        played.comparison = AHEAD
        expect(page.locator("random-comparison .verdict")).to_have_text("The controller is ahead", timeout=10_000)


def test_where_cost_weighs_in_the_reward_nothing_is_a_percentage(page: Page, played: Played) -> None:
    played.comparison = AHEAD | {"weighs_cost": True, "sentences": ["The controller is ahead."]}
    with served(played) as address:
        page.goto(address)
        expect(page.locator("random-comparison .verdict")).to_be_visible()
        test = AHEAD["test"]
        facts = page.locator("random-comparison dl")
        expect(facts).to_contain_text(f"{test['late_mean']:.4f}")
        expect(facts).to_contain_text(f"+{test['difference']:.4f} (+{test['low']:.4f} to +{test['high']:.4f})")
        assert "points" not in facts.inner_text() and " %" not in facts.inner_text().replace("95 %", "")
        assert "points" not in page.locator(".strip-lead").inner_text()


def test_a_search_without_companion_offers_one(page: Page, played: Played) -> None:
    played.comparison = WAITING | {"companion": None, "waiting": "No random search of these settings has run yet."}
    with served(played) as address:
        page.goto(address)
        assert page.locator(".strip-lead").count() == 0
        expect(page.locator("random-comparison")).to_contain_text("Starts 160 more children")
        with page.expect_navigation():
            page.get_by_role("button", name="Compare with random search").click()
        assert played.posts == [f"/api/searches/{ID}/companion"]


def test_a_phone_holds_all_of_it(page: Page, played: Played) -> None:
    played.comparison = AHEAD
    page.set_viewport_size(PHONE)
    with served(played) as address:
        page.goto(address)
        expect(page.locator("random-comparison .verdict")).to_be_visible()
        for selector in ("random-comparison", "random-comparison dl", "state-strip"):
            box = page.locator(selector).first.bounding_box()
            assert box is not None and box["x"] >= 0 and box["x"] + box["width"] <= PHONE["width"], (selector, box)
        assert page.evaluate("document.querySelector('random-comparison').scrollWidth") <= PHONE["width"]


def test_words_of_a_lead_have_a_sign_and_a_side(page: Page, played: Played) -> None:
    with served(played) as address:
        page.goto(address.replace("/live", "/empty"))
        words = page.evaluate(
            """async (module) => {
              const { lead } = await import(module);
              return [0.0125, -0.004, 0.00001, null].map((value) => Object.values(lead(value)))
                .concat([0.0125, 0.00001, null].map((value) => Object.values(lead(value, true)))); // Weighed.
            }""",
            f"{settings.STATIC_URL}js/drawing/comparison_words.js",
        )
        assert words == [
            ["+1.25 points", "ahead of random"], ["−0.40 points", "behind random"],
            ["0.00 points", "level with random"], ["–", "lead over random"],
            ["+0.0125", "ahead of random"], ["0.0000", "level with random"], ["–", "lead over random"],
        ]  # fmt: skip
