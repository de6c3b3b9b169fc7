"""Children that go wrong in a real trainer: weights that are no numbers, too little memory, crashes, hanging.

Two searches of one configuration: one with a good trainer, one with `bad_trainer`. Draws are uniform, so a child has
the same place and architecture in both: whoever did not go wrong must have the same verdict, to the last bit.
"""

import json
import logging
import random
import sys
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from unittest.mock import patch

from search_engine.config.reading import read_config
from search_engine.config.search import SearchConfig
from tests.faults.bad_trainer import HANGS
from tests.faults.campaigns.campaign import Campaign, Run, Size
from webapp.accounts.models import User
from webapp.searches import checker, event_log, hosts, leases
from webapp.searches.models import Child, Search, Stream
from webapp.searches.start import start_search
from webapp.searches.workers import driver
from webapp.searches.workers.trainer_process import TRAINER, TrainerProcess
from webapp.searches.workers.worker import WorkingProcess

MOST_ASIDE = 10  # In a campaign; more means that it never ends.
ROUNDS = {"small": 1, "large": 12}
CHILDREN, STEP_SIZE = 8, 4
IMPATIENT_SECONDS, USUAL_SECONDS = 2.0, driver.STALLED_SECONDS
# What goes wrong in a round, always with a good child between two that do.
HARM = {"small": ("nan", "crash", "memory", "hang 1"), "large": ("nan", "crash", "memory", "hang 1", "hang", "crash 2")}
REASONS = {"nan": "diverged", "memory": "out of memory", "crash": leases.LOST, "hang": leases.LOST}
LOSSES = {"crash": 3, "hang": 3, "hang 1": 1, "crash 2": 2}
WORDS = {"crash": "SIGSEGV", "hang": "made no progress"}  # Of the reason of a loss.


def run(seed: int, size: Size, folder: Path) -> Iterator[Run]:
    logging.getLogger("webapp").setLevel(logging.CRITICAL)
    owner = User.objects.create(name="owner")
    for number in range(ROUNDS[size]):
        chance = random.Random(f"children:{seed}:{number}")
        place = folder / str(number)
        place.mkdir()
        wrong = harm(chance, size)
        config = small_config(seed * 1000 + number)
        counts = Counter(wrong.values()) + Counter({"children": CHILDREN})
        good, bad = (work_off(owner, config, place, plan, counts) for plan in ({}, wrong))
        counts["losses"] = sum(event["kind"] == "job_lost" for event in events_of(bad))
        yield Run(what=f"search {number}", counts=dict(counts), problems=list(problems(good, bad, wrong)))


def harm(chance: random.Random, size: Size) -> dict[str, str]:
    """By place, what goes wrong; every other child is well."""
    slots = list(range(0, CHILDREN, 2))
    chosen = zip(chance.sample(slots, len(slots)), chance.sample(HARM[size], len(slots)), strict=True)
    return {f"{slot // STEP_SIZE}.{slot % STEP_SIZE}": what for slot, what in chosen}


def small_config(seed: int) -> SearchConfig:
    wanted = {
        "name": f"children {seed}",
        "space": {"blocks": 1},
        "strategy": {"kind": "random", "step_size": STEP_SIZE},
        "child": {"normal_cells": 1, "reductions": 1, "filters": 4},
        "recipe": {"epochs": 2, "batch_size": 50},
        "data": {"image_size": 8, "train_examples": 200, "held_out_examples": 100},
        "budget": {"children": CHILDREN},
        "reproducibility": {"seed": seed},
    }
    return read_config(SearchConfig, wanted)


def work_off(owner: User, config: SearchConfig, folder: Path, plan: dict[str, str], counts: Counter[str]) -> Search:
    """One worker works to the end. A trainer that says that it hangs is given up soon; where the host is set aside, as
    losses of several children in a row may have it, a person says that it is used again."""
    search = start_search(owner, config)
    program: Sequence[str] = TRAINER
    if plan:
        program = (sys.executable, "-m", "tests.faults.bad_trainer", json.dumps(plan), str(folder))

    def start_trainer(threads: int) -> TrainerProcess:
        (folder / HANGS).unlink(missing_ok=True)
        return TrainerProcess(
            spool=folder / "spool", data_sets=folder, log=folder / "trainer.log", threads=threads, device="cpu",
            program=program,
        )  # fmt: skip

    worker = WorkingProcess(
        name="host:1", spool=folder / "spool", start_trainer=start_trainer, is_stopping=lambda: False
    )
    with patch.object(WorkingProcess, "_measure", lambda self: None):
        watch = Impatience(folder / HANGS)
        watch.start()
        try:
            worker.look()
            while Stream.objects.get(pk=search.pk).is_open and counts["host set aside"] < MOST_ASIDE:
                counts["host set aside"] += 1
                hosts.use_again("host")
                worker.look()
        finally:
            watch.end()
            worker.end()
    search.refresh_from_db()
    return search


class Impatience(threading.Thread):
    """Lets a worker wait for a trainer that says that it hangs for seconds, and for any other one as long as ever."""

    def __init__(self, hangs: Path) -> None:
        super().__init__(daemon=True)
        self._hangs = hangs
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.wait(0.05):
            driver.STALLED_SECONDS = IMPATIENT_SECONDS if self._hangs.exists() else USUAL_SECONDS

    def end(self) -> None:
        self._ended.set()
        self.join()
        driver.STALLED_SECONDS = USUAL_SECONDS


def problems(good: Search, bad: Search, wrong: dict[str, str]) -> Iterator[str]:
    for search in (good, bad):
        if search.state != Stream.State.FINISHED:
            yield f"The search is {search.state}: {search.reason}"
        yield from checker.check(search)
    wanted, found = (
        {f"{child.step}.{child.slot}": child for child in Child.objects.filter(search=search)} for search in (good, bad)
    )
    lost = Counter((event["what"], event["reason"]) for event in events_of(bad) if event["kind"] == "job_lost")
    for place, child in found.items():
        what = wrong.get(place, "")
        if (reason := REASONS.get(what)) is None:
            if verdict(child) != verdict(wanted[place]):
                yield f"Child {place} has another verdict than without bad neighbours."
        elif child.reason != reason or not child.is_final:
            yield f"Child {place} ({what}) has the reason {child.reason!r}, not {reason!r}."
        named = [text for (job, text), times in lost.items() if job == f"child {place}" for _ in range(times)]
        wanted_losses = LOSSES.get(what, 0)  # Those that speak against a host that was set aside come on top.
        if not wanted_losses <= len(named) <= 3 * wanted_losses or not all(
            WORDS[what.split()[0]] in text for text in named
        ):
            yield f"Child {place} ({what or 'well'}) was lost {len(named)} times: {named}"


def verdict(child: Child) -> tuple[object, ...]:
    return child.hash, child.is_final, child.reward, child.reason, child.parameters, child.mult_adds


def events_of(search: Search) -> list[dict[str, str]]:
    return event_log.read(search.pk, 0, checker.EVERYTHING)


CAMPAIGN = Campaign(
    harm="In a real trainer children get weights that are no numbers, need more memory than the process may have, crash"
    " it or hang.",
    holds="Each is recorded with its reason, three losses set a child aside, the others have the verdict that they have"
    " without it, and the search ends.",
    run=run,
    minutes=8,
    wants_database=True,
)
