"""How soon a picture and its counts follow an edit: from the choice in the menu to the frame that shows both.

Each architecture is edited several times in the real application in a real browser, which share this machine.
"""

import base64
import json
import statistics

from playwright.sync_api import Page

from benchmarks.application_page import application_page
from search_engine.architectures.macro import MAX_LAYERS, MacroArchitecture, MacroLayer

DENSEST = MacroArchitecture(
    tuple(MacroLayer("sep_conv_3x3", tuple(range(layer + 1)) if layer else ()) for layer in range(MAX_LAYERS))
)
BETWEEN_MS = 500  # Behind an edit the menu is filled anew and searches are asked: nobody clicks before he has looked.
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
    with application_page() as (page, link):
        page.goto(link)
        operations = ("conv_1x1", "max_pool_3x3", "sep_conv_3x3", "sep_conv_7x7", "identity")
        cells = _edits(page, "architecture=nasnet-a", "normal.blocks.1.operations.0", operations)
        skips = tuple(str(source) for source in range(5))
        network = _edits(page, f"given={_given(DENSEST)}", f"layers.{MAX_LAYERS - 1}.skips", skips)
        return {"NASNet-A": cells, f"{MAX_LAYERS} layers with all skips": network}


def _edits(page: Page, query: str, place: str, choices: tuple[str, ...]) -> float:
    page.goto(f"/architectures/edit?{query}")
    part = page.locator(f'[data-edited] g[data-place="{place}"]')
    milliseconds = []
    for choice in choices:
        if not page.locator(".editor-menu").count():
            part.click()
        page.locator(f'.editor-menu [data-choice="{choice}"]').wait_for()
        page.wait_for_timeout(BETWEEN_MS)
        milliseconds.append(page.evaluate(CHOOSE, choice))
    return statistics.median(milliseconds)


def _given(architecture: MacroArchitecture) -> str:
    return base64.urlsafe_b64encode(json.dumps(architecture.to_json()).encode()).decode().rstrip("=")
