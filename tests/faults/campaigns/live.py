"""Live pages under stress: they come and go by the thousand, some read slowly, web server and broker are killed.

A real web server and a real broker, an own process that writes events, and pages that speak as the browser's do. Each
page checks that numbers follow each other; in the end all have the log, byte for byte, and a page's own fold of it is
the state that the server serves. The memory of the web server is looked at after its last start.
"""

import asyncio
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import redis

from tests.faults.campaigns.campaign import Campaign, Run, Size
from tests.faults.live_page import Page, Place
from tests.running_application import ROOT, environment_of, free_port
from webapp.supervisor import broker
from webapp.supervisor.part import Part
from webapp.supervisor.parts import Plan, parts_of

READY_SECONDS = 60.0
SAMPLE_SECONDS = 0.5
ARRIVE_SECONDS = 900.0  # After the last event was written, until every page has it.
REST_SECONDS = 3.0


@dataclass(frozen=True)
class Stress:
    """How much of it. seconds: over which the events are written; kills: of web server and broker, in its first half.

    connects: how often pages come at least, all together.
    longest_visit: events after which a page leaves at the latest. most_growth: of the web server's memory in MB behind
    its warm-up, None where it is too short to say.
    """

    pages: int
    slow: int
    events: int
    seconds: float
    kills: int
    connects: int
    longest_visit: int
    most_growth: float | None = None


SIZES: dict[Size, Stress] = {
    "small": Stress(pages=6, slow=2, events=2500, seconds=5, kills=2, connects=90, longest_visit=60),
    "large": Stress(
        pages=30, slow=6, events=100_000, seconds=240, kills=12, connects=10_000, longest_visit=300, most_growth=8.0
    ),
}


@dataclass
class Site:
    """Broker and web server as `manage.py up` starts them, and the stream that is watched."""

    folder: Path
    environment: dict[str, str]
    broker: Part
    web: Part
    place: Place
    socket: Path
    memory: list[float] = field(default_factory=list)  # MB of the web server, since its last start.
    files: int = 0  # Open files of the web server before anybody came.

    def command(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "tests.faults.live_stream", *arguments]
        return subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, text=True)

    async def start(self, part: Part) -> None:
        part.start()
        until = time.monotonic() + READY_SECONDS
        while not await asyncio.to_thread(part.is_ready):
            assert time.monotonic() < until and not part.is_dead(), part.log.read_text()[-2000:]
            await asyncio.sleep(0.05)
        if part is self.web:
            self.memory.clear()
            self.files = self.process.num_fds()

    async def kill(self, part: Part, number: signal.Signals) -> None:
        assert part.process is not None
        part.process.send_signal(number)
        await asyncio.to_thread(part.process.wait)
        await self.start(part)

    @property
    def process(self) -> psutil.Process:
        assert self.web.process is not None
        return psutil.Process(self.web.process.pid)

    async def sample(self) -> None:
        """For ever: note the web server's memory."""
        while True:
            try:
                self.memory.append(self.process.memory_info().rss / 1e6)
            except psutil.Error:
                self.memory.clear()  # It was killed a moment ago.
            await asyncio.sleep(SAMPLE_SECONDS)


def run(seed: int, size: Size, folder: Path) -> Iterator[Run]:
    yield asyncio.run(_stressed(seed, SIZES[size], folder))


async def _stressed(seed: int, stress: Stress, folder: Path) -> Run:
    chance = random.Random(f"live:{seed}")
    frames = folder / "frames.jsonl"
    frames.touch()
    async with _site(folder) as site:
        pages = [
            Page(site.place, random.Random(f"page:{seed}:{n}"), slow=n < stress.slow,
                 wanted=-(-stress.connects // stress.pages), frames=frames if n == stress.pages - 1 else None)
            for n in range(stress.pages)
        ]  # fmt: skip
        written = asyncio.Event()
        end: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        watching = [asyncio.create_task(page.watch(written, end, stress.longest_visit)) for page in pages]
        sampling = asyncio.create_task(site.sample())
        writer = site.command("write", site.place.stream, str(stress.events), str(seed), str(stress.seconds))
        await _disturb(site, chance, stress)
        wrote = await _answer(writer)
        written.set()
        end.set_result(wrote["last"])
        _, late = await asyncio.wait(watching, timeout=ARRIVE_SECONDS)
        sampling.cancel()
        problems = [f"A page has {page.last} of {wrote['last']} events." for page in pages if page.last < wrote["last"]]
        for task in late:
            task.cancel()
        problems += await _compared(site, pages, frames, wrote["last"])
        problems += [problem for page in pages for problem in page.problems[:3]]
        problems += [repr(task.exception()) for task in watching if task not in late and task.exception()]
        problems += await _left_behind(site)
        growth = _growth(site.memory)
        if stress.most_growth is not None and growth > stress.most_growth:
            problems.append(f"The web server grew by {growth:.1f} MB after its warm-up.")
        counts = {
            "pages": stress.pages, "slow pages": stress.slow, "events": wrote["last"], "commits": wrote["commits"],
            "connects": sum(page.connects for page in pages), "connects refused": sum(p.refused for p in pages),
            "kills of the web server": -(-stress.kills // 2), "kills of the broker": stress.kills // 2,
            "seconds of writing": wrote["seconds"], "memory in MB": _told(site.memory),
            "growth in MB": round(growth, 1), "errors in the log": site.web.log.read_text().count("Traceback"),
        }  # fmt: skip
        return Run(what="pages come and go while events are written", counts=counts, problems=problems)


async def _disturb(site: Site, chance: random.Random, stress: Stress) -> None:
    """Kill web server and broker in turn, in the first half of the writing."""
    began = time.monotonic()
    for number, moment in enumerate(sorted(chance.uniform(0.05, 0.5) for _ in range(stress.kills))):
        await asyncio.sleep(max(0.0, began + moment * stress.seconds - time.monotonic()))
        part = site.web if number % 2 == 0 else site.broker
        await site.kill(part, chance.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM)))


async def _compared(site: Site, pages: list[Page], frames: Path, last: int) -> list[str]:
    told = await _answer(site.command("compare", site.place.stream, str(frames)))
    problems = [] if told["last"] == last else [f"The log ends at {told['last']}, the writer wrote {last}."]
    if not told["is_equal"]:
        problems.append("A page's own fold is another state than the server's.")
    differ = sum(page.digest != told["digest"] for page in pages)
    return problems + ([f"{differ} pages have another log than the server."] if differ else [])


async def _left_behind(site: Site) -> list[str]:
    """When nobody watches any more, the web server keeps no file, no connection to the broker, no thread of a page."""
    until, problems = time.monotonic() + 10 * REST_SECONDS, ["not looked at"]
    while problems and time.monotonic() < until:
        await asyncio.sleep(REST_SECONDS / 10)
        more = site.process.num_fds() - site.files
        with redis.Redis(unix_socket_path=str(site.socket)) as client:
            connected = len(client.client_list()) - 1
        problems = [f"{more} files more are open than before the first page."] if more > 4 else []
        problems += [f"{connected} connections to the broker are left."] if connected else []
    return problems


def _growth(memory: list[float]) -> float:
    """MB between the second quarter and the last of the samples: medians, since the allocator breathes."""
    quarter = len(memory) // 4
    if quarter == 0:
        return 0.0
    return statistics.median(memory[-quarter:]) - statistics.median(memory[quarter : 2 * quarter])


def _told(memory: list[float]) -> str:
    """About ten of the samples, the first and the last among them."""
    chosen = memory[:: max(1, len(memory) // 9)] + memory[-1:]
    return " ".join(f"{each:.0f}" for each in chosen)


async def _answer(process: subprocess.Popen[str]) -> dict[str, Any]:
    text, _ = await asyncio.to_thread(process.communicate)
    assert process.returncode == 0, f"{process.args} ended with {process.returncode}"
    answer: dict[str, Any] = json.loads(text.strip().splitlines()[-1])
    return answer


@asynccontextmanager
async def _site(folder: Path) -> AsyncIterator[Site]:
    path = broker.socket_path(folder)
    environment = environment_of(folder) | {"REDIS_URL": f"unix://{path}", "PYTHONPATH": str(ROOT)}
    port = free_port()
    plan = Plan(home=ROOT, logs=folder / "logs", host="127.0.0.1", port=port, site="127.0.0.1", workers=0)
    parts = {part.name: part for part in parts_of(plan, os.environ | environment, path)}
    site = Site(folder, environment, parts["broker"], parts["web"], Place(port, "", ""), path)
    try:
        made = await _answer(site.command("make"))
        site.place = Place(port, made["cookie"], made["stream"])
        await site.start(site.broker)
        await site.start(site.web)
        yield site
    finally:
        for part in (site.web, site.broker):
            part.stop()
        path.unlink(missing_ok=True)
        if path.parent.exists():
            path.parent.rmdir()


CAMPAIGN = Campaign(
    harm="Live pages come and go by the thousand, some read slowly; web server and broker are killed in between.",
    holds="Every page gets every event once and in order, its own fold is the server's state, memory is flat, and no"
    " file or connection is left when the last page has gone.",
    run=run,
    minutes=7,
)
