"""Bugs that somebody might make, each of which the simulation must find: `python -m tests.faults.run_seeds --bug NAME`.

Each is a context manager. What stands in the place of the product's code differs from it by the mistake alone.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from django.db.models import F

from webapp.searches import artifacts, deletion, event_log, leases, planner, results, shared_results
from webapp.searches.models import Child, Job, Search, Stream
from webapp.searches.workers import reconciler


@contextmanager
def _in_place_of(*places: tuple[Any, str], now: Any) -> Iterator[None]:
    with ExitStack() as stack:
        for module, name in places:
            stack.enter_context(patch.object(module, name, now))
        yield


HOLDING = (leases, "holding"), (results, "holding"), (shared_results, "holding")


def forgotten_fence() -> Any:
    """Nobody asks who holds a job."""
    return _in_place_of(*HOLDING, now=lambda job_id, fence: Job.objects.get(pk=job_id))


@contextmanager
def lease_without_a_fence() -> Iterator[None]:
    """Workers look whether their job is leased, and not to whom."""

    def careless(act: Callable[..., Any]) -> Callable[..., Any]:
        return lambda job_id, fence, *more: act(job_id, Job.objects.get(pk=job_id).fence, *more)

    with (
        _in_place_of(*HOLDING[1:], now=careless(leases.holding)),
        _in_place_of((leases, "renew"), now=careless(leases.renew)),
    ):
        yield


def lease_that_never_ends() -> Any:
    return _in_place_of((reconciler, "expire_leases"), now=_nothing)


def swallowed_ring() -> Any:
    """The reconciler rings nobody: a ring that was lost is lost for good."""
    return _in_place_of((reconciler, "ring"), now=_nothing)


def event_number_taken_twice() -> Any:
    """Whoever appends to a log sometimes forgets to say how far it goes now."""
    append, calls = event_log.append, [0]

    def forgetful(stream_id: Any, events: Any) -> int:
        last = append(stream_id, events)
        calls[0] += 1
        if events and calls[0] % 20 == 0:
            Stream.objects.filter(pk=stream_id).update(last_event=F("last_event") - 1)
        return last

    return _in_place_of((event_log, "append"), now=forgetful)


@contextmanager
def result_accepted_twice() -> Iterator[None]:
    """A child's job is not marked as done, and its verdict is written without a look whether there is one."""
    decide, end_job = planner.decide, results.end_job

    def decide_again(search: Search, verdict: Any) -> None:
        again = Child.objects.filter(search=search, step=verdict.step, slot=verdict.slot)
        again.update(is_final=False, reward=None, reason="")
        decide(search, verdict)

    def end_job_of_others(job: Job) -> None:
        if job.kind != Job.Kind.EVALUATE:
            end_job(job)

    with (
        _in_place_of((planner, "decide"), now=decide_again),
        _in_place_of((results, "end_job"), now=end_job_of_others),
    ):
        yield


def state_one_step_behind() -> Any:
    """The row goes on naming the strategy as it was before the update."""
    record = results.record_step

    def behind(job_id: int, fence: int, updated: Any, *more: Any) -> None:
        record(job_id, fence, updated, *more)
        if updated is not None:
            searches = Search.objects.filter(jobs=job_id)
            searches.update(strategy_state=F("strategy_before"))

    return _in_place_of((results, "record_step"), now=behind)


def deletion_that_does_not_wait() -> Any:
    """Neither for leases nor for files to age."""
    remove = deletion._remove

    def hasty(stream_id: Any) -> bool:
        Job.objects.filter(stream_id=stream_id).update(state=Job.State.DROPPED, lease_until=None)
        with patch.object(artifacts, "REPLACED_SECONDS", 0.0):
            return remove(stream_id)

    return _in_place_of((deletion, "_remove"), now=hasty)


def damage_unnoticed() -> Any:
    """Nobody looks whether a file is still what its name says."""
    return _in_place_of((artifacts, "is_whole"), now=artifacts.is_there)


def _nothing(*_: Any, **__: Any) -> None:
    """What should be done is not."""


WITHIN = {  # So many seeds, and one of them finds it.
    forgotten_fence: 10,
    lease_without_a_fence: 20,
    lease_that_never_ends: 5,
    swallowed_ring: 30,
    event_number_taken_twice: 5,
    result_accepted_twice: 10,
    state_one_step_behind: 5,
    deletion_that_does_not_wait: 30,
    damage_unnoticed: 20,
}
BUGS = {bug.__name__: bug for bug in WITHIN}
