"""Workers that stand still past their lease and wake up: what they write then is refused, and the result is the same.

A frozen process keeps its connections and all that it knew. Frozen are, in turn: one worker process with its trainer,
while the other goes on; every process of the worker, while nobody is there; and, in the large size, a trainer alone,
whose worker renews its lease until it notices that nothing is computed.
"""

import contextlib
import random
import re
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
from django.conf import settings
from django.db import connection

from tests.faults import streams
from tests.faults.application import PARTS, Application, parent_of, start_application
from tests.faults.campaigns.campaign import Campaign, Run, Size
from tests.faults.campaigns.rounds import Quiet, ended, harmed_round, quiet_round, started
from tests.faults.recovery import held_by, name_of
from webapp.searches import event_log
from webapp.searches.leases import LEASE_SECONDS
from webapp.searches.models import Event, Job
from webapp.searches.workers.driver import STALLED_SECONDS

REFUSED = re.compile(r"A late write of \S+ was refused, leaving job (\d+): ")  # In the log of the worker.
REFUSAL_SECONDS = 10.0
EVERYTHING = 10**6  # More events than any of these streams has.


def run(seed: int, size: Size, folder: Path) -> Iterator[Run]:
    is_large = size == "large"
    draws = random.Random(f"frozen {seed}")
    application = start_application(settings.DATA_FOLDER)
    try:
        quiet = quiet_round(application, streams.STREAMS if is_large else ("random",), seed)
        yield quiet.line()
        freezes = [OneProcess] * 10 + [WholeWorker] * 5 + [TrainerAlone] * 3 if is_large else [OneProcess, WholeWorker]
        for freeze in freezes:
            yield freeze(application, draws).round(quiet)
    finally:
        last = ended(application, "all rounds together", {}, [])
    yield last


class Freeze:
    """One round, in which it strikes once, at a drawn moment in which a job is under way."""

    what = ""

    def __init__(self, application: Application, draws: random.Random) -> None:
        self.application = application
        self._draws = draws
        self._after = draws.randint(4, 14)  # Events: of a search of eight children there are forty.
        self._jobs: list[int] = []
        self._problems: list[str] = []
        self._refusals = 0

    def round(self, quiet: Quiet) -> Run:
        ids = started(self.application, quiet)
        self._ids = [*ids.values()]
        done = harmed_round(self.application, quiet, ids, self.what, self._strike, self._counts)
        if not self._jobs:
            self._problems.append("Nothing was frozen: no job was under way for long enough.")
        return Run(what=done.what, counts=done.counts, problems=done.problems + self._problems)

    def frozen(self, worker: psutil.Process) -> list[psutil.Process]:
        """The processes that stand still. worker: a forked process that holds a job."""
        raise NotImplementedError

    def holders(self, worker: psutil.Process, frozen: list[psutil.Process]) -> list[str]:
        """The workers whose jobs will be taken away."""
        return [name_of(each.pid) for each in frozen]

    def _counts(self) -> dict[str, int | float]:
        return {"jobs frozen": len(self._jobs), "late writes refused": self._refusals}

    def _strike(self) -> None:
        if self._jobs or Event.objects.filter(stream_id__in=self._ids).count() < self._after:
            return
        workers = self.application.processes(PARTS["worker"], forked=True)
        busy = [each for each in workers if held_by([name_of(each.pid)])]
        if busy:
            self._freeze(self._draws.choice(busy))

    def _freeze(self, worker: psutil.Process) -> None:
        processes = self.frozen(worker)
        for each in processes:
            each.suspend()
        time.sleep(0.05)  # Whatever it had sent to the database by then is done.
        if not _is_free_to_write():
            for each in processes:
                each.resume()
            return  # Another moment is drawn.
        held = {job.pk: job.fence for job in held_by(self.holders(worker, processes))}
        try:
            self.wait_until_taken(held)
        finally:
            for each in processes:
                with contextlib.suppress(psutil.NoSuchProcess):  # It was ended for making no progress.
                    each.resume()
        self._jobs = [*held]
        self.look_at_what_is_told(held)

    def wait_until_taken(self, held: dict[int, int]) -> None:
        """Until the jobs were taken away, and a moment longer."""
        until = time.monotonic() + LEASE_SECONDS + 3 * STALLED_SECONDS
        while any(Job.objects.filter(pk=pk, fence=fence).exists() for pk, fence in held.items()):
            assert time.monotonic() < until, f"the leases do not end{self.application.logs()}"
            time.sleep(0.1)
        time.sleep(self._draws.uniform(0.0, 3.0))

    def look_at_what_is_told(self, held: dict[int, int]) -> None:
        """Each of them finds out by a write that is refused, and says so in its log."""
        until = time.monotonic() + REFUSAL_SECONDS
        log = self.application.folder / "logs" / "worker.log"
        while not (refused := {int(pk) for pk in REFUSED.findall(log.read_text())}) >= set(held):
            if time.monotonic() > until:
                self._problems.append(f"The log says nothing of a late write to {sorted(set(held) - refused)}.")
                break
            time.sleep(0.1)
        self._refusals = len(refused & set(held))


def _is_free_to_write() -> bool:
    """False where somebody stands still in the middle of a write: SQLite lets nobody else write until he wakes or dies,
    so no lease can be taken away meanwhile."""
    other = sqlite3.connect(connection.settings_dict["NAME"], timeout=1.0, isolation_level=None)
    try:
        other.execute("BEGIN IMMEDIATE")
        other.execute("ROLLBACK")
    except sqlite3.OperationalError:
        return False
    finally:
        other.close()
    return True


class OneProcess(Freeze):
    """The other process of the worker does its job."""

    what = "a worker process is frozen with its trainer"

    def frozen(self, worker: psutil.Process) -> list[psutil.Process]:
        return [worker, *worker.children()]


class WholeWorker(Freeze):
    """Nobody does its jobs until it wakes up, and then nobody has them."""

    what = "the whole worker is frozen"

    def frozen(self, worker: psutil.Process) -> list[psutil.Process]:
        main = psutil.Process(parent_of(worker))
        return [main, *main.children(recursive=True)]


class TrainerAlone(Freeze):
    """Its worker lives and renews the lease; it ends a trainer that makes no progress."""

    what = "a trainer alone is frozen"

    def frozen(self, worker: psutil.Process) -> list[psutil.Process]:
        return worker.children()

    def holders(self, worker: psutil.Process, frozen: list[psutil.Process]) -> list[str]:
        return [name_of(worker.pid)]

    def look_at_what_is_told(self, held: dict[int, int]) -> None:
        """It is the log of the search that tells of it."""
        streams_of = Job.objects.filter(pk__in=held).values_list("stream_id", flat=True)
        told = [event for pk in streams_of for event in event_log.read(pk, 0, EVERYTHING)]
        if not any(event["kind"] == "job_lost" and "made no progress" in event["reason"] for event in told):
            self._problems.append("No log says that a trainer made no progress.")


CAMPAIGN = Campaign(
    harm="A worker process with its trainer, the whole worker, and a trainer alone are frozen (SIGSTOP) past the"
    " lease and woken.",
    holds="The lost job is done by another or later; late writes are refused, and the log says so; fingerprint and"
    " event log are those of the undisturbed run.",
    run=run,
    minutes=25,
)
