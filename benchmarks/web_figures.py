"""What a person at the browser waits for: the first page, an event, the first reward, the whole demo.

Starts the real application with an empty data folder and drives it in a real browser. Server, workers and browser
share this machine, so the figures are the worst case.
"""

import statistics
import time
from typing import Any

from playwright.sync_api import Page

from benchmarks.application_page import application_page

# When the page drew which event last: the live page hands every new state to its elements by render(state, ...).
NOTE_DRAWS = """
() => {
  window.draws = [];
  const log = document.querySelector("event-log");
  const render = log.render.bind(log);
  log.render = (state, ...rest) => { render(state, ...rest); window.draws.push([state.n, Date.now() / 1000]); };
}
"""
LONGEST_DEMO = 400  # Seconds.


def measure() -> dict[str, Any]:
    """first_page_seconds, first_reward_seconds, demo_seconds, event_ms_p50, event_ms_p99, events."""
    with application_page() as (page, link):
        return _drive(page, link)


def _drive(page: Page, link: str) -> dict[str, Any]:
    page.goto(link)
    found: dict[str, Any] = {"first_page_seconds": _seconds_to_load(page)}
    page.goto("/searches/new?preset=demo")
    page.get_by_role("button", name="Start the search").click()
    page.wait_for_url("**/searches/*-*")
    search = page.url.rsplit("/", 1)[1]
    page.evaluate(NOTE_DRAWS)
    events = _events_of_finished(page, search)
    started = events[0]["at"]
    first = next(event["at"] for event in events if event["kind"] == "child_finished")
    delays = _delays(events, page.evaluate("window.draws"))
    return found | {
        "first_reward_seconds": first - started,
        "demo_seconds": events[-1]["at"] - started,
        "events": len(delays),
        "event_ms_p50": 1000 * statistics.median(delays),
        "event_ms_p99": 1000 * statistics.quantiles(delays, n=100)[98],
    }


def _seconds_to_load(page: Page) -> float:
    return page.evaluate("performance.getEntriesByType('navigation')[0].duration") / 1000


def _events_of_finished(page: Page, search: str) -> list[dict[str, Any]]:
    """All events of the search, once it has finished."""
    events: list[dict[str, Any]] = []
    deadline = time.monotonic() + LONGEST_DEMO
    while time.monotonic() < deadline:
        after = events[-1]["n"] if events else 0
        events += page.request.get(f"/api/searches/{search}/events?after={after}&limit=500").json()["events"]
        if events and events[-1]["kind"] == "state_changed":
            page.wait_for_timeout(1000)  # The last draws.
            return events
        page.wait_for_timeout(2000)
    raise AssertionError(f"the demo did not finish within {LONGEST_DEMO} seconds")


def _delays(events: list[dict[str, Any]], draws: list[tuple[int, float]]) -> list[float]:
    """Seconds from the commit of each event to the first draw that shows it.

    Those that came before the first draw are left out.
    """
    delays = []
    for event in events:
        if event["at"] > draws[0][1]:
            delays.append(next(at for n, at in draws if n >= event["n"]) - event["at"])
    return delays
