"""Sizes of an architecture in a real browser: sliders, a budget, the chart, and a training from there."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.watched_pages import DESKTOP, PHONE, watch
from tests.running_application import ROOT, RunningApplication, environment_of

SLOW = 20_000  # Milliseconds: the machine may be busy with other tests.
PLOT = "transfer-chart .chart-plot"
TRAINED = {"Smaller": (2, 8, 0.71), "Larger": (2, 12, 0.78)}  # Name: cells, filters, test accuracy.
ADD_ROWS = """
import json, time
from django.db import transaction
from search_engine.catalogue.published import read_published
from search_engine.config.layout import LayoutConfig
from search_engine.training_start import small_training
from webapp.accounts.sign_in import get_or_create_user
from webapp.searches.start import start_training

architecture, added = read_published("nasnet-a").architecture, {}
with transaction.atomic():  # No worker sees the jobs.
    for name, (cells, filters, accuracy) in json.loads(TRAINED).items():
        layout = LayoutConfig(normal_cells=cells, filters=filters)
        config = small_training(architecture, name).model_copy(update={"layout": layout})
        row = start_training(get_or_create_user("owner"), config, None, published="nasnet-a")
        row.jobs.all().delete()
        row.state, row.ended, row.test_accuracy, row.test_examples = "finished", time.time(), accuracy, 2000
        row.save()
        added[name] = [str(row.pk), row.parameters]
print(json.dumps(added))
"""


@pytest.fixture(scope="module")
def trained(application: RunningApplication) -> dict[str, Any]:
    """Two finished trainings of NASNet-A as rows: their ids and parameters by their names."""
    program = f"TRAINED = {json.dumps(TRAINED)!r}\n{ADD_ROWS}"
    command = [sys.executable, "manage.py", "shell", "--no-imports", "-c", program]
    environment = environment_of(application.folder)
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout.splitlines()[-1]))


@pytest.fixture
def chart(
    application: RunningApplication, browser: Browser, trained: dict[str, Any], request: pytest.FixtureRequest
) -> Iterator[Page]:
    """The page of NASNet-A, its chart drawn with both trainings. Parameter: the colour scheme, if not light."""
    context = browser.new_context(viewport=DESKTOP, color_scheme=getattr(request, "param", "light"))
    watched = watch(context.new_page())
    watched.page.goto(application.link)
    watched.page.goto(f"{application.address}/architectures/nasnet-a")
    watched.page.locator("transfer-chart").scroll_into_view_if_needed()
    expect(points(watched.page)).to_have_count(2, timeout=SLOW)
    yield watched.page
    context.close()
    assert watched.complaints == []


def points(page: Page) -> Any:
    """The drawn points of trainings: no others open something."""
    return page.locator(f"{PLOT} .points path.plotly-customdata")


def traces(page: Page) -> dict[str, Any]:
    """What Plotly was given, by the names of the traces."""
    found = page.evaluate(
        f"document.querySelector('{PLOT}').data.map(({{name, x, y, marker}}) => ({{name, x, y, marker}}))"
    )
    return {each["name"]: each for each in found}


@pytest.fixture
def nasnet_a(application: RunningApplication, owner_page: Page) -> Page:
    owner_page.goto(f"{application.address}/architectures/nasnet-a")
    return owner_page


@pytest.fixture
def phone(application: RunningApplication, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 390, "height": PHONE["height"]}, color_scheme="dark")
    watched = watch(context.new_page())
    watched.page.goto(application.link)
    watched.page.goto(f"{application.address}/architectures/nasnet-a")
    yield watched.page
    context.close()
    assert watched.complaints == []


def test_a_slider_moves_the_counts_by_keyboard(nasnet_a: Page) -> None:
    parameters = nasnet_a.locator('[data-count="parameters"] dd')
    expect(parameters).to_have_text("3,346,538")
    slider = nasnet_a.get_by_label(re.compile("^Normal cells.*slider$"))
    slider.focus()
    slider.press("ArrowRight")
    expect(nasnet_a.locator('[data-path="layout.normal_cells"]')).to_have_value("7")
    expect(parameters).not_to_have_text("3,346,538", timeout=SLOW)
    nasnet_a.get_by_role("button", name="4 @ 1056").click()
    expect(parameters).to_have_text("5,289,978", timeout=SLOW)
    expect(slider).to_have_value("4")


def test_a_budget_finds_sizes_and_a_row_sets_the_fields(nasnet_a: Page) -> None:
    nasnet_a.get_by_role("button", name="4 @ 1056").click()
    nasnet_a.get_by_label("At most").fill("5,300,000")
    nasnet_a.get_by_role("button", name="Fit", exact=True).click()
    expect(nasnet_a.locator("budget-fit tbody tr").first).to_contain_text("5,289,978", timeout=SLOW)
    second = nasnet_a.locator("budget-fit tbody tr").nth(1)
    counted = second.locator("td").nth(1).inner_text()
    second.get_by_role("button").click()
    expect(nasnet_a.locator('[data-count="parameters"] dd')).to_have_text(counted, timeout=SLOW)
    nasnet_a.get_by_label("At most").fill("no number")
    nasnet_a.get_by_role("button", name="Fit", exact=True).click()
    expect(nasnet_a.locator("#budget-error")).to_contain_text("Must be a whole number", timeout=SLOW)


def test_a_training_starts_with_the_size_that_is_shown(nasnet_a: Page) -> None:
    nasnet_a.locator('[data-path="layout.filters"]').fill("12")
    nasnet_a.get_by_role("link", name="Train in this size").click()
    expect(nasnet_a.locator('[data-path="layout.filters"]')).to_have_value("12")
    expect(nasnet_a.locator('[data-path="layout.normal_cells"]')).to_have_value("6")
    expect(nasnet_a.locator('[data-path="data.image_size"]')).to_have_value("32")


def test_the_page_fits_a_phone_in_the_dark_and_draws_its_chart(phone: Page) -> None:
    phone.locator("transfer-chart").scroll_into_view_if_needed()
    expect(phone.locator("transfer-chart .main-svg").first).to_be_visible(timeout=SLOW)
    assert phone.evaluate("document.documentElement.scrollWidth") <= 390
    expect(phone.locator("transfer-chart .points path").first).to_be_attached(timeout=SLOW)
    expect(phone.locator("transfer-chart")).to_contain_text("the released code gives other counts than are printed")


@pytest.mark.parametrize("chart", ["light", "dark"], indirect=True)
def test_trainings_are_drawn_where_their_cost_and_accuracy_are(chart: Page, trained: dict[str, Any]) -> None:
    drawn = traces(chart)["test accuracy"]
    assert dict(zip(drawn["x"], drawn["y"], strict=True)) == {
        trained[name][1]: accuracy for name, (_, _, accuracy) in TRAINED.items()
    }
    (left, high), (right, low) = (  # The smaller stands left of the larger, and lower.
        (box["x"], box["y"]) for box in (points(chart).nth(place).bounding_box() for place in (0, 1)) if box
    )
    assert left < right and high > low
    expect(chart.locator("transfer-chart .ytitle")).to_have_text("test accuracy")
    expect(chart.get_by_label("Data set").locator("option")).to_have_text(["Fashion-MNIST, 10,000 images"])
    dark = chart.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    background, fill = (
        chart.evaluate(f"getComputedStyle(document.querySelector({where!r})).{what}")
        for where, what in (("section.card", "backgroundColor"), (f"{PLOT} path.plotly-customdata", "fill"))
    )
    assert (lightness(background) < 100) == dark and abs(lightness(background) - lightness(fill)) > 60


def test_published_sizes_are_named_where_they_stand_and_in_words(chart: Page) -> None:
    marks = traces(chart)["published"]
    assert {3_346_538, 5_289_978, 88_753_150} <= set(marks["x"])
    named = chart.locator(f"{PLOT} .annotation-text").all_text_contents()
    assert {"6 @ 768", "4 @ 1056", "6 @ 4032"} <= set(named) and "7 @ 2304" not in named
    words = chart.locator("transfer-chart")
    expect(words).to_contain_text("Triangles are published sizes: 6 @ 768, 4 @ 1056, ")
    expect(words).to_contain_text("Hollow ones (")
    expect(words).to_contain_text("7 @ 2304")


def lightness(colour: str) -> float:
    """The mean of red, green and blue, from 0 to 255."""
    return sum(float(each) for each in re.findall(r"[\d.]+", colour)[:3]) / 3


def test_the_line_of_this_size_stands_at_its_cost_from_the_start(
    application: RunningApplication, owner_page: Page, trained: dict[str, Any]
) -> None:
    asked: list[str] = []
    owner_page.on("request", lambda request: asked.append(request.url))
    owner_page.goto(f"{application.address}/architectures/nasnet-a")
    owner_page.locator("transfer-chart").scroll_into_view_if_needed()
    expect(points(owner_page)).to_have_count(2, timeout=SLOW)
    line = owner_page.locator(f"{PLOT} .shapelayer path")
    expect(line).to_have_count(1)
    assert not [url for url in asked if url.endswith("/describe")]  # Nothing was counted again for it.
    where, expected = owner_page.evaluate(
        f"""() => {{
            const plot = document.querySelector('{PLOT}'), axis = plot._fullLayout.xaxis;
            const line = plot.querySelector('.shapelayer path').getBoundingClientRect();
            const frame = plot.getBoundingClientRect();
            return [line.x + line.width / 2 - frame.x, axis._offset + axis.d2p(3346538)];
        }}"""
    )
    assert where == pytest.approx(expected, abs=2)
    expect(owner_page.locator(f"{PLOT} .annotation-text").last).to_have_text("this size")


def test_arrow_keys_go_from_training_to_training_and_enter_opens_one(chart: Page, trained: dict[str, Any]) -> None:
    chart.locator(PLOT).focus()
    chart.keyboard.press("Home")
    words = chart.locator(".transfer-point")
    expect(words).to_contain_text(f"Smaller, N = 2, F = 8: 71.00 %, {trained['Smaller'][1]:,} parameters. Enter opens")
    chart.keyboard.press("ArrowRight")
    expect(words).to_contain_text("Larger, N = 2, F = 12: 78.00 %")
    ring = f"document.querySelector('{PLOT}').data.find(({{name}}) => name === 'chosen')?.x[0]"
    chart.wait_for_function(f"() => {ring} === {trained['Larger'][1]}", timeout=SLOW)
    chart.keyboard.press("Enter")
    chart.wait_for_url(f"**/trainings/{trained['Larger'][0]}", timeout=SLOW)
    expect(chart.get_by_role("heading", level=1)).to_have_text("Larger")


def test_a_click_on_a_point_opens_its_training(chart: Page, trained: dict[str, Any]) -> None:
    box = points(chart).first.bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    chart.mouse.move(x, y)
    chart.mouse.click(x, y)
    chart.wait_for_url(f"**/trainings/{trained['Smaller'][0]}", timeout=SLOW)
    expect(chart.get_by_role("heading", level=1)).to_have_text("Smaller")
