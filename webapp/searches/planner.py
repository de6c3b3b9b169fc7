"""From rows to work: what is due in a search becomes jobs, copies and, when nothing is left, its end.

`schedule.due` decides; this file only asks it and writes down what it says. It may run at any time, any number of
times: what is there already is left alone. Functions that take a row expect the stream's lock to be held (`locked`)
and return the events that belong to what they wrote, for the caller to append in the same transaction.
"""

import functools
import logging
import uuid
from collections.abc import Iterable, Sequence
from itertools import groupby

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import F, Q

from search_engine import schedule, shared_schedule
from search_engine.config.changes import read_changes, step_sizes
from search_engine.config.search import SearchConfig
from search_engine.config.searches import AnySearchConfig, read_search_config
from search_engine.events import ChildFinished, Event, StateChanged
from webapp import celery
from webapp.searches import clock, event_log, final_round, hosts, quotas, running_time
from webapp.searches.models import NO_CHECKPOINTS, NO_PLACE, Child, Job, Search, Stream, Training
from webapp.searches.nothing_measured import why_nothing_was_measured

Due = schedule.Due | shared_schedule.DueShared

log = logging.getLogger(__name__)
AT_ONCE = (schedule.Copy, schedule.Choose, schedule.Keep)  # What needs no worker.


def plan(search_id: uuid.UUID) -> None:
    """Do what can be done now for a search, in one transaction."""
    with transaction.atomic():
        search = locked_search(search_id)
        event_log.append(search_id, what_follows(search))


def what_follows(search: Search) -> list[Event]:
    """Give every due child, update, phase and finalist a job, do at once what needs nobody to compute, and finish the
    search when nothing is due any more."""
    events: list[Event] = []
    if not search.is_open:
        return events
    config = read_search_config(search.config)
    while True:
        due = due_in(search, config)
        at_once = [item for item in due if isinstance(item, AT_ONCE)]
        if not at_once:
            break
        assert isinstance(config, SearchConfig), "with shared weights everything is for a worker"
        events += [_do(search, config, item) for item in at_once]  # A copy may complete a step: ask again.
    if due:
        _make_jobs(search, due)
    else:
        events.append(close(search, Stream.State.FINISHED, why_nothing_was_measured(search)))
    return events


def follow(search: Search, verdict: ChildFinished) -> list[Event]:
    """As `what_follows`, behind the verdict on a child, which was just written.

    Something follows only where it was the last open child of its step, or another one of the step has the same
    architecture and may wait to copy it. Else the children of all steps under way need not be looked at.
    """
    of_step = Child.objects.filter(search=search, step=verdict.step)
    still_open = of_step.filter(is_final=False)
    twins = still_open.filter(hash__in=of_step.filter(slot=verdict.slot).values("hash"))
    if still_open.exists() and not (search.config["budget"]["reuse"] == "copy" and twins.exists()):
        return []
    return what_follows(search)


def add_training_job(training: Training) -> None:
    """The one job of a training."""
    Job.objects.create(stream_id=training.pk, kind=Job.Kind.TRAIN)
    transaction.on_commit(functools.partial(call_workers, 1))


def due_in(search: Search, config: AnySearchConfig) -> tuple[Due, ...]:
    """Everything that can be done now, most urgent first; () when the search has nothing left to do."""
    if isinstance(config, SearchConfig):
        return schedule.due(known(search, config))
    phase = shared_schedule.due_shared(known_shared(search))
    return () if phase is None else (phase,)


def known_shared(search: Search) -> shared_schedule.KnownShared:
    """What `shared_schedule` needs to know. The candidates come in the transaction that ends the search."""
    return shared_schedule.KnownShared(
        epochs=search.epochs,
        steps_told=search.steps_told,
        is_shared=search.epochs_shared > search.steps_told,
        is_derived=not search.is_open,
    )


def known(search: Search, config: SearchConfig) -> schedule.Known:
    """What `schedule` needs to know of the search, read from its rows.

    Of the steps that were told, only those with a measured twin of an undecided child are read: the answer is the
    same, and the cost does not grow with the length of the search.
    """
    children = Child.objects.filter(search=search)
    current = Q(step__gte=max(search.steps_told, 0))
    reuse = config.budget.reuse == "copy"
    if reuse:
        wanted = children.filter(current, is_final=False).values("hash")
        twins = children.filter(hash__in=wanted, is_final=True, step__lt=search.steps_told, reason="", twin_step=None)
        current |= Q(step__in=twins.values("step"))
    rows = children.filter(current).order_by("step", "slot").only(
        "step", "slot", "hash", "is_final", "reward", "reason", "twin_step"
    )  # fmt: skip
    return schedule.Known(
        steps_told=search.steps_told,
        steps=step_sizes(config, read_changes(search.changes, config)).steps,
        lookahead=config.strategy.lookahead,
        reuse=reuse,
        children={
            step: {row.slot: schedule.KnownChild(row.hash, row.is_final, row.is_measured) for row in group}
            for step, group in groupby(rows, key=lambda row: row.step)
        },
        finals=final_round.known(search, config),
    )


def decide(search: Search, verdict: ChildFinished) -> None:
    """Write the verdict on a child. It is written once: a second one is our bug."""
    twin_step, twin_slot = verdict.twin or (None, None)
    undecided = Child.objects.filter(search=search, step=verdict.step, slot=verdict.slot, is_final=False)
    written = undecided.update(
        is_final=True,
        reward=verdict.reward,
        reason=verdict.reason or "",
        twin_step=twin_step,
        twin_slot=twin_slot,
        parameters=verdict.parameters or None,  # No network has none: 0 stands for "nobody came to count them".
        mult_adds=verdict.mult_adds or None,
        seconds=verdict.seconds,
        accuracy=verdict.accuracy,
        perplexity=verdict.perplexity,
        over=verdict.over or "",
        latency=None if verdict.latency is None else verdict.latency.model_dump(mode="json"),
    )
    assert written == 1, f"child {verdict.step}.{verdict.slot} of search {search.pk} has its verdict already"


def close(stream: Stream, state: Stream.State, reason: str = "") -> StateChanged:
    """End an open stream for good: what was due or under way is dropped, and its fences refuse every late write.

    Scores that were asked for are answered all the same.
    """
    closed = Stream.objects.filter(pk=stream.pk, state__in=Stream.OPEN).update(
        state=state, reason=reason, ended=clock.now(), **running_time.ends()
    )
    assert closed == 1, f"{stream.kind} {stream.pk} is {stream.state}; only a running or paused one can end"
    stream.state, stream.reason = state, reason
    Search.objects.filter(pk=stream.pk).update(strategy_before="", weights_before="")
    undone = Job.objects.filter(stream_id=stream.pk, state__in=(Job.State.DUE, Job.State.LEASED))
    quotas.count_work(undone.filter(state=Job.State.LEASED))
    undone.exclude(kind=Job.Kind.SCORE).update(
        state=Job.State.DROPPED, fence=F("fence") + 1, lease_until=None, **NO_CHECKPOINTS
    )
    return StateChanged(state=state.value, reason=reason or None)


def locked_stream(stream_id: uuid.UUID) -> Stream:
    """The stream, locked until the transaction ends. Every transaction locks it first, so none waits in a circle."""
    return Stream.objects.select_for_update().get(pk=stream_id)


def locked_search(search_id: uuid.UUID) -> Search:
    """The search, its stream locked until the transaction ends."""
    locked_stream(search_id)
    return Search.objects.get(pk=search_id)


def _do(search: Search, config: SearchConfig, item: schedule.Due) -> Event:
    match item:
        case schedule.Copy():
            return _copy(search, item)
        case schedule.Choose():
            return final_round.choose(search, config)
        case schedule.Keep():
            return final_round.keep(search)
    raise AssertionError(f"{item} is for a worker")


def _copy(search: Search, item: schedule.Copy) -> ChildFinished:
    """The verdict on a child that copies its twin's reward, as evaluators.reusing.copied gives it."""
    original = Child.objects.get(search=search, step=item.twin[0], slot=item.twin[1])
    assert original.parameters is not None and original.mult_adds is not None
    verdict = ChildFinished(
        step=item.step,
        slot=item.slot,
        reward=original.reward,
        twin=item.twin,
        parameters=original.parameters,
        mult_adds=original.mult_adds,
        seconds=0.0,
        accuracy=original.accuracy,
        latency=original.latency,
    )
    decide(search, verdict)
    return verdict


def _make_jobs(search: Search, due: Sequence[Due]) -> None:
    """One job for each due thing that has none yet."""
    wanted = [place_of(item) for item in due]
    there = set(_places_with_a_job(search, {kind for kind, _, _ in wanted}, min(step for _, step, _ in wanted)))
    jobs = [Job(stream_id=search.pk, kind=k, step=i, slot=j) for k, i, j in wanted if (k, i, j) not in there]
    if jobs:
        Job.objects.bulk_create(jobs)
        transaction.on_commit(functools.partial(call_workers, len(jobs)))


def _places_with_a_job(search: Search, kinds: set[str], first_step: int) -> Iterable[tuple[str, int, int]]:
    there = Job.objects.filter(stream_id=search.pk, kind__in=kinds, step__gte=first_step)
    return there.values_list("kind", "step", "slot")


def place_of(item: Due) -> tuple[str, int, int]:
    """Kind, step and slot of the job that does this."""
    match item:
        case schedule.Learn(step):
            return Job.Kind.LEARN.value, step, NO_PLACE
        case schedule.Evaluate(step, slot):
            return Job.Kind.EVALUATE.value, step, slot
        case schedule.Retrain(rank):
            return Job.Kind.RETRAIN.value, NO_PLACE, rank
        case shared_schedule.ShareWeights(step):
            return Job.Kind.SHARE.value, step, NO_PLACE
        case shared_schedule.TeachController(step):
            return Job.Kind.TEACH.value, step, NO_PLACE
        case shared_schedule.Derive():
            return Job.Kind.DERIVE.value, NO_PLACE, NO_PLACE
    raise AssertionError(f"{item} is no job")


def call_workers(jobs: int | None = None) -> None:
    """Tell as many workers to look as there are new jobs, or are at rest where those are fewer, on whatever machine.

    jobs: None where nobody knows how many. Where no broker is, they look by themselves.
    """
    if not settings.REDIS_URL:
        return
    try:
        free = hosts.free().count()
    except DatabaseError as error:  # Whatever this stands behind is committed.
        log.warning("Nobody was rung, which the reconciler makes up for: %s", error)
        return
    celery.ring_workers(free if jobs is None else min(jobs, free))
