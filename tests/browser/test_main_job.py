"""The main job as a person does it: from the form to the download, with the real application and a real worker."""

import csv
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Download, Page, expect

from search_engine.presets import DEMO
from tests.browser.watched_pages import watch
from tests.running_application import ROOT, RunningApplication
from tests.web.slow_sizes import long

PATIENCE = 120_000  # Milliseconds; the machine may be busy with other things.
SMALL = {  # What makes the demo small enough for a test; the rest stays as the preset has it.
    "name": "A small search",
    "strategy.step_size": "2",
    "budget.children": "6",
    "data.train_examples": "600",
    "data.held_out_examples": "400",
}
SMALL_TRAINING = {
    "name": "A small training",
    "layout.normal_cells": "1",
    "layout.filters": "8",
    "recipe.epochs": "2",
    "data.image_size": "14",
    "data.train_examples": "1000",
    "data.held_out_examples": "400",
}


def fill(page: Page, values: dict[str, str]) -> None:
    """Write into the form's fields, by path of the configuration, wherever they are folded away."""
    page.locator("details.more").evaluate_all("all => all.forEach((details) => (details.open = true))")
    for path, value in values.items():
        page.locator(f'[data-path="{path}"]').fill(value)


def start_search(page: Page, address: str, values: dict[str, str]) -> str:
    """Start a search from the form and return its id; the page is then the live page."""
    page.goto(f"{address}/searches/new?preset=demo")
    fill(page, values)
    page.get_by_role("button", name="Start the search").click()
    page.wait_for_url(re.compile(r"/searches/[0-9a-f-]{36}$"))
    return page.url.rsplit("/", 1)[1]


def wait_for_state(page: Page, state: str) -> None:
    expect(page.locator("state-strip .state")).to_have_text(state, timeout=PATIENCE)


def figures(page: Page) -> dict[str, str]:
    """What the live page says that every viewer must agree on."""
    return {
        "state": page.locator("state-strip .state").inner_text(),
        "done": page.locator(".strip-children dd").inner_text(),
        "best": page.locator(".strip-best dd").inner_text(),
        "fingerprint": page.locator("print-of-search").inner_text(),
        "log": page.locator("event-log").inner_text(),
    }


def saved(download: Download, folder: Path) -> Path:
    path = folder / download.suggested_filename
    download.save_as(path)
    return path


@pytest.fixture(scope="module")
def finished_search(application: RunningApplication, browser: Browser) -> str:
    """The id of a small search that was watched to its end."""
    context = browser.new_context()
    watched = watch(context.new_page())
    watched.page.goto(application.link)
    search = start_search(watched.page, application.address, SMALL)
    wait_for_state(watched.page, "finished")
    assert watched.complaints == []
    context.close()
    return search


def test_a_stranger_is_asked_to_sign_in(application: RunningApplication, page: Page) -> None:
    page.goto(application.address)
    assert "/sign-in" in page.url
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def test_the_first_page_leads_to_the_demo(application: RunningApplication, owner_page: Page) -> None:
    owner_page.goto(f"{application.address}/searches/new?preset=demo")
    expect(owner_page.locator('[data-preset="demo"]')).to_have_attribute("aria-pressed", "true")
    expect(owner_page.locator("cost-panel")).to_contain_text("Memory of the largest")
    expect(owner_page.locator("cost-panel")).to_contain_text(str(DEMO.config.budget.children))


def test_a_wrong_value_is_refused_at_its_field_and_loses_nothing(
    application: RunningApplication, owner_page: Page
) -> None:
    owner_page.goto(f"{application.address}/searches/new?preset=demo")
    fill(owner_page, {"name": "Kept", "space.blocks": "99"})
    owner_page.get_by_role("button", name="Start the search").click()
    blocks = owner_page.locator('[data-path="space.blocks"]')
    expect(blocks).to_have_attribute("aria-invalid", "true")
    expect(owner_page.locator(".field", has=blocks).locator(".field-error")).to_contain_text("at most 7")
    assert "/searches/new" in owner_page.url
    expect(owner_page.locator('[data-path="name"]')).to_have_value("Kept")


def test_a_search_fills_its_page_and_every_viewer_sees_the_same(
    application: RunningApplication, owner_page: Page, browser: Browser
) -> None:
    search = start_search(owner_page, application.address, SMALL | {"name": "Two viewers", "budget.children": "8"})
    second_context = browser.new_context()
    second = watch(second_context.new_page())
    second.page.goto(application.link)
    second.page.goto(f"{application.address}/searches/{search}")
    expect(owner_page.locator("policy-map")).to_contain_text("Normal cell", ignore_case=True)  # Before any reward.
    expect(owner_page.locator("reward-chart .main-svg").first).to_be_visible()
    second_context.set_offline(True)  # A lost connection ...
    expect(owner_page.locator(".strip-children dd")).to_contain_text("8 of 8", timeout=PATIENCE)
    second_context.set_offline(False)  # ... comes back and misses nothing.
    for page in (owner_page, second.page):
        wait_for_state(page, "finished")
        expect(page.locator("print-of-search")).to_have_text(re.compile("[0-9a-f]{8}"))
    assert figures(second.page) == figures(owner_page)
    owner_page.reload()
    wait_for_state(owner_page, "finished")
    assert figures(second.page) == figures(owner_page)
    assert owner_page.locator("reward-chart .scatterlayer path.point").count() >= 8
    second_context.close()
    offline = ("ERR_INTERNET_DISCONNECTED", "WebSocket connection")
    assert [one for one in second.complaints if not any(word in one for word in offline)] == []


def test_pause_resume_stop_and_clone_work(application: RunningApplication, owner_page: Page) -> None:
    start_search(owner_page, application.address, SMALL | {"name": "To be stopped", "budget.children": "60"})
    owner_page.get_by_role("button", name="Pause").click()
    wait_for_state(owner_page, "paused")
    owner_page.get_by_role("button", name="Resume").click()
    wait_for_state(owner_page, "running")
    owner_page.get_by_role("button", name="Stop", exact=True).click()
    owner_page.get_by_role("button", name="Keep going").click()
    wait_for_state(owner_page, "running")
    owner_page.get_by_role("button", name="Stop", exact=True).click()
    owner_page.get_by_role("button", name="Stop the search").click()
    wait_for_state(owner_page, "stopped")
    owner_page.get_by_role("link", name="Clone").click()
    expect(owner_page.locator('[data-path="budget.children"]')).to_have_value("60")


@long
def test_a_search_with_its_companion_ends_with_a_comparison(application: RunningApplication, owner_page: Page) -> None:
    owner_page.goto(f"{application.address}/searches/new?preset=demo")
    fill(owner_page, SMALL | {"name": "Not alone", "budget.children": "10", "data.train_examples": "100"})
    owner_page.get_by_role("checkbox", name="Random companion").check()
    owner_page.get_by_role("button", name="Start the search").first.click()
    owner_page.wait_for_url(re.compile(r"/searches/[0-9a-f-]{36}$"))
    panel = owner_page.locator("random-comparison")
    expect(panel).to_contain_text("10 of 10 children, finished", timeout=PATIENCE)
    wait_for_state(owner_page, "finished")
    expect(panel).to_contain_text("This is one run of the controller, against one run of random search.")
    expect(owner_page.locator(".strip-lead dd")).to_contain_text("points")
    panel.get_by_role("link", name="The random search beside it").click()
    owner_page.get_by_role("link", name="Not alone").click()
    expect(owner_page.locator("state-strip .state")).to_have_text("finished")


def test_the_table_of_children_sorts_on_the_server_and_opens_an_architecture(
    application: RunningApplication, owner_page: Page, finished_search: str
) -> None:
    owner_page.goto(f"{application.address}/searches/{finished_search}")
    table = owner_page.locator("children-table")
    table.scroll_into_view_if_needed()
    expect(table.locator("tbody tr")).to_have_count(6)
    expect(table.locator("cell-picture svg").first).to_be_visible()
    table.get_by_role("button", name="Parameters").click()
    expect(table.locator("th[data-column=parameters]")).to_have_attribute("aria-sort", "ascending")
    table.locator("tbody a").nth(1).click()
    expect(owner_page.get_by_role("heading", level=1)).to_contain_text("Child")
    expect(owner_page.get_by_text("Mult-adds per image").first).to_be_visible()
    expect(owner_page.locator(".piece svg").first).to_be_visible()


def test_the_children_come_as_a_table_and_the_best_in_every_form(
    application: RunningApplication, owner_page: Page, finished_search: str, tmp_path: Path
) -> None:
    owner_page.goto(f"{application.address}/searches/{finished_search}")
    expect(owner_page.locator(".strip-best dd")).to_contain_text("%")

    def take(name: str, role: str = "link") -> Path:
        owner_page.locator("download-menu summary").click()
        with owner_page.expect_download() as started:
            owner_page.locator("download-menu").get_by_role(role, name=name).click()
        owner_page.keyboard.press("Escape")
        return saved(started.value, tmp_path)

    rows = list(csv.DictReader(io.StringIO(take("All children").read_text())))
    assert len(rows) == 6
    assert max(float(row["reward"]) for row in rows) > 0.1
    architecture = json.loads(take("architecture.json").read_text())
    assert architecture["kind"] == "cells"
    assert "<svg" in take("Picture (SVG)").read_text()
    assert take("Picture (PNG)", role="button").read_bytes().startswith(b"\x89PNG")
    owner_page.locator("download-menu summary").click()
    owner_page.get_by_role("link", name="Other dialects").click()
    expect(owner_page.get_by_role("heading", name="Take it away")).to_be_visible()
    expect(owner_page.locator(".exports")).to_contain_text("nas-bench-201.txt")


def test_the_best_architecture_is_trained_taken_away_and_repeats_its_accuracy(
    application: RunningApplication, owner_page: Page, finished_search: str, tmp_path: Path
) -> None:
    owner_page.goto(f"{application.address}/searches/{finished_search}")
    owner_page.get_by_role("link", name="Train this").click()
    fill(owner_page, SMALL_TRAINING)
    owner_page.get_by_role("button", name="Start the training").first.click()
    owner_page.wait_for_url(re.compile(r"/trainings/[0-9a-f-]{36}$"))
    wait_for_state(owner_page, "finished")
    expect(owner_page.locator("[data-test]")).to_contain_text("test images, looked at once")
    shown = owner_page.locator("[data-test]").inner_text()
    training = owner_page.request.get(owner_page.url.replace("/trainings/", "/api/trainings/")).json()
    for name in ("Download bundle", "Weights"):
        with owner_page.expect_download() as started:
            owner_page.locator("[data-artifacts]").get_by_role("link", name=name).click()
        taken = saved(started.value, tmp_path)
        command = [sys.executable, "-m", "search_engine", "evaluate", str(taken), "--data", "fashion-mnist-10k"]
        evaluated = subprocess.run([*command, "--json"], cwd=ROOT, capture_output=True, text=True, check=True)
        assert json.loads(evaluated.stdout)["test_accuracy"] == training["test_accuracy"]
    assert shown.startswith(f"{100 * training['test_accuracy']:.2f}")
