"""The honesty meter and the random companion on the live page of shared weights, looked at in a real browser."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from search_engine.rank_correlation import rank_correlation, sentence
from tests.browser.live_page_server import ALONE, ID, METER, Played, served
from tests.browser.test_live_elements import Line
from tests.browser.test_shared_page import recorded, up_to
from tests.browser.watched_pages import DESKTOP, PHONE, watch

SCORES, HELD_OUT = [0.2, 0.3, 0.4, 0.5, 0.6], [0.62, 0.61, 0.64, 0.63, 0.66]
FOUND = rank_correlation(SCORES, HELD_OUT)
LIMITS = "The networks were picked so that their scores are spread."
BEST = {"id": ID, "url": f"/trainings/{ID}", "held_out": 0.71, "test": 0.702, "test_examples": 10_000}
SIDE = {
    "id": ID, "url": f"/searches/{ID}", "state": "finished", "done": 3, "epochs": 3, "scored": 24, "median_score": 0.31,
    "best_score": 0.42, "entropy": 12.125, "trainings": 1, "open": 0, "best": BEST,
}  # fmt: skip
NOT_AHEAD: dict[str, Any] = {
    "verdict": "not ahead", "waiting": "", "measured": "accuracy", "difference": -0.01, "is_over": True, "search": SIDE,
    "random": SIDE | {"entropy": 32.03, "best": BEST | {"held_out": 0.7, "test": 0.712}},
    "sentences": ["Random search is as good or better.", "This is one run of each.", "Own weights."],
}  # fmt: skip


def network(place: int, **changes: Any) -> dict[str, Any]:
    return {
        "step": 0, "slot": place, "hash": str(place) * 64, "score": SCORES[place],
        "url": f"/searches/{ID}/children/0/{place}", "training": ID, "training_url": f"/trainings/{place}",
        "state": "finished", "reason": "", "epoch": 2, "epochs": 2, "held_out": HELD_OUT[place],
    } | changes  # fmt: skip


FREE = METER | {"candidates": 24, "usual": 6, "most": 20, "epochs": 2}
MEASURED = FREE | {
    "networks": [network(place) for place in range(5)],
    "sentences": [sentence(FOUND, measured="accuracy"), LIMITS],
    "correlation": {"count": 5, "value": FOUND.value, "low": FOUND.low, "high": FOUND.high, "p": FOUND.p,
                    "is_exact": True, "verdict": FOUND.verdict},
}  # fmt: skip
TRAINING = FREE | {
    "networks": [network(0), network(1, state="running", epoch=1, held_out=None),
                 network(2, state="failed", reason="It diverged.", held_out=None)],
    "waiting": "1 of 3 networks are trained. The correlation is worked out from 3 on.", "is_open": True,
    "sentences": [LIMITS],
}  # fmt: skip


@pytest.fixture
def played(page: Page) -> Played:
    Line(page)
    events = recorded("enas-micro")
    played = Played("search", events, len(events))
    played.meter = FREE
    return played


@pytest.fixture
def opened(page: Page, played: Played) -> Iterator[Any]:
    """A function that opens the page and shows the meter."""
    with served(played) as address:

        def go() -> Any:
            page.goto(address)
            meter = page.locator("honesty-meter")
            meter.scroll_into_view_if_needed()
            return meter

        yield go


def test_candidates_are_trained_from_scratch_at_the_press_of_a_button(page: Page, played: Played, opened: Any) -> None:
    played.meter_cost = {"networks": 6, "seconds": 95.0, "errors": []}
    meter = opened()
    expect(meter.get_by_label("Networks", exact=True)).to_have_value("6")
    expect(meter).to_contain_text("Starts 6 networks, about 1:35 on the workers that are here.")
    meter.get_by_label("Epochs each").fill("3")
    played.meter = TRAINING
    meter.get_by_label("Epochs each").press("Enter")
    expect(meter).to_contain_text("1 of 3 networks are trained.")
    assert played.wanted == {"networks": 6, "epochs": 3}
    assert played.posts == [f"/api/searches/{ID}/honesty-meter"]


def test_while_they_train_it_shows_how_far_each_is_and_moves(page: Page, played: Played, opened: Any) -> None:
    played.meter = TRAINING
    meter = opened()
    rows = meter.locator("tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.nth(0)).to_contain_text("failed")
    expect(rows.nth(0)).to_contain_text("It diverged.")  # The highest score stands first.
    expect(rows.nth(1)).to_contain_text("epoch 1 of 2")
    expect(rows.nth(2)).to_contain_text("62.00 %")
    expect(rows.nth(1).get_by_role("link", name="epoch 1 of 2")).to_have_attribute("href", "/trainings/1")
    expect(meter.locator(".verdict")).to_be_hidden()
    played.meter = MEASURED
    expect(rows).to_have_count(5, timeout=10_000)  # It asks again by itself.
    expect(meter.locator(".verdict")).to_be_visible()
    expect(meter.get_by_role("button", name="Stop these trainings")).to_be_hidden()


def test_they_can_be_stopped(page: Page, played: Played, opened: Any) -> None:
    played.meter = TRAINING
    meter = opened()
    stop = meter.get_by_role("button", name="Stop these trainings")
    expect(stop).to_be_visible()
    networks = [network(place, state="stopped", held_out=None) for place in range(3)]
    played.meter = TRAINING | {"networks": networks, "is_open": False, "waiting": "Only 0 of 3 networks were trained."}
    stop.click()
    expect(stop).to_be_hidden()
    expect(meter.locator("tbody .state.is-stopped")).to_have_count(3)
    assert played.posts == [f"/api/searches/{ID}/honesty-meter/stop"]


def test_what_came_of_it_is_said_with_its_interval_and_drawn(page: Page, played: Played, opened: Any) -> None:
    played.meter = MEASURED
    meter = opened()
    expect(meter.locator(".verdict")).to_have_text("Left open by these networks")
    expect(meter).to_contain_text(f"rank correlation +{FOUND.value:.2f}, 95 % interval")
    expect(meter).to_contain_text("With 5 networks the interval is wide.")
    expect(meter).to_contain_text(LIMITS)
    expect(meter.locator("meter-chart .points path")).to_have_count(5, timeout=20_000)


def test_the_points_are_reached_by_keyboard_and_open_their_training(page: Page, played: Played, opened: Any) -> None:
    played.meter = MEASURED
    page.route("**/trainings/1", lambda route: route.fulfill(body="<title>Training</title>", content_type="text/html"))
    meter = opened()
    plot = meter.locator(".chart-plot")
    expect(meter.locator("meter-chart .points path")).to_have_count(5, timeout=20_000)
    plot.focus()
    page.keyboard.press("ArrowRight")
    expect(meter.locator("meter-chart [role=status]")).to_have_text(
        "Candidate 0.0: shared score 20.00 %, from scratch 62.00 %. Enter opens its training."
    )
    page.keyboard.press("ArrowRight")
    expect(meter.locator("meter-chart .points path")).to_have_count(6)  # The ring.
    with page.expect_navigation(url="**/trainings/1"):
        page.keyboard.press("Enter")


def test_a_wrong_number_is_said_at_its_field_and_nothing_is_sent(page: Page, played: Played, opened: Any) -> None:
    meter = opened()
    networks = meter.get_by_label("Networks", exact=True)
    networks.fill("2")
    meter.get_by_role("button", name="Train them from scratch").click()
    expect(meter.locator("#meter-networks-error")).to_have_text("Must be a whole number from 3 to 20.")
    assert networks.get_attribute("aria-invalid") == "true" and not played.posts
    networks.fill("4")
    expect(meter.locator("#meter-networks-error")).to_have_text("")
    played.meter_cost = {
        "networks": None, "seconds": None,
        "errors": [{"field": "epochs", "message": "is 9; networks of 2 epochs are still in training."}],
    }  # fmt: skip
    meter.get_by_label("Epochs each").fill("9")
    expect(meter.locator("#meter-epochs-error")).to_have_text("Is 9; networks of 2 epochs are still in training.")
    expect(meter.get_by_role("button", name="Train them from scratch")).to_be_disabled()


def test_before_the_candidates_it_says_when_it_can_be_asked_for(page: Page, played: Played, opened: Any) -> None:
    played.n = up_to(played.events, "controller_phase_ended")
    meter = opened()
    expect(meter).to_contain_text("This can be asked for when the search has ended and its candidates are there.")
    expect(meter.locator("meter-form")).to_be_hidden()
    expect(meter.locator("meter-chart")).to_be_hidden()


def test_with_too_few_candidates_there_is_a_sentence_and_no_form(page: Page, played: Played, opened: Any) -> None:
    played.meter = METER | {"candidates": 2, "most": 2, "waiting": "Only 2 different candidates have a score."}
    meter = opened()
    expect(meter).to_contain_text("Only 2 different candidates have a score.")
    expect(meter.locator("meter-form")).to_be_hidden()


def test_on_text_both_figures_are_perplexities(page: Page) -> None:
    Line(page)
    events = recorded("enas-recurrent")
    played = Played("search", events, len(events))
    figures = [network(0, score=0.4, held_out=150.0), network(1, score=0.5, held_out=140.5), network(2, score=0.8)]
    played.meter = MEASURED | {"measured": "perplexity", "networks": [*figures[:2], figures[2] | {"held_out": 130.0}]}
    with served(played) as address:
        page.goto(address)
        meter = page.locator("honesty-meter")
        meter.scroll_into_view_if_needed()
        expect(meter.locator("tbody tr").first).to_contain_text("100.0")  # 80 / 0.8
        expect(meter.locator("tbody tr").first).to_contain_text("130.0")
        expect(meter.locator("meter-chart .xtitle")).to_have_text("perplexity under shared weights", timeout=20_000)
        meter.locator(".chart-plot").focus()
        page.keyboard.press("Home")
        expect(meter.locator("meter-chart [role=status]")).to_contain_text(
            "Candidate 0.2: shared perplexity 100.0, from scratch perplexity 130.0."
        )


def test_where_random_is_as_good_the_page_says_so_beside_both_networks(page: Page, played: Played, opened: Any) -> None:
    played.shared_comparison = NOT_AHEAD
    opened()
    panel = page.locator("shared-comparison")
    expect(panel.locator(".verdict")).to_have_text("Random is as good or better")
    expect(panel.locator(".comparison-text")).to_have_text(
        "Random search is as good or better. This is one run of each."
    )
    expect(panel.locator("tbody tr").first).to_have_text("Best from scratch, test accuracy70.20 %71.20 %")
    expect(panel).to_contain_text("12.13 nats")
    expect(panel.get_by_role("link", name="Random companion")).to_have_attribute("href", f"/searches/{ID}")
    expect(panel.get_by_role("button", name="Compare with random search")).to_be_hidden()


def test_while_it_waits_it_says_for_what_and_asks_again(page: Page, played: Played, opened: Any) -> None:
    side = SIDE | {"best": None, "open": 1}
    played.shared_comparison = NOT_AHEAD | {
        "verdict": "waiting", "waiting": "A verdict waits for the random companion.", "sentences": ["Own weights."],
        "random": side, "is_over": False,
    }  # fmt: skip
    opened()
    panel = page.locator("shared-comparison")
    expect(panel.locator(".verdict")).to_have_text("No verdict yet")
    expect(panel).to_contain_text("A verdict waits for the random companion.")
    expect(panel.locator("tbody tr").first).to_contain_text("in training")
    played.shared_comparison = NOT_AHEAD
    expect(panel.locator(".verdict")).to_have_text("Random is as good or better", timeout=10_000)


def test_a_search_without_companion_offers_one(page: Page, played: Played, opened: Any) -> None:
    played.shared_comparison = ALONE
    opened()
    panel = page.locator("shared-comparison")
    expect(panel).to_contain_text("No random companion has run.")
    with page.expect_navigation():
        panel.get_by_role("button", name="Compare with random search").click()
    assert played.posts == [f"/api/searches/{ID}/companion"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_all_of_it_fits_every_screen_in_the_colours_of_its_scheme(browser: Browser, scheme: Any, size: Any) -> None:
    context = browser.new_context(viewport=size, color_scheme=scheme)
    watched = watch(context.new_page())
    page = watched.page
    Line(page)
    events = recorded("enas-micro")
    played = Played("search", events, len(events))
    played.meter, played.shared_comparison = MEASURED, NOT_AHEAD
    with served(played) as address:
        page.goto(address)
        page.locator("honesty-meter").scroll_into_view_if_needed()
        point = page.locator("meter-chart .points path").first
        expect(point).to_be_attached(timeout=20_000)
        main = {"light": "rgb(11, 101, 119)", "dark": "rgb(91, 194, 212)"}[scheme]
        assert point.evaluate("(path) => getComputedStyle(path).fill") == main
        page.locator("shared-comparison tbody").wait_for()
        for selector in ("honesty-meter", "meter-chart", "meter-form", "shared-comparison .verdict"):
            box = page.locator(selector).bounding_box()
            assert box and box["x"] >= 0 and box["x"] + box["width"] <= size["width"], (selector, box)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
        expect(page.locator("meter-form [role=status]")).to_contain_text("Starts 3 networks")
        context.close()
    assert watched.complaints == []
