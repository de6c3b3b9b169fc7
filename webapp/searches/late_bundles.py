"""The bundle of a training that ended without one: its own job is due once more, and makes the bundle and nothing else.

The training stays finished throughout, and its log has no word of it: whether there is a bundle is told by its files.
A worker does it like any job, and after the same losses with less: without ONNX, then not at all.
"""

import functools
import uuid
from typing import Literal

from django.db import transaction
from django.db.models import F, Q

from webapp.searches import artifacts, hosts, leases, planner, quotas
from webapp.searches.lifecycle import CommandRefused
from webapp.searches.models import NO_CHECKPOINTS, Artifact, Job, Stream, Training

LABEL = "Bundle"
# Of a bundle: a file; nobody asked for it; waits for a worker; in the making; was tried in vain; there are no weights.
BundleState = Literal["there", "absent", "waiting", "making", "failed", "impossible"]


def bundle_state(training: Training) -> BundleState:
    if not training.checkpoint:
        return "impossible"
    if Artifact.objects.filter(stream_id=training.pk, label=LABEL).exists():
        return "there"
    state = Job.objects.filter(_own_job(training.pk)).values_list("state", flat=True).first()
    found: dict[str | None, BundleState] = {
        Job.State.DUE: "waiting", Job.State.LEASED: "making", Job.State.DROPPED: "failed",
    }  # fmt: skip
    return found.get(state, "absent")


def ask(training_id: uuid.UUID) -> None:
    """Have the bundle made. Where it is there, or on its way, nothing happens.

    Raises CommandRefused for a training that has not finished.
    """
    with transaction.atomic():
        stream = planner.locked_stream(training_id)
        if stream.state != Stream.State.FINISHED:
            raise CommandRefused(stream, "bundled", [Stream.State.FINISHED])
        if bundle_state(Training.objects.get(pk=training_id)) not in ("absent", "failed"):
            return
        Job.objects.get_or_create(stream_id=training_id, kind=Job.Kind.TRAIN, defaults={"state": Job.State.DONE})
        Job.objects.filter(_own_job(training_id)).update(
            state=Job.State.DUE, fence=F("fence") + 1, attempts=0, progress=0, **NO_CHECKPOINTS
        )
        transaction.on_commit(functools.partial(planner.call_workers, 1))


def record(job_id: int, fence: int, bundle: str | None) -> None:
    """The job is done. bundle: SHA-256 of the file; None where every way of making it has failed."""
    with transaction.atomic():
        job = leases.holding(job_id, fence)
        if bundle is not None:
            training = Training.objects.get(pk=job.stream_id)
            artifacts.offer(training, LABEL, bundle, "bundle.zip", artifacts.ZIP)
        quotas.count_work([job])
        job.state, job.lease_until = Job.State.DROPPED if bundle is None else Job.State.DONE, None
        job.save(update_fields=["state", "lease_until"])
        hosts.note_success(job.worker)


def _own_job(training_id: uuid.UUID) -> Q:
    return Q(stream_id=training_id, kind=Job.Kind.TRAIN)
