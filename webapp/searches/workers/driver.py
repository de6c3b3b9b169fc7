"""Drives one claimed job to its end: asks a trainer, keeps the lease, hands in what comes back.

The trainer computes and knows no database; the driver never computes. Every message is committed when it arrives, under
the job's fence, so whatever dies next loses at most one epoch.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from django.db import OperationalError, connection

from search_engine.events import (
    ChildFinished,
    ControllerPhaseEnded,
    ControllerUpdated,
    EpochEnded,
    Event,
    FinalistEpochEnded,
    FinalistFinished,
    SharedEpochEnded,
    StepProposed,
    TrainingFinished,
    event_from_json,
)
from webapp import traces
from webapp.searches import artifacts, asked_scores, late_bundles, leases, results, shared_results
from webapp.searches.leases import HEARTBEAT_SECONDS, LEASE_SECONDS, Claim, LeaseLost
from webapp.searches.models import Job, Stream
from webapp.searches.storage_pauses import StorageRefused, sentence_of
from webapp.searches.workers.beside import beside
from webapp.searches.workers.trainer_process import Message, Trainer, TrainerGone
from webapp.searches.workers.trainer_requests import INTERRUPT, Request

STALLED_SECONDS = 60.0  # Without progress the trainer hangs, unless a batch was seen to take longer than a third of it.
LISTEN_SECONDS = 0.25  # How soon the driver notices that its process shall end.
RETRY_SECONDS = 0.5
AT_ONE_GO = (Job.Kind.LEARN, Job.Kind.DERIVE, Job.Kind.SCORE)
LEAVES_A_VERDICT = (Job.Kind.EVALUATE, Job.Kind.RETRAIN)
ANSWERS_BETWEEN = (Job.Kind.SHARE, Job.Kind.TEACH)  # Scores that are asked for, between two minibatches or rounds.

log = logging.getLogger(__name__)
R = TypeVar("R")


class Stopping(Exception):
    """This process shall end; the job was given back."""


class Driver:
    """One job and the trainer that does it."""

    def __init__(self, claim: Claim, trainer: Trainer, spool: Path, is_stopping: Callable[[], bool]) -> None:
        self._claim = claim
        self._trainer = trainer
        self._spool = spool
        self._is_stopping = is_stopping
        self._is_handed_in = False  # The lease has ended with the result; the trainer's last word is still to come.
        self._is_over = False
        self._is_interrupted = False
        self._is_asked = False  # Whether the trainer answers people's questions beside its job.
        self._updated: ControllerUpdated | None = None
        self._last_epoch: EpochEnded | FinalistEpochEnded | None = None  # Of a child or finalist, without a checkpoint.
        self._proposed: list[StepProposed] = []
        self._phase: SharedEpochEnded | ControllerPhaseEnded | None = None
        self._scored: list[ChildFinished] = []  # Candidates, which are handed in together.
        self._progress = 0
        self._grew = self._renewed = time.monotonic()
        self._longest_pause = 0.0

    def run(self, request: Request) -> None:
        """Until the job is handed in or given back.

        Raises LeaseLost when somebody else has the job, TrainerGone when the trainer died or hangs (the job is given
        back as lost), Stopping, and what storage_pauses has a sentence for; the trainer is then of no more use.
        """
        with traces.part("train"), self._losing():
            self._trainer.send(request)  # First: it computes while its beginning is written down.
            if self._claim.kind in LEAVES_A_VERDICT:
                self._commit(results.record_started)
            self._is_asked = self._claim.kind in ANSWERS_BETWEEN
            self._ask_scores()
            while not self._is_over:
                self._handle(self._next_message())

    def ask(self, request: Request) -> Message:
        """What the trainer says at the end of something that is not handed in; raises as `run`."""
        with self._losing():
            self._trainer.send(request)
            while True:
                message = self._next_message()
                if "done" in message:
                    done: Message = message["done"]
                    return done
                if "event" not in message and "checkpoint" not in message:
                    self._handle(message)
                elif message.get("checkpoint"):
                    (self._spool / message["checkpoint"]).unlink(missing_ok=True)
                if self._is_over:
                    raise Stopping  # It was given back for a pause, or failed with what the trainer said.

    @contextmanager
    def _losing(self) -> Iterator[None]:
        """Where the trainer dies or hangs, the job is given back as lost."""
        try:
            yield
        except TrainerGone as gone:
            log.warning("Job %s was lost: %s", self._claim.job_id, gone)
            leases.lose(self._claim.job_id, self._claim.fence, str(gone))
            raise

    def _next_message(self) -> Message:
        """Wait for the trainer, renewing the lease meanwhile."""
        while True:
            if self._is_stopping():
                leases.release(self._claim.job_id, self._claim.fence)
                raise Stopping
            if not self._is_handed_in and time.monotonic() - self._renewed >= HEARTBEAT_SECONDS:
                self._renew()
            stood_still = time.monotonic() - self._grew
            if stood_still > max(STALLED_SECONDS, 3 * self._longest_pause):
                raise TrainerGone(f"the trainer made no progress for {stood_still:.0f} seconds")
            message = self._trainer.receive(LISTEN_SECONDS)
            if message is not None:
                self._note_progress(message)
                return message

    def _note_progress(self, message: Message) -> None:
        counted = message.get("progress")
        if counted == self._progress:
            return  # It is alive, but gets nowhere.
        self._progress = counted if isinstance(counted, int) else self._progress
        now = time.monotonic()
        self._longest_pause = max(self._longest_pause, now - self._grew)
        self._grew = now

    def _renew(self) -> None:
        wanted = self._persist(lambda: leases.renew(self._claim.job_id, self._claim.fence, self._progress))
        if wanted is None:
            raise LeaseLost(f"job {self._claim.job_id} is no longer ours")
        self._renewed = time.monotonic()
        # What takes a moment is finished; whatever leaves checkpoints stops at the next one.
        if wanted == Stream.State.PAUSED and not self._is_interrupted and self._claim.kind not in AT_ONE_GO:
            self._trainer.send(INTERRUPT)
            self._is_interrupted = True
        self._ask_scores()

    def _ask_scores(self) -> None:
        """Tell the trainer of scores that people asked for."""
        if self._is_asked and not self._is_handed_in and not self._is_interrupted:
            for question in self._persist(lambda: asked_scores.tell_of_new(self._claim.stream_id)):
                self._trainer.send({"do": "ask", **question})

    def _handle(self, message: Message) -> None:
        if "event" in message:
            self._hand_in(event_from_json(message["event"]), message.get("checkpoint"), message.get("bundle"))
        elif "checkpoint" in message:
            self._commit(shared_results.record_position, self._keep(message["checkpoint"]))
        elif "scored" in message:
            self._commit(asked_scores.record, message["scored"])
        elif "done" in message:
            self._finish(message["done"])
        elif "interrupted" in message:
            self._persist(lambda: leases.release(self._claim.job_id, self._claim.fence))
            self._is_over = True
        elif "refused" in message:
            refused = message["refused"]
            place = f"{refused['field']}: " if refused["field"] else ""
            self._commit(results.record_failure, f"{place}{refused['message']}")
            self._is_over = True
        elif "progress" not in message:
            raise _no_answer(message)

    def _hand_in(self, event: Event, checkpoint: str | None, bundle: str | None) -> None:
        match event:
            case EpochEnded() | FinalistEpochEnded():
                self._end_epoch(event, checkpoint)
            case ChildFinished() if self._claim.kind == Job.Kind.DERIVE:
                self._scored.append(event)
            case ChildFinished():
                self._commit(results.record_child, event, self._last_epoch)
                self._is_handed_in = True
            case FinalistFinished():
                if event.checkpoint:
                    self._keep(event.checkpoint)
                self._commit(results.record_finalist, event, self._last_epoch)
                self._is_handed_in = True
            case TrainingFinished():
                self._keep(event.checkpoint)
                self._commit(results.record_training, event, self._keep(bundle) if bundle else None)
                self._is_handed_in = True
            case ControllerUpdated():
                self._updated = event
            case StepProposed():
                self._proposed.append(event)
            case SharedEpochEnded() | ControllerPhaseEnded():
                self._phase = event
            case _:
                raise TrainerGone(f"the trainer sent an event that is not its own: {event.kind}")

    def _end_epoch(self, event: EpochEnded | FinalistEpochEnded, checkpoint: str | None) -> None:
        if checkpoint is None and self._claim.kind in LEAVES_A_VERDICT:
            self._last_epoch = event  # The verdict is on its way, and they are handed in together.
        else:
            self._commit(results.record_epoch, event, self._keep(checkpoint) if checkpoint else None)

    def _finish(self, done: Message) -> None:
        match self._claim.kind:
            case Job.Kind.LEARN:
                self._commit(results.record_step, self._updated, self._proposed, self._keep(done["state"]))
            case Job.Kind.SHARE:
                files = self._keep(done["weights"]), self._keep(done["state"])
                self._commit(shared_results.record_shared_epoch, self._phase, *files)
            case Job.Kind.TEACH:
                self._commit(shared_results.record_controller_phase, self._phase, self._keep(done["state"]))
            case Job.Kind.DERIVE:
                told = self._proposed[0], self._scored, done["fingerprint"]
                self._commit(shared_results.record_candidates, *told)
            case Job.Kind.SCORE:
                self._commit(asked_scores.end)
            case Job.Kind.TRAIN if "bundle" in done:
                self._commit(late_bundles.record, self._keep(done["bundle"]) if done["bundle"] else None)
        self._is_over = True

    def _keep(self, sha256: str) -> str:
        """Move a file from the spool to the store. One that was sent before is there already."""
        path = self._spool / sha256
        if not path.exists():
            artifacts.local_path(sha256)
            return sha256
        found = beside(lambda: artifacts.put(path), self._renew)
        if found != sha256:
            raise TrainerGone(f"the trainer wrote a file {sha256} whose SHA-256 is {found}")
        return sha256

    def _commit(self, record: Callable[..., R], *what: Any) -> R:
        with traces.part("commit", what=record.__name__):
            return self._persist(lambda: record(self._claim.job_id, self._claim.fence, *what))

    def _persist(self, act: Callable[[], R]) -> R:
        """Do it, again and again while the database cannot be reached: nobody else can take the job away meanwhile.

        Each act is one transaction that asks for the fence first, so doing it twice is refused. What a disk refuses is
        tried for the time of a lease.
        """
        began = time.monotonic()
        while True:
            try:
                done = act()
            except OperationalError as error:
                is_refused = sentence_of(error) is not None and time.monotonic() - self._renewed > LEASE_SECONDS
                if is_refused or self._is_stopping():
                    raise
                log.warning("The database does not answer; trying again: %s", error)
                connection.close()
                time.sleep(RETRY_SECONDS)
            else:
                self._grew += time.monotonic() - began  # Nobody listened to the trainer for so long.
                return done


def _no_answer(message: Message) -> Exception:
    """What it means that a trainer says this instead of what was wanted."""
    if "storage" in message:
        return StorageRefused(message["storage"]["message"])
    if "damaged" in message:  # Behind the worker's own look at it. The next one looks again, and mends it.
        return TrainerGone("a file that it goes on from got damaged just before it was read")
    if "failed" in message:
        return TrainerGone(f"the trainer failed: {message['failed']['message']}")
    return TrainerGone(f"the trainer sent a message that nobody knows: {sorted(message)}")
