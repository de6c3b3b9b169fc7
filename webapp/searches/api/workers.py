"""Who is there to work."""

from typing import Any

from django.http import HttpRequest
from ninja import Router

from webapp.searches import clock, planner
from webapp.searches.api.refusals import not_found
from webapp.searches.api.replies import Draining, Refusal, WorkerList
from webapp.searches.costs.estimate import LIVE_SECONDS
from webapp.searches.models import Job, Worker

ELSEWHERE = "something for another user"

router = Router(tags=["Workers"])


@router.get("", response=WorkerList, summary="All workers", url_name="workers")
def list_workers(request: HttpRequest) -> dict[str, Any]:
    """Workers serve everybody, so everybody sees them; what they do is told for your own searches alone."""
    now = clock.now()
    leased = {job.worker: job for job in Job.objects.filter(state=Job.State.LEASED)}
    mine = {job.pk for job in Job.objects.visible_to(request.user).filter(state=Job.State.LEASED)}
    names = ("name", "host", "device", "memory", "rates", "seen", "is_drained")
    workers = []
    for worker in Worker.objects.order_by("name"):
        job = leased.get(worker.name)
        is_mine = job is not None and job.pk in mine
        workers.append(
            {name: getattr(worker, name) for name in names}
            | {
                "is_here": worker.seen >= now - LIVE_SECONDS,
                "seconds_since_seen": max(0.0, now - worker.seen),
                "job": None if job is None else job.what if is_mine else ELSEWHERE,
                "stream": job.stream_id if job is not None and is_mine else None,
            }
        )
    return {"workers": workers}


@router.patch(
    "/{name}", response={200: Draining, 404: Refusal, 422: Refusal}, summary="Drain a worker, or let it work again",
    url_name="drain-worker",
)  # fmt: skip
def drain(request: HttpRequest, name: str, body: Draining) -> Draining:
    """What a drained worker does goes to others at the next checkpoint: of a child, at the end of its epoch."""
    if not Worker.objects.filter(pk=name).update(is_drained=body.is_drained):
        raise not_found("worker")
    if not body.is_drained:
        planner.call_workers(1)
    return body
