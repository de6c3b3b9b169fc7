"""What the platform costs beside the training itself: between children, in the database, until and on the page.

The real application with one worker and tiny children, on a PostgreSQL server of its own, which counts what is written;
and the live page of a long search in a real browser, while events come.
"""

import json
import statistics
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import psycopg
from playwright.sync_api import CDPSession, sync_playwright

from benchmarks.application_searches import ApplicationSearches
from benchmarks.web_process import application_without_workers, run_beside, seeded
from tests.browser.find_browser import FLAGS, chromium_path
from tests.browser.watched_pages import DESKTOP
from tests.faults.postgres_server import running_server
from tests.running_application import RunningApplication, start_application, stop_application

CHILDREN, STEP = 60, 20
POINTS, WATCHED_EVENTS = 20_000, 400
SEARCH = {
    "name": "Tiny children",
    "space": {"kind": "nasnet", "blocks": 2},
    "strategy": {"kind": "ppo", "step_size": STEP},
    "child": {"kind": "cells", "normal_cells": 1, "reductions": 1, "filters": 4},
    "recipe": {"epochs": 1, "batch_size": 32},
    "data": {"name": "fashion-mnist-10k", "image_size": 14, "train_examples": 256, "held_out_examples": 256},
    "budget": {"children": CHILDREN},
}
# Transactions that wrote anything; rows that were written; transactions of any kind.
COUNTS = """
select txid_current(), tup_inserted + tup_updated + tup_deleted, xact_commit
from pg_stat_database where datname = current_database()
"""


def measure() -> dict[str, Any]:
    """first_page_seconds (empty data folder), next_page_seconds (the same again): from `manage.py up` to a page.

    between_ms: from a child's verdict to the next one's, without that one's own training: the median within a step.
    learn_ms: the same from the last child of a step to the first of the next. A child: write_transactions,
    rows_written, transactions (reads among them), events. page_ms: work of the page's main thread for each event, which
    is at least as much as for each frame, since a frame shows all events that have come.
    """
    with tempfile.TemporaryDirectory() as folder:
        first = _seconds_to_page(Path(folder))
        again = _seconds_to_page(Path(folder))
    pages = {"first_page_seconds": first, "next_page_seconds": again, "page_ms": _milliseconds_of_the_page()}
    return pages | _of_a_search()


def _milliseconds_of_the_page() -> float:
    with tempfile.TemporaryDirectory() as folder, application_without_workers(Path(folder)) as (application, _):
        search = seeded(application, POINTS, "--running")
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium_path(), args=list(FLAGS))
            page = browser.new_context(viewport=DESKTOP, base_url=application.address).new_page()
            page.goto(application.link)
            page.goto(f"/searches/{search}")
            page.wait_for_timeout(10_000)  # Charts, cells and what comes behind them.
            session = page.context.new_cdp_session(page)
            session.send("Performance.enable")
            before = _seconds_of_tasks(session)
            run_beside(application, "benchmarks.viewers", search, str(WATCHED_EVENTS))
            worked = _seconds_of_tasks(session) - before
            browser.close()
    return 1000 * worked / WATCHED_EVENTS


def _seconds_of_tasks(session: CDPSession) -> float:
    metrics = session.send("Performance.getMetrics")["metrics"]
    return next(float(metric["value"]) for metric in metrics if metric["name"] == "TaskDuration")


def _seconds_to_page(folder: Path) -> float:
    began = time.monotonic()
    application = start_application(folder)
    try:
        with httpx.Client(follow_redirects=True) as browser:
            assert browser.get(application.link).status_code == 200
            return time.monotonic() - began
    finally:
        stop_application(application)


def _of_a_search() -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder, running_server() as server:
        application = start_application(Path(folder), "--workers", "1", environment={"DATABASE_URL": server.url})
        try:
            with psycopg.connect(server.url, autocommit=True) as database:
                return _measured(application, database)
        finally:
            stop_application(application)


def _measured(application: RunningApplication, database: "psycopg.Connection[Any]") -> dict[str, Any]:
    with closing(ApplicationSearches(application)) as searches:
        searches.finished(searches.start(SEARCH))  # The first search waits for PyTorch and the data.
        before = _counted(database)
        events = searches.finished(searches.start(SEARCH))
    after = _counted(database)
    wrote, rows, transactions = ((later - sooner) / CHILDREN for sooner, later in zip(before, after, strict=True))
    return _gaps(events) | {
        "write_transactions": wrote,
        "rows_written": rows,
        "transactions": transactions,
        "events": len(events) / CHILDREN,
    }


def _counted(database: "psycopg.Connection[Any]") -> tuple[int, int, int]:
    time.sleep(2)  # Statistics are flushed once a second.
    row = database.execute(COUNTS).fetchone()
    assert row is not None
    return row


def _gaps(events: list[dict[str, Any]]) -> dict[str, float]:
    finished = [event for event in events if event["kind"] == "child_finished"]
    gaps: dict[bool, list[float]] = {True: [], False: []}
    for before, after in zip(finished, finished[1:], strict=False):
        gap = after["at"] - before["at"] - after["seconds"]
        gaps[before["step"] == after["step"]].append(1000 * gap)
    return {"between_ms": statistics.median(gaps[True]), "learn_ms": statistics.median(gaps[False])}


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
