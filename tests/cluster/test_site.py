"""deploy/compose.yaml as processes: a search through the proxy, while parts are killed and upgraded, as undisturbed."""

import asyncio
import json
import random
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed

from search_engine.config.reading import read_config
from search_engine.config.search import SearchConfig
from tests.cluster.site import Site, running_site
from tests.cluster.visitor import Visitor
from tests.faults.aftermath import fsck_problems
from tests.faults.live_page import Page
from tests.faults.postgres_server import NoServer
from tests.faults.test_real_trainer import in_one_process
from tests.running_application import ROOT
from tests.web.slow_sizes import long
from webapp.searches.workers import orphaned_jobs

pytestmark = pytest.mark.processes

END_SECONDS = 180.0
SEARCH: dict[str, Any] = {
    "name": "through the proxy",
    "space": {"blocks": 1},
    "strategy": {"kind": "ppo", "step_size": 4},
    "child": {"normal_cells": 1, "reductions": 1, "filters": 4},
    "recipe": {"epochs": 3, "batch_size": 50},
    "data": {"image_size": 8, "train_examples": 500, "held_out_examples": 100},
    "budget": {"children": 24, "reuse": "copy"},  # It must outlast the start of a web process, twice.
    "reproducibility": {"seed": 3},
}


async def test_a_search_through_the_proxy_survives_the_death_of_its_parts_and_an_upgrade(tmp_path: Path) -> None:
    with started(tmp_path, workers=2) as site:
        story = await begun(site, SEARCH)
        await a_browser_stays_with_its_web_process(story)
        assert await story.further(4)
        story.kill("web")
        story.kill("worker-1")
        assert await story.further(3)
        story.kill("reconciler")
        story.kill("valkey")
        await story.until_ready("web")
        assert all(site.is_healthy(name) for name in site.webs)
        await story.stop("web-2")  # Two are stopped, as an upgrade does it, and others go on alone.
        assert await story.further(3)
        await story.stop("worker-2")
        log = await story.ended(await asyncio.to_thread(undisturbed, SEARCH, tmp_path))
        lost = [event for event in log if event["kind"] == "job_lost" and event["reason"] == orphaned_jobs.REASON]
        assert len(lost) <= 1, f"What was stopped did not give back what it held: {lost}"
        assert (await story.visitor.client.get("/metrics")).status_code == 404
        await sockets_end_with_a_code_after_which_pages_come_again(story)
        await story.visitor.client.aclose()


@long
@pytest.mark.parametrize("seed", range(2))
async def test_whatever_part_dies_again_and_again_the_search_ends_as_undisturbed(tmp_path: Path, seed: int) -> None:
    search = SEARCH | {"budget": {"children": 60, "reuse": "copy"}}
    draws = random.Random(f"site {seed}")
    with started(tmp_path, workers=2) as site:
        story = await begun(site, search)
        parts = ["web", "web-2", "worker-1", "worker-2", "reconciler", "valkey", "proxy", "postgres"]
        struck: set[str] = set()
        for part in [part for _ in range(3) for part in draws.sample(parts, len(parts))]:
            if not await story.further(draws.randint(1, 5)):
                break
            struck.add(part)
            if part == "postgres":
                await story.restart_postgres(draws.choice(("fast", "immediate")))
            elif draws.random() < 0.7:
                story.kill(part)
            else:
                await story.stop(part)
                site.containers[part].start()
            if part.startswith("web"):
                await story.until_ready(part)
        assert struck == set(parts), "The search was over before every part was struck once."
        await story.ended(await asyncio.to_thread(undisturbed, search, tmp_path), is_always_answered=False)
        await story.visitor.client.aclose()
        assert fsck_problems(site.environment("web")) == []


# --- The site, and what its search should come to. --------------------------------------------------------------------


@contextmanager
def started(folder: Path, workers: int) -> Iterator[Site]:
    try:
        with running_site(folder, workers) as site:
            yield site
    except NoServer as error:
        pytest.skip(f"no PostgreSQL can run here: {error}")


def undisturbed(search: dict[str, Any], folder: Path) -> str:
    """The fingerprint that the engine alone comes to, in this process."""
    return in_one_process(read_config(SearchConfig, search), folder)


# --- What happens. ----------------------------------------------------------------------------------------------------


@dataclass
class Story:
    """A person with an open page who asks all the time, and what is done to the site meanwhile."""

    site: Site
    visitor: Visitor
    search: str
    page: Page
    over: asyncio.Event
    end: "asyncio.Future[int]"
    tasks: list["asyncio.Task[None]"] = field(default_factory=list)

    async def further(self, events: int) -> bool:
        """Wait for so many more events on the page; False where the search ends before."""
        wanted = self.page.last + events
        until = asyncio.get_running_loop().time() + END_SECONDS
        while self.page.last < wanted:
            with suppress(httpx.HTTPError, ValueError, KeyError):  # Nobody answers just now, or with a refusal.
                if (await self.visitor.search(self.search))["state"] not in ("running", "paused"):
                    return False
            assert asyncio.get_running_loop().time() < until, f"no event after {self.page.last}{self.site.said()}"
            await asyncio.sleep(0.1)
        return True

    def kill(self, name: str) -> None:
        """-9, and at once started again, as `restart: unless-stopped` says."""
        self.site.containers[name].kill()
        self.site.containers[name].start()

    async def stop(self, name: str) -> None:
        container = self.site.containers[name]
        assert await asyncio.to_thread(container.stop), f"{name} had to be killed{container.said()}"

    async def until_ready(self, name: str) -> None:
        await asyncio.to_thread(self.site.wait_until_ready, name)

    async def restart_postgres(self, mode: Any) -> None:
        await asyncio.to_thread(self.site.postgres.stop, mode)
        self.site.postgres.start()
        await asyncio.to_thread(self.site.postgres.wait_until_ready)

    async def ended(self, fingerprint: str, *, is_always_answered: bool = True) -> list[dict[str, Any]]:
        """The whole log, once the search has ended as it should, and the page has all of it, each event once."""
        found = await self.visitor.ended(self.search, END_SECONDS)
        assert (found["state"], found["fingerprint"]) == ("finished", fingerprint), found.get("reason")
        answer = await self.visitor.client.get(f"/api/searches/{self.search}/events?after=0&limit=500")
        told = answer.json()
        self.end.set_result(told["last"])
        self.over.set()
        await asyncio.wait_for(asyncio.gather(*self.tasks), timeout=60)
        assert self.page.problems == [] and self.page.last == told["last"]
        if is_always_answered:
            assert self.visitor.asked > 5 and self.visitor.refused == []
        log: list[dict[str, Any]] = told["events"]
        return log


async def begun(site: Site, search: dict[str, Any]) -> Story:
    """Signed in by the link that an administrator prints, the search started from the form, its page open."""
    link = await asyncio.to_thread(site.manage, "sign_in_link", "--base", site.address)
    for name in site.webs:
        await asyncio.to_thread(site.wait_until_ready, name)
    visitor = Visitor(site.address, site.trust())
    await visitor.sign_in(link.strip())
    identifier = await visitor.start_search(search)
    page = visitor.page(identifier)
    over, end = asyncio.Event(), asyncio.get_running_loop().create_future()
    story = Story(site, visitor, identifier, page, over, end)
    story.tasks = [
        asyncio.create_task(page.watch(over, end, longest_visit=10**6)),
        asyncio.create_task(visitor.ask_until(identifier, over)),
    ]
    return story


async def a_browser_stays_with_its_web_process(story: Story) -> None:
    """So that it gets the scripts of the page that it has, while another process is of another version."""
    client = story.visitor.client
    chosen = client.cookies["cellwright_web"]
    for _ in range(5):
        assert "cellwright_web" not in (await client.get("/health")).cookies, "The proxy chose anew."
    assert client.cookies["cellwright_web"] == chosen


async def sockets_end_with_a_code_after_which_pages_come_again(story: Story) -> None:
    script = (ROOT / "frontend/static/js/live/socket.js").read_text()
    for_good = {int(code) for code in re.findall(r"^\s*\[(\d{4}), ", script, re.MULTILINE)}
    assert len(for_good) >= 4
    lines = [await story.visitor.open_socket(story.search, 0) for _ in range(4)]
    for line in lines:
        assert json.loads(await line.recv())["events"]
    await asyncio.gather(*(story.stop(name) for name in story.site.webs if story.site.containers[name].is_running))
    for line in lines:
        with pytest.raises(ConnectionClosed) as closed:
            while True:
                await asyncio.wait_for(line.recv(), 10)
        assert closed.value.rcvd is not None, "The line was cut without a word."
        assert closed.value.rcvd.code == 1012 and 1012 not in for_good
