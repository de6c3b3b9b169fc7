"""Leases: a worker claims a due job for a few seconds, renews while it works, and loses the job when it falls silent.

A claim raises the job's fence number. Every write of a worker carries the fence it got, and is refused when the job
has another one by now: so a worker that was frozen and wakes up late cannot spoil what its successor did.
"""

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from search_engine.events import ChildFinished, Event, FinalistFinished, JobLost
from webapp.searches import clock, event_log, final_round, hosts, planner, quotas, turns
from webapp.searches.models import NO_CHECKPOINTS, AskedScore, Job, Search, Stream, Worker

LEASE_SECONDS = 5.0
HEARTBEAT_SECONDS = 2.0
ATTEMPTS = 3  # So often may a job be lost in a row, without a checkpoint in between, before it is set aside.
# A training that is finished has a due job where its bundle is wanted later (see late_bundles). Scores that were asked
# for have rules of their own.
CLAIMABLE = (Q(stream__state=Stream.State.RUNNING) & ~Q(kind=Job.Kind.SCORE)) | Q(
    stream__state=Stream.State.FINISHED, kind=Job.Kind.TRAIN
)
LOST = "lost"  # The reason of a child that was set aside.


class LeaseLost(Exception):
    """Somebody else has this job by now, or it was dropped: what was to be written is refused."""


@dataclass(frozen=True, slots=True)
class Claim:
    """A job as its worker holds it. attempt: from 1; checkpoint: SHA-256 of the file to go on from, or "".

    checkpoint_before: of the one before it.
    """

    job_id: int
    fence: int
    worker: str
    kind: str
    stream_id: uuid.UUID
    step: int
    slot: int
    attempt: int
    checkpoint: str
    checkpoint_before: str = ""


@dataclass(frozen=True, slots=True)
class Lost:
    """A job whose lease ran out. is_due: it will be done again; otherwise it was set aside."""

    job_id: int
    stream_id: uuid.UUID
    worker: str
    is_due: bool


def claim(worker: str, kinds: Sequence[str]) -> Claim | None:
    """Take the fairest due job of these kinds for LEASE_SECONDS; None when there is none, or none for this worker.

    What is fair stands in `turns`. Nobody joins a stream that has as many workers as it may.
    """
    allowance = hosts.allowance_of(worker)
    if allowance is None:
        return None
    while True:
        job = turns.first(kinds, allowance.refused | allowance.avoided)
        if job is None and allowance.avoided:
            job = turns.first(kinds, allowance.refused)
        if job is None:
            return None
        if _take(job, worker):
            return Claim(
                job_id=job.pk,
                fence=job.fence + 1,
                worker=worker,
                kind=job.kind,
                stream_id=job.stream_id,
                step=job.step,
                slot=job.slot,
                attempt=hosts.counted_losses(job.attempts, job.lost_on) + 1,
                checkpoint=job.checkpoint,
                checkpoint_before=job.checkpoint_before,
            )


def claimable() -> QuerySet[Job]:
    """The jobs that somebody may claim now. A claim asks the same in words of its own, see turns."""
    scores = Q(kind=Job.Kind.SCORE, stream_id__in=_at_rest().values("pk"))
    due = Job.objects.filter(Q(state=Job.State.DUE) & (CLAIMABLE | scores))
    return due.exclude(stream_id__in=_full().values("pk"))


def _at_rest() -> QuerySet[Search]:
    """Searches, also those that have ended, whose stored weights answer now: no phase is under way, which would
    answer itself, and they have some, unless they ended without and that is the answer."""
    phase = Job.objects.filter(stream_id=OuterRef("pk"), kind__in=Job.PHASES, state=Job.State.LEASED)
    there = ~Q(state=Stream.State.DELETING) & (~Q(weights="") | ~Q(state__in=Stream.OPEN))
    return Search.objects.filter(there, ~Exists(phase))


def _full() -> QuerySet[Stream]:
    """Streams that have as many workers as they may."""
    at_work = Count("jobs", filter=Q(jobs__state=Job.State.LEASED))
    limited = Stream.objects.filter(state=Stream.State.RUNNING, max_workers__isnull=False)
    return limited.alias(at_work=at_work).filter(at_work__gte=F("max_workers"))


def _take(job: Job, worker: str) -> bool:
    """Lease it; whether it was still to be had."""
    if job.most_workers is None:
        return _lease(job, worker)
    with transaction.atomic():
        planner.locked_stream(job.stream_id)  # Two who claim at once would both see the last place free.
        return not _full().filter(pk=job.stream_id).exists() and _lease(job, worker)


def _lease(job: Job, worker: str) -> bool:
    """In one statement. The fence in its condition: nobody has claimed it since it was read."""
    now = clock.now()
    taken = Job.objects.filter(pk=job.pk, state=Job.State.DUE, fence=job.fence).update(
        state=Job.State.LEASED, fence=job.fence + 1, worker=worker, lease_until=now + LEASE_SECONDS, claimed=now,
        turns=1,
    )  # fmt: skip
    return taken == 1


def renew(job_id: int, fence: int, progress: int) -> str | None:
    """Go on for LEASE_SECONDS; the wanted state of its stream ("running", "paused"), or None when the job is lost.

    Whoever drains a worker wants a pause of it: what it does is given back at the next checkpoint, for others.
    """
    held = Job.objects.filter(pk=job_id, fence=fence, state=Job.State.LEASED)
    if not held.update(lease_until=clock.now() + LEASE_SECONDS, progress=progress, turns=F("turns") + 1):
        return None
    drained = Exists(Worker.objects.filter(is_drained=True, pk=OuterRef("worker")))
    wanted = held.values_list("stream__state", drained).first()
    if wanted is None:
        return None  # Taken away since.
    state, is_drained = wanted
    return Stream.State.PAUSED.value if is_drained else str(state)


def holding(job_id: int, fence: int) -> Job:
    """The guard of every commit, its first statement: the job, locked together with its stream until the commit.

    Raises LeaseLost when someone else has the job by now. Must run inside a transaction.
    """
    # The stream first, as everybody does, and found by the job in the same statement.
    if Stream.objects.select_for_update(of=("self",)).filter(jobs=job_id).only("pk").first() is None:
        raise LeaseLost(f"job {job_id} was deleted")
    job = Job.objects.select_for_update().filter(pk=job_id, fence=fence, state=Job.State.LEASED).first()
    if job is None:
        raise LeaseLost(f"job {job_id} is no longer held with fence {fence}")
    return job


def release(job_id: int, fence: int) -> None:
    """Give a job back unfinished, for instance because of a pause: it is due again, and no attempt is counted."""
    with transaction.atomic():
        put_back(holding(job_id, fence))


def lose(job_id: int, fence: int, reason: str) -> None:
    """Give a job back because whoever computed it died; reason: a phrase for the log. Counts as an attempt."""
    with transaction.atomic():
        _lose(holding(job_id, fence), reason)


def in_force() -> tuple[float, float]:
    """Between which times a lease ends that holds now. One that ends later was given before the clock was set back."""
    now = clock.now()
    return now, now + 2 * LEASE_SECONDS


def expire() -> list[Lost]:
    """Take jobs away from workers that fell silent; the jobs that were lost.

    Where that fails for one, the others are taken away all the same, and its error is raised after them.
    """
    silent = Job.objects.filter(state=Job.State.LEASED).exclude(lease_until__range=in_force()).order_by("pk")
    found: list[Lost] = []
    failures: list[Exception] = []
    for job_id, fence in silent.values_list("pk", "fence"):
        try:
            lost = _expire(job_id, fence)
        except Exception as failure:
            failures.append(failure)
        else:
            found += [lost] if lost else []
    if failures:
        raise failures[0]
    return found


def _expire(job_id: int, fence: int) -> Lost | None:
    with transaction.atomic():
        try:
            job = holding(job_id, fence)
        except LeaseLost:
            return None  # Somebody else was faster.
        assert job.lease_until is not None
        first, last = in_force()
        if first <= job.lease_until <= last:
            return None  # Renewed at the last moment.
        _lose(job, f"no sign of life for {LEASE_SECONDS:.0f} seconds")
        return Lost(job_id, job.stream_id, job.worker, is_due=job.state == Job.State.DUE)


def _lose(job: Job, reason: str) -> None:
    attempt, lost_on = job.attempts + 1, hosts.note_loss(job, reason)
    events: list[Event] = [JobLost(what=job.what, worker=job.worker, reason=reason, attempt=attempt)]
    put_back(job, attempts=attempt, lost_on=lost_on, lost=clock.now())
    if job.kind == Job.Kind.SCORE:
        _lose_scores(job, reason, attempt, lost_on)
        return  # The search does not hang on it, and its log says nothing of it.
    if hosts.counted_losses(attempt, lost_on) >= ATTEMPTS:
        events += _set_aside(job, reason, attempt)
    if Stream.objects.get(pk=job.stream_id).is_open or len(events) > 1:  # The log of what has ended is closed.
        event_log.append(job.stream_id, events)


def _lose_scores(job: Job, reason: str, attempt: int, lost_on: list[str]) -> None:
    """Scores that were asked for are tried again, and refused after the last try."""
    if hosts.counted_losses(attempt, lost_on) < ATTEMPTS:
        return
    sentence = f"Scoring was tried {attempt} times and lost each time, the last time because of this: {reason}."
    AskedScore.objects.waiting(job.stream_id).refuse(sentence, clock.now())
    job.state = Job.State.DONE
    job.save(update_fields=["state"])


def put_back(job: Job, **changes: int | float | list[str]) -> None:
    """Of a job that is held: due again; the fence grows at once, so that the old holder is refused from now on."""
    quotas.count_work([job])
    job.state = Job.State.DUE
    Job.objects.filter(pk=job.pk).update(state=job.state, fence=F("fence") + 1, lease_until=None, **changes)


def _set_aside(job: Job, reason: str, attempt: int) -> list[Event]:
    """A job that was lost too often: a child is out of the search and a finalist is not the best; an update or a
    training cannot do without it."""
    stream = Stream.objects.get(pk=job.stream_id)
    if not stream.is_open:
        job.state = Job.State.DROPPED
        job.save(update_fields=["state"])
        return []
    if job.kind not in (Job.Kind.EVALUATE, Job.Kind.RETRAIN):
        job.state = Job.State.DROPPED
        why = f"{job.what.capitalize()} was lost {attempt} times in a row, the last time because of this: {reason}."
        return [planner.close(stream, Stream.State.FAILED, why)]
    job.state = Job.State.DONE
    Job.objects.filter(pk=job.pk).update(state=job.state, **NO_CHECKPOINTS)
    search = Search.objects.get(pk=job.stream_id)
    nothing = {"reason": LOST, "parameters": 0, "mult_adds": 0, "seconds": 0.0}
    verdict: ChildFinished | FinalistFinished
    if job.kind == Job.Kind.RETRAIN:
        verdict = FinalistFinished(rank=job.slot, accuracy=None, **nothing)
        final_round.decide(search, verdict)
    else:
        verdict = ChildFinished(step=job.step, slot=job.slot, reward=None, **nothing)
        planner.decide(search, verdict)
    return [verdict, *planner.what_follows(search)]
