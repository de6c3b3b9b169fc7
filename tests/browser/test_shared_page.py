"""The live page of shared weights over the events of real tiny searches: what it shows, phase by phase, and to whom."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.answering import without_charts
from tests.browser.live_page_server import ID, Played, served
from tests.browser.test_live_elements import Line
from tests.browser.watched_pages import DESKTOP, PHONE, watch

STREAMS = Path(__file__).resolve().parents[1] / "golden" / "streams"
KINDS = ("enas-micro", "enas-macro", "enas-recurrent")
TRAINING = {
    "id": ID, "name": "Best of it", "url": f"/trainings/{ID}", "state": "running", "reason": "", "epochs": 4,
    "epochs_done": 1, "parameters": 14_100, "held_out_accuracy": None, "test_accuracy": None,
    "held_out_perplexity": None, "test_perplexity": None, "child": {"search": ID, "step": 0, "slot": 1},
}  # fmt: skip


def recorded(kind: str) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = json.loads((STREAMS / f"{kind}.json").read_text())["events"]
    return events


def up_to(events: list[dict[str, Any]], kind: str, nth: int = 1) -> int:
    """How many events there are up to the nth of this kind."""
    return [event["n"] for event in events if event["kind"] == kind][nth - 1]


@pytest.fixture
def line(page: Page) -> Line:
    return Line(page)


@pytest.fixture
def chartless(page: Page) -> None:
    without_charts(page)


def opened(page: Page, played: Played) -> Iterator[Played]:
    with served(played) as address:
        page.clock.set_fixed_time(played.events[max(played.n, 1) - 1]["at"] + 3)
        page.goto(address)
        yield played


@pytest.fixture(params=KINDS)
def finished(request: pytest.FixtureRequest, page: Page, line: Line, chartless: None) -> Iterator[Played]:
    """A finished search of each space, whose best candidate is trained now."""
    events = recorded(request.param)
    played = Played("search", events, len(events))
    played.trainings = [TRAINING]
    yield from opened(page, played)


def strip(page: Page, name: str) -> Any:
    return page.locator(f"state-strip .strip-{name} dd")


def test_before_the_first_epoch_ends_it_says_what_goes_on_and_how_long(page: Page, line: Line, chartless: None) -> None:
    events = recorded("enas-macro")
    for _ in opened(page, Played("search", events, 1)):
        expect(strip(page, "epochs")).to_have_text("0 of 3")
        expect(strip(page, "phase")).to_have_text("shared weights")
        expect(strip(page, "left")).to_have_text("0:33")  # Three epochs of twelve seconds, three of which are over.
        expect(page.locator("phase-panel")).to_contain_text("Epoch 1 of 3")
        expect(page.locator("phase-panel")).to_contain_text("for 0:03; a whole epoch should take about 0:12")
        expect(page.locator("shared-architecture")).to_contain_text(
            "10 open decisions, 82,944 architectures. This is one, drawn uniformly."
        )
        expect(page.locator("shared-architecture svg.cell-drawing")).to_be_visible()
        expect(page.locator("derived-networks")).to_contain_text("After 3 epochs 3 candidates are drawn")
        expect(page.locator("epochs-table")).to_contain_text("No epoch has ended yet.")
        expect(page.locator("policy-map")).to_contain_text("No controller phase is over yet.")
        page.locator("children-table").scroll_into_view_if_needed()
        expect(page.locator("children-table")).to_contain_text("Candidates are drawn and scored after the last epoch.")


def test_every_event_moves_the_page(page: Page, line: Line, chartless: None) -> None:
    events = recorded("enas-micro")
    for played in opened(page, Played("search", events, 1)):
        picture = page.locator("shared-architecture cell-picture")
        line.send(events[played.n : up_to(events, "shared_epoch_ended")])
        page.clock.run_for(300)
        expect(strip(page, "phase")).to_have_text("controller")
        expect(picture).to_have_attribute("src", f"/searches/{ID}/epochs/0/learned.svg")
        line.send(events[up_to(events, "shared_epoch_ended") : up_to(events, "controller_phase_ended")])
        page.clock.run_for(300)
        expect(strip(page, "epochs")).to_have_text("1 of 3")
        expect(strip(page, "phase")).to_have_text("shared weights")
        expect(picture).to_have_attribute("src", f"/searches/{ID}/epochs/0/best.svg")
        page.get_by_role("button", name="Sampled").click()
        line.send(events[up_to(events, "controller_phase_ended") : up_to(events, "controller_phase_ended", 2)])
        page.clock.run_for(300)
        expect(picture).to_have_attribute("src", f"/searches/{ID}/epochs/1/sampled.svg")
        expect(page.locator("shared-architecture h2")).to_have_text("Sampled of epoch 2")
        expect(page.locator("epochs-table tbody tr")).to_have_count(2)
        line.send(events[up_to(events, "controller_phase_ended", 2) :])
        page.clock.run_for(300)
        expect(page.locator("state-strip .state")).to_have_text("finished")
        expect(strip(page, "phase")).to_have_text("over")


def test_a_finished_search_shows_the_derived_network_and_its_training(page: Page, finished: Played) -> None:
    best = finished.state()["best"]
    place = f"{best['step']}.{best['slot']}"
    expect(page.locator("shared-architecture h2")).to_have_text(f"Best candidate: {place}")
    expect(page.locator("shared-architecture svg.cell-drawing")).to_be_visible()
    expect(page.get_by_role("link", name="Train this")).to_have_attribute(
        "href", f"/trainings/new?search={ID}&step={best['step']}&slot={best['slot']}"
    )
    derived = page.locator("derived-networks")
    derived.scroll_into_view_if_needed()
    page.clock.run_for(1000)
    expect(derived.get_by_role("link", name="Best of it")).to_have_attribute("href", f"/trainings/{ID}")
    expect(derived).to_contain_text("1 of 4")
    done = {"state": "finished", "epochs_done": 4, "test_accuracy": 0.625, "held_out_accuracy": 0.75,
            "test_perplexity": 62.5, "held_out_perplexity": 75.0}  # fmt: skip
    finished.trainings = [TRAINING | done]
    page.clock.run_for(4000)
    is_text = finished.state()["shared"]["is_text"]
    expect(derived).to_contain_text("62.5" if is_text else "62.50 %")
    children = page.locator("children-table")
    children.scroll_into_view_if_needed()
    page.clock.run_for(4000)
    expect(children.locator("thead")).to_contain_text("Candidate")
    expect(children.locator("tbody tr")).to_have_count(3)
    expect(children).to_contain_text("perplexity" if is_text else "%")


def test_scores_on_text_are_perplexities_and_never_compared_with_others(
    page: Page, line: Line, chartless: None
) -> None:
    events = recorded("enas-recurrent")
    played = Played("search", events, len(events))
    best = played.state()["best"]
    for _ in opened(page, played):
        expect(strip(page, "best")).to_have_text(f"{80 / best['reward']:,.1f}")
        expect(page.locator(".honesty")).to_contain_text("such as the Penn Treebank's")
        expect(page.locator("shared-chart[data-shows=weights] .chart-legend")).to_contain_text(
            "guessing by frequency: 2"
        )


@pytest.mark.parametrize(
    ("kind", "tables"),
    [
        ("enas-micro", ["Normal cell: inputs", "Normal cell: operations", "Reduction cell: inputs",
                        "Reduction cell: operations"]),
        ("enas-macro", ["Operation of each layer", "How probably each layer joins an earlier one"]),
        ("enas-recurrent", ["Activation of each node", "What each node reads"]),
    ],
)  # fmt: skip
def test_the_policy_is_grouped_by_what_is_decided(
    page: Page, line: Line, chartless: None, kind: str, tables: list[str]
) -> None:
    events = recorded(kind)
    played = Played("search", events, up_to(events, "controller_phase_ended", 2))
    for _ in opened(page, played):
        expect(page.locator("policy-map caption")).to_have_text(tables)
        shown = page.locator("policy-map td[data-place]")
        skips = sum("skip" in each["name"] for each in played.state()["decisions"])
        options = sum(len(each["options"]) for each in played.state()["decisions"])
        expect(shown).to_have_count(options - skips)  # Of a skip the yes alone.
        page.get_by_role("button", name="One step, in figures").click()
        shown.first.focus()
        page.keyboard.press("ArrowDown")
        expect(page.locator("policy-map .policy-readout")).to_contain_text("after epoch 2")


def test_the_charts_are_drawn_with_what_guessing_gives(page: Page, line: Line) -> None:
    events = recorded("enas-macro")
    for _ in opened(page, Played("search", events, len(events))):
        page.clock.resume()
        weights = page.locator("shared-chart[data-shows=weights]")
        expect(weights.locator(".scatterlayer .trace")).to_have_count(4)
        expect(weights.locator(".chart-legend")).to_contain_text("guessing at random: 10.00 %")
        expect(page.locator("shared-chart[data-shows=scores] .scatterlayer .trace")).to_have_count(3)
        entropy = page.locator("shared-chart[data-shows=entropy]")
        expect(entropy.locator(".scatterlayer .trace")).to_have_count(2)
        expect(entropy.locator(".chart-legend")).to_have_text("operationskip")


def test_a_paused_and_a_failed_search_say_so(page: Page, line: Line, chartless: None) -> None:
    events = recorded("enas-macro")
    n = up_to(events, "shared_epoch_ended", 2)
    at = events[n - 1]["at"]
    paused = {"n": n + 1, "at": at + 1, "kind": "state_changed", "version": 1, "state": "paused", "reason": None}
    reason = "shared.learning_rate is 9; the shared weights diverged in epoch 2: the loss ceased to be finite."
    failed = paused | {"n": n + 2, "at": at + 2, "state": "failed", "reason": reason}
    for _ in opened(page, Played("search", [*events[:n], paused], n + 1)):
        expect(page.locator("phase-panel")).to_contain_text("Waits until it is resumed.")
        expect(page.get_by_role("button", name="Resume")).to_be_visible()
        line.send([failed])
        page.clock.run_for(300)
        expect(page.locator("state-strip")).to_contain_text(reason)
        expect(page.locator("phase-panel")).to_contain_text("ended by a failure after 1 of 3 epochs")
        expect(page.locator("derived-networks")).to_contain_text("The search ended before a network was derived.")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_needs_no_sideways_scrolling(browser: Browser, kind: str, scheme: Any) -> None:
    context = browser.new_context(viewport=PHONE, color_scheme=scheme)
    watched = watch(context.new_page())
    Line(watched.page)
    events = recorded(kind)
    with served(Played("search", events, len(events))) as address:
        watched.page.goto(address)
        watched.page.locator("shared-architecture svg").wait_for()
        assert watched.page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        chart, cell = (
            watched.page.locator(name).first.bounding_box() for name in ("shared-chart", "shared-architecture")
        )
        assert chart and cell and chart["y"] + chart["height"] <= cell["y"]
    context.close()
    assert watched.complaints == []


def test_the_first_screen_needs_no_scrolling(context: BrowserContext, page: Page, line: Line, chartless: None) -> None:
    events = recorded("enas-recurrent")
    for _ in opened(page, Played("search", events, len(events))):
        page.locator("shared-architecture svg").wait_for()
        for selector in ("state-strip", "shared-chart >> nth=2", ".honesty", "shared-architecture"):
            box = page.locator(selector).bounding_box()
            assert box and box["y"] + box["height"] <= DESKTOP["height"], selector
