"""How long the jobs of a worker that was struck stand still: seen in the rows, not told by whoever works.

A job is lost when its fence has grown since the strike. It is *taken* when somebody holds it again, and *goes on* at
the first sign that it is computed: another count of progress in a renewed lease (every two seconds), an event of it, or
its end. A job that was handed in before its worker noticed is no loss, and counts nowhere.
"""

import math
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from webapp.searches.models import Event, Job


@dataclass
class Loss:
    """A job that was held by whom was struck. Times are by time.monotonic; None: not yet."""

    part: str
    job_id: int
    fence: int
    struck: float
    said: int  # The count of progress and the last event before the strike.
    last_event: int
    place: dict[str, int]
    taken: float | None = None
    goes_on: float | None = None
    is_void: bool = False  # It was handed in before, or somebody was struck again before it went on.

    @property
    def is_open(self) -> bool:
        return not self.is_void and self.goes_on is None


@dataclass
class Watch:
    """All losses of a run."""

    losses: list[Loss] = field(default_factory=list)
    _latest: list[Loss] = field(default_factory=list)

    def strike(self, part: str, jobs: Iterable[Job], *, is_hasty: bool) -> None:
        """Note who is about to be struck, just before it is done.

        is_hasty: it would be done even if what was lost by the strike before stood still yet. None of that counts then,
        neither what stands still nor what was quick enough.
        """
        for loss in self._latest:
            loss.is_void = loss.is_void or is_hasty or loss.is_open
        self._latest = [_noted(part, job) for job in jobs]
        self.losses += self._latest

    def look(self) -> bool:
        """Note what went on; whether everything did."""
        for loss in self.losses:
            if loss.is_open:
                _look_at(loss)
        return not any(loss.is_open for loss in self.losses)

    def seconds(self, until: str) -> list[float]:
        """From the strike until "taken" or "goes_on", of all losses that were seen to their end, in order."""
        seen = [loss for loss in self.losses if not loss.is_void and loss.goes_on is not None]
        return sorted(getattr(loss, until) - loss.struck for loss in seen)

    def counts(self) -> dict[str, int | float]:
        """The figures of the report."""
        told: dict[str, int | float] = {"jobs lost and timed": len(self.seconds("goes_on"))}
        for until, words in (("taken", "taken by a worker"), ("goes_on", "computed again")):
            found = self.seconds(until)
            if found:
                told[f"median seconds until {words}"] = round(_share(found, 0.5), 1)
                told[f"99th percentile of seconds until {words}"] = round(_share(found, 0.99), 1)
                told[f"most seconds until {words}"] = round(found[-1], 1)
        return told


def name_of(pid: int) -> str:
    """What the worker that is this process calls itself."""
    return f"{socket.gethostname()}:{pid}"


def held_by(workers: Iterable[str]) -> list[Job]:
    return list(Job.objects.filter(state=Job.State.LEASED, worker__in=list(workers)))


def _noted(part: str, job: Job) -> Loss:
    return Loss(part, job.pk, job.fence, time.monotonic(), job.progress, _last_event(job.stream_id), _place(job))


def _look_at(loss: Loss) -> None:
    job = Job.objects.filter(pk=loss.job_id).first()
    if job is None or (job.fence == loss.fence and job.state != Job.State.LEASED):
        loss.is_void = True
        return
    if job.fence == loss.fence:
        return  # Nobody has noticed.
    now = time.monotonic()
    is_over = job.state in (Job.State.DONE, Job.State.DROPPED)
    if job.state == Job.State.LEASED or is_over:
        loss.taken = loss.taken or now
    if loss.taken and (is_over or job.progress not in (0, loss.said) or _was_told(job, loss)):
        loss.goes_on = now


def _was_told(job: Job, loss: Loss) -> bool:
    kinds = ("epoch_ended", "finalist_epoch_ended")
    later = Event.objects.filter(stream_id=job.stream_id, number__gt=loss.last_event, kind__in=kinds)
    return any(loss.place.items() <= payload.items() for payload in later.values_list("payload", flat=True))


def _place(job: Job) -> dict[str, int]:
    """What an event of this job says of its place."""
    if job.kind == Job.Kind.EVALUATE:
        return {"step": job.step, "slot": job.slot}
    return {"rank": job.slot} if job.kind == Job.Kind.RETRAIN else {}


def _last_event(stream: Any) -> int:
    return Event.objects.filter(stream_id=stream).count()


def _share(ordered: list[float], share: float) -> float:
    """The smallest figure below or at which this share of all lies."""
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
