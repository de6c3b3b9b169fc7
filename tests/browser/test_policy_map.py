"""The map of the policy over time: what it draws, how it is read, and the children behind an option."""

import io
import json
import random
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from PIL import Image
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.answering import without_charts
from tests.browser.live_page_server import ID, Played, served
from tests.browser.recorded_search import recorded_search
from tests.browser.test_live_elements import Line
from tests.browser.watched_pages import PHONE, watch
from webapp.searches.policy_history import FROZEN, Columns

STREAMS = Path(__file__).resolve().parents[1] / "golden" / "streams"
SEARCH = recorded_search()
LARGE = recorded_search(blocks=5, steps=4, size=4)
JOIN = """async ({module, columns, most, threshold}) => {
    const {historyOf, withStep} = await import(module);
    const nothing = {steps: [], policy: [], entropies: [], frozen: [], known: 0, every: 1, is_random: false};
    let history = historyOf({...nothing, threshold});
    const shown = [];
    for (const column of columns) {
        history = withStep(history, column, most);
        if (withStep(history, column, most) !== history) throw new Error("a step counted twice");
        const {frozen, known, every} = history;
        shown.push({steps: history.columns.map(({step}) => step), frozen, known, every});
    }
    const gap = withStep(history, {...columns.at(-1), step: columns.length + 1}, most);
    return {shown, gap};
}"""
CUT = """async ({module, columns, threshold}) => {
    const {historyUpTo, withStep} = await import(module);
    const nothing = {columns: [], frozen: [], known: 0, every: 1, isRandom: false, threshold};
    const history = columns.reduce((past, column) => withStep(past, column), nothing);
    return columns.map((column) => {
        const {columns: shown, frozen} = historyUpTo(history, column);
        return {steps: shown.map(({step}) => step), frozen};
    });
}"""
RAMP = """async (module) => {
    const {rampOf} = await import(module);
    const style = getComputedStyle(document.querySelector("policy-map"));
    return rampOf([0, 1, 2, 3, 4, 5].map((stop) => style.getPropertyValue(`--policy-${stop}`).trim()));
}"""


def number_of(events: list[dict[str, Any]], kind: str, nth: int) -> int:
    return [event["n"] for event in events if event["kind"] == kind][nth - 1]


def recorded(kind: str) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = json.loads((STREAMS / f"{kind}.json").read_text())["events"]
    return events


@pytest.fixture
def line(page: Page) -> Line:
    without_charts(page)
    return Line(page)


@pytest.fixture
def shown(page: Page, line: Line) -> Iterator[Any]:
    """Opens a search, seen up to event n, at its map."""
    servers = []

    def open_at(events: list[dict[str, Any]], n: int, **facts: Any) -> Played:
        played = Played("search", events, n)
        for name, value in facts.items():
            setattr(played, name, value)
        server = served(played)
        servers.append(server)
        page.goto(server.__enter__())
        page.locator("policy-map").scroll_into_view_if_needed()
        return played

    yield open_at
    for server in servers:
        server.__exit__(None, None, None)


def columns_of(page: Page) -> Any:
    return page.locator(".policy-strip canvas").first.evaluate("(canvas) => canvas.width")


def await_columns(page: Page, count: int) -> None:
    page.wait_for_function("(n) => document.querySelector('.policy-strip canvas')?.width === n", arg=count)


def colour_at(field: Locator, x: float, y: float) -> tuple[int, ...]:
    """The colour of a place of an element, shares of its width and height."""
    image = Image.open(io.BytesIO(field.screenshot())).convert("RGB")
    return image.getpixel((int(image.width * x), int(image.height * y)))


def is_like(one: Any, other: Any) -> bool:
    return all(abs(a - b) <= 3 for a, b in zip(one, other, strict=True))


def ramp_of(page: Page) -> Any:
    return page.evaluate(RAMP, f"{settings.STATIC_URL}js/drawing/policy_pixels.js")


def settling(points: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Forty steps in which decisions freeze and thaw, and what the server says after each, thinned to `points`."""
    draw = random.Random(4)
    columns, told = Columns(), []
    steps = []
    for step in range(40):
        sure = [draw.choice((0.5, 0.85, 0.9, 0.97, 0.98)) for _ in range(3)]
        flips = [draw.random() < 0.1 for _ in range(3)]
        policy = [[1 - p, p] if flip else [p, 1 - p] for p, flip in zip(sure, flips, strict=True)] + [[1.0]]
        columns.add(step + 1, step, policy, [0.1] * 4)
        steps.append({"step": step, "policy": policy, "entropies": [0.1] * 4})
        told.append(asdict(columns.shown(points)))
    return steps, told


def run_in_page(page: Page, script: str, **arguments: Any) -> Any:
    with served(Played("search", [], 0)) as address:
        page.goto(address.replace("/live", "/empty"))
        module = f"{settings.STATIC_URL}js/drawing/policy_columns.js"
        return page.evaluate(script, {"module": module, "threshold": FROZEN, **arguments})


def test_a_replay_shows_at_every_step_what_was_known_at_that_step(page: Page) -> None:
    steps, found = settling(1000)
    shown = run_in_page(page, CUT, columns=steps)
    assert shown == [{name: each[name] for name in ("steps", "frozen")} for each in found]


def test_steps_that_join_in_the_page_are_thinned_and_frozen_as_on_the_server(page: Page) -> None:
    steps, found = settling(7)
    told = [{name: each[name] for name in ("steps", "frozen", "known", "every")} for each in found]
    joined = run_in_page(page, JOIN, columns=steps, most=7)
    assert joined["shown"] == told and joined["gap"] is None
    assert len({str(each["frozen"]) for each in told}) > 5  # Decisions froze and thawed.


def test_before_the_first_draw_the_map_has_the_colour_of_all_alike(page: Page, shown: Any) -> None:
    shown(SEARCH, 1)
    expect(page.locator(".policy-strip")).to_have_count(20)
    expect(page.locator("policy-map")).to_contain_text(
        "Before the first draw every option of a decision is as probable"
    )
    ramp = ramp_of(page)
    for strip, options in ((0, 2), (2, 3), (4, 13)):  # Inputs of both blocks, then operations.
        field = page.locator(".policy-field").nth(strip)
        field.scroll_into_view_if_needed()
        alike = ramp[round((1 / options) ** 0.5 * 255)]
        assert is_like(colour_at(field, 0.5, 0.5), alike) and is_like(colour_at(field, 0.02, 0.5), alike), options


def test_what_settles_gets_the_colour_of_certain_and_a_line_where_it_froze(page: Page, shown: Any) -> None:
    played = shown(SEARCH, len(SEARCH))
    await_columns(page, 16)
    policy = played.policy(100)["policy"][-1][0]
    favourite = max(range(2), key=lambda option: policy[option])
    field = page.locator(".policy-field").first
    ramp = ramp_of(page)
    assert is_like(colour_at(field, 0.99, (favourite + 0.5) / 2), ramp[round(policy[favourite] ** 0.5 * 255)])
    assert is_like(colour_at(field, 0.99, (1 - favourite + 0.5) / 2), ramp[round(policy[1 - favourite] ** 0.5 * 255)])
    frozen = played.policy(100)["frozen"]
    expect(page.locator(".policy-fate").first).to_have_text(f"froze at step {frozen[0]}")
    expect(page.locator(".policy-freeze:visible")).to_have_count(sum(step is not None for step in frozen))
    expect(page.locator("policy-map")).to_contain_text(f"{sum(step is not None for step in frozen)} of 20 decisions")
    assert 0 < sum(step is not None for step in frozen) < 20


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_lightness_alone_orders_the_colours(page: Page, shown: Any, scheme: Any) -> None:
    page.emulate_media(color_scheme=scheme)
    shown(SEARCH, 1)
    luminance = [0.2126 * r + 0.7152 * g + 0.0722 * b for r, g, b in ramp_of(page)]
    ordered = sorted(luminance, reverse=scheme == "light")
    assert luminance == ordered and abs(luminance[0] - luminance[-1]) > 150


def test_the_map_is_drawn_anew_when_the_colour_scheme_changes(page: Page, shown: Any) -> None:
    shown(SEARCH, 1)
    page.emulate_media(color_scheme="dark")
    field = page.locator(".policy-field").first
    alike = ramp_of(page)[round(0.5**0.5 * 255)]
    assert is_like(colour_at(field, 0.5, 0.5), alike)


def test_steps_that_come_by_the_socket_join_without_asking_again(page: Page, line: Line, shown: Any) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url) if "/policy?" in request.url else None)
    played = shown(SEARCH, number_of(SEARCH, "step_proposed", 3))
    await_columns(page, 3)
    line.send(SEARCH[played.n : number_of(SEARCH, "step_proposed", 4)])
    await_columns(page, 4)
    assert len(asked) == 1


def test_steps_that_were_missed_are_asked_for(page: Page, line: Line, shown: Any) -> None:
    played = shown(SEARCH, number_of(SEARCH, "step_proposed", 3))
    await_columns(page, 3)
    before, played.n = played.n, len(SEARCH)
    line.send(SEARCH[before:])
    await_columns(page, 16)
    expect(page.locator(".policy-fate").first).to_contain_text("froze at step")


def test_the_map_is_read_with_the_keyboard_and_enter_shows_the_children(page: Page, shown: Any) -> None:
    played = shown(SEARCH, len(SEARCH))
    await_columns(page, 16)
    readout = page.locator(".policy-readout")
    page.get_by_role("application", name="normal 1 input 1 over time").focus()
    policy = played.policy(100)["policy"]
    expect(readout).to_have_text(
        f"normal 1 input 1: current, step 15: {policy[-1][0][0] * 100:.1f} % (all alike: 50.0 %)"
    )
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")
    expect(readout).to_contain_text("normal 1 input 1: previous, step 14")
    page.keyboard.press("Home")
    expect(readout).to_contain_text("normal 1 input 1: previous, all alike: 50.0 %")
    page.keyboard.press("End")
    page.keyboard.press("ArrowDown")  # Into the next decision.
    expect(readout).to_contain_text("normal 1 input 2: current, step 15")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    panel = page.locator(".option-panel")
    taken = [place for place, decisions in played.decisions().items() if decisions[0] == 1]
    expect(panel.locator("h3")).to_have_text("normal 1 input 1: previous")
    expect(panel.locator("h3")).to_be_focused()
    expect(panel.locator("li[data-child]")).to_have_count(min(6, len(taken)))
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    expect(page.get_by_role("application", name="normal 1 input 1 over time")).to_be_focused()


def test_a_click_shows_the_children_that_took_the_option_best_first_with_their_cells(page: Page, shown: Any) -> None:
    played = shown(SEARCH, len(SEARCH))
    await_columns(page, 16)
    box = page.locator(".policy-field").first.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 4)
    panel = page.locator(".option-panel")
    finished = {(e["step"], e["slot"]): e for e in SEARCH if e["kind"] == "child_finished"}
    taken = [place for place, decisions in played.decisions().items() if decisions[0] == 0]
    best = sorted((finished[place]["reward"] for place in taken), reverse=True)
    rewards = panel.locator("li .number")
    expect(rewards.first).to_have_text(f"{best[0] * 100:.2f} %")
    expect(panel.locator("li[data-child] svg").first).to_be_visible()
    counted = [e for e in finished.values() if e["twin"] is None]
    ours = [e["reward"] for e in counted if (e["step"], e["slot"]) in taken]
    others = [e["reward"] for e in counted if (e["step"], e["slot"]) not in taken]
    mean, without = (f"{sum(each) / len(each) * 100:.2f} %" for each in (ours, others))
    expect(panel).to_contain_text(
        f"{len(ours)} of {len(counted)} children that count took it: mean reward {mean}, without it {without}."
    )
    panel.get_by_role("button", name="Next").click()
    expect(rewards.first).to_have_text(f"{best[6] * 100:.2f} %")
    href = panel.locator("li a").first.get_attribute("href")
    assert href is not None and href.startswith(f"/searches/{ID}/children/")
    panel.get_by_role("button", name="Close").click()
    expect(panel).to_have_count(0)


def test_random_search_is_flat_and_the_page_says_so(page: Page, shown: Any) -> None:
    flat = [{**e} for e in SEARCH]
    for event in flat:
        if event["kind"] == "step_proposed":
            event["policy"] = [[1 / len(row)] * len(row) for row in event["policy"]]
    shown(flat, len(flat), is_random=True)
    await_columns(page, 16)
    expect(page.locator("policy-map")).to_contain_text("Random search learns nothing")
    expect(page.locator(".policy-now").first).to_have_text("all alike")
    field = page.locator(".policy-field").first
    assert colour_at(field, 0.2, 0.2) == colour_at(field, 0.9, 0.8)


def test_how_much_decisions_explain_stands_beside_them(page: Page, shown: Any) -> None:
    played = shown(SEARCH, len(SEARCH))
    told = [each["importance"] for each in played.results()["decisions"]]
    words = page.locator(".policy-matters")
    expect(words).to_have_count(20)
    share = f"{round(told[0]['share'] * 100)} %"
    expect(words.first).to_have_text(f"{share}, may be chance" if told[0]["may_be_chance"] else f"explains {share}")


def test_many_decisions_start_with_one_open_group_and_an_overview_of_every_group(page: Page, shown: Any) -> None:
    shown(LARGE, len(LARGE))
    await_columns(page, 4)
    groups = page.locator(".policy-group")
    expect(groups).to_have_count(6)
    assert [groups.nth(place).get_attribute("open") is not None for place in range(6)] == [True] + [False] * 5
    sizes = page.locator(".policy-overview").evaluate_all("(all) => all.map(({width, height}) => [width, height])")
    assert sizes == [[4, decisions] for decisions in (10, 10, 5, 10, 10, 5)]
    page.locator(".policy-group summary").nth(1).focus()
    page.keyboard.press("Enter")
    expect(page.locator(".policy-strip:visible")).to_have_count(20)


@pytest.mark.parametrize(
    ("kind", "strips", "unit"),
    [("enas-micro", 16, "normal 1 input 1"), ("enas-macro", 7, "layer 1 operation"),
     ("enas-recurrent", 7, "node 1 activation")],
)  # fmt: skip
def test_searches_with_shared_weights_show_epochs_and_candidates(
    page: Page, shown: Any, kind: str, strips: int, unit: str
) -> None:
    events = recorded(kind)
    played = shown(events, len(events))
    await_columns(page, 3)
    expect(page.locator(".policy-strip")).to_have_count(strips)
    one_option = sum(len(each["options"]) == 1 for each in played.state()["decisions"])  # Of a recurrent cell's node 2.
    expect(page.locator(".policy-fate", has_text="no choice")).to_have_count(one_option)
    page.get_by_role("application", name=f"{unit} over time").focus()
    expect(page.locator(".policy-readout")).to_contain_text("after epoch 3")
    page.keyboard.press("Enter")
    option = 0
    taken = [place for place, decisions in played.decisions().items() if decisions[0] == option]
    panel = page.locator(".option-panel")
    if taken:
        expect(panel.locator("li[data-child]")).to_have_count(len(taken))
        expect(panel.locator("a").first).to_contain_text("Candidate")
    else:
        expect(panel).to_contain_text("None of the 3 candidates")


def test_before_its_candidates_a_search_with_shared_weights_says_what_there_is(page: Page, shown: Any) -> None:
    events = recorded("enas-macro")
    shown(events, number_of(events, "controller_phase_ended", 2))
    await_columns(page, 2)
    field = page.get_by_role("application", name="layer 4 over time")  # Its three skips in one strip.
    field.focus()
    expect(page.locator(".policy-readout")).to_contain_text("layer 4 skip from layer 1, after epoch 2")
    page.keyboard.press("Enter")
    expect(page.locator(".option-panel")).to_contain_text("no architecture is trained by itself while the search runs")


def test_the_figures_of_an_earlier_step_are_a_slider_away(page: Page, shown: Any) -> None:
    played = shown(SEARCH, len(SEARCH))
    await_columns(page, 16)
    page.get_by_role("button", name="One step, in figures").click()
    slider = page.get_by_role("slider", name="Step")
    slider.focus()
    page.keyboard.press("Home")
    expect(page.locator(".policy-step output")).to_have_text("step 0")
    share = played.policy(100)["policy"][0][0][0]
    figure = page.locator("policy-map td[data-place]").first
    expect(figure).to_have_text(f"{round(share * 100)}")
    figure.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".option-panel h3")).to_have_text("normal 1 input 1: current")
    page.keyboard.press("Escape")
    expect(figure).to_be_focused()
    expect(page.locator(".option-panel")).to_have_count(0)


def test_on_a_phone_a_tap_reads_a_place_and_nothing_scrolls_sideways(context: BrowserContext) -> None:
    phone = context.browser.new_context(viewport=PHONE, has_touch=True, color_scheme="dark")
    watched = watch(phone.new_page())
    page = watched.page
    Line(page)
    with served(Played("search", SEARCH, len(SEARCH))) as address:
        page.goto(address)
        page.locator("policy-map").scroll_into_view_if_needed()
        await_columns(page, 16)
        field = page.locator(".policy-field").first
        field.tap()
        expect(page.locator(".policy-readout")).to_contain_text("normal 1 input 1")
        expect(page.locator(".option-panel li[data-child]").first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        assert field.bounding_box()["width"] > 250
    phone.close()
    assert watched.complaints == []
