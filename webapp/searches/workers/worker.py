"""A worker: one process that claims jobs and has one trainer do them. It never imports PyTorch."""

import logging
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil
from django.db import DatabaseError, Error, connection

from webapp import traces
from webapp.searches import artifacts, clock, hosts, leases, results, storage_pauses
from webapp.searches.datasets.local_copy import bring_data
from webapp.searches.leases import Claim, LeaseLost
from webapp.searches.models import Job, Worker
from webapp.searches.workers import remaking
from webapp.searches.workers.about_jobs import about_claim, traced
from webapp.searches.workers.driver import Driver, Stopping
from webapp.searches.workers.trainer_process import Trainer, TrainerGone
from webapp.searches.workers.trainer_requests import (
    MEASURE,
    CannotAnswer,
    request_for,
    threads_of,
    while_renewing,
)

KINDS = tuple(kind.value for kind in Job.Kind)
SEEN_SECONDS = 5.0  # How often an idle worker says that it is there.
MEASURE_SECONDS = 60.0
BREATH_SECONDS = 1.0  # After a failure, before the next claim.
GIVE_BACK_SECONDS = 0.5  # Much sooner than a lease that could not be renewed is taken away.

log = logging.getLogger(__name__)


class WorkingProcess:
    """What this process is to the others: a name, and a trainer that is kept warm between jobs."""

    def __init__(
        self,
        *,
        name: str,
        spool: Path,
        start_trainer: Callable[[int], Trainer],
        is_stopping: Callable[[], bool],
    ) -> None:
        """start_trainer: makes a trainer of so many threads; is_stopping: whether this process shall end."""
        self.name = name
        self._spool = spool
        self._start_trainer = start_trainer
        self._is_stopping = is_stopping
        self._trainer: Trainer | None = None
        self._speed: list[float] | None = None  # None: not measured yet; []: measured in vain.
        self._was_refused = False  # By a disk, the last time.

    def look(self) -> None:
        """Do what is due until nothing is. Then measure, once, how quick this worker is: nobody waits for that."""
        while not self._is_stopping() and self._has_room():
            began = traces.now()
            claim = leases.claim(self.name, KINDS)
            if claim is not None:
                with about_claim(claim), traces.of_job(traced(claim), began):
                    is_done = self._do(claim)
                if not is_done:
                    return  # The next look comes in two seconds, and asks the disk first.
            elif self._speed is not None:
                self._tell_speed()
                return
            else:
                self._speed = []
                self._measure()  # It takes seconds, in which something may have become due.

    def warm_up(self) -> None:
        """Have a trainer start, before anybody waits for it."""
        self._trainer_of(threads=1)

    def end(self) -> None:
        """Leave nothing behind."""
        self._drop_trainer()
        traces.end()
        shutil.rmtree(self._spool, ignore_errors=True)
        Worker.objects.filter(pk=self.name).delete()

    def _do(self, claim: Claim) -> bool:
        """Whatever happens, the job is handed in, given back or runs out, and no trainer is left in its middle.

        False when a disk refused what had to be written.
        """
        try:
            self._drive(claim)
        except LeaseLost as lost:
            log.warning("A late write of %s was refused, leaving job %s: %s", self.name, claim.job_id, lost)
            self._drop_trainer()  # It still computes what nobody wants.
            self.warm_up()
        except (TrainerGone, Stopping):
            self._drop_trainer()
        except Exception as error:
            self._drop_trainer()
            sentence = storage_pauses.sentence_of(error)
            if sentence is not None:
                self._give_back(claim, sentence)
                return False
            if not isinstance(error, DatabaseError):
                raise  # Our bug: this task fails, and the job's lease runs out.
            log.exception("The database failed during job %s; its lease will run out", claim.job_id)
            connection.close()
            time.sleep(BREATH_SECONDS)
        except BaseException:
            self._drop_trainer()
            raise
        finally:
            artifacts.let_go()
        return True

    def _give_back(self, claim: Claim, sentence: str) -> None:
        """Without its files a job waits, and what the trainer left in the spool goes: it may be what fills the disk.

        Where it is the database that cannot be written, this is tried until it can.
        """
        log.error("Job %s is given back: %s", claim.job_id, sentence)
        self._was_refused = True
        shutil.rmtree(self._spool, ignore_errors=True)
        while not self._is_stopping():
            try:
                storage_pauses.give_back(claim.job_id, claim.fence, sentence)
            except LeaseLost:
                return  # It was handed in, or somebody else has it.
            except DatabaseError:
                connection.close()
                time.sleep(GIVE_BACK_SECONDS)
            else:
                return

    def _drive(self, claim: Claim) -> None:
        try:
            if claim.kind in remaking.GOES_ON_FROM_FILES:
                self._remake_what_is_damaged(claim)
            request = request_for(claim)
        except artifacts.ArtifactMissing as error:
            results.record_failure(claim.job_id, claim.fence, f"A file that it needs is missing: {error}.")
        except (remaking.CannotRemake, CannotAnswer) as error:
            results.record_failure(claim.job_id, claim.fence, str(error))
        else:
            trainer = self._trainer_of(threads_of(request))
            Driver(claim, trainer, self._spool, self._is_stopping).run(request)

    def _remake_what_is_damaged(self, claim: Claim) -> None:
        """Have the strategy and the shared weights whole before the job that needs them begins."""
        files = remaking.Remaking(claim, self._spool)
        for what in files.damaged():
            bring_data(files.config, while_renewing(claim))
            trainer = self._trainer_of(threads_of({"config": files.config}))
            driver = Driver(claim, trainer, self._spool, self._is_stopping)
            files.remake(what, driver.ask)

    def _trainer_of(self, threads: int) -> Trainer:
        if self._trainer is not None and (self._trainer.threads != threads or self._trainer.has_ended()):
            self._drop_trainer()  # One that died while it had nothing to do costs no job a loss.
        if self._trainer is None:
            shutil.rmtree(self._spool, ignore_errors=True)  # What a dead one left half done.
            self._trainer = self._start_trainer(threads)
        return self._trainer

    def _drop_trainer(self) -> None:
        trainer, self._trainer = self._trainer, None
        if trainer is not None:
            trainer.kill()

    def _has_room(self) -> bool:
        """Whether files can be written. Work waits for that: a job that fails for the disk would fail again."""
        if sentence := storage_pauses.trouble_here(self._spool.parent, was_refused=self._was_refused):
            log.error("%s No work begins before files can be written again", sentence)
            return False
        self._was_refused = False
        return True

    def _measure(self) -> None:
        """Ask the trainer for its speed, for the estimate before a start. Failing costs the estimate, not the work."""
        try:
            trainer = self._trainer_of(threads=1)
            trainer.send(MEASURE)
            until = time.monotonic() + MEASURE_SECONDS
            while time.monotonic() < until and not self._is_stopping():
                message = trainer.receive(0.25)
                if message is not None and "done" in message:
                    self._speed = message["done"]["speed"]
                    self._tell_speed()
                    return
            raise TrainerGone(f"the trainer did not say in {MEASURE_SECONDS:.0f} seconds how quick it is")
        except TrainerGone as gone:
            log.warning("No speed of %s: %s", self.name, gone)
            self._drop_trainer()

    def _tell_speed(self) -> None:
        """Also where its row is a new one: a worker that was not heard for long was forgotten with what it had told."""
        if self._speed and (untold := Worker.objects.filter(pk=self.name, speed=[])).exists():
            untold.update(speed=self._speed)


class Presence(threading.Thread):
    """Says every few seconds that a worker is there, also while it has nothing to do.

    A thread, because the process itself waits for Celery then. It says nothing about jobs: their leases are renewed by
    whoever drives them, so a worker that hangs loses its job although it is still seen.
    """

    def __init__(
        self,
        name: str,
        host: str,
        device: str,
        number: int = 0,
        of_device: Callable[[], Mapping[str, int | None]] = dict,
    ) -> None:
        """number: of this process on its host, from 1, which one that takes its place has as well; 0 for none.

        of_device: what the row says of its memory, where that is not the host's.
        """
        super().__init__(name="presence", daemon=True)
        self._row = {"host": host, "device": device, "number": number}
        self._of_device = of_device
        self._worker = name
        self._ended = threading.Event()

    def run(self) -> None:
        while not self._ended.is_set():
            self.say()
            self._ended.wait(SEEN_SECONDS)
        connection.close()

    def say(self) -> None:
        """Be seen. Where its place is drained, a worker is drained from its first word."""
        try:
            row = (
                self._row | measured() | dict(self._of_device()) | {"seen": clock.now()}
            )  # By the database's clock, where several machines share one.
            if not Worker.objects.filter(pk=self._worker).update(**row):
                hosts.register(Worker(name=self._worker, **row))
        except Error:
            log.exception("Could not say that %s is there", self._worker)
            connection.close()

    def end(self) -> None:
        self._ended.set()
        self.join(timeout=2)


def measured() -> dict[str, int | float | None]:
    """Of this process's host and device, as rows say it: memory and load. The first load of a process is 0.

    Where the system does not tell, the worker is there all the same.
    """
    try:
        memory, own = psutil.virtual_memory(), psutil.Process()
        return {
            "memory": memory.total,
            "memory_used": memory.total - memory.available,
            "own_memory": sum(_held_by(process) for process in (own, *own.children())),
            "load": min(psutil.cpu_percent() / 100, 1.0),
            "cores": psutil.cpu_count(),
        }
    except (psutil.Error, OSError):
        log.exception("This system does not tell how much memory and load there is")
        return {}


def _held_by(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0  # It ended meanwhile.
