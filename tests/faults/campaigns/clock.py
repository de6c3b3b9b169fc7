"""The wall clock is set by an hour or a day, forward and back, while a real search runs and workers die.

The whole application runs as always. Its clock is that of the database, and is set there (see tests/faults/set_clock).
"""

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests import running_application
from tests.faults.aftermath import fsck_problems
from tests.faults.campaigns.campaign import Campaign, Run, Size
from tests.running_application import ROOT, environment_of
from webapp.searches import live_state

HOUR, DAY = 3600.0, 24 * 3600.0
SET_CLOCK = ROOT / "tests/faults/set_clock"
GOES_ON_SECONDS = 30.0  # After the clock was set, and a worker killed: a lease, and as long again for a busy machine.
END_SECONDS = 300.0


@dataclass(frozen=True)
class Stress:
    """A search of so many children; by how much the clock is set, in turn. Before every second time a worker dies.

    forgets: whether it is waited for that workers that died are no longer shown, which takes half a minute.
    """

    children: int
    epochs: int
    workers: int
    jumps: tuple[float, ...]
    forgets: bool


SIZES: dict[Size, Stress] = {
    "small": Stress(children=2, epochs=4, workers=1, jumps=(DAY, -DAY), forgets=False),
    "large": Stress(
        children=48, epochs=4, workers=2, forgets=True,
        jumps=(HOUR, -HOUR, -DAY, DAY, DAY, -HOUR, -DAY, HOUR, HOUR, HOUR, -DAY, -HOUR),
    ),
}  # fmt: skip


@dataclass
class Site:
    """The running application, and the file that sets its clock."""

    supervisor: psutil.Popen
    client: httpx.Client
    clock: Path
    environment: dict[str, str]
    offset: float = 0.0

    def set_clock(self, jump: float) -> None:
        self.offset += jump
        draft = self.clock.with_suffix(".draft")
        draft.write_text(str(self.offset))
        draft.rename(self.clock)

    def kill_the_worker(self) -> None:
        found = [each for each in self.supervisor.children() if "worker" in each.cmdline()]
        found[0].kill()

    def start_search(self, stress: Stress) -> str:
        config = {
            "name": "clocks",
            "space": {"blocks": 1},
            "strategy": {"kind": "ppo", "step_size": 2},
            "child": {"normal_cells": 1, "reductions": 1, "filters": 4},
            "recipe": {"epochs": stress.epochs, "batch_size": 64},
            "data": {"image_size": 8, "train_examples": 1000, "held_out_examples": 100},
            "budget": {"children": stress.children},
        }
        answer = self.client.post("/api/searches", json={"config": config})
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def events(self, search: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while page := self._page(search, len(found)):
            found += page
        return found

    def _page(self, search: str, after: int) -> list[dict[str, Any]]:
        answer = self.client.get(f"/api/searches/{search}/events", params={"after": after, "limit": 500})
        events: list[dict[str, Any]] = answer.json()["events"]
        return events

    def detail(self, search: str) -> dict[str, Any]:
        found: dict[str, Any] = self.client.get(f"/api/searches/{search}").json()
        return found

    def wait(self, holds: Callable[[], bool], seconds: float) -> float | None:
        """The seconds until it held; None where it never did."""
        began = time.monotonic()
        while not holds():
            if time.monotonic() - began > seconds:
                return None
            time.sleep(0.1)
        return time.monotonic() - began


def run(seed: int, size: Size, folder: Path) -> Iterator[Run]:
    site = _site(SIZES[size], folder)
    try:
        yield _run(site, random.Random(f"clock:{seed}"), SIZES[size])
    finally:
        site.client.close()
        site.supervisor.send_signal(signal.SIGTERM)
        site.supervisor.wait(30)


def _run(site: Site, chance: random.Random, stress: Stress) -> Run:
    undisturbed = site.start_search(stress)
    problems = [] if _ended(site, undisturbed) else ["The undisturbed search did not end."]
    search = site.start_search(stress)
    kills, waits = 0, []
    for number, jump in enumerate(stress.jumps):
        if not _goes_on(site, search) or not _is_open(site, search):
            break  # It has ended.
        time.sleep(chance.uniform(0.0, 0.5))
        dies = number % 2 == 1
        if dies:
            site.kill_the_worker()
            kills += 1
        site.set_clock(jump)
        waited = _goes_on(site, search)
        waits += [waited] if waited is not None else []
        if waited is None and _is_open(site, search):
            problems.append(f"Nothing went on for {GOES_ON_SECONDS:.0f} s after the clock was set by {jump:+.0f} s.")
    problems += [] if _ended(site, search) else ["The search did not end."]
    found, told = site.detail(search), site.events(search)
    if (found["state"], found["fingerprint"]) != ("finished", site.detail(undisturbed)["fingerprint"]):
        problems.append(f"The search is {found['state']} and computed another fingerprint than with a steady clock.")
    losses = [event for event in told if event["kind"] == "job_lost"]
    if len(losses) > kills * stress.workers:
        problems.append(f"{len(losses)} jobs were lost, and {kills} times a worker was killed.")
    problems += [*_times(told), *fsck_problems(site.environment), *(_workers(site, stress) if stress.forgets else [])]
    counts = {
        "times the clock was set": len(stress.jumps), "kills of a worker": kills, "children": stress.children,
        "jobs lost": len(losses), "epochs done again": _again(told),
        "longest wait in seconds": round(max(waits, default=0.0), 1),
    }  # fmt: skip
    return Run(what="the clock is set forward and back", counts=counts, problems=problems)


def _goes_on(site: Site, search: str) -> float | None:
    """Wait until an epoch or a child more is there, or the search has ended; the seconds, None where neither came."""
    before = _work_done(site, search)
    return site.wait(lambda: _work_done(site, search) > before or not _is_open(site, search), GOES_ON_SECONDS)


def _work_done(site: Site, search: str) -> int:
    return sum(event["kind"] in ("epoch_ended", "child_finished") for event in site.events(search))


def _is_open(site: Site, search: str) -> bool:
    return site.detail(search)["state"] in ("running", "paused")


def _ended(site: Site, search: str) -> bool:
    return site.wait(lambda: not _is_open(site, search), END_SECONDS) is not None


def _again(told: list[dict[str, Any]]) -> int:
    epochs = [(event["step"], event["slot"], event["epoch"]) for event in told if event["kind"] == "epoch_ended"]
    return len(epochs) - len(set(epochs))


def _times(told: list[dict[str, Any]]) -> Iterator[str]:
    """The time that a page shows never goes below nothing."""
    state = live_state.initial("search")
    for event in told:
        state = live_state.apply(state, event)
        if state["active_seconds"] < 0:
            yield f"The search ran {state['active_seconds']:.0f} s by event {event['n']}."
            return


def _workers(site: Site, stress: Stress) -> list[str]:
    """In the end exactly those are there that live."""

    def here() -> int:
        return sum(worker["is_here"] for worker in site.client.get("/api/workers").json()["workers"])

    is_right = site.wait(lambda: here() == stress.workers, 90.0)
    return [] if is_right is not None else [f"{here()} workers are said to be here, and there are {stress.workers}."]


def _site(stress: Stress, folder: Path) -> Site:
    clock = folder / "clock"
    clock.write_text("0")
    more = {"CELLWRIGHT_SET_CLOCK": str(clock), "PYTHONPATH": str(SET_CLOCK)}
    running = running_application.start_application(folder, "--workers", str(stress.workers), environment=more)
    environment = environment_of(folder) | more
    command = [sys.executable, "manage.py", "token", "faults"]
    token = subprocess.check_output(command, cwd=ROOT, env=environment, text=True).strip()
    headers = {"Authorization": f"Bearer {token}"}
    client = httpx.Client(base_url=running.address, headers=headers, timeout=30)
    return Site(running.supervisor, client, clock, environment)


CAMPAIGN = Campaign(
    harm="The clock is set forward and back by an hour and by a day while a search runs, and workers die just before.",
    holds="At most an epoch is done again for each worker that died; no result changes, and nobody waits for a lease"
    " that ends in times to come.",
    run=run,
    minutes=5,
)
