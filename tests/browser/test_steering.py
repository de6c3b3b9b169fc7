"""Steering on the live page: chips, single decisions in the map, refusals; and a real search that obeys, to the bit."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from playwright.sync_api import BrowserContext, Page, expect

from search_engine.events import ArchitectureProposed, LimitsChanged, SearchSteered
from tests.browser.answering import Answering
from tests.browser.live_page_server import Played, served
from tests.browser.recorded_search import recorded_search
from tests.browser.test_main_job import PATIENCE, SMALL, start_search, wait_for_state
from tests.browser.watched_pages import PHONE, watch
from tests.running_application import ROOT, RunningApplication
from tests.web.slow_sizes import long

STREAMS = Path(__file__).resolve().parents[1] / "golden" / "streams"
SEARCH = recorded_search()
SEEN = 60  # Events that the page starts with.
NEXT = 1 + max(event["step"] for event in SEARCH[:SEEN] if event["kind"] == "step_proposed")


def steerable(page: Page) -> Answering:
    """Bans are answered, and their event follows."""
    return Answering(page, "steer", then=_steered)


def _steered(server: Answering, body: Any) -> None:
    event = SearchSteered(bans=body["bans"], from_step=NEXT).to_json()
    server.tell({"n": SEEN + len(server.asked), "at": SEARCH[SEEN]["at"], **event})


def test_options_are_banned_pinned_and_taken_back_by_keyboard_and_pointer(page: Page) -> None:
    server = steerable(page)
    with served(Played("search", SEARCH, SEEN)) as address:
        page.goto(address)
        panel = page.get_by_role("region", name="Steer")
        expect(panel).to_contain_text(f"What you change holds from step {NEXT} on.")
        operations = panel.get_by_role("region", name="Operations")
        identity = operations.get_by_role("button", name="identity", exact=True)
        identity.focus()
        page.keyboard.press("Enter")
        expect(identity).to_have_attribute("aria-pressed", "true")
        expect(identity).to_be_focused()
        expect(operations).to_contain_text(f"without identity, from step {NEXT} on")
        expect(page.locator("event-log")).to_contain_text(f"Steered from step {NEXT} on: operation without identity.")
        if folder := os.environ.get("SCREENSHOTS"):
            panel.screenshot(path=Path(folder) / "steer.png")
        identity.click()
        expect(identity).to_have_attribute("aria-pressed", "false")
        panel.get_by_role("button", name="Only add").click()
        expect(panel.get_by_role("button", name="concat", exact=True)).to_have_attribute("aria-pressed", "true")
        panel.get_by_role("button", name="All back").click()
        expect(panel.get_by_role("button", name="concat", exact=True)).to_have_attribute("aria-pressed", "false")
        assert [body["bans"] for body in server.asked] == [
            {"operation": ["identity"]}, {"operation": []}, {"combination": ["concat"]}, {"combination": []},
        ]  # fmt: skip


def test_one_decision_is_steered_in_the_map_and_stands_in_the_panel(page: Page) -> None:
    server = steerable(page)
    with served(Played("search", SEARCH, SEEN)) as address:
        page.goto(address)
        strip = page.get_by_label("normal 1 operation 1 over time")
        strip.focus()
        page.keyboard.press("Enter")
        opened = page.get_by_role("region", name="Children that took the option")
        opened.get_by_role("button", name="Ban here").click()
        expect(opened.get_by_role("button", name="Take the ban back")).to_be_visible()
        asked = server.asked[0]["bans"]
        assert len(server.asked) == 1
        assert list(asked) == ["normal 1 operation 1"] and len(asked["normal 1 operation 1"]) == 1
        panel = page.get_by_role("region", name="Steer")
        expect(panel.get_by_role("listitem").filter(has_text="normal 1 operation 1")).to_contain_text(
            f"from step {NEXT} on"
        )
        opened.get_by_role("button", name="Only this here").click()
        expect(opened.get_by_role("button", name="Ban here")).to_be_visible()
        assert asked["normal 1 operation 1"][0] not in server.asked[1]["bans"]["normal 1 operation 1"]
        panel.get_by_role("button", name="Take back").click()
        expect(panel.get_by_role("listitem").filter(has_text="normal 1 operation 1")).to_have_count(0)
        assert server.asked[2]["bans"] == {"normal 1 operation 1": []}


def test_what_is_refused_is_said_at_its_kind(context: BrowserContext) -> None:
    page = context.new_page()
    watched = watch(page)
    server = steerable(page)
    server.errors = [{"field": "bans.combination", "message": "would leave normal 1 combination without an option."}]
    with served(Played("search", SEARCH, SEEN)) as address:
        page.goto(address)
        combinations = page.get_by_role("region", name="Combinations")
        combinations.get_by_role("button", name="add", exact=True).click()
        expect(combinations.get_by_role("alert")).to_have_text("Would leave normal 1 combination without an option.")
        expect(combinations.get_by_role("button", name="add", exact=True)).to_have_attribute("aria-pressed", "false")
    (refusal,) = watched.complaints  # The browser itself notes the 422.
    assert "422" in refusal


def test_a_search_that_is_over_cannot_be_steered_and_a_phone_has_room(page: Page) -> None:
    steerable(page)
    page.set_viewport_size(PHONE)
    with served(Played("search", SEARCH, len(SEARCH))) as address:
        page.goto(address)
        panel = page.get_by_role("region", name="Steer")
        expect(panel).to_contain_text("The search is over.")
        expect(panel.get_by_role("button", name="identity", exact=True)).to_be_disabled()
        expect(panel.get_by_role("button", name="Only add")).to_be_hidden()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


PIXELS = """async (module) => {
    const {pixelsOf, rampOf} = await import(module);
    const ramp = rampOf(["#ffffff", "#000000"]);
    const cells = [{decision: 0, option: 0}, {decision: 0, option: 1}];
    return [...pixelsOf(cells, [{policy: [[0, 1e-9]]}], ramp, [1, 2, 3])];
}"""


def test_what_is_banned_has_a_colour_of_its_own_and_what_is_improbable_has_not(page: Page) -> None:
    steerable(page)
    with served(Played("search", SEARCH, SEEN)) as address:
        page.goto(address)
        module = f"{settings.STATIC_URL}js/drawing/policy_pixels.js"
        assert page.evaluate(PIXELS, module) == [1, 2, 3, 255, 255, 255, 255, 255]


PLACES = """async ({folder, state}) => {
    const {indexOf, isOffPolicy, placeOf} = await import(`${folder}live/places.js`);
    const {rewardFigure} = await import(`${folder}drawing/search_figures.js`);
    const rounds = [];
    for (let step = 0; step < 3; step += 1) {
        for (let slot = 0; slot < 60; slot += 1) {
            const {step: again, slot: too} = placeOf(state, indexOf({step, slot}, state));
            rounds.push(again === step && too === slot && isOffPolicy({step, slot}, state) === slot >= state.step_size);
        }
    }
    const {traces} = rewardFigure(state, new Proxy({}, {get: () => "#123456"}));
    const trace = traces.find(({name}) => name === "proposed by a person");
    return {isRound: rounds.every(Boolean), shown: [trace.x, trace.y, trace.customdata]};
}"""


def test_a_proposal_has_a_mark_and_a_place_of_its_own_in_the_curve(page: Page) -> None:
    golden = json.loads((STREAMS / "proposed-architectures.json").read_text())
    size = golden["state"]["step_size"]
    steerable(page)
    with served(Played("search", SEARCH, SEEN)) as address:
        page.goto(address)
        found = page.evaluate(PLACES, {"folder": f"{settings.STATIC_URL}js/", "state": golden["state"]})
    assert found["isRound"]
    assert found["shown"] == [[2 * size - 1 + 0.01], [0.75], [f"1.{size}"]]


def test_the_page_counts_a_proposal_beside_the_children_and_marks_it_in_the_table(page: Page) -> None:
    server = steerable(page)
    child = {
        "step": 1, "slot": 9, "reward": 0.5, "reason": "", "twin": None, "parameters": 10, "mult_adds": 20,
        "seconds": 1.0, "off_policy": True,
    }  # fmt: skip
    answer = {"children": [child], "page": 1, "pages": 1, "total": 1}
    page.route("**/children?**", lambda route: route.fulfill(json=answer))
    with served(Played("search", SEARCH, SEEN)) as address:
        page.goto(address)
        page.locator("children-table").scroll_into_view_if_needed()
        expect(page.locator("children-table")).to_contain_text("proposed by a person, off-policy")
        event = ArchitectureProposed(architecture={}, hash="a" * 64, from_step=NEXT).to_json()
        server.tell({"n": SEEN + 1, "at": SEARCH[SEEN]["at"], **event})
        expect(page.locator(".strip-children dd")).to_contain_text("+ 0 proposed")
        expect(page.locator("event-log")).to_contain_text(f"it is trained beside step {NEXT}, off-policy.")
        fewer = LimitsChanged(limits={"children": 80}, from_step=NEXT, proposals_left_out=1).to_json()
        server.tell({"n": SEEN + 2, "at": SEARCH[SEEN]["at"], **fewer})
        expect(page.locator(".strip-children dd")).to_contain_text("+ 0 proposed, 1 left out")


@pytest.fixture(scope="module")
def steered(application: RunningApplication, browser: Any) -> Any:
    """(id, events) of a small search in which an operation was pinned while it ran."""
    context = browser.new_context()
    watched = watch(context.new_page())
    page = watched.page
    page.goto(application.link)
    sizes = {"name": "Steered", "budget.children": "14"}
    search = start_search(page, application.address, SMALL | sizes)
    expect(page.locator("event-log")).to_contain_text("Step 0: 2 architectures drawn.", timeout=PATIENCE)
    page.get_by_role("region", name="Operations").get_by_role("button", name="Only identity").click()
    wait_for_state(page, "finished")
    api = f"{application.address}/api/searches/{search}"
    events = page.request.get(f"{api}/events?limit=500").json()["events"]
    changes = page.request.get(f"{api}/changes").json()
    config = page.request.get(api).json()["config"]
    assert watched.complaints == []
    yield page, api, events, changes, config
    context.close()


def test_no_later_child_of_a_real_search_holds_what_was_banned(steered: Any) -> None:
    page, api, events, _, _ = steered
    (steering,) = [event for event in events if event["kind"] == "search_steered"]
    assert "identity" not in steering["bans"]["operation"] and steering["from_step"] >= 1
    later = [event for event in events if event["kind"] == "step_proposed" and event["step"] >= steering["from_step"]]
    assert later
    for event in later:
        for proposal in event["proposals"]:
            cells = (proposal["architecture"]["normal"], proposal["architecture"]["reduction"])
            assert {op for cell in cells for block in cell["blocks"] for op in block["operations"]} == {"identity"}
    children = page.request.get(f"{api}/children?size=100").json()["children"]
    assert len(children) == 14
    history = page.request.get(f"{api}/policy?points=100").json()
    last = history["policy"][-1]
    decisions = events[0]["decisions"]
    for decision, probabilities in zip(decisions, last, strict=True):
        if "operation" in decision["name"]:
            place = decision["options"].index("identity")
            assert [each == 0 for each in probabilities] == [at != place for at in range(len(probabilities))]
    page.locator("policy-map").scroll_into_view_if_needed()
    page.get_by_role("button", name="One step, in figures").click()
    expect(page.locator("policy-map td.is-banned").first).to_have_text("×")
    if folder := os.environ.get("SCREENSHOTS"):
        page.get_by_role("button", name="Over time").click()
        page.locator("policy-map").screenshot(path=Path(folder) / "steered-map.png")


@long
def test_a_terminal_with_the_changes_comes_to_the_same_fingerprint(steered: Any, tmp_path: Path) -> None:
    _, _, events, changes, config = steered
    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "changes.json").write_text(json.dumps(changes))
    command = [
        sys.executable, "-m", "search_engine", "search", str(tmp_path / "config.json"), "--json",
        "--out", str(tmp_path / "out"), "--changes", str(tmp_path / "changes.json"),
    ]  # fmt: skip
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=True)
    told = [event["fingerprint"] for event in events if event["kind"] == "controller_updated"]
    assert json.loads(ran.stdout)["fingerprint"] == told[-1]
