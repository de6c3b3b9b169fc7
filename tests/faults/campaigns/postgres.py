"""PostgreSQL is stopped and started again under the whole application, while a search runs and a page watches it."""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests import running_application
from tests.faults.aftermath import fsck_problems
from tests.faults.campaigns.campaign import Campaign, Run, Size
from tests.faults.live_page import Page, Place
from tests.faults.postgres_server import Mode, NoServer, Server, running_server
from tests.running_application import ROOT, environment_of

END_SECONDS = 300.0
RECOVERY_SECONDS = 15.0  # From the server's return until the search goes on.
SEEDS = 20


@dataclass(frozen=True)
class Stress:
    """A search of so many children, and how often its database is stopped, for how many seconds at most."""

    children: int
    epochs: int
    workers: int
    stops: int
    away_seconds: float


SIZES: dict[Size, Stress] = {
    "small": Stress(children=2, epochs=4, workers=1, stops=2, away_seconds=1.0),
    "large": Stress(children=40, epochs=4, workers=2, stops=16, away_seconds=12.0),
}


def run(seed: int, size: Size, folder: Path) -> Iterator[Run]:
    with ExitStack() as stack:
        try:
            server = stack.enter_context(running_server())
        except NoServer as why:
            yield Run(what="PostgreSQL stops and starts", counts={}, problems=[], skipped=f"Not run: {why}.")
            return
        yield asyncio.run(_stopped_and_started(server, random.Random(f"postgres:{seed}"), SIZES[size], folder))
        if size == "large":
            yield _simulated(server, folder)


def _simulated(server: Server, folder: Path) -> Run:
    """The simulation of faults, which has a database in memory else, in this one."""
    what = "the simulation of faults on PostgreSQL"
    command = [sys.executable, "-m", "tests.faults.simulate_here", "0", str(SEEDS)]
    environment = os.environ | environment_of(folder) | {"DATABASE_URL": server.url}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode:
        return Run(what=what, counts={}, problems=[f"It ended with {done.returncode}: {done.stderr[-300:]}"])
    found = json.loads(done.stdout.strip().splitlines()[-1])
    assert found["database"] == "postgresql", found["database"]
    return Run(what=what, counts={"seeds": SEEDS} | found["counts"], problems=found["problems"])


@dataclass
class Site:
    """The running application as its user sees it."""

    application: running_application.RunningApplication
    client: httpx.AsyncClient
    environment: dict[str, str]
    searches: int = 0

    async def ask(self, path: str) -> dict[str, Any]:
        """The answer; asked again while the database is away."""
        until = time.monotonic() + END_SECONDS
        while True:
            try:
                answer = await self.client.get(path)
                if answer.status_code == 200:
                    found: dict[str, Any] = answer.json()
                    return found
            except httpx.HTTPError:
                pass
            assert time.monotonic() < until, f"{path} was not answered for {END_SECONDS:.0f} s"
            await asyncio.sleep(0.1)

    async def start_search(self, stress: Stress) -> str:
        config = {
            "name": f"search {self.searches}",
            "space": {"blocks": 1},
            "strategy": {"kind": "ppo", "step_size": 2},
            "child": {"normal_cells": 1, "reductions": 1, "filters": 4},
            "recipe": {"epochs": stress.epochs, "batch_size": 64},
            "data": {"image_size": 8, "train_examples": 1000, "held_out_examples": 100},
            "budget": {"children": stress.children},
        }
        self.searches += 1
        answer = await self.client.post("/api/searches", json={"config": config})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def last_event(self, search: str) -> int:
        return int((await self.ask(f"/api/searches/{search}/events?after=0&limit=1"))["last"])

    async def ended(self, search: str) -> dict[str, Any]:
        until = time.monotonic() + END_SECONDS
        while (found := await self.ask(f"/api/searches/{search}"))["state"] in ("running", "paused"):
            assert time.monotonic() < until, f"the search did not end within {END_SECONDS:.0f} s"
            await asyncio.sleep(0.2)
        return found


async def _stopped_and_started(server: Server, chance: random.Random, stress: Stress, folder: Path) -> Run:
    site = await _site(server, stress, folder)
    problems: list[str] = []
    recoveries: list[float] = []
    try:
        undisturbed = (await site.ended(await site.start_search(stress)))["fingerprint"]
        search = await site.start_search(stress)
        page, all_read = await _page(site, search)
        modes: dict[Mode, int] = {"fast": 0, "immediate": 0}
        for number in range(stress.stops):
            at = await _further(site, search, await site.last_event(search))
            if at is None:
                break  # It has ended.
            mode: Mode = "fast" if number % 2 else "immediate"
            modes[mode] += 1
            await asyncio.to_thread(server.stop, mode)
            await asyncio.sleep(chance.uniform(0.2, stress.away_seconds))
            server.start()
            await asyncio.to_thread(server.wait_until_ready)
            returned = time.monotonic()
            if await _further(site, search, at) is not None:
                recoveries.append(time.monotonic() - returned)
        found = await site.ended(search)
        if found["state"] != "finished" or found["fingerprint"] != undisturbed:
            problems.append(f"The search is {found['state']} and computed another fingerprint than without faults.")
        problems += await all_read(await site.last_event(search))
        slow = [seconds for seconds in recoveries if seconds > RECOVERY_SECONDS]
        problems += [f"The search went on only {seconds:.1f} s after the server's return." for seconds in slow]
        problems += await asyncio.to_thread(fsck_problems, site.environment)
        problems += _died(folder)
        counts: dict[str, Any] = {f"stops ({mode})": times for mode, times in modes.items()}
        counts |= {"events": page.last, "connects of a page": page.connects, "children": stress.children}
        counts["longest recovery in seconds"] = round(max(recoveries, default=0.0), 1)
        counts["errors in the logs"] = sum(log.read_text().count("Traceback") for log in folder.glob("logs/*.log"))
        return Run(what="PostgreSQL stops and starts", counts=counts, problems=problems)
    except AssertionError as error:
        return Run(what="PostgreSQL stops and starts", counts={}, problems=[str(error), *_died(folder)])
    finally:
        await site.client.aclose()
        site.application.supervisor.send_signal(signal.SIGTERM)
        await asyncio.to_thread(site.application.supervisor.wait, 30)


async def _further(site: Site, search: str, at: int) -> int | None:
    """Wait until the log is further; its last number, or None when the search has ended."""
    while (last := await site.last_event(search)) <= at:
        if (await site.ask(f"/api/searches/{search}"))["state"] != "running":
            return None
        await asyncio.sleep(0.1)
    return last


async def _page(site: Site, search: str) -> tuple[Page, Callable[[int], Awaitable[list[str]]]]:
    """A page that watches, and what says whether it has everything when the log ends at a number."""
    url = httpx.URL(site.application.address)
    assert url.port is not None
    page = Page(Place(url.port, site.client.cookies["sessionid"], search), random.Random(0))
    is_written, end = asyncio.Event(), asyncio.get_running_loop().create_future()
    watching = asyncio.create_task(page.watch(is_written, end, longest_visit=10**6))

    async def all_read(last: int) -> list[str]:
        end.set_result(last)
        is_written.set()
        await asyncio.wait([watching], timeout=30)
        if not watching.done():
            watching.cancel()
            return [f"The page has {page.last} of {last} events."]
        return page.problems

    return page, all_read


async def _site(server: Server, stress: Stress, folder: Path) -> Site:
    environment = environment_of(folder) | {"DATABASE_URL": server.url}
    application = await asyncio.to_thread(
        running_application.start_application, folder, "--workers", str(stress.workers), environment=environment
    )
    command = [sys.executable, "manage.py", "token", "owner"]
    token = subprocess.check_output(command, cwd=ROOT, env=os.environ | environment, text=True).strip()
    client = httpx.AsyncClient(base_url=application.address, headers={"Authorization": f"Bearer {token}"}, timeout=30)
    await client.get(application.link)  # For the cookie, which the socket wants.
    return Site(application, client, environment)


def _died(folder: Path) -> list[str]:
    """Parts that ended by themselves; the supervisor says so when it starts them again."""
    return [line for line in (folder / "up.txt").read_text().splitlines() if "starts again" in line]


CAMPAIGN = Campaign(
    harm="The PostgreSQL server is stopped, cleanly and as by a loss of power, and started again seconds later.",
    holds="Every part waits for it and goes on; nothing is lost, and the search computes what it computes undisturbed.",
    run=run,
    minutes=8,
)
