"""Long work on files while a job is held: it runs beside, and the lease is renewed meanwhile.

The files of shared weights have gigabytes: digesting and writing one through to the disk takes longer than a lease.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

from webapp.searches.leases import HEARTBEAT_SECONDS

R = TypeVar("R")


def beside(act: Callable[[], R], renew: Callable[[], object], every_seconds: float = HEARTBEAT_SECONDS) -> R:
    """What `act` returns or raises; it runs in a thread, so it must not touch the database. Waits for it to its end
    even where `renew` raises, which ends the waiting for its result."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="beside") as pool:
        running = pool.submit(act)
        while not wait([running], timeout=every_seconds).done:
            renew()
        return running.result()
