"""Sizes of an architecture in a real browser: sliders, a budget, the chart, and a training from there."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import PHONE, watch
from tests.running_application import RunningApplication

SLOW = 20_000  # Milliseconds: the machine may be busy with other tests.


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
    expect(phone.locator("transfer-chart")).to_contain_text("hollow where the released code gives other counts")
