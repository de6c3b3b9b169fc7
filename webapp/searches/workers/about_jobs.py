"""What log lines and traces of a job say of it: its search or training, the job, the attempt, and the worker."""

from contextlib import AbstractContextManager, nullcontext

from webapp import logs
from webapp.searches import hosts
from webapp.searches.leases import Claim, Lost
from webapp.searches.models import Job, Stream


def about_claim(claim: Claim) -> AbstractContextManager[None]:
    return logs.about(**_told(claim))


def traced(claim: Claim) -> dict[str, str | int]:
    return _told(claim) | {"kind": claim.kind, "step": claim.step, "slot": claim.slot}


def _told(claim: Claim) -> dict[str, str | int]:
    kind = Stream.Kind.TRAINING if claim.kind == Job.Kind.TRAIN else Stream.Kind.SEARCH
    what: dict[str, str | int] = {kind.value: str(claim.stream_id)}
    return what | {"job": claim.job_id, "attempt": claim.attempt, "worker": claim.worker}


def about_held(job_id: int) -> AbstractContextManager[None]:
    """Of a job that somebody holds, before it is taken from them."""
    return _about_attempt(job_id, further=1)


def about_lost(lost: Lost) -> AbstractContextManager[None]:
    """Of a job that was taken away, which counts as an attempt already."""
    return _about_attempt(lost.job_id, further=0)


def _about_attempt(job_id: int, further: int) -> AbstractContextManager[None]:
    job = Job.objects.select_related("stream").filter(pk=job_id).first()
    if job is None:
        return nullcontext()  # It was deleted meanwhile.
    what = {job.stream.kind: str(job.stream_id)}
    attempt = hosts.counted_losses(job.attempts, job.lost_on) + further
    return logs.about(**what, job=job_id, attempt=attempt, worker=job.worker)
