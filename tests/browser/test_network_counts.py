"""Counts of an architecture in a real browser: every answer goes where it belongs, and a moving slider gets one."""

import pytest
from playwright.sync_api import Page, expect

from tests.running_application import RunningApplication

SLOW = 20_000  # Milliseconds: the machine may be busy with other tests.
DRAG = """path => new Promise((done) => {
  const slider = document.querySelector(`[data-slides="${path}"]`);
  const figure = document.querySelector('[data-count="parameters"] dd');
  const seen = new Set();
  new MutationObserver(() => seen.add(figure.textContent)).observe(figure, { childList: true, subtree: true });
  let moves = 0;
  const timer = setInterval(() => {
    slider.value = 1 + (++moves % 20);
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    if (seen.size < 3 && moves < 400) return;
    clearInterval(timer);
    done(seen.size);
  }, 25);
})"""


@pytest.fixture
def nasnet_a(application: RunningApplication, owner_page: Page) -> Page:
    owner_page.goto(f"{application.address}/architectures/nasnet-a")
    return owner_page


def test_a_change_rewrites_the_parts_and_leaves_the_fits_of_a_budget_alone(nasnet_a: Page) -> None:
    nasnet_a.get_by_label("At most").fill("3,400,000")
    nasnet_a.get_by_role("button", name="Fit", exact=True).click()
    fits = nasnet_a.locator(".budget-fits tbody")
    expect(fits).to_contain_text("N = 6, F = 32", timeout=SLOW)
    nasnet_a.get_by_role("button", name="4 @ 1056").click()
    expect(nasnet_a.locator(".count-parts tbody tr").first).to_contain_text("32 × 111 × 111", timeout=SLOW)
    expect(fits).to_contain_text("N = 6, F = 32")


def test_a_slider_that_does_not_rest_shows_figures_on_its_way_and_those_of_its_end(nasnet_a: Page) -> None:
    assert nasnet_a.evaluate(DRAG, "layout.normal_cells") >= 3
    slider = nasnet_a.locator('[data-slides="layout.normal_cells"]')
    slider.evaluate("slider => { slider.value = 6; slider.dispatchEvent(new Event('input', { bubbles: true })); }")
    expect(nasnet_a.locator('[data-count="parameters"] dd')).to_have_text("3,346,538", timeout=SLOW)
    expect(nasnet_a.locator("network-counts")).not_to_have_class("is-stale")


@pytest.mark.parametrize("path", ["layout.skeleton", "layout.average_counts_padding"])
def test_what_is_chosen_and_not_typed_is_counted_without_a_pause(
    application: RunningApplication, owner_page: Page, path: str
) -> None:
    owner_page.clock.install()
    owner_page.goto(f"{application.address}/architectures/nasnet-a")
    field = owner_page.locator(f'[data-path="{path}"]')
    expect(field).to_be_visible()
    owner_page.clock.pause_at(owner_page.evaluate("Date.now() + 60_000"))  # Behind here no pause ever ends.
    with owner_page.expect_request("**/api/architectures/describe"):
        if path == "layout.skeleton":
            field.select_option("darts")
        else:
            field.check()
