"""A recurrent cell is trained on text from the browser: from the gallery to the finished page and the terminal."""

import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.running_application import ROOT, RunningApplication
from tests.web.slow_sizes import long

PATIENCE = 120_000  # Milliseconds; the machine may be busy with other things.
TINY = {  # Few units, and many places of the text at a time: an epoch of seconds.
    "name": "A cell on text",
    "layout.hidden": "8",
    "data.vocabulary": "200",
    "recipe.epochs": "2",
    "recipe.batch_size": "1024",
    "recipe.bptt": "10",
    "recipe.scoring_batch": "1024",
    "recipe.test_batch": "1024",
}


def number(text: str) -> float:
    return float(text.replace(",", ""))


@long
def test_a_recurrent_cell_is_trained_from_the_gallery_to_the_finished_page(
    application: RunningApplication, owner_page: Page, tmp_path: Path
) -> None:
    page = owner_page
    page.goto(f"{application.address}/architectures/enas-recurrent-paper")
    page.get_by_role("link", name="Train this").click()
    expect(page.get_by_text("State of the Union 1900-2021, 2,000 words")).to_be_visible()
    page.locator("details.more").evaluate_all("all => all.forEach((details) => (details.open = true))")
    expect(page.locator('[data-path="data.own"]')).to_be_hidden()  # There is no text of one's own to choose.
    page.locator('[data-path="layout.hidden"]').fill("1")
    expect(page.locator("#field-layout-hidden-error")).to_contain_text("at least 2", timeout=PATIENCE)
    for path, value in TINY.items():
        page.locator(f'[data-path="{path}"]').fill(value)
    expect(page.locator('[data-cost="parameters"]')).to_contain_text("3.26 k", timeout=PATIENCE)
    page.get_by_role("button", name="Start the training").first.click()
    page.wait_for_url(re.compile(r"/trainings/[0-9a-f-]{36}$"))
    expect(page.locator("state-strip")).to_contain_text("validation perplexity")
    expect(page.locator("state-strip .state")).to_have_text("finished", timeout=PATIENCE)

    shown = page.locator("[data-test]").inner_text()
    found = re.fullmatch(
        r"Perplexity ([\d.,]+) on 69,398 test tokens, looked at once; guessing by frequency alone: ([\d.,]+)", shown
    )
    assert found, shown
    assert number(found[1]) < number(found[2])  # It learned something.
    expect(page.locator(".strip-test dd")).to_have_text(found[1])
    expect(page.locator("training-chart")).to_contain_text("guessing by frequency alone")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download bundle").click()
    with zipfile.ZipFile(download.value.path()) as bundle:
        assert {"model.py", "model.onnx", "vocabulary.json", "check.py"} <= set(bundle.namelist())
    with page.expect_download() as download:
        page.get_by_role("link", name="Weights").click()
    weights = tmp_path / "weights.safetensors"
    download.value.save_as(weights)
    command = page.locator("training-end code:visible").inner_text()
    words = command.replace("weights.safetensors", str(weights)).split()[1:]
    told = subprocess.run([sys.executable, *words, "--json"], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert told.returncode == 0, told.stderr
    figures = json.loads(told.stdout)
    training = page.request.get(f"{application.address}/api{page.url.removeprefix(application.address)}").json()
    assert figures["test_perplexity"] == training["test_perplexity"] and training["test_accuracy"] is None
    page.goto(application.address)
    entry = page.locator(".entry", has_text="A cell on text")
    expect(entry.locator("[data-result]")).to_have_text(found[1])
    expect(entry).to_contain_text("lower is better")
