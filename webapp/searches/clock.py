"""What time it is: the database's clock, the same for every process on every host.

Leases are compared with it and events are dated by it. The simulation of faults puts a virtual clock in its place.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import connection

_NOW = {
    # Julian days: 2440587.5 is the first of January 1970. Exact to the millisecond.
    "sqlite": "SELECT (julianday('now') - 2440587.5) * 86400.0",
    # Not now(), which stands still during a transaction.
    "postgresql": "SELECT extract(epoch FROM clock_timestamp())::double precision",
}


def now() -> float:
    """Seconds since 1970."""
    return _read()


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
