"""Looks every two seconds for what should happen next and has not, and makes it happen; for dead workers more often.

It keeps no memory of what it did and every act is conditional, so killing it costs two seconds and running two of it
is harmless. What was done at a regular commit is found done already; what a crash left undone is found undone.
"""

import functools
import logging
import math
import signal
import threading
import time
from collections.abc import Callable
from types import FrameType

from django.db import OperationalError, close_old_connections, connection
from django.db.models import Exists, OuterRef

from webapp import logs
from webapp.celery import ring_workers
from webapp.notices import delivery, outbox
from webapp.searches import (
    artifacts,
    clock,
    deletion,
    hosts,
    keyframes,
    leases,
    lifecycle,
    live_state,
    planner,
    running_time,
    stalls,
    storage_pauses,
)
from webapp.searches.datasets import housekeeping
from webapp.searches.models import Job, Search, Stream, Worker
from webapp.searches.workers import life_locks, orphaned_jobs
from webapp.searches.workers.about_jobs import about_lost
from webapp.searches.workers.spools import remove_dead_spools

LOOK_SECONDS = 2.0
GLANCE_SECONDS = 0.25  # At the workers' locks alone, which are no rows.
FORGET_WORKER_SECONDS = 60.0
PRESENT_SECONDS = 15.0  # A worker that was seen so recently hears a ring.
SWEEP_SECONDS = 3600.0

_trouble = -math.inf  # When the disk last refused or the database was away, by time.monotonic.
_clock = clock.Watch()
_began = time.monotonic()
log = logging.getLogger(__name__)


def run_until_stopped() -> None:
    """Look again and again, until TERM or Ctrl-C."""
    stopped = threading.Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopped.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    bringing = threading.Thread(target=_bring_notices, args=(stopped,), name="notices", daemon=True)
    bringing.start()
    looked = swept = time.monotonic()
    is_glancing = True
    while not stopped.wait(GLANCE_SECONDS):
        if is_glancing:
            is_glancing = _safely(take_from_dead_workers, "take jobs from dead workers")
        if time.monotonic() - looked < LOOK_SECONDS:
            continue
        look()
        is_glancing = True  # What failed waits for the next look as well.
        looked = time.monotonic()
        if time.monotonic() - swept > SWEEP_SECONDS:
            _safely(sweep, "sweep")
            swept = time.monotonic()


def _bring_notices(stopped: threading.Event) -> None:
    """In a thread of its own: a receiver that takes its time keeps no search waiting."""
    while not stopped.wait(LOOK_SECONDS):
        close_old_connections()
        _safely(functools.partial(delivery.deliver_due, clock.now), "deliver notices")
    connection.close()


def look() -> None:
    """Everything once. A failure of one act is logged and does not keep the others from being done."""
    close_old_connections()
    for act in (
        watch_clock,
        watch_storage,
        expire_leases,
        end_in_time,
        plan_what_stands_still,
        ring,
        forget_workers,
        live_state.take_snapshots,
        keyframes.keep_keyframes,
        end_interrupted_checks,
        deletion.remove_deleted,
        tell_of_stalls,
    ):
        _safely(act, act.__name__.replace("_", " "))


def watch_clock() -> None:
    """Whoever is alive says so anew by a clock that was set; until then nobody is taken for silent. No hours passed."""
    jump = _clock.look()
    if jump:
        running_time.clock_was_set(jump)
        log.warning("The database's clock was set %s by %.0f s", "forward" if jump > 0 else "back", abs(jump))


def watch_storage() -> None:
    """What runs is paused while the disk takes no files, and what waits for it goes on when it does again."""
    sentence = storage_pauses.trouble()
    if sentence is None:
        storage_pauses.resume_what_waits()
        return
    _note_trouble()
    log.error("%s Whatever runs is paused until files can be written again", sentence)
    storage_pauses.pause_all(sentence)


def _note_trouble() -> None:
    global _trouble
    _trouble = time.monotonic()


def take_from_dead_workers() -> None:
    """What a process held that has ended is lost for certain, whatever clock and disk do, and others hear of it."""
    if orphaned_jobs.take_back():
        ring()


def expire_leases() -> None:
    """Jobs of workers that fell silent are due again.

    Nobody can renew a lease while the database is away or takes no writes, and a clock that was set says nothing of
    leases from before: for a lease's time behind either nobody loses one.
    """
    if time.monotonic() - _trouble < leases.LEASE_SECONDS or not _clock.was_steady_for(leases.LEASE_SECONDS):
        return
    for lost in leases.expire():
        with about_lost(lost):
            log.warning("Job %s of %s was taken away: its lease ran out", lost.job_id, lost.worker)


def end_in_time() -> None:
    """A search whose hours are over ends with what is under way."""
    for search_id in Search.objects.filter(running_time.over()).values_list("pk", flat=True):
        with logs.about(search=str(search_id)):
            _safely(functools.partial(lifecycle.end_in_time, search_id), f"end search {search_id} in time")


def plan_what_stands_still() -> None:
    """A running search always has a job that is due or leased; one without was left by a crash, or by our bug."""
    open_jobs = Job.objects.filter(stream=OuterRef("pk"), state__in=(Job.State.DUE, Job.State.LEASED))
    open_jobs = open_jobs.exclude(kind=Job.Kind.SCORE)  # Scores that somebody asked for are no part of the search.
    still = Search.objects.filter(~Exists(open_jobs), state=Stream.State.RUNNING)
    for search_id in still.values_list("pk", flat=True):
        with logs.about(search=str(search_id)):
            _safely(functools.partial(planner.plan, search_id), f"plan search {search_id}")


def ring() -> None:
    """As many rings as there are jobs for idle workers, and one for each worker that has not measured itself."""
    idle = list(hosts.free().values_list("speed", flat=True))
    due = leases.claimable()[: len(idle)].count() if idle else 0  # Of thousands no more are counted than can begin.
    times = max(due, sum(speed == [] for speed in idle))
    if times:
        ring_workers(times)


def forget_workers() -> None:
    """A worker that was not seen for a minute is no more; its jobs went to others long before.

    One that was seen in times to come was seen before the clock was set back.
    """
    if _clock.was_steady_for(PRESENT_SECONDS):
        now = clock.now()
        Worker.objects.exclude(seen__range=(now - FORGET_WORKER_SECONDS, now + FORGET_WORKER_SECONDS)).delete()


def tell_of_stalls() -> None:
    """Whoever owns a search that stands still for want of workers hears of it; see stalls."""
    if _clock.was_steady_for(stalls.STALLED_SECONDS) and time.monotonic() - _began >= stalls.STALLED_SECONDS:
        stalls.tell()  # Behind a start of the whole program, workers have so long to come.


def end_interrupted_checks() -> None:
    """Of uploads whose check died; one that lives says how far it is, by a clock that was set as well."""
    if _clock.was_steady_for(PRESENT_SECONDS):
        housekeeping.end_interrupted_checks()


def sweep() -> None:
    """Remove files that nobody names, and uploads that nobody finishes."""
    for path in artifacts.sweep():
        log.info("Removed %s: no row names it", path)
    for path in [*artifacts.remove_left_folders(), *remove_dead_spools()]:
        log.info("Removed %s: whoever made it is no more", path)
    life_locks.forget_other_starts(set(Worker.objects.values_list("pk", flat=True)))
    hosts.forget_hosts()
    housekeeping.clear_what_nobody_finishes()
    outbox.forget(clock.now())


def _safely(act: Callable[[], object], what: str) -> bool:
    """Whether it was done. What fails, for the database or our bug, must not keep anything else from being done."""
    try:
        act()
        return True
    except Exception as error:
        log.exception("Could not %s; it will be tried again", what)
        if isinstance(error, OperationalError) or storage_pauses.sentence_of(error) is not None:
            _note_trouble()
        connection.close()
        return False
