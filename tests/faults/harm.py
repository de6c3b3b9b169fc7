"""What goes wrong in a simulated world, by its seed: database, broker, disk, stored files, and the database's clock.

Each sort of harm is an actor that waits, breaks something for a while, and mends it. What is broken shows where the
product meets it: a statement fails, a ring is swallowed, a write is refused. Killing and freezing is the world's part.
"""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import OperationalError, connection

from tests.faults.holding import Actor
from webapp.searches import artifacts

if TYPE_CHECKING:
    from tests.faults.simulation import World

REFUSALS = (errno.ENOSPC, errno.EIO, errno.EFBIG, errno.EDQUOT, errno.EROFS)
MOST_COPIES = 5  # Of one ring.
STATEMENTS = 12  # A transaction fails or dies at one of its first so many, where it has as many.
LONGEST_JUMP = 3600.0  # Seconds that the clock goes forward or back.

# Named by something that will be gone on from.
FILES_IN_USE = """
    SELECT checkpoint FROM searches_job WHERE state IN ('due', 'leased') UNION
    SELECT strategy_state FROM searches_search JOIN searches_stream ON id = stream_id WHERE state = 'running' UNION
    SELECT weights FROM searches_search JOIN searches_stream ON id = stream_id WHERE state = 'running'
"""


class Killed(BaseException):
    """The process ended at this very point."""


class DatabaseFailed(OperationalError):
    """The database did not do what it was asked."""


class ReplyLost(OperationalError):
    """The database did what it was asked, and the answer never came."""


class Harm:
    """What is out of order now. skew: how many seconds the database's clock is ahead."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self.skew = 0.0
        self.flipped: set[str] = set()  # SHA-256 of files in which a byte was changed.
        self._no_broker = self._no_database = False
        self._refusal: int | None = None

    def start(self) -> None:
        for actor in (
            self._breaking_broker,
            self._breaking_database,
            self._filling_disk,
            self._flipping,
            self._turning,
        ):
            self._world.start(actor.__name__.strip("_"), actor())

    # --- Where the product meets it ---

    def commit(self, who: str, act: Callable[..., Any], *arguments: Any) -> Any:
        """Do it, unless the process dies or the database fails at a statement of it, or the answer is lost."""
        world = self._world
        fault = world.chance.random() if world.is_wild else 1.0
        if self._no_database:
            world.counts["found no database"] += 1
            raise DatabaseFailed("there is no database")
        if fault < 0.04:
            cause: BaseException = Killed() if fault < 0.02 else DatabaseFailed("a statement failed")
            with connection.execute_wrapper(Failing(cause, world.chance.randint(1, STATEMENTS))):
                return act(*arguments)
        if fault < 0.05:
            world.are_rings_swallowed = True
            try:
                act(*arguments)
            finally:
                world.are_rings_swallowed = False
            raise Killed  # Behind the commit, and before anybody was rung.
        answer = act(*arguments)
        if fault < 0.08:
            world.note(who, "did not hear the answer")
            raise ReplyLost("the answer was lost")
        return answer

    def copies_of_a_ring(self) -> int:
        """How often a ring arrives."""
        world = self._world
        if self._no_broker or world.are_rings_swallowed:
            world.counts["ring without a broker" if self._no_broker else "ring that was never sent"] += 1
            return 0
        fault = world.chance.random() if world.is_wild else 1.0
        if fault < 0.15:
            world.counts["ring was swallowed"] += 1
            return 0
        if fault < 0.25:
            world.counts["ring came several times"] += 1
            return world.chance.randint(2, MOST_COPIES)
        return 1

    def before_writing(self, call: str, path: Path) -> None:
        if self._refusal is not None:
            self._world.counts["disk refused a write, fsync or rename"] += 1
            raise OSError(self._refusal, "simulated")

    # --- What breaks it, and mends it ---

    def _breaking_broker(self) -> Actor:
        yield from self._pause(2.0, 30.0)
        self._no_broker = True
        self._world.note("broker", "was absent")
        yield from self._pause(2.0, 12.0)
        self._no_broker = False

    def _breaking_database(self) -> Actor:
        yield from self._pause(5.0, 60.0)
        if self._world.is_wild:
            self._no_database = True
            self._world.note("database", "was absent")
            yield from self._pause(0.5, 7.0)
            self._no_database = False

    def _filling_disk(self) -> Actor:
        """Twice at most: what is paused by it waits longer each time."""
        for _ in range(2):
            yield from self._pause(5.0, 50.0)
            if not self._world.is_wild:
                return
            self._refusal = self._world.chance.choice(REFUSALS)
            self._world.note("disk", "refused")
            yield from self._pause(0.5, 5.0)
            self._refusal = None

    def _flipping(self) -> Actor:
        while self._world.is_wild:
            yield from self._pause(4.0, 25.0)
            with connection.cursor() as cursor:
                cursor.execute(FILES_IN_USE)
                named = sorted(sha256 for (sha256,) in cursor.fetchall() if sha256)
            if named:
                self._flip(self._world.chance.choice(named))

    def _flip(self, sha256: str) -> None:
        if not artifacts.is_there(sha256):
            return  # Of a stream in deletion: its files go before its rows. Else the checker will miss it.
        path = artifacts.local_path(sha256)
        content = bytearray(path.read_bytes())
        content[self._world.chance.randrange(len(content))] ^= 1 << self._world.chance.randrange(8)
        path.write_bytes(content)
        self.flipped.add(sha256)
        self._world.note("disk", "changed a bit of a file")

    def _turning(self) -> Actor:
        """The clock is set wrong, and perhaps right again."""
        yield from self._pause(5.0, 40.0)
        if not self._world.is_wild:
            return
        wrong = self._world.chance.uniform(-LONGEST_JUMP, LONGEST_JUMP)
        for skew in (wrong, 0.0) if self._world.chance.random() < 0.5 else (wrong,):
            self._world.note("clock", "was set forward" if skew > self.skew else "was set back")
            self.skew = skew
            yield from self._pause(3.0, 20.0)

    def _pause(self, low: float, high: float) -> Actor:
        yield self._world.chance.uniform(low, high)


class Failing:
    """Lets the n-th statement of a transaction fail, before or after it was done; the database undoes the others."""

    def __init__(self, cause: BaseException, statement: int) -> None:
        self._cause = cause
        self._left = statement

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(("BEGIN", "SAVEPOINT", "RELEASE", "ROLLBACK")):
            return execute(sql, params, many, context)
        self._left -= 1
        answer = execute(sql, params, many, context)
        if self._left == 0:
            raise self._cause
        return answer
