"""SQLite with sixteen writing processes: claims, renewals, results and events of several searches on one file.

All go through the product's own functions, as fast as the machine lets them; beside them a reconciler looks, and
somebody holds a write transaction for seconds, as a large deletion or a slow disk would.
"""

import json
import multiprocessing
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import OperationalError, connection, connections, transaction

from tests.faults import fake_engine
from tests.faults.actors import KINDS, doing
from tests.faults.campaigns.campaign import Campaign, Run, Size
from tests.faults.simulation import CALM, START, World
from tests.faults.straight_run import compared
from webapp.accounts.sign_in import get_or_create_user
from webapp.searches import checker, leases, lifecycle
from webapp.searches.models import Child, Event, Stream
from webapp.searches.workers import reconciler

WRITERS = 16
WRITES = ("BEGIN", "INSERT", "UPDATE", "DELETE")
FORK = multiprocessing.get_context("fork")  # All that is imported is shared; sixteen starts would take a minute.


@dataclass(frozen=True)
class Load:
    """searches of so many children each; holds: how often a write transaction is held, for how many seconds."""

    searches: int
    children: int
    holds: int
    hold_seconds: float
    give_up_seconds: float


SIZES: dict[Size, Load] = {
    "small": Load(searches=2, children=24, holds=1, hold_seconds=2.0, give_up_seconds=60.0),
    "large": Load(searches=4, children=400, holds=8, hold_seconds=4.0, give_up_seconds=1200.0),
}


def run(seed: int, size: Size, folder: Path) -> Iterator[Run]:
    load = SIZES[size]
    owner = get_or_create_user("owner")
    for number in range(load.searches):
        config = fake_engine.small_config(
            children=load.children, step_size=12, lookahead=2, epochs=3, seed=seed * 10 + number, reuse="off"
        )
        lifecycle.create_search(owner, config, decisions=fake_engine.DECISIONS, data=fake_engine.DATA)
    connections.close_all()  # A connection must not be shared with the processes that follow.
    work = [lambda notes, n=n: _write(f"writer {n}", seed * 100 + n, folder, notes) for n in range(WRITERS)]
    beside = [lambda notes: _look(notes), lambda notes: _hold(load, random.Random(f"holds:{seed}"), notes)]
    counts, problems = _together([*work, *beside], folder, load.give_up_seconds)
    for stream in Stream.objects.order_by("created"):
        problems += [*checker.check(stream), *compared(stream, fake_engine)]
    problems += [
        f"{lost} children were given up." for lost in [Child.objects.filter(reason=leases.LOST).count()] if lost
    ]
    open_streams = Stream.objects.filter(state__in=Stream.OPEN).count()
    problems += [f"{open_streams} searches did not end."] if open_streams else []
    problems += [f"SQLite says {word!r}." for word in [_integrity()] if word != "ok"]
    there = {"searches": Stream.objects.count(), "children": Child.objects.count(), "events": Event.objects.count()}
    yield Run(what=f"{WRITERS} processes write", counts=there | counts, problems=problems)


def _together(
    acts: list[Callable[[Counter[str]], None]], folder: Path, seconds: float
) -> tuple[Counter[str], list[str]]:
    """Each act in a process of its own; what they counted, and what went wrong."""
    processes = [FORK.Process(target=_alone, args=(act, folder / f"{n}.json")) for n, act in enumerate(acts)]
    for process in processes:
        process.start()
    until, counts, problems = time.monotonic() + seconds, Counter[str](), []
    for n, process in enumerate(processes):
        process.join(max(0.0, until - time.monotonic()))
        if process.is_alive():
            process.kill()
            process.join()
        told = folder / f"{n}.json"
        if process.exitcode or not told.exists():
            problems.append(f"Process {n} ended with {process.exitcode}.")
            continue
        found: dict[str, Any] = json.loads(told.read_text())
        counts.update(found["counts"])
        problems += found["problems"]
    return counts, problems


def _alone(act: Callable[[Counter[str]], None], told: Path) -> None:
    counts, problems = Counter[str](), []

    def count(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith("BEGIN") or (not connection.in_atomic_block and sql.startswith(WRITES)):
            counts["write transactions"] += 1
        try:
            return execute(sql, params, many, context)
        except OperationalError as error:
            problems.append(f"{error} in {sql[:60]}")
            raise

    with connection.execute_wrapper(count):
        try:
            act(counts)
        except Exception as error:  # Whatever it is, it is told.
            problems.append(repr(error))
    told.write_text(json.dumps({"counts": counts, "problems": problems}))


def _is_over() -> bool:
    return not Stream.objects.filter(state__in=Stream.OPEN).exists()


def _write(name: str, seed: int, folder: Path, counts: Counter[str]) -> None:
    """A worker to which nothing happens, and for which no time passes: it claims, renews and hands in."""
    own = folder / str(os.getpid())
    own.mkdir()
    world = World(seed, own, fake_engine)
    world.now = START + CALM
    while not _is_over():
        claim = leases.claim(name, KINDS)
        if claim is None:
            time.sleep(0.01)
            continue
        for _ in doing(world, name, claim):
            """Not even while it computes."""
    counts.update({what: number for what, number in world.counts.items() if what.startswith("did ")})


def _look(counts: Counter[str]) -> None:
    while not _is_over():
        reconciler.look()
        counts["looks of the reconciler"] += 1
        time.sleep(0.2)


def _hold(load: Load, chance: random.Random, counts: Counter[str]) -> None:
    for _ in range(load.holds):
        time.sleep(chance.uniform(0.3, 1.0) * load.hold_seconds)
        if _is_over():
            return
        with transaction.atomic():
            Stream.objects.filter(last_event=-1).update(last_event=0)  # Of no row; the lock is taken all the same.
            time.sleep(load.hold_seconds)
        counts["held write transactions"] += 1


def _integrity() -> str:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA integrity_check")
        return str(cursor.fetchone()[0])


CAMPAIGN = Campaign(
    harm="Sixteen processes write to one SQLite file as fast as they can; a write transaction is held for seconds.",
    holds='Nothing is lost or done twice, and nobody ever hears "database is locked".',
    run=run,
    minutes=4,
    wants_database=True,
)
