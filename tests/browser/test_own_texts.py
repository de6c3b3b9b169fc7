"""An own text in a real browser: three files are chosen, sent, counted, looked at, used, offered by forms, deleted."""

import re
from pathlib import Path

from playwright.sync_api import Page, Request, expect

from tests.browser.watched_pages import DESKTOP, PHONE
from tests.running_application import RunningApplication

SLOW = 30_000  # Milliseconds: the machine may be busy with other tests.
LINE = "the cat <unk> sat\n"


def files(folder: Path, *names: str, lines: int = 400) -> list[Path]:
    for name in names:
        (folder / name).write_text(f"{LINE}{name} <b>was</b> read\n" * lines)
    return [folder / name for name in names]


def test_three_files_become_a_text_that_forms_offer(
    application: RunningApplication, owner_page: Page, tmp_path: Path
) -> None:
    page = owner_page
    page.goto(f"{application.address}/data")
    parts = files(tmp_path, "ptb.test.txt", "ptb.train.txt", "ptb.valid.txt")
    page.get_by_label("Add a text").set_input_files(parts[:2])
    problem = page.locator("#upload-text-error")
    expect(problem).to_have_text("These are 2 files; a text is one, or three: train, valid and test.")
    page.get_by_label("Add a text").set_input_files(parts)
    page.wait_for_url(re.compile(r"/data/[0-9a-f-]{36}$"), timeout=SLOW)
    expect(page.get_by_role("heading", name="First lines")).to_be_visible(timeout=SLOW)
    rows = page.get_by_role("region", name="Read by words").get_by_role("row")
    assert [row.split("\t")[:3] for row in rows.all_inner_texts()[1:]] == [
        ["Training", "3,600", "11.1%"], ["Validation", "3,600", "22.2%"], ["Test", "3,600", "22.2%"],
    ]  # fmt: skip
    expect(page.get_by_text("ptb.valid.txt <b>was</b> read").first).to_be_visible()
    for size in (DESKTOP, PHONE):
        page.set_viewport_size(size)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    page.get_by_label("Title").fill("My letters")
    page.get_by_role("button", name="Use this data").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("My letters", timeout=SLOW)
    check_forms(application, page)
    page.goto(f"{application.address}/data")
    page.get_by_role("link", name="My letters").click()
    page.get_by_role("button", name="Delete").first.click()
    page.get_by_role("dialog", name="Delete this text?").get_by_role("button", name="Delete").click()
    page.wait_for_url(f"{application.address}/data")
    expect(page.get_by_text("My letters")).to_have_count(0)


def check_forms(application: RunningApplication, page: Page) -> None:
    for address in ("/trainings/new?architecture=enas-recurrent-paper", "/searches/new?preset=enas-recurrent-demo"):
        page.goto(f"{application.address}{address}")
        mine = page.get_by_role("radio", name="My letters")
        expect(mine).to_be_hidden()
        with page.expect_response(lambda answer: names_an_own_text(answer.request), timeout=SLOW) as told:
            page.get_by_role("radio", name="A text of yours").check()
        expect(mine).to_be_checked()
        cost = told.value.json()
        assert cost["errors"] == [] and cost["parameters"]["low"] > 0


def names_an_own_text(request: Request) -> bool:
    return request.url.endswith("/estimate") and len(request.post_data_json["config"]["data"].get("own", "")) == 64


def test_what_is_no_text_is_refused_in_a_sentence(
    application: RunningApplication, owner_page: Page, tmp_path: Path
) -> None:
    (tmp_path / "letters.txt").write_bytes("café ".encode("latin-1") * 3000)
    owner_page.goto(f"{application.address}/data")
    owner_page.get_by_label("Add a text").set_input_files(tmp_path / "letters.txt")
    expect(owner_page.get_by_role("alert").first).to_have_text(
        "letters.txt is not UTF-8 text: byte 3 cannot be read.", timeout=SLOW
    )
    owner_page.get_by_role("button", name="Delete").first.click()
    owner_page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    owner_page.wait_for_url(f"{application.address}/data")
