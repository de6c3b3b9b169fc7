"""Own images in a real browser: a zip is chosen, sent, checked, looked at, used, and offered by the start form."""

import re
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.watched_pages import PHONE
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
    wanted = numbers_of(owner_page)
    for name, numbers in (("My pets", ["12", "16", "16"]), ("CIFAR-100", wanted), ("My pets", ["12", "16", "16"])):
        owner_page.get_by_role("radio", name=name).check()
        assert numbers_of(owner_page) == numbers
    train, held_out = int(wanted[1]), int(wanted[2])
    expect(owner_page.locator("[data-fit]")).to_have_text(
        "The images of “My pets” have 12 pixels, so the image size is 12. "
        f"“My pets” has 32 training images, {train + held_out:,} were asked for: now 16 are trained on and 16 held out."
    )
    owner_page.get_by_label("Training images").fill("40")
    expect(owner_page.locator("#field-data-train_examples-error")).to_have_text(
        "Is 40 and 16 more are held out, 56 together; the training part of “My pets” has 32.", timeout=SLOW
    )
    owner_page.get_by_role("radio", name="CIFAR-100").check()
    assert numbers_of(owner_page) == ["12", "40", "16"]  # What was typed last is what is wanted.
    expect(owner_page.locator("[data-fit]")).to_have_text("")
    owner_page.goto(f"{application.address}/data")
    owner_page.get_by_role("link", name="My pets").click()
    owner_page.get_by_role("button", name="Delete").first.click()
    owner_page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    owner_page.wait_for_url(f"{application.address}/data")
    expect(owner_page.get_by_text("My pets")).to_have_count(0)


def numbers_of(page: Page) -> list[str]:
    names = ("image_size", "train_examples", "held_out_examples")
    return [page.locator(f"#field-data-{name}").input_value() for name in names]


def test_numbers_are_fitted_to_what_a_set_has(application: RunningApplication, owner_page: Page) -> None:
    owner_page.goto(f"{application.address}/searches/new")
    script = owner_page.locator("script[src$='start-form.js']").evaluate("(element) => element.src")
    fitted = owner_page.evaluate(
        """async (module) => {
          const { fitted } = await import(module);
          const there = { title: "Pets", imageSize: 20, train: 100 };
          return [
            fitted({ imageSize: 28, train: 8000, heldOut: 2000 }, there),
            fitted({ imageSize: 14, train: 80, heldOut: 20 }, there),
            fitted({ imageSize: 14, train: 98, heldOut: 3 }, there),
            fitted({ imageSize: 14, train: "many", heldOut: 20 }, there),
            fitted({ imageSize: 14, train: 80, heldOut: 20 }, { ...there, train: 15 }),
          ].map((each) => [each.imageSize, each.train, each.heldOut, each.said.length]);
        }""",
        re.sub(r"elements/start-form.js$", "forms/data_fit.js", script),
    )
    assert fitted == [[20, 80, 20, 2], [14, 80, 20, 0], [14, 90, 10, 1], [14, "many", 20, 0], [14, 80, 20, 0]]


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
