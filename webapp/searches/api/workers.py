"""Who is there to work."""

import uuid
from typing import Any, Literal

from django.http import HttpRequest
from ninja import Router
from pydantic import BaseModel

from search_engine.errors import UserError
from webapp.searches import clock, hosts, planner
from webapp.searches.api.refusals import Refused, not_found
from webapp.searches.api.replies import Body, Refusal
from webapp.searches.costs.estimate import LIVE_SECONDS
from webapp.searches.models import Host, Job, Stream, Worker
from webapp.searches.time_left import now as time_left


class Draining(Body):
    """Whether a worker shall claim nothing any more."""

    is_drained: bool


class HostChange(Body):
    """is_drained: whether none of its workers shall claim anything any more; is_set_aside: false to use it again."""

    is_drained: bool | None = None
    is_set_aside: Literal[False] | None = None


class HostReply(BaseModel):
    """A machine on which work was lost, or that is drained.

    keeps_losing: too many jobs in a row were lost there; is_set_aside: it gets no work because of that, which others do
    meanwhile; why: those losses in words, "" where there are none; seconds_until_trial: until it may claim one job, to
    see whether that goes well.
    """

    name: str
    is_drained: bool
    is_set_aside: bool
    keeps_losing: bool
    why: str
    seconds_until_trial: float | None


class WorkerReply(BaseModel):
    """A worker. job: what it does, null when it is idle; stream: the search or training that it works for and that you
    may see, with its name and the address of its page; since: when it began; part: of it, in [0, 1], and seconds_left,
    null where nobody can tell.

    is_drained: it claims nothing, and gives back what it does at the next checkpoint. memory, memory_used: bytes of its
    device, and of those in use by anybody; own_memory: that it and its trainer hold; load: of all cores of its host, in
    [0, 1]; null where it did not say. speed: seconds of a training step for each layer, and for each mult-add and each
    kept byte of each image; empty until it measured its own.
    """

    name: str
    host: str
    device: str
    memory: int | None
    memory_used: int | None
    own_memory: int | None
    load: float | None
    cores: int | None
    speed: list[float]
    seen: float
    seconds_since_seen: float
    is_here: bool
    is_drained: bool
    job: str | None
    stream: uuid.UUID | None
    stream_name: str
    stream_url: str
    since: float | None
    part: float | None
    seconds_left: float | None


class WaitingReply(BaseModel):
    """Work that waits, in the order in which its turns come. due: jobs; priority: "first", "normal" or "later".

    stream, name, url: of what you may see, else null and "". seconds: until a worker should come to it, null where
    nobody can tell.
    """

    stream: uuid.UUID | None
    name: str
    url: str
    priority: str
    due: int
    seconds: float | None


class LeftReply(BaseModel):
    """What runs and you may see. seconds: until it should end; null where `why`, a sentence, says what is missing."""

    stream: uuid.UUID
    name: str
    url: str
    seconds: float | None
    why: str


class WorkerList(BaseModel):
    """may_drain: whether you may drain workers and use hosts again. The rest is as of some seconds ago."""

    workers: list[WorkerReply]
    hosts: list[HostReply]
    may_drain: bool
    waiting: list[WaitingReply]
    left: list[LeftReply]


PAGES = {Stream.Kind.SEARCH: "searches", Stream.Kind.TRAINING: "trainings"}
ELSEWHERE = "something for another user"

router = Router(tags=["Workers"])


@router.get("", response=WorkerList, summary="All workers", url_name="workers")
def list_workers(request: HttpRequest) -> dict[str, Any]:
    """Workers serve everybody, so everybody sees them; what they do is told for your own searches alone."""
    now = clock.now()
    leased = {job.worker: job for job in Job.objects.filter(state=Job.State.LEASED)}
    ours = Job.objects.visible_to(request.user).filter(state=Job.State.LEASED).select_related("stream")
    mine = {job.worker: job.stream for job in ours}
    names = (
        "name", "host", "device", "memory", "memory_used", "own_memory", "load", "cores", "speed", "seen", "is_drained",
    )  # fmt: skip
    look = time_left.recent()
    workers = []
    for worker in Worker.objects.order_by("name"):
        job = leased.get(worker.name)
        stream = mine.get(worker.name)
        workers.append(
            {name: getattr(worker, name) for name in names}
            | {
                "is_here": worker.seen >= now - LIVE_SECONDS,
                "seconds_since_seen": max(0.0, now - worker.seen),
                "job": None if job is None else job.what if stream else ELSEWHERE,
                "stream": stream and stream.pk,
                "stream_name": stream.name if stream else "",
                "stream_url": _url(stream) if stream else "",
                "since": None if job is None else job.claimed,
                **_progress(look.doing.get(worker.name) if stream else None),
            }
        )
    seen = {each.pk: each for each in Stream.objects.visible_to(request.user).filter(state=Stream.State.RUNNING)}
    return {
        "workers": workers,
        "hosts": [_told(each) for each in Host.objects.order_by("name")],
        "may_drain": request.user.is_admin,
        "waiting": _waiting(request, look),
        "left": [
            {
                "stream": pk,
                "name": seen[pk].name,
                "url": _url(seen[pk]),
                "seconds": seconds,
                "why": look.why.get(pk, ""),
            }
            for pk, seconds in look.left.items()
            if pk in seen
        ],
    }


def _url(stream: Stream) -> str:
    return f"/{PAGES[stream.kind]}/{stream.pk}"


def _progress(doing: time_left.Doing | None) -> dict[str, Any]:
    return {"part": doing and doing.part, "seconds_left": doing and doing.seconds}


def _waiting(request: HttpRequest, look: time_left.Look) -> list[dict[str, Any]]:
    """Everybody's, since all share the workers; which ones they are is told of those that this user may see alone."""
    ids = [each.stream for each in look.waiting]
    there = Stream.objects.filter(state__in=(Stream.State.RUNNING, Stream.State.FINISHED)).in_bulk(ids)
    seen = Stream.objects.visible_to(request.user).in_bulk(ids)
    return [
        {
            "stream": each.stream if each.stream in seen else None,
            "name": seen[each.stream].name if each.stream in seen else "",
            "url": _url(seen[each.stream]) if each.stream in seen else "",
            "priority": there[each.stream].priority_word,
            "due": each.due,
            "seconds": each.seconds,
        }
        for each in look.waiting
        if each.stream in there  # Else it was stopped or deleted a moment ago.
    ]


def _administrators_only(request: HttpRequest) -> None:
    """Workers are everybody's: whoever drains one takes it from others."""
    if not request.user.is_admin:
        raise Refused(403, [UserError("", "Only an administrator can drain workers or use a host again.")])


def _told(host: Host) -> dict[str, Any]:
    return {
        "name": host.pk,
        "is_drained": host.is_drained,
        "is_set_aside": host.set_aside is not None,
        "keeps_losing": hosts.keeps_losing(host),
        "why": hosts.why(host) if host.losses else "",
        "seconds_until_trial": hosts.seconds_until_trial(host),
    }


@router.patch(
    "/{name}", response={200: Draining, 403: Refusal, 404: Refusal, 422: Refusal}, url_name="drain-worker",
    summary="Drain a worker, or let it work again",
)  # fmt: skip
def drain(request: HttpRequest, name: str, body: Draining) -> Draining:
    """What a drained worker does goes to others at the next checkpoint: of a child, at the end of its epoch.

    A worker that is started again in its place stays drained.
    """
    _administrators_only(request)
    worker = Worker.objects.filter(pk=name).first()
    if worker is None:
        raise not_found("worker")
    hosts.drain(worker, body.is_drained)
    if not body.is_drained:
        planner.call_workers(1)
    return body


@router.patch(
    "/hosts/{name}", response={200: HostReply, 403: Refusal, 404: Refusal, 422: Refusal}, url_name="change-host",
    summary="Drain a host, or use one again that was set aside",
)  # fmt: skip
def change_host(request: HttpRequest, name: str, body: HostChange) -> dict[str, Any]:
    """A host on which job after job is lost is set aside for a while, where another one is sound. A person may say that
    it is sound again."""
    _administrators_only(request)
    if not hosts.is_known(name):
        raise not_found("host")
    if body.is_set_aside is False:
        hosts.use_again(name)
    if body.is_drained is not None:
        hosts.drain_host(name, body.is_drained)
    planner.call_workers(Worker.objects.filter(host=name).count())
    return _told(Host.objects.filter(pk=name).first() or Host(name=name))
