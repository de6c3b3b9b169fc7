"""What time it is: the database's clock, the same for every process on every host.

Leases are compared with it and events are dated by it. The simulation of faults puts a virtual clock in its place.
People and machines set clocks: `Watch` notices, for whoever would otherwise take a jump for a silence.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection

_NOW = {
    # Julian days: 2440587.5 is the first of January 1970. Exact to the millisecond.
    "sqlite": "SELECT (julianday('now') - 2440587.5) * 86400.0",
    # Not now(), which stands still during a transaction.
    "postgresql": "SELECT extract(epoch FROM clock_timestamp())::double precision",
}
JUMP_SECONDS = 1.0  # Much less than a lease, and more than a clock is corrected by while it runs.
UNSURE_SECONDS = 0.5  # An answer that was under way for longer does not say what time it is.


def now() -> float:
    """Seconds since 1970."""
    return _read()


class Watch:
    """Compares this clock with the process's own, which nobody sets and which stands still while a machine sleeps."""

    def __init__(self, own: Callable[[], float] = time.monotonic) -> None:
        self._own = own
        self._ahead: float | None = None  # Of the process's own clock, at the last look.
        self._set = -math.inf  # When it was last seen to be set, by the process's own clock.

    def look(self) -> float:
        """By how many seconds it was set since the last look: forward is more than 0, and 0.0 is not at all."""
        before, there, after = self._own(), now(), self._own()
        if after - before > UNSURE_SECONDS:
            self._set = after  # Nobody knows: as if it had been.
            return 0.0
        ahead = there - (before + after) / 2
        jump = 0.0 if self._ahead is None else ahead - self._ahead
        self._ahead = ahead
        if abs(jump) < JUMP_SECONDS:
            return 0.0
        self._set = after
        return jump

    def was_steady_for(self, seconds: float) -> bool:
        """Whether it was not seen to be set for so long."""
        return self._own() - self._set >= seconds


@contextmanager
def replaced(read: Callable[[], float]) -> Iterator[None]:
    """Inside the block, `read` says what time it is. For the simulation alone."""
    global _read
    before, _read = _read, read
    try:
        yield
    finally:
        _read = before


def _database_clock() -> float:
    with connection.cursor() as cursor:
        cursor.execute(_NOW[connection.vendor])
        return float(cursor.fetchone()[0])


_read: Callable[[], float] = _database_clock
