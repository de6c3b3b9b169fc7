"""A finished search of 50,000 children in a real browser: how soon it is there, what it sends, how it moves.

Server and browser share this machine. Bytes are those on the wire of everything the page asks for, nothing cached.
"""

import statistics
import tempfile
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import CDPSession, Page, sync_playwright

from benchmarks.web_process import application_without_workers, cpu_seconds, seeded
from tests.browser.find_browser import FLAGS, chromium_path
from tests.browser.watched_pages import DESKTOP

CHILDREN = 50_000
SETTLED_MS = 5000  # Behind the first curve: the finer one, and whatever else a page asks for at its start.
IDLE_MS = 60_000
DRAWN = "() => document.querySelector('reward-chart .js-plotly-plot .trace') && performance.now()"
FRAMES = """
() => {
  window.frameTimes = [];
  let last = performance.now();
  const note = () => {
    const now = performance.now();
    window.frameTimes.push(now - last);
    last = now;
    if (window.frameTimes !== null) requestAnimationFrame(note);
  };
  requestAnimationFrame(note);
}
"""
WAYS = ("Closer", "Closer", "Later", "Closer", "Earlier", "Wider", "Whole search")


def measure(children: int = CHILDREN) -> dict[str, Any]:
    """By page ("page", "replay"): seconds until the curve is drawn, bytes, cpu_seconds of the server, requests.

    zoom_ms, scroll_ms, table_ms: of frames, 95 of 100 are shorter, while the chart is zoomed, the page scrolled
    and the table paged. idle_cpu_seconds, idle_messages, idle_requests: in a minute of one page at rest.
    """
    with tempfile.TemporaryDirectory() as folder, application_without_workers(Path(folder)) as (application, web):
        search = seeded(application, children)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium_path(), args=list(FLAGS))
            found: dict[str, Any] = {}
            for name, path in (("page", ""), ("replay", f"/replay?at={2 * children + 500}")):
                context = browser.new_context(viewport=DESKTOP, base_url=application.address)
                page = context.new_page()
                page.goto(application.link)
                found[name] = _opened(page, f"/searches/{search}{path}", web)
                if name == "page":
                    found |= _moved(page) | _idle(page, web)
                context.close()
            browser.close()
    return found


class _Traffic:
    """What goes over a page's wire."""

    def __init__(self, session: CDPSession) -> None:
        self.bytes = self.requests = self.messages = 0
        session.send("Network.enable")
        session.send("Network.clearBrowserCache")
        session.on("Network.loadingFinished", self._finished)
        session.on("Network.webSocketFrameReceived", self._received)

    def _finished(self, event: dict[str, Any]) -> None:
        self.bytes += int(event["encodedDataLength"])
        self.requests += 1

    def _received(self, event: dict[str, Any]) -> None:
        self.bytes += len(event["response"]["payloadData"])
        self.messages += 1


def _opened(page: Page, path: str, web: psutil.Process) -> dict[str, Any]:
    traffic = _Traffic(page.context.new_cdp_session(page))
    used = cpu_seconds(web)
    page.goto(path, wait_until="commit")
    drawn = page.wait_for_function(DRAWN, timeout=60_000).json_value()
    page.wait_for_timeout(SETTLED_MS)
    return {
        "seconds": drawn / 1000,
        "bytes": traffic.bytes,
        "requests": traffic.requests,
        "cpu_seconds": cpu_seconds(web) - used,
    }


def _moved(page: Page) -> dict[str, float]:
    def zoom() -> None:
        for way in WAYS:
            page.get_by_role("button", name=way, exact=True).click()
            page.wait_for_timeout(600)

    def scroll() -> None:
        for _ in range(100):
            page.mouse.wheel(0, 60)
            page.wait_for_timeout(16)

    def turn() -> None:
        page.locator("children-table").scroll_into_view_if_needed()
        for _ in range(10):
            page.locator("children-table").get_by_role("button", name="Next").click()
            page.wait_for_timeout(300)

    return {"zoom_ms": _frames(page, zoom), "scroll_ms": _frames(page, scroll), "table_ms": _frames(page, turn)}


def _frames(page: Page, move: Any) -> float:
    """Milliseconds from frame to frame while something moves: 95 of 100 are shorter."""
    page.evaluate(FRAMES)
    move()
    return statistics.quantiles(page.evaluate("() => window.frameTimes.slice(1)"), n=100)[94]


def _idle(page: Page, web: psutil.Process) -> dict[str, Any]:
    page.evaluate("() => window.scrollTo(0, 0)")
    page.wait_for_timeout(SETTLED_MS)
    traffic = _Traffic(page.context.new_cdp_session(page))
    used = cpu_seconds(web)
    page.wait_for_timeout(IDLE_MS)
    return {
        "idle_cpu_seconds": cpu_seconds(web) - used,
        "idle_messages": traffic.messages,
        "idle_requests": traffic.requests,
    }
