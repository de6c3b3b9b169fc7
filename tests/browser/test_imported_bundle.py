"""A bundle in a real browser: chosen or dropped, its figures shown, kept with its weights, downloaded again."""

import base64
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_gallery import importing  # noqa: F401
from tests.example_bundle import a_bundle


def choose(page: Page, content: bytes, name: str = "bundle.zip") -> None:
    file = {"name": name, "mimeType": "application/zip", "buffer": content}
    page.get_by_label("Or choose a file").set_input_files(file)


def drop(page: Page, content: bytes) -> None:
    text = base64.b64encode(content).decode()
    data = page.evaluate_handle(
        "text => { const carried = new DataTransfer();"
        "const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));"
        "carried.items.add(new File([bytes], 'bundle.zip')); return carried; }",
        text,
    )
    page.dispatch_event("architecture-import", "drop", {"dataTransfer": data})


@pytest.mark.parametrize("bring", [choose, drop])
def test_a_bundle_shows_its_figures_and_is_kept_with_its_weights(importing: Page, bring, tmp_path: Path) -> None:  # noqa: F811
    page = importing
    content = a_bundle(results={"held_out_accuracy": 0.75, "test_accuracy": 0.5, "test_examples": len(bring.__name__)})
    bring(page, content)
    expect(page.locator("[data-found]")).to_contain_text("with weights")
    expect(page.locator("[data-found]")).to_contain_text("Recorded accuracy on Fashion-MNIST: 0.5000 on the test part")
    expect(page.locator("[data-picture] svg")).to_be_visible()
    expect(page.get_by_label("Name")).to_have_value("Grey clothes")
    page.get_by_role("button", name="Keep it").click()
    page.wait_for_url("**/architectures/*-*")
    expect(page.get_by_role("heading", name="With weights")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download bundle").click()
    download.value.save_as(tmp_path / "again.zip")
    assert (tmp_path / "again.zip").read_bytes() == content


def test_a_damaged_bundle_is_one_sentence_and_a_text_after_it_is_read(importing: Page) -> None:  # noqa: F811
    page = importing
    choose(page, a_bundle()[:-50])
    expect(page.locator("#import-file-error")).to_have_text("Is damaged, or is no zip that can be read here.")
    expect(page.get_by_role("button", name="Keep it")).to_be_disabled()
    page.get_by_label("Architecture", exact=True).fill("|nor_conv_3x3~0|+|none~0|none~1|+|none~0|none~1|none~2|")
    expect(page.locator("#import-file-error")).to_have_text("")
    expect(page.get_by_role("button", name="Keep it")).to_be_enabled()
