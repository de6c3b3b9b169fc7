"""The gallery in a real browser: paste, see it recognised and drawn, keep, count, train; by keyboard and on a phone."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.watched_pages import PHONE, watch
from tests.running_application import RunningApplication

SLOW = 20_000  # Milliseconds: the machine may be busy with other tests.
GENOTYPE = """Mine = Genotype(
  normal=[('sep_conv_3x3', 0), ('sep_conv_5x5', 1), ('skip_connect', 0), ('dil_conv_5x5', 2)],
  normal_concat=[2, 3],
  reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1), ('skip_connect', 2), ('avg_pool_3x3', 0)],
  reduce_concat=[2, 3])"""


@pytest.fixture
def importing(application: RunningApplication, owner_page: Page) -> Page:
    owner_page.goto(f"{application.address}/architectures/import")
    return owner_page


@pytest.fixture(scope="module")
def phone(application: RunningApplication, browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 360, "height": PHONE["height"]})
    watched = watch(context.new_page())
    watched.page.goto(application.link)
    yield watched.page
    context.close()
    assert watched.complaints == []


def keep(page: Page, text: str, name: str) -> str:
    """Paste, name and keep; returns the address of its page, which the browser then shows."""
    page.get_by_label("Architecture", exact=True).fill(text)
    button = page.get_by_role("button", name="Keep it")
    expect(button).to_be_enabled(timeout=SLOW)
    page.get_by_label("Name").fill(name)
    button.click()
    page.wait_for_url(re.compile(r"/architectures/[0-9a-f-]{36}$"))
    return page.url


def test_a_pasted_cell_is_recognised_drawn_kept_counted_and_trained(importing: Page) -> None:
    importing.get_by_label("Architecture", exact=True).fill(GENOTYPE)
    expect(importing.locator("[data-found]")).to_contain_text("Genotype of DARTS", timeout=SLOW)
    expect(importing.locator("[data-picture] svg.cell-drawing")).to_be_visible()
    expect(importing.get_by_label("Name")).to_have_value("Mine")
    keep(importing, GENOTYPE, "My cell")
    expect(importing.get_by_role("heading", level=1)).to_have_text("My cell")
    parameters = importing.locator('[data-count="parameters"] dd')
    before = parameters.inner_text()
    importing.get_by_label("Filters", exact=True).fill("8")
    expect(parameters).not_to_have_text(before, timeout=SLOW)
    importing.get_by_role("link", name="Train this").click()
    expect(importing.locator('[data-cost="parameters"]')).to_contain_text("k", timeout=SLOW)
    # Small enough to be over soon, though nobody waits for it here.
    importing.locator('[data-path="recipe.epochs"]').fill("1")
    importing.locator('[data-path="data.train_examples"]').fill("100")
    importing.get_by_role("button", name="Start the training").first.click()
    importing.wait_for_url(re.compile(r"/trainings/[0-9a-f-]{36}$"))
    expect(importing.get_by_role("link", name="My cell")).to_be_visible()


def test_a_mistake_is_one_sentence_at_the_field_and_nothing_is_lost(importing: Page) -> None:
    text = importing.get_by_label("Architecture", exact=True)
    broken = GENOTYPE.replace("('sep_conv_5x5', 1)", "('sep_conv_5x5', 7)")
    text.fill(broken)
    error = importing.locator("#import-text-error")
    expect(error).to_contain_text("7", timeout=SLOW)
    expect(text).to_have_attribute("aria-invalid", "true")
    expect(text).to_have_value(broken)
    expect(importing.get_by_role("button", name="Keep it")).to_be_disabled()
    text.fill(GENOTYPE)
    expect(error).to_be_empty(timeout=SLOW)
    importing.get_by_label("Name").fill("   ")
    importing.get_by_role("button", name="Keep it").click()
    expect(importing.locator("#import-name-error")).to_have_text("Is empty; must have 1 to 80 characters.")
    expect(importing.get_by_label("Name")).to_be_focused()
    expect(text).to_have_value(GENOTYPE)


def test_a_file_is_read_like_a_text_and_what_is_published_is_named(importing: Page, tmp_path: Path) -> None:
    with importing.expect_download() as download:
        importing.evaluate(
            """() => { const a = document.createElement("a"); a.href = "/api/architectures/nasnet-a/architecture.json";
                       a.download = ""; a.click(); }"""
        )
    path = tmp_path / "nasnet-a.json"
    download.value.save_as(path)
    importing.get_by_label("Or choose a file").set_input_files(path)
    expect(importing.locator("[data-found]")).to_contain_text("It is published, as NASNet-A.", timeout=SLOW)
    expect(importing.get_by_label("Name")).to_have_value("NASNet-A")


def test_a_published_size_is_one_press_away(application: RunningApplication, owner_page: Page) -> None:
    owner_page.goto(f"{application.address}/architectures/nasnet-a")
    large = owner_page.get_by_role("button", name="6 @ 4032")
    large.click()
    expect(owner_page.locator('[data-count="parameters"] dd')).to_have_text("88,753,150", timeout=SLOW)
    expect(owner_page.locator('[data-count="mult_adds"] dd')).to_have_text("23,783,414,658")
    expect(owner_page.locator('[data-count="with_auxiliary"] dd')).to_have_text("93,320,934")
    expect(large).to_have_attribute("aria-pressed", "true")
    expect(owner_page.locator(".count-parts tbody tr").first).to_contain_text("96 × 165 × 165")
    owner_page.get_by_label("Filters", exact=True).fill("7")
    expect(owner_page.locator("#field-layout-filters-error")).not_to_be_empty(timeout=SLOW)
    expect(large).to_have_attribute("aria-pressed", "false")


def test_the_stem_of_large_images_is_asked_for_only_where_there_is_one(
    application: RunningApplication, owner_page: Page
) -> None:
    owner_page.goto(f"{application.address}/architectures/nasnet-a")
    stem = owner_page.get_by_label("Stem filters")
    expect(stem).to_be_hidden()
    owner_page.get_by_label("Skeleton").select_option("imagenet")
    expect(stem).to_be_visible()


def test_mine_is_renamed_and_deleted_by_keyboard_after_a_question(importing: Page) -> None:
    keep(importing, GENOTYPE.replace("avg_pool_3x3", "max_pool_3x3"), "To be renamed")
    importing.get_by_role("button", name="Rename").press("Enter")
    name = importing.locator("#new-name")
    expect(name).to_be_focused()
    name.fill("")
    name.press("Enter")
    expect(importing.locator("#new-name-error")).to_contain_text("Is empty", timeout=SLOW)
    name.fill("Renamed")
    name.press("Enter")
    expect(importing.get_by_role("heading", level=1)).to_have_text("Renamed", timeout=SLOW)
    importing.get_by_role("button", name="Delete").press("Enter")
    expect(importing.get_by_role("button", name="Keep it")).to_be_focused()
    importing.keyboard.press("Escape")
    expect(importing.get_by_role("button", name="Delete")).to_be_focused()
    importing.get_by_role("button", name="Delete").press("Enter")
    importing.get_by_role("dialog").get_by_role("button", name="Delete").press("Enter")
    importing.wait_for_url(re.compile(r"/architectures$"))
    expect(importing.get_by_text("Renamed")).to_have_count(0)


@pytest.mark.parametrize(
    "address", ["", "/import", "/nasnet-a", "/enas-macro-released", "/darts-v2-rnn", "?kind=recurrent"]
)
def test_a_phone_needs_no_sideways_scrolling(application: RunningApplication, phone: Page, address: str) -> None:
    phone.goto(f"{application.address}/architectures{address}")
    assert phone.evaluate("document.documentElement.scrollWidth") <= 360


def test_what_was_read_is_told_in_a_sentence_and_a_wrong_place_as_it_is_written(importing: Page) -> None:
    text, found = importing.get_by_label("Architecture", exact=True), importing.locator("[data-found]")
    text.fill("|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_3x3~1|skip_connect~2|")
    expect(found).to_have_text("Read as a string of NAS-Bench-201: NAS-Bench-201 cell.", timeout=SLOW)
    text.fill(GENOTYPE)
    expect(found).to_contain_text("Read as a Genotype of DARTS: cells for images.", timeout=SLOW)
    text.fill(GENOTYPE.replace("sep_conv_5x5", "mega_conv", 1))
    expect(importing.locator("#import-text-error")).to_contain_text("normal.1: 'mega_conv' is unknown", timeout=SLOW)
