"""Scores that a person asks of the shared weights of a search: asked, handed to a trainer, recorded.

While a phase is under way its trainer answers, between two minibatches or rounds. Else any worker does, by a job of its
own from the stored files, also when the search is paused or has ended. That job is due from the moment of asking; it
waits while a phase is under way, and takes what the phase left open. So a worker that dies in the middle loses nothing.
"""

import functools
import uuid
from typing import Any

from django.db import transaction
from django.db.models import F

from search_engine.architectures.reading import Architecture
from search_engine.config.searches import read_enas_config
from search_engine.errors import ConfigError
from search_engine.spaces.build import build_space
from search_engine.spaces.holding import held
from webapp.searches import clock, leases, planner, results
from webapp.searches.models import NO_CHECKPOINTS, AskedScore, Event, Job, Search, Stream

MOST_WAITING = 10  # Of one person, over all their searches.
MOST_KEPT = 200  # Of one search; after that the oldest answers go.
NEVER = "This search ended before its first shared epoch did: it has no shared weights to ask."
TOO_MANY = f"{MOST_WAITING} scores that you asked for are not there yet; wait for one of them first."

Question = dict[str, Any]


def ask(search_id: uuid.UUID, architecture: Architecture) -> AskedScore:
    """Ask for a score; where the same architecture already waits, that is the one.

    Raises ArchitectureError where the space does not hold it, ConfigError where nobody can answer.
    """
    with transaction.atomic():
        search = planner.locked_search(search_id)
        _check(search)
        written = held(build_space(read_enas_config(search.config).space), architecture)
        waiting = AskedScore.objects.waiting(search_id).filter(hash=written.hash).first()
        if waiting is not None:
            return waiting
        of_owner = AskedScore.objects.filter(search__owner=search.owner_id, state=AskedScore.State.WAITING)
        if of_owner.count() >= MOST_WAITING:
            raise ConfigError("", TOO_MANY)
        asked = AskedScore.objects.create(
            search=search, architecture=written.to_json(), hash=written.hash, asked=clock.now()
        )
        _forget_the_oldest(search_id)
        _have_answered(search_id)
    return asked


def ask_again(search_id: uuid.UUID) -> int:
    """How many wait without anybody who is to answer; somebody is, from now on. The caller holds the stream's lock."""
    waiting = AskedScore.objects.waiting(search_id).count()
    if not waiting or _jobs(search_id).filter(state__in=(Job.State.DUE, Job.State.LEASED)).exists():
        return 0
    _have_answered(search_id)
    return waiting


def tell_of_new(search_id: uuid.UUID) -> list[Question]:
    """What a trainer in the middle of a phase was not told so far, and is told now."""
    with transaction.atomic():
        return _questions(search_id, list(AskedScore.objects.waiting(search_id).filter(was_told=False)))


def tell_of_all(search_id: uuid.UUID) -> list[Question]:
    """What waits, for the job that does nothing else."""
    with transaction.atomic():
        return _questions(search_id, list(AskedScore.objects.waiting(search_id)))


def record(job_id: int, fence: int, scored: dict[str, Any]) -> None:
    """An answer of a trainer, {"id", ...}, as search_engine.asked_scores gives it."""
    with transaction.atomic():
        job = leases.holding(job_id, fence)
        answer = {name: value for name, value in scored.items() if name != "id"}
        waiting = AskedScore.objects.waiting(job.stream_id)
        asked = waiting.filter(pk=scored["id"])
        if "refused" in answer:
            asked.refuse(answer["refused"], clock.now())
        else:
            asked.update(state=AskedScore.State.ANSWERED, answer=answer, answered=clock.now())
        if not waiting.exists():  # The job that would answer what this phase leaves open has nothing to do.
            _jobs(job.stream_id).filter(state=Job.State.DUE).update(state=Job.State.DONE)


def end(job_id: int, fence: int) -> None:
    """The job of its own is done. What was asked meanwhile makes it due again."""
    with transaction.atomic():
        job = leases.holding(job_id, fence)
        results.end_job(job)
        ask_again(job.stream_id)


def _check(search: Search) -> None:
    if not search.epochs:
        raise ConfigError("", "This search trains every child by itself: there are no shared weights to ask.")
    if search.state == Stream.State.DELETING:
        raise ConfigError("", "This search is being deleted.")
    if not search.is_open and not search.weights:
        raise ConfigError("", NEVER)


def _have_answered(search_id: uuid.UUID) -> None:
    """Make the job due, unless a worker is at it, who looks again at the end."""
    Job.objects.get_or_create(stream_id=search_id, kind=Job.Kind.SCORE, defaults={"state": Job.State.DONE})
    ended = _jobs(search_id).filter(state__in=(Job.State.DONE, Job.State.DROPPED))
    if ended.update(state=Job.State.DUE, fence=F("fence") + 1, attempts=0, lost_on=[], progress=0, **NO_CHECKPOINTS):
        transaction.on_commit(functools.partial(planner.call_workers, 1))


def _questions(search_id: uuid.UUID, rows: list[AskedScore]) -> list[Question]:
    if not rows:
        return []
    best = best_of(search_id)
    AskedScore.objects.filter(pk__in=[row.pk for row in rows]).update(was_told=True, best=best)
    compared = best and best["architecture"]
    return [{"id": str(row.pk), "architecture": row.architecture, "best": compared} for row in rows]


def best_of(search_id: uuid.UUID) -> dict[str, Any] | None:
    """What a score is compared with: the best candidate, else the best of the last controller phase, if any."""
    measured = Search.objects.get(pk=search_id).children.filter(reward__isnull=False, reason="")
    best = measured.order_by("-reward", "slot").first()
    if best is not None:
        return {"architecture": best.architecture, "hash": best.hash, "what": "the best candidate"}
    phase = Event.objects.filter(stream_id=search_id, kind="controller_phase_ended").order_by("-number").first()
    if phase is None:
        return None
    found, epoch = phase.payload["best"], phase.payload["step"] + 1
    what = f"the best of the controller phase of epoch {epoch}"
    return {"architecture": found["architecture"], "hash": found["hash"], "what": what}


def _forget_the_oldest(search_id: uuid.UUID) -> None:
    rows = AskedScore.objects.filter(search_id=search_id).exclude(state=AskedScore.State.WAITING)
    old = rows.order_by("-asked").values_list("pk", flat=True)[MOST_KEPT:]
    AskedScore.objects.filter(pk__in=list(old)).delete()


def _jobs(search_id: uuid.UUID) -> Any:
    return Job.objects.filter(stream_id=search_id, kind=Job.Kind.SCORE)
