"""What a worker hands in: each function is one commit point.

First the guard: who no longer holds the job is refused with LeaseLost. Then result, states, events and the jobs that
follow are written in the same transaction. Files named by a SHA-256 are in the artifact store before.
"""

from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.db.models import F

from search_engine.events import (
    ChildFinished,
    ChildStarted,
    ControllerUpdated,
    EpochEnded,
    Event,
    FileDamaged,
    FinalistEpochEnded,
    FinalistFinished,
    FinalistStarted,
    StepProposed,
    TrainingFinished,
)
from webapp.searches import artifacts, clock, event_log, final_round, hosts, planner, quotas
from webapp.searches.leases import holding
from webapp.searches.models import AskedScore, Child, Job, Search, Stream, Training
from webapp.searches.models import Event as EventRow

# Among so many of the last events of a stream the last word on a job is looked for, and not in those that carry steps.
RECENT = 200
WORDS_OF_JOBS = ("child_started", "epoch_ended", "finalist_started", "finalist_epoch_ended", "job_lost")


def record_started(job_id: int, fence: int) -> None:
    """A worker begins with a child or a finalist."""
    with transaction.atomic():
        job = holding(job_id, fence)
        who = {"worker": job.worker, "attempt": job.attempts + 1}
        if job.kind == Job.Kind.RETRAIN:
            _tell_once(job, FinalistStarted(rank=job.slot, **who))
        else:
            _tell_once(job, ChildStarted(step=job.step, slot=job.slot, **who))


def record_epoch(
    job_id: int, fence: int, ended: EpochEnded | FinalistEpochEnded, checkpoint: str | None
) -> None:  # fmt: skip
    """An epoch of a child, a finalist or a training. checkpoint: SHA-256 of what to go on from, None after the last."""
    with transaction.atomic():
        job = holding(job_id, fence)
        if checkpoint is not None:
            keep_checkpoint(job, checkpoint)
        _tell_once(job, ended)


def record_child(job_id: int, fence: int, verdict: ChildFinished, last: EpochEnded | None = None) -> None:
    """The verdict on a child, and what follows from it. last: its last epoch, which leaves no checkpoint."""
    with transaction.atomic():
        job = holding(job_id, fence)
        assert (job.step, job.slot) == (verdict.step, verdict.slot), f"{job.what} cannot decide another child"
        search = Search.objects.get(pk=job.stream_id)
        planner.decide(search, verdict)
        end_job(job)
        event_log.append(search.pk, [*([last] if last else []), verdict, *planner.follow(search, verdict)])


def record_finalist(
    job_id: int, fence: int, verdict: FinalistFinished, last: FinalistEpochEnded | None = None
) -> None:  # fmt: skip
    """The verdict on a finalist, and what follows from it. last: its last epoch, which leaves no checkpoint."""
    with transaction.atomic():
        job = holding(job_id, fence)
        assert job.slot == verdict.rank, f"{job.what} cannot decide another finalist"
        search = Search.objects.get(pk=job.stream_id)
        final_round.decide(search, verdict)
        end_job(job)
        event_log.append(search.pk, [*([last] if last else []), verdict, *planner.what_follows(search)])


def record_step(
    job_id: int, fence: int, updated: ControllerUpdated | None, proposed: Sequence[StepProposed], state: str
) -> None:
    """The strategy learned from a step (None: it drew the first ones) and drew what follows.

    state: SHA-256 of the file with the strategy's whole state, to go on from.
    """
    with transaction.atomic():
        job = holding(job_id, fence)
        search = Search.objects.get(pk=job.stream_id)
        assert search.steps_told == job.step, f"{job.what} cannot follow step {search.steps_told}"
        assert (updated.step if updated else -1) == job.step, f"{job.what} cannot tell of another step"
        search.steps_told, search.strategy_before, search.strategy_state = job.step + 1, search.strategy_state, state
        search.fingerprint = updated.fingerprint if updated else ""
        search.save(update_fields=["steps_told", "strategy_before", "strategy_state", "fingerprint"])
        propose(search, proposed)
        artifacts.offer(search, "Controller", state, "controller.safetensors")
        end_job(job)
        told: list[Event] = [updated] if updated else []
        event_log.append(search.pk, [*told, *proposed, *planner.what_follows(search)])


def record_training(job_id: int, fence: int, finished: TrainingFinished, bundle: str | None = None) -> None:
    """A training is finished: its figures, and its weights for download. bundle: SHA-256 of its bundle, if any."""
    with transaction.atomic():
        job = holding(job_id, fence)
        training = Training.objects.get(pk=job.stream_id)
        training.checkpoint = finished.checkpoint
        training.test_accuracy, training.test_examples = finished.test_accuracy, finished.test_examples
        training.held_out_accuracy, training.seconds = finished.held_out_accuracy, finished.seconds
        training.test_perplexity, training.held_out_perplexity = finished.test_perplexity, finished.held_out_perplexity
        training.save(
            update_fields=[
                "checkpoint", "test_accuracy", "test_examples", "held_out_accuracy", "test_perplexity",
                "held_out_perplexity", "seconds",
            ]
        )  # fmt: skip
        artifacts.offer(training, "Weights", finished.checkpoint, "weights.safetensors")
        if bundle is not None:
            artifacts.offer(training, "Bundle", bundle, "bundle.zip", artifacts.ZIP)
        end_job(job)
        event_log.append(training.pk, [finished, planner.close(training, Stream.State.FINISHED)])


def record_failure(job_id: int, fence: int, reason: str) -> None:
    """A job cannot be done by anybody, because what was asked for is wrong: its search or training fails.

    Scores that were asked for are refused, and nothing else.
    reason: a sentence for the user.
    """
    with transaction.atomic():
        job = holding(job_id, fence)
        stream = Stream.objects.get(pk=job.stream_id)
        if job.kind == Job.Kind.SCORE:  # The search does not hang on it.
            AskedScore.objects.waiting(job.stream_id).refuse(reason, clock.now())
            end_job(job)
            return
        if not stream.is_open:  # The bundle of a training that is finished all the same.
            quotas.count_work([job])
            job.state, job.lease_until = Job.State.DROPPED, None
            job.save(update_fields=["state", "lease_until"])
            return
        event_log.append(stream.pk, [planner.close(stream, Stream.State.FAILED, reason)])


def _tell_once(job: Job, event: ChildStarted | EpochEnded | FinalistStarted | FinalistEpochEnded) -> None:
    """Append an event of a job that goes on, unless the job's last word was the same.

    A commit whose answer got lost on the way is done again by whoever still holds the lease.
    """
    told = {"kind": event.kind, "payload": event.model_dump(mode="json", exclude={"kind"})}
    recent = EventRow.objects.filter(stream_id=job.stream_id, number__gt=F("stream__last_event") - RECENT)
    of_this_job = recent.filter(kind__in=WORDS_OF_JOBS, **_place(told["payload"])).order_by("-number")
    if of_this_job.values("kind", "payload").first() != told:
        event_log.append(job.stream_id, [event])


def _place(payload: dict[str, Any]) -> dict[str, int]:
    """Which child or finalist an event is about; nothing in a training, where every event is about its one job."""
    return {f"payload__{name}": payload[name] for name in ("step", "slot", "rank") if payload.get(name) is not None}


def record_damage(job_id: int, fence: int, used: str) -> None:
    """The checkpoint of a job is damaged or gone. used: SHA-256 of the one before it, "" where that is no better."""
    with transaction.atomic():
        job = holding(job_id, fence)
        job.checkpoint, job.checkpoint_before = used, ""
        job.save(update_fields=["checkpoint", "checkpoint_before"])
        if Stream.objects.get(pk=job.stream_id).is_open:
            event_log.append(job.stream_id, [FileDamaged(what=f"checkpoint of {job.what}", is_anew=not used)])


def record_damage_of_search(job_id: int, fence: int, what: str, *, is_anew: bool) -> None:
    """A file that a search goes on from was damaged or gone, and was made again; is_anew: from the very beginning."""
    with transaction.atomic():
        event_log.append(holding(job_id, fence).stream_id, [FileDamaged(what=what, is_anew=is_anew)])


def keep_checkpoint(job: Job, checkpoint: str) -> None:
    """It got further: losses count from here. What was the last checkpoint stays, in case this one gets damaged."""
    if job.checkpoint != checkpoint:
        job.checkpoint, job.checkpoint_before = checkpoint, job.checkpoint
    job.attempts = 0
    job.save(update_fields=["checkpoint", "checkpoint_before", "attempts"])
    hosts.note_success(job.worker)


def end_job(job: Job) -> None:
    """It is done. Whoever calls this holds it."""
    quotas.count_work([job])
    job.state, job.lease_until, job.checkpoint, job.checkpoint_before = Job.State.DONE, None, "", ""
    job.save(update_fields=["state", "lease_until", "checkpoint", "checkpoint_before"])
    hosts.note_success(job.worker)


def propose(search: Search, proposed: Sequence[StepProposed]) -> None:
    """What was drawn becomes children, without a verdict so far."""
    children = [
        Child(
            search=search,
            step=step.step,
            slot=proposal.slot,
            decisions=proposal.decisions,
            architecture=proposal.architecture,
            hash=proposal.hash,
            log_probability=proposal.log_probability,
            off_policy=bool(proposal.off_policy),
        )
        for step in proposed
        for proposal in step.proposals
    ]
    Child.objects.bulk_create(children)
