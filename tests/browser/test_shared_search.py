"""Searches with shared weights in the real application: from the form to a network that is trained from scratch."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

from search_engine.config.controller_presets import paper
from search_engine.config.searches import read_enas_config
from search_engine.shared_presets import MACRO_DEMO, MICRO_DEMO
from tests.running_application import RunningApplication

SLOW = 20_000  # Milliseconds: the machine may be busy with other tests.
WHOLE_SEARCH = 150_000


@pytest.fixture
def form(application: RunningApplication, owner_page: Page) -> Page:
    """The form of a macro search, chosen on the page."""
    owner_page.goto(f"{application.address}/searches/new")
    owner_page.get_by_role("link", name="ENAS macro").click()
    expect(owner_page.get_by_label("Layers")).to_have_value(str(MACRO_DEMO.config.space.layers), timeout=SLOW)
    return owner_page


def test_what_was_typed_is_there_again_when_the_method_changes_back(form: Page) -> None:
    form.get_by_label("Name").fill("Kept")
    form.get_by_label("Layers").fill("nine")
    error = form.locator("#field-space-layers-error")
    expect(error).to_have_text("Is 'nine'; must be a whole number.", timeout=SLOW)
    form.get_by_role("link", name="ENAS recurrent").click()
    expect(form.get_by_role("group", name="Activations")).to_be_visible(timeout=SLOW)
    assert form.url.endswith("/searches/new?method=enas-recurrent")
    expect(form.get_by_role("link", name="ENAS recurrent")).to_have_attribute("aria-current", "true")
    form.get_by_role("link", name="ENAS macro").click()
    expect(form.get_by_label("Name")).to_have_value("Kept")
    expect(form.get_by_label("Layers")).to_have_value("nine")
    expect(error).to_have_text("Is 'nine'; must be a whole number.", timeout=SLOW)


def test_the_papers_controller_is_one_press_and_changes_nothing_else(form: Page) -> None:
    form.context.grant_permissions(["clipboard-read", "clipboard-write"])
    button = form.get_by_role("button", name="As the paper")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    form.get_by_role("button", name="Copy as CONFIG.json").click()
    expect(form.get_by_role("button", name="Copied")).to_be_visible()
    config = read_enas_config(json.loads(form.evaluate("navigator.clipboard.readText()")))
    wanted = {"strategy": paper("enas-macro").strategy, "controller": paper("enas-macro").controller}
    assert config == MACRO_DEMO.config.model_copy(update=wanted)
    form.get_by_label("Controller learning rate").fill("0.5")
    expect(button).to_have_attribute("aria-pressed", "false")


def test_the_cost_is_told_before_the_start(form: Page) -> None:
    expect(form.locator('[data-cost="children"]')).to_have_text(
        str(MACRO_DEMO.config.deriving.candidates), timeout=SLOW
    )
    expect(form.locator('[data-cost="epoch_seconds"]')).not_to_have_text("unknown", timeout=60_000)
    expect(form.locator('[data-cost="time"]')).to_contain_text("About")


def test_a_search_started_here_moves_by_itself_and_ends_with_a_trained_network(form: Page) -> None:
    form.get_by_role("link", name="ENAS micro").click()
    expect(form.get_by_label("Nodes per cell")).to_have_value(str(MICRO_DEMO.config.space.nodes), timeout=SLOW)
    small = {
        "name": "By hand", "shared-epochs": "2", "phases-rounds": "2", "deriving-candidates": "4", "space-nodes": "2",
        "data-train_examples": "300", "data-held_out_examples": "200", "derived_recipe-epochs": "1",
    }  # fmt: skip
    for name, value in small.items():
        form.locator(f"#field-{name}").fill(value)
    form.get_by_role("button", name="Start the search").first.click()
    form.wait_for_url(re.compile(r"/searches/[0-9a-f-]{36}$"), timeout=SLOW)
    form.evaluate("window.isTheSamePage = true")
    expect(form.locator(".strip-epochs dd")).to_have_text("2 of 2", timeout=WHOLE_SEARCH)
    expect(form.locator("state-strip .state")).to_have_text("finished", timeout=WHOLE_SEARCH)
    expect(form.locator("shared-architecture h2")).to_contain_text("Best candidate: 0.")
    derived = form.locator("derived-networks")
    derived.scroll_into_view_if_needed()
    expect(derived.locator(".state")).to_have_text("finished", timeout=WHOLE_SEARCH)
    expect(derived.locator("tbody tr")).to_contain_text(["%"])
    assert form.evaluate("window.isTheSamePage")
    form.get_by_role("button", name="Download").or_(form.locator("download-menu summary")).first.click()
    expect(form.locator("download-menu")).to_contain_text("Shared weights")
    derived.get_by_role("link", name="Best of By hand").click()
    expect(form.locator("h1")).to_contain_text("Best of By hand")
