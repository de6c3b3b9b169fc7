"""Searches side by side in a browser: a group started from a search's page, its lines, settings and decisions."""

import json
import re
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.watched_pages import PHONE, watch
from tests.running_application import RunningApplication

SMALL: dict[str, Any] = {
    "name": "Small <b>search</b>",
    "space": {"kind": "nasnet", "blocks": 1},
    "strategy": {"kind": "ppo", "step_size": 3},
    "child": {"kind": "cells", "normal_cells": 1, "reductions": 1, "filters": 4},
    "recipe": {"epochs": 1, "batch_size": 32},
    "data": {"name": "fashion-mnist-10k", "image_size": 14, "train_examples": 64, "held_out_examples": 64},
    "budget": {"children": 6},
}
START = """async (config) => {
    const token = document.querySelector('meta[name="csrf-token"]').content;
    const headers = {"Content-Type": "application/json", "X-CSRFToken": token};
    const reply = await fetch("/api/searches", {method: "POST", headers, body: JSON.stringify({config})});
    return (await reply.json()).url;
}"""
TRAINED = 120_000  # Milliseconds in which a few small children are trained on a busy machine.


@pytest.fixture
def group_page(owner_page: Page, application: RunningApplication) -> Page:
    """The comparison of a search that was started again with two seeds and random search."""
    url = owner_page.evaluate(START, SMALL)
    owner_page.goto(f"{application.address}{url}")
    again = owner_page.locator("compare-again")
    again.locator('[name="count"]').fill("2")
    again.get_by_label("random").check()
    expect(again.locator("[data-cost]")).to_contain_text("This starts 18 children in all", timeout=30_000)
    again.get_by_role("button", name="Start as a group").click()
    owner_page.wait_for_url(re.compile(r"/compare\?streams="))
    return owner_page


def test_a_group_is_started_with_one_click_and_laid_over_each_other(group_page: Page, context: BrowserContext) -> None:
    page = group_page
    legend = page.locator(".compare-legend")
    expect(legend).to_contain_text("Small <b>search</b> (PPO, 2 seeds)")
    expect(legend).to_contain_text("Small <b>search</b> (random, 2 seeds)")
    table = page.locator(".compare-family table")
    expect(table).to_contain_text("12 of 12", timeout=TRAINED)
    expect(table.locator("tbody tr").nth(1)).to_contain_text("2 finished", timeout=TRAINED)
    said = page.locator(".compare-said")
    expect(said).to_contain_text("2 against 2 runs cannot show more than chance: the least possible p is 0.33")

    plot = page.locator("compare-chart").first
    expect(plot.locator(".scatterlayer .trace")).to_have_count(6)  # Of each line its mean and both edges.
    legend.get_by_role("button").first.click()
    expect(plot.locator(".scatterlayer .trace")).to_have_count(3)
    plot.get_by_role("button", name="Clock").click()
    expect(plot.get_by_role("button", name="Clock")).to_have_attribute("aria-pressed", "true")
    expect(plot).to_contain_text("pauses included")

    expect(page.locator(".compare-settings mark").first).to_have_text("Uniform random")
    expect(page.get_by_text(re.compile(r"\d+ settings that are equal"))).to_be_visible()
    _decisions_by_keyboard(page)
    _on_a_phone(page, context)


def _decisions_by_keyboard(page: Page) -> None:
    page.reload()
    lines = page.locator(".decision-line")
    expect(lines).to_have_count(6)
    page.locator('.decision-option[tabindex="0"]').focus()
    page.keyboard.press("Enter")
    pressed = page.locator('.decision-option[aria-pressed="true"]')
    expect(pressed).to_have_count(1)
    faded = page.locator(".decision-line.is-faded").count()
    kept = page.locator("compare-decisions [role=status]")
    expect(kept).to_contain_text(f"{6 - faded} of the 6 children shown" if 0 < faded < 6 else "children shown")
    page.keyboard.press("ArrowRight")
    expect(page.locator(".decision-option:focus")).to_have_attribute("data-axis", "1")
    page.get_by_role("button", name="Pick nothing").click()
    expect(pressed).to_have_count(0)
    page.get_by_text("The same as tables").click()
    expect(page.locator("compare-decisions table").nth(1).locator("tbody tr")).to_have_count(6)


def _on_a_phone(page: Page, context: BrowserContext) -> None:
    phone = watch(context.new_page())
    phone.page.set_viewport_size(PHONE)
    phone.page.goto(page.url)
    expect(phone.page.locator(".compare-legend li")).to_have_count(2, timeout=30_000)
    expect(phone.page.locator("compare-chart .main-svg").first).to_be_attached(timeout=30_000)
    assert phone.page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    assert phone.complaints == []


def test_what_is_ticked_in_the_list_is_compared(owner_page: Page, application: RunningApplication) -> None:
    for name in ("First of two", "Second of two"):
        config = json.loads(json.dumps(SMALL)) | {"name": name}
        owner_page.evaluate(START, config)
    owner_page.goto(application.address)
    for name in ("First of two", "Second of two"):
        owner_page.get_by_role("checkbox", name=f"Tick {name}").check()
    owner_page.get_by_role("button", name="Compare what is ticked").click()
    expect(owner_page.locator(".compare-legend li")).to_have_count(2)
    expect(owner_page.locator("#choose-title")).to_be_visible()


def test_one_alone_says_what_to_do(owner_page: Page, application: RunningApplication) -> None:
    url = owner_page.evaluate(START, SMALL | {"name": "Alone"})
    owner_page.goto(f"{application.address}/compare?streams={url.split('/')[-1]}")
    expect(owner_page.get_by_role("status").first).to_contain_text("This is one alone")
    expect(owner_page.get_by_role("button", name="Compare", exact=True)).to_be_visible()
    owner_page.goto(f"{application.address}/compare")
    expect(owner_page.get_by_role("status").first).to_contain_text("Tick two or more")
