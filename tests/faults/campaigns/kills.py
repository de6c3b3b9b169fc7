"""`kill -9` at random moments of every part of the real application, while searches of every method run.

The same searches run once undisturbed, in the same application; every later round of them must end with the same
fingerprints and logs (see `tests.faults.told` for what is compared). Who is killed and when is drawn from the seed;
what the processes are doing at that moment is not, so a seed repeats the strikes and not the run.
"""

import random
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from django.conf import settings

from tests.faults import streams
from tests.faults.application import PARTS, Application, parent_of, start_application
from tests.faults.campaigns.campaign import Campaign, Run, Size
from tests.faults.campaigns.rounds import Quiet, ended, harmed_round, quiet_round, started
from tests.faults.recovery import Watch, held_by, name_of
from webapp.searches.leases import ATTEMPTS
from webapp.supervisor.part import GROWN_UP_SECONDS

KILLS = 220  # In the large size.
SHARES = {  # Of a hundred strikes.
    "trainer": 30, "forked worker process": 30, "worker": 16, "reconciler": 8, "web server": 8, "broker": 8,
}  # fmt: skip
SUPERVISED = ("worker", "reconciler", "web server", "broker")
HASTY = 0.25  # Of the strikes: they may come while what was lost by the one before does not go on yet.
WANTED = {"median seconds until computed again": 8.0, "99th percentile of seconds until computed again": 15.0}


@dataclass
class Strikes:
    """Who is struck next, and when. planned: parts that are struck first, in this order.

    most_losses: in a row, that a job gets from here: one that is lost three times is set aside, rightly another result.
    """

    draws: random.Random
    wanted: int  # Kills in all.
    most_losses: int
    planned: list[str] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)
    under_way: int = 0  # Jobs that were held by whom was killed.
    watch: Watch = field(default_factory=Watch)
    _last: dict[str, float] = field(default_factory=dict)
    _next: str = ""
    _at: float = 0.0
    _is_hasty: bool = False

    def plan(self) -> None:
        """Draw the next strike; it waits until what was lost goes on, unless it is a hasty one."""
        self._is_hasty = self.draws.random() < HASTY
        self._next = self.planned.pop(0) if self.planned else self.draws.choices([*SHARES], [*SHARES.values()])[0]
        self._at = time.monotonic() + self.draws.uniform(0.2, 3.0)

    def look(self, application: Application) -> None:
        """Strike if it is time."""
        goes_on = self.watch.look()
        if self.kills.total() == self.wanted:
            return
        if not goes_on and not self._is_hasty:
            self._at = max(self._at, time.monotonic() + 0.2)
        if time.monotonic() >= self._at and self._strike(application, self._next):
            self.plan()

    def _strike(self, application: Application, part: str) -> bool:
        """Kill one process of this part, or leave it alone for good; False where it is to be tried again."""
        if part in SUPERVISED and time.monotonic() - self._last.get(part, -1e9) < GROWN_UP_SECONDS:
            return True  # What dies young starts later each time, on purpose: another part is drawn.
        is_forked = part == "forked worker process"
        found = application.processes(PARTS["worker" if is_forked else part], forked=is_forked)
        if not found:
            return False  # It is about to start again.
        victim = self.draws.choice(found)
        jobs = held_by(_workers_of(part, victim, application))
        if any(job.attempts >= self.most_losses for job in jobs):
            return True  # Another is drawn.
        self.watch.strike(part, jobs, is_hasty=self._is_hasty)
        try:
            victim.kill()
        except psutil.NoSuchProcess:
            return False
        self._last[part] = time.monotonic()
        self.kills[part] += 1
        self.under_way += len(jobs)
        return True

    def counts(self) -> dict[str, int | float]:
        return {f"kills of a {part}": self.kills[part] for part in SHARES} | {
            "kills": self.kills.total(), "jobs under way when killed": self.under_way,
        }  # fmt: skip


def _workers_of(part: str, victim: psutil.Process, application: Application) -> list[str]:
    """The names of the workers whose jobs are lost with this process."""
    pids = {
        "worker": [each.pid for each in application.processes(PARTS["worker"], forked=True)],
        "forked worker process": [victim.pid],
        "trainer": [parent_of(victim)],
    }
    return [name_of(pid) for pid in pids.get(part, [])]


def run(seed: int, size: Size, folder: Path) -> Iterator[Run]:
    names = ("ppo", "enas-macro") if size == "small" else streams.STREAMS
    draws = random.Random(f"kills {seed}")
    # A machine that does much else at a time, as where tests run, may cost a job a loss of its own.
    most_losses = ATTEMPTS - 1 if size == "large" else 1
    wanted = len(SHARES) if size == "small" else KILLS
    strikes = Strikes(draws, wanted, most_losses, planned=draws.sample([*SHARES], len(SHARES)))
    application = start_application(settings.DATA_FOLDER)
    try:
        quiet = quiet_round(application, names, seed)
        yield quiet.line()
        problems = quiet.problems
        while strikes.kills.total() < wanted and not problems:
            done = _round(application, strikes, quiet)
            yield done
            problems = done.problems
    finally:
        last = ended(application, "all rounds together", strikes.watch.counts(), _late(strikes, size))
    yield last


def _round(application: Application, strikes: Strikes, quiet: Quiet) -> Run:
    before = strikes.counts()

    def done() -> dict[str, int | float]:
        return {what: count - before[what] for what, count in strikes.counts().items()}

    ids = started(application, quiet)
    strikes.plan()
    return harmed_round(application, quiet, ids, "killed at random moments", lambda: strikes.look(application), done)


def _late(strikes: Strikes, size: Size) -> list[str]:
    """Where what was lost stood still for longer than wanted; a small run says nothing about a 99th percentile."""
    figures = strikes.watch.counts()
    late = {what: figures[what] for what, bound in WANTED.items() if figures.get(what, 0.0) > bound}
    return [f"{what}: {late[what]}, wanted {WANTED[what]:g}." for what in late] if size == "large" else []


CAMPAIGN = Campaign(
    harm="kill -9 at random moments of workers, their forked processes, trainers, the reconciler, the web server and"
    " the broker.",
    holds="Fingerprint and event log of every search are those of the undisturbed run; a lost job is computed again"
    " within 8 s in the median and within 15 s in 99 of 100 cases; no process is left.",
    run=run,
    minutes=40,
)
