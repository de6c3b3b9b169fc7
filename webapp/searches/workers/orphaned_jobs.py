"""Jobs whose worker's process has ended: where that is known (see life_locks), they are due again at once."""

import contextlib
import logging

from webapp.searches import leases
from webapp.searches.leases import LeaseLost
from webapp.searches.models import Job, Worker
from webapp.searches.workers import life_locks
from webapp.searches.workers.about_jobs import about_held
from webapp.searches.workers.spools import remove_spool

REASON = "its process ended"

log = logging.getLogger(__name__)


def take_back() -> list[str]:
    """Of which workers. Without a dead one this costs a few system calls a worker, and no statement."""
    return life_locks.for_each_dead(_take_from)


def _take_from(worker: str) -> None:
    held = Job.objects.filter(worker=worker, state=Job.State.LEASED).order_by("pk")
    for job_id, fence in held.values_list("pk", "fence"):
        with about_held(job_id), contextlib.suppress(LeaseLost):  # Its lease ran out just now.
            leases.lose(job_id, fence, REASON)
            log.warning("Job %s of %s is due again: %s", job_id, worker, REASON)
    Worker.objects.filter(pk=worker).delete()
    remove_spool(worker)  # Its successor may have looked too early: while the kernel still ended it.
