"""What a simulated worker does while it holds a job, as driver.Driver does it: renew, hand in, store files."""

import json
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

from django.db import OperationalError, connection

from webapp.searches import artifacts, leases, results
from webapp.searches.leases import HEARTBEAT_SECONDS, LEASE_SECONDS, Claim, LeaseLost
from webapp.searches.models import Stream
from webapp.searches.workers.driver import RETRY_SECONDS

if TYPE_CHECKING:
    from tests.faults.simulation import World

Actor = Generator[float, None, None]

MOST_DELIVERIES = 5  # Of one call.


class Hold:
    """A claimed job in the hands of a worker. wants_pause: what the last renewal said."""

    def __init__(self, world: "World", name: str, claim: Claim) -> None:
        self.world = world
        self.name = name
        self.claim = claim
        self.wants_pause = False
        self._renewed = world.now

    def take(self, low: float, high: float) -> Actor:
        """Compute for so many seconds, renewing the lease meanwhile. Raises LeaseLost."""
        seconds = self.world.chance.uniform(low, high)
        while seconds > 0:
            pause = min(seconds, max(0.01, HEARTBEAT_SECONDS - (self.world.now - self._renewed)))
            yield pause
            seconds -= pause
            if self.world.now - self._renewed >= HEARTBEAT_SECONDS - 0.001:
                yield from self._renew()

    def _renew(self) -> Actor:
        wanted = yield from self._persist(leases.renew, self.claim.job_id, self.claim.fence, int(self.world.now))
        if wanted is None:
            raise LeaseLost(f"job {self.claim.job_id} is no longer ours")
        self.wants_pause = wanted == Stream.State.PAUSED
        self._renewed = self.world.now

    def hand_in(self, record: Callable[..., Any], *what: Any) -> Actor:
        """Once, or delivered several times, which must change nothing. Raises LeaseLost."""
        yield from self._persist(record, self.claim.job_id, self.claim.fence, *what)
        self._look_at_the_fence(record)
        if self.world.is_wild and self.world.chance.random() < 0.06:
            self.world.note(self.name, "was delivered several times")
            for _ in range(self.world.chance.randint(1, MOST_DELIVERIES - 1)):
                self._deliver_again(record, *what)

    def _deliver_again(self, record: Callable[..., Any], *what: Any) -> None:
        try:
            record(self.claim.job_id, self.claim.fence, *what)
        except LeaseLost:
            return  # The job was over with the first delivery.
        self._look_at_the_fence(record)

    def _look_at_the_fence(self, record: Callable[..., Any]) -> None:
        """Of a job that was just written to: the fence must still be ours, unless its whole search failed with it."""
        if record is results.record_failure:
            return
        with connection.cursor() as cursor:
            cursor.execute("SELECT fence FROM searches_job WHERE id = %s", [self.claim.job_id])
            if cursor.fetchone() != (self.claim.fence,):
                self.world.problems.append(
                    f"{record.__name__} of {self.name} was accepted although somebody else has the job."
                )

    def release(self) -> Actor:
        """Give it back because of a pause."""
        yield from self._persist(leases.release, self.claim.job_id, self.claim.fence)

    def _persist(self, act: Callable[..., Any], *arguments: Any) -> Generator[float, None, Any]:
        """Do it, again and again while the database fails and the lease may still be ours."""
        while True:
            try:
                return self.world.commit(self.name, act, *arguments)
            except OperationalError:
                if self.world.now - self._renewed > LEASE_SECONDS:
                    raise
                yield RETRY_SECONDS

    def keep(self, content: bytes | dict[str, Any]) -> str:
        """Put a file into the store; its SHA-256. Raises OSError where the disk refuses."""
        path = self.world.spool / "made"
        path.write_bytes(encoded(content))
        return artifacts.put(path)


def encoded(content: bytes | dict[str, Any]) -> bytes:
    return content if isinstance(content, bytes) else json.dumps(content, sort_keys=True).encode()
