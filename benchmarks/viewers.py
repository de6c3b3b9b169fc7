"""How soon every one of many viewers of a running search has its events, with the web process on one core.

The real application with an empty data folder, 200 live sockets as browsers open them, and one process that appends
20 events a second. What sends and what receives run on the other cores. Linux: processes are pinned to cores.
"""

import asyncio
import json
import os
import re
import statistics
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django
import httpx
import psutil
from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

from benchmarks.web_process import application_without_workers, cpu_seconds, on_one_core, run_beside, seeded
from tests.running_application import RunningApplication

VIEWERS, PER_SECOND, SECONDS = 200, 20, 30
CHILDREN = 200  # That the search has had when the viewers come.
IDLE_SECONDS = 60
NUMBER = re.compile(r'"n":(\d+)')


def measure() -> dict[str, Any]:
    """events, deliveries, wrong (viewers that lost, doubled or misordered one), ms_p50, ms_p99, core (share of it).

    ms: from the commit of an event to its receipt. idle_cpu_seconds: of the web process per minute with all viewers,
    while nothing happens; idle_messages: per minute to each of them.
    """
    with tempfile.TemporaryDirectory() as folder, application_without_workers(Path(folder)) as (application, web):
        search = seeded(application, CHILDREN, "--running")
        with on_one_core(web):
            return asyncio.run(_measure(application, search, web))


async def _measure(application: RunningApplication, search: str, web: psutil.Process) -> dict[str, Any]:
    async with httpx.AsyncClient(base_url=application.address, follow_redirects=True) as browser:
        await browser.get(application.link)
        after = (await browser.get(f"/api/searches/{search}/events?limit=1")).json()["last"]
        viewers = [Viewer(search, after) for _ in range(VIEWERS)]
        for viewer in viewers:
            await viewer.open(application.address, browser.cookies)
    count = PER_SECOND * SECONDS
    began, used = time.monotonic(), cpu_seconds(web)
    written = await asyncio.to_thread(run_beside, application, "benchmarks.viewers", search, str(count))
    await asyncio.sleep(2)
    share = (cpu_seconds(web) - used) / (time.monotonic() - began)
    committed = {int(number): at for number, at in json.loads(written).items()}
    heard = [list(viewer.heard) for viewer in viewers]
    frames, used = sum(viewer.frames for viewer in viewers), cpu_seconds(web)
    await asyncio.sleep(IDLE_SECONDS)
    idle = {
        "idle_cpu_seconds": (cpu_seconds(web) - used) * 60 / IDLE_SECONDS,
        "idle_messages": (sum(viewer.frames for viewer in viewers) - frames) * 60 / IDLE_SECONDS / VIEWERS,
    }
    for viewer in viewers:
        viewer.task.cancel()
    return _figures(heard, committed) | {"core": share} | idle


class Viewer:
    """One page's live socket. heard: (number, seconds since 1970) of every event, as it came; frames: of any kind."""

    def __init__(self, search: str, after: int) -> None:
        self._path = f"/ws/streams/{search}?after={after}"
        self.heard: list[tuple[int, float]] = []
        self.frames = 0

    async def open(self, address: str, cookies: httpx.Cookies) -> None:
        host = urlsplit(address).netloc
        cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
        socket = await connect(
            f"ws://{host}{self._path}", origin=Origin(address), additional_headers={"Cookie": cookie}
        )
        self.task = asyncio.create_task(self._listen(socket))

    async def _listen(self, socket: ClientConnection) -> None:
        async with socket:
            async for frame in socket:
                now = time.time()
                self.frames += 1
                assert isinstance(frame, str)
                # Their numbers alone: 200 readers in one process must not be what is measured.
                self.heard += [(int(number), now) for number in NUMBER.findall(frame)]


def _figures(heard: list[list[tuple[int, float]]], committed: dict[int, float]) -> dict[str, Any]:
    wanted = sorted(committed)
    wrong = sum([number for number, _ in each] != wanted for each in heard)
    delays = [1000 * (at - committed[number]) for each in heard for number, at in each if number in committed]
    quantiles = statistics.quantiles(delays, n=100)
    return {
        "events": len(committed),
        "deliveries": len(delays),
        "wrong": wrong,
        "ms_p50": quantiles[49],
        "ms_p99": quantiles[98],
        "ms_worst": max(delays),
    }


def append_events(search: str, count: int) -> dict[int, float]:
    """Append so many events, one at a time, PER_SECOND of them a second: when each was committed, by its number."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")
    django.setup()
    from search_engine.events import EpochEnded
    from webapp.searches import event_log

    committed = {}
    began = time.monotonic()
    for place in range(count):
        time.sleep(max(0.0, began + place / PER_SECOND - time.monotonic()))
        event = EpochEnded(step=0, slot=0, epoch=1, epochs=1, loss=0.7, accuracy=0.8, learning_rate=0.1, seconds=30.0)
        number = event_log.append(uuid.UUID(search), [event])
        committed[number] = time.time()
    return committed


if __name__ == "__main__":
    print(json.dumps(append_events(sys.argv[1], int(sys.argv[2]))))
