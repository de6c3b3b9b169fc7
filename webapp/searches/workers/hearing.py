"""How Celery's main process hears rings: a broker that is gone is tried every second, for as long as it is gone."""

from functools import partial
from typing import Any

from celery.worker.consumer import Consumer

RETRY_SECONDS = 1.0  # Celery's own pauses grow to half a minute, so that work would stand still after a long absence.


class Listener(Consumer):
    """Named in Celery's settings as `worker_consumer`."""

    def ensure_connected(self, conn: Any) -> Any:
        steady = {"interval_start": RETRY_SECONDS, "interval_step": 0, "interval_max": RETRY_SECONDS}
        conn.ensure_connection = partial(conn.ensure_connection, **steady)
        return super().ensure_connected(conn)
