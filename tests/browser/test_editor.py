"""The editor in a real browser: all four kinds by mouse and keyboard, steps back and forth, keep, train, take away."""

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, expect

from search_engine.architectures.nas_bench_201 import NasBench201Architecture
from tests.browser.watched_pages import PHONE, watch
from tests.running_application import RunningApplication

SLOW = 20_000  # Milliseconds: the machine may be busy with other tests.
BENCH = NasBench201Architecture(("nor_conv_3x3", "none", "skip_connect", "none", "nor_conv_1x1", "avg_pool_3x3"))
OPERATION = "normal.blocks.1.operations.0"


def given(architecture: Any) -> str:
    text = json.dumps(architecture.to_json()).encode()
    return f"given={base64.urlsafe_b64encode(text).decode().rstrip('=')}"


def editing(application: RunningApplication, page: Page, query: str = "architecture=nasnet-a") -> Page:
    page.goto(f"{application.address}/architectures/edit?{query}")
    expect(page.locator("[data-edited] g[data-place][tabindex='0']")).to_have_count(1)
    return page


def part(page: Page, place: str) -> Locator:
    return page.locator(f'[data-edited] g[data-place="{place}"]')


def choose(page: Page, at: str, choice: str, place: str | None = None) -> None:
    """Click on a part, and on a choice of the menu that opens: of `place`, where that is another one."""
    part(page, at).click()
    page.locator(f'.editor-menu [data-place="{place or at}"][data-choice="{choice}"]').click()


def changes(page: Page) -> Locator:
    return page.locator("[data-changes] li")


def parameters(page: Page) -> str:
    return page.locator('[data-figure="parameters"] dd').first.inner_text()


@pytest.fixture(scope="module")
def phone(application: RunningApplication, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport=PHONE, has_touch=True)
    watched = watch(context.new_page())
    watched.page.goto(application.link)
    yield watched.page
    context.close()
    assert watched.complaints == []


def test_a_click_changes_an_operation_and_picture_counts_and_words_follow(
    application: RunningApplication, owner_page: Page
) -> None:
    page = editing(application, owner_page)
    before = parameters(page)
    choose(page, OPERATION, "conv_1x1")
    expect(changes(page)).to_have_text(["Normal cell, block 2: first operation conv 1x1 instead of sep 5x5."])
    expect(part(page, OPERATION)).to_contain_text("conv 1x1")
    expect(part(page, OPERATION)).to_have_class(re.compile("is-changed"))
    expect(part(page, OPERATION)).to_be_focused()
    expect(page.locator(f'[data-original] [data-place="{OPERATION}"]')).to_have_class(re.compile("is-changed"))
    assert parameters(page) != before and "−" in page.locator('[data-figure="parameters"]').inner_text()
    assert page.locator('network-counts [data-count="parameters"] dd').inner_text() == parameters(page)


SHOWN = """
() => [...document.querySelectorAll("[data-edited] svg")].map((svg) => svg.outerHTML.replace(/ tabindex=.-?\\d./g, ""))
"""


def test_an_edit_draws_only_what_it_changes_and_what_stands_there_then_is_what_a_reload_draws(
    application: RunningApplication, owner_page: Page
) -> None:
    page = editing(application, owner_page)
    other = part(page, "reduction.blocks.0.operations.0")
    other.evaluate("(element) => { element.isTheOne = true; }")
    choose(page, OPERATION, "conv_1x1")
    expect(changes(page)).to_have_count(1)
    assert other.evaluate("(element) => element.isTheOne")
    page.locator('[data-act="undo"]').click()
    expect(part(page, OPERATION)).to_contain_text("sep 5x5")
    page.locator('[data-act="redo"]').click()
    expect(part(page, OPERATION)).to_have_class(re.compile("is-changed"))
    drawn = page.evaluate(SHOWN)
    page.reload()
    expect(part(page, OPERATION)).to_have_class(re.compile("is-changed"))
    assert page.evaluate(SHOWN) == drawn


def test_undo_redo_back_forward_and_reload_lose_nothing(application: RunningApplication, owner_page: Page) -> None:
    page = editing(application, owner_page)
    digest = page.locator("[data-hash]")
    original = digest.inner_text()
    choose(page, OPERATION, "conv_1x1")
    expect(digest).not_to_have_text(original)
    first = digest.inner_text()
    choose(page, "reduction.blocks.0.combination", "concat")
    expect(changes(page)).to_have_count(2)
    second = digest.inner_text()
    page.keyboard.press("Control+z")
    expect(digest).to_have_text(first)
    page.reload()
    expect(digest).to_have_text(first)
    page.get_by_role("button", name="Redo").click()  # What was undone outlives the reload.
    expect(digest).to_have_text(second)
    page.get_by_role("button", name="Back to the original").click()
    expect(digest).to_have_text(original)
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    page.keyboard.press("Control+Shift+z")
    expect(digest).to_have_text(first)
    page.go_back()
    expect(digest).to_have_text(original)
    page.go_back()
    expect(digest).to_have_text(second)
    page.go_forward()
    expect(digest).to_have_text(original)


def test_two_quick_steps_back_are_two(application: RunningApplication, owner_page: Page) -> None:
    page = editing(
        application, owner_page, f"architecture=nasnet-a&edit={OPERATION}:conv_1x1&edit={OPERATION}:identity"
    )
    expect(changes(page)).to_contain_text(["identity instead of"])
    page.evaluate("""() => {
        const undo = document.querySelector('[data-act="undo"]');
        undo.click();
        undo.click();
    }""")
    expect(changes(page)).to_have_text(["Nothing yet."])
    redo = page.get_by_role("button", name="Redo")
    redo.click()
    expect(changes(page)).to_contain_text(["conv 1x1 instead of"])
    redo.click()
    expect(changes(page)).to_contain_text(["identity instead of"])


def test_what_may_not_stand_there_says_why_and_is_not_made(application: RunningApplication, owner_page: Page) -> None:
    page = editing(application, owner_page)
    part(page, "normal.blocks.0.operations.0").click()
    refused = page.locator('.editor-menu [data-place="normal.blocks.0.inputs.0"][data-choice="2"]')
    expect(refused).to_have_attribute("aria-disabled", "true")
    expect(page.locator(".editor-menu")).to_contain_text("A block cannot read itself.")
    refused.click(force=True)
    expect(changes(page)).to_have_text(["Nothing yet."])
    page.keyboard.press("Escape")
    expect(page.locator(".editor-menu")).to_have_count(0)
    expect(part(page, "normal.blocks.0.operations.0")).to_be_focused()


def test_the_keyboard_alone_goes_from_part_to_part_and_edits(application: RunningApplication, owner_page: Page) -> None:
    page = editing(application, owner_page)
    part(page, OPERATION).focus()
    page.keyboard.press("ArrowRight")
    expect(part(page, "normal.blocks.1.operations.1")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(part(page, "normal.blocks.1.combination")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator('.editor-menu [data-choice="add"]')).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(changes(page)).to_have_text(["Normal cell, block 2: combination concat instead of add."])
    expect(part(page, "normal.blocks.1.combination")).to_be_focused()


def test_blocks_come_and_go_and_the_output_keeps_what_nobody_reads(
    application: RunningApplication, owner_page: Page
) -> None:
    page = editing(application, owner_page, "architecture=darts-v2")
    choose(page, "normal.concat", "add", "normal.blocks")
    expect(changes(page).first).to_have_text("Normal cell, block 5 is new.")
    choose(page, "normal.blocks.4.combination", "remove", "normal.blocks.4")
    expect(changes(page)).to_have_text(["Nothing yet."])


def test_a_layer_of_a_network_changes_its_operation_and_its_skips(
    application: RunningApplication, owner_page: Page
) -> None:
    page = editing(application, owner_page, "architecture=enas-macro-paper")
    choose(page, "layers.2.operation", "avg_pool_3x3")
    expect(changes(page)).to_contain_text(["Layer 3: operation avg 3x3 instead of"])
    part(page, "layers.2.operation").click()
    skip = page.locator('.editor-menu [data-place="layers.2.skips"][data-choice="0"]')
    was = skip.get_attribute("aria-pressed")
    skip.click()
    expect(skip).to_have_attribute("aria-pressed", "true" if was == "false" else "false")  # The menu stays open.
    expect(changes(page)).to_have_count(2)


def test_a_node_of_a_recurrent_cell_changes_its_source(application: RunningApplication, owner_page: Page) -> None:
    page = editing(application, owner_page, "architecture=darts-v2-rnn")
    expect(page.locator('[data-figure="activation_bytes"]')).to_have_count(0)
    choose(page, "nodes.3.activation", "0", "nodes.3.source")
    expect(changes(page).first).to_contain_text("Node 3 reads node 0 instead of")
    choose(page, "nodes.3.activation", "sigmoid")
    expect(changes(page).first).to_have_text(re.compile("Node 3: activation sigmoid instead of"))


def test_an_edge_of_a_pasted_benchmark_cell_changes_its_operation(
    application: RunningApplication, owner_page: Page
) -> None:
    page = editing(application, owner_page, given(BENCH))
    choose(page, "operations.1", "nor_conv_1x1")
    expect(changes(page)).to_have_text(["From input to node 2: conv 1x1 instead of none."])


def test_the_size_that_is_counted_is_that_of_the_sliders(application: RunningApplication, owner_page: Page) -> None:
    page = editing(application, owner_page, f"architecture=nasnet-a&edit={OPERATION}:conv_1x1")
    before = parameters(page)
    page.get_by_label("Filters", exact=True).fill("8")
    expect(page.locator('[data-figure="parameters"] dd').first).not_to_have_text(before, timeout=SLOW)
    small = page.locator('network-counts [data-count="parameters"] dd')
    expect(page.locator('[data-figure="parameters"] dd').first).to_have_text(small.inner_text())
    expect(page.locator('[data-figure="parameters"]')).to_contain_text("−")


def test_the_result_is_taken_away_kept_and_trained(
    application: RunningApplication, owner_page: Page, tmp_path: Path
) -> None:
    page = editing(application, owner_page, f"architecture=nasnet-a&edit={OPERATION}:conv_1x1")
    digest = page.locator("[data-hash]").inner_text()
    with page.expect_download() as taken:
        page.get_by_role("button", name="architecture.json").click()
    taken.value.save_as(tmp_path / "a.json")
    assert json.loads((tmp_path / "a.json").read_text())["normal"]["blocks"][1]["operations"][0] == "conv_1x1"
    with page.expect_download() as drawn:
        page.get_by_role("button", name="SVG").click()
    drawn.value.save_as(tmp_path / "a.svg")
    picture = (tmp_path / "a.svg").read_text()
    assert "Reduction cell" in picture and "data-place" not in picture
    with page.expect_download() as painted:
        page.get_by_role("button", name="PNG").click()
    painted.value.save_as(tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        inks = len(image.convert("RGB").getcolors(maxcolors=1 << 24) or ())
        assert min(image.size) > 400 and inks > 50, "the cells are there, and not an empty sheet"
    page.get_by_label("Name", exact=True).fill("")
    page.get_by_role("button", name="Keep it in the gallery").click()
    expect(page.locator("#edit-name-error")).to_contain_text("empty", ignore_case=True)
    page.get_by_label("Name", exact=True).fill("What if")
    page.get_by_role("button", name="Keep it in the gallery").click()
    expect(page.locator("[data-kept]")).to_have_text("Kept: its page.")
    page.get_by_role("link", name="Train in this size").click()
    page.wait_for_url(re.compile(r"/trainings/new\?.*layout\.filters=32.*architecture=[0-9a-f-]{36}"))
    page.goto(f"{application.address}/architectures")
    page.get_by_role("link", name="What if").click()
    expect(page.locator(".architecture-hash")).to_contain_text(digest)
    page.get_by_role("link", name="Edit", exact=True).click()
    expect(page.locator("[data-hash]")).to_have_text(digest)


def test_a_pasted_text_is_edited_without_being_kept(application: RunningApplication, owner_page: Page) -> None:
    owner_page.goto(f"{application.address}/architectures/import")
    owner_page.get_by_label("Architecture", exact=True).fill(json.dumps(BENCH.to_json()))
    owner_page.get_by_role("link", name="Edit it first").click()
    expect(owner_page.locator("[data-hash]")).to_have_text(BENCH.hash)


def test_an_edit_that_the_server_refuses_leaves_what_is_shown(application: RunningApplication, page: Page) -> None:
    page.goto(application.link)
    editing(application, page)
    part(page, OPERATION).click()
    page.locator('.editor-menu [data-choice="conv_1x1"]').wait_for()
    page.route("**/api/architectures/edits", lambda route: route.fulfill(json={"errors": [
        {"field": "", "message": "The server is busy."}], "edits": []}))  # fmt: skip
    page.locator('.editor-menu [data-choice="conv_1x1"]').click()
    expect(page.locator("[data-problem]").first).to_have_text("The server is busy.")
    expect(changes(page)).to_have_text(["Nothing yet."])
    page.unroute("**/api/architectures/edits")
    choose(page, OPERATION, "conv_1x1")
    expect(changes(page)).to_contain_text(["conv 1x1 instead of sep 5x5"])


def test_on_a_phone_the_menu_is_a_sheet_and_nothing_is_wider_than_the_page(
    application: RunningApplication, phone: Page
) -> None:
    editing(application, phone)
    part(phone, OPERATION).tap()
    menu = phone.locator(".editor-menu")
    menu.locator("[data-choice]").first.wait_for()
    box = menu.bounding_box()
    assert box and (box["x"], box["width"]) == (0, PHONE["width"]) and box["y"] + box["height"] == PHONE["height"]
    seen = part(phone, OPERATION).bounding_box()
    assert seen and 0 <= seen["y"] < box["y"]
    menu.locator('[data-choice="conv_1x1"]').tap()
    expect(changes(phone)).to_contain_text(["conv 1x1 instead of sep 5x5"])
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_search_is_asked_for_a_score_and_the_answer_is_awaited(
    application: RunningApplication, owner_page: Page
) -> None:
    page, asked = owner_page, []
    taker = {"id": "7", "name": "Shared", "url": "/searches/7", "state": "running", "takes": "score", "refusal": ""}
    full = {**taker, "name": "Small", "refusal": "It is not in the space of this search."}
    waiting = {"search": "7", "id": "1", "state": "waiting", "sentences": ["It comes between two minibatches."]}
    answered = {**waiting, "state": "answered", "sentences": ["It scores 71.00 % on 128 images."]}
    page.route("**/edits/searches", lambda route: route.fulfill(json={"searches": [taker, full], "errors": []}))
    page.route("**/searches/7/scores/1", lambda route: route.fulfill(json=answered))

    def ask(route: Any) -> None:
        asked.append(json.loads(route.request.post_data)["architecture"])
        route.fulfill(json=waiting, status=201)

    page.route("**/searches/7/scores", ask)
    editing(application, page, f"architecture=nasnet-a&edit={OPERATION}:conv_1x1")
    button, refused = (page.get_by_role("button", name="Ask for a score").nth(at) for at in (0, 1))
    expect(refused).to_be_disabled()
    expect(page.locator("[data-takers]")).to_contain_text("It is not in the space of this search.")
    button.click()
    expect(page.locator("[data-takers]")).to_contain_text("between two minibatches")
    expect(page.locator("[data-takers]")).to_contain_text("It scores 71.00 %", timeout=SLOW)
    assert [each["normal"]["blocks"][1]["operations"][0] for each in asked] == ["conv_1x1"]
