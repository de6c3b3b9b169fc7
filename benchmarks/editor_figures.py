"""How soon a picture and its counts follow an edit: from the choice in the menu to the frame that shows both.

Each architecture is edited several times in the real application in a real browser, which share this machine.
"""

import base64
import json
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from search_engine.architectures.macro import MAX_LAYERS, MacroArchitecture, MacroLayer
from tests.browser.find_browser import FLAGS, chromium_path
from tests.browser.watched_pages import DESKTOP
from tests.running_application import start_application, stop_application

DENSEST = MacroArchitecture(
    tuple(MacroLayer("sep_conv_3x3", tuple(range(layer + 1)) if layer else ()) for layer in range(MAX_LAYERS))
)
# Choose an option of the open menu, and wait until the frame behind the one that shows it: by then it was painted.
CHOOSE = """
(choice) => new Promise((resolve) => {
  const editor = document.querySelector("architecture-editor");
  const began = performance.now();
  const shown = () => requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - began)));
  editor.addEventListener("edited", shown, { once: true });
  document.querySelector(`.editor-menu [data-choice="${choice}"]`).click();
})
"""


def measure() -> dict[str, float]:
    """Milliseconds, the median over edits: of NASNet-A, and of the macro network with all skips that there can be."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        application = start_application(Path(folder))
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=list(FLAGS))
        try:
            page = browser.new_context(viewport=DESKTOP, base_url=application.address).new_page()
            page.goto(application.link)
            operations = ("conv_1x1", "max_pool_3x3", "sep_conv_3x3", "sep_conv_7x7", "identity")
            cells = _edits(page, "architecture=nasnet-a", "normal.blocks.1.operations.0", operations)
            skips = [str(source) for source in range(5)]
            network = _edits(page, f"given={_given(DENSEST)}", f"layers.{MAX_LAYERS - 1}.skips", skips)
            return {"NASNet-A": cells, f"{MAX_LAYERS} layers with all skips": network}
        finally:
            browser.close()
            stop_application(application)


def _edits(page: Page, query: str, place: str, choices: tuple[str, ...] | list[str]) -> float:
    page.goto(f"/architectures/edit?{query}")
    part = page.locator(f'[data-edited] g[data-place="{place}"]')
    milliseconds = []
    for choice in choices:
        if not page.locator(".editor-menu").count():
            part.click()
        page.locator(f'.editor-menu [data-choice="{choice}"]').wait_for()
        milliseconds.append(page.evaluate(CHOOSE, choice))
    return statistics.median(milliseconds)


def _given(architecture: MacroArchitecture) -> str:
    return base64.urlsafe_b64encode(json.dumps(architecture.to_json()).encode()).decode().rstrip("=")
