"""Own images in a real browser: a zip is chosen, sent, checked, looked at, used, and offered by the start form."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.conftest import PHONE
from tests.running_application import RunningApplication
from tests.web.test_own_data import pets

SLOW = 30_000  # Milliseconds: the machine may be busy with other tests.


def test_a_zip_becomes_data_that_the_start_form_offers(
    application: RunningApplication, owner_page: Page, tmp_path: Path
) -> None:
    archive = tmp_path / "pets.zip"
    archive.write_bytes(pets({"cat/evil.png": b"#!/bin/sh"}))
    owner_page.get_by_role("link", name="Data", exact=True).click()
    owner_page.get_by_label("Add your images").set_input_files(archive)
    owner_page.wait_for_url(re.compile(r"/data/[0-9a-f-]{36}$"), timeout=SLOW)
    expect(owner_page.get_by_role("heading", name="Refused: 1 file")).to_be_visible(timeout=SLOW)
    expect(owner_page.get_by_text("is no PNG, JPEG, WebP, BMP or GIF image")).to_be_visible()
    strips = owner_page.get_by_role("img", name="Pictures of")
    assert strips.count() == 2 and strips.first.bounding_box()["width"] > 100
    owner_page.get_by_label("Title").fill("My pets")
    owner_page.get_by_role("button", name="Use this data").click()
    expect(owner_page.get_by_role("heading", level=1)).to_have_text("My pets", timeout=SLOW)
    owner_page.get_by_role("link", name="New search").last.click()
    owner_page.get_by_role("radio", name="My pets").check()
    expect(owner_page.locator("#field-data-image_size-error")).to_contain_text("My pets have 12 pixels", timeout=SLOW)
    owner_page.goto(f"{application.address}/data")
    owner_page.get_by_role("link", name="My pets").click()
    owner_page.get_by_role("button", name="Delete").first.click()
    owner_page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    owner_page.wait_for_url(f"{application.address}/data")
    expect(owner_page.get_by_text("My pets")).to_have_count(0)


def test_a_file_that_is_no_archive_is_refused_in_a_sentence(
    application: RunningApplication, owner_page: Page, tmp_path: Path
) -> None:
    (tmp_path / "pets.zip").write_bytes(b"no archive")
    owner_page.goto(f"{application.address}/data")
    owner_page.get_by_label("Add your images").set_input_files(tmp_path / "pets.zip")
    expect(owner_page.get_by_role("alert").first).to_have_text(
        "The archive is no zip archive, or is damaged.", timeout=SLOW
    )
    owner_page.get_by_role("button", name="Delete").first.click()
    owner_page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    owner_page.wait_for_url(f"{application.address}/data")


def test_the_page_fits_a_phone(application: RunningApplication, owner_page: Page) -> None:
    owner_page.set_viewport_size(PHONE)
    owner_page.goto(f"{application.address}/data")
    assert owner_page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
