"""Celery's main process hears rings again soon after the broker was away, and never goes deaf."""

from typing import Any

from kombu import Connection, Consumer

from webapp.celery import app
from webapp.searches.workers.hearing import RETRY_SECONDS, Listener


class Gone:
    """A connection to a broker that is away, and how it is tried."""

    alt = None

    def __init__(self) -> None:
        self.tried: dict[str, Any] = {}

    def ensure_connection(self, errback: Any, max_retries: int | None, **how: Any) -> "Gone":
        self.tried = how | {"max_retries": max_retries}
        return self


def test_a_broker_that_is_away_is_tried_every_second_for_as_long_as_it_takes() -> None:
    assert app.conf.worker_consumer == f"{Listener.__module__}:{Listener.__name__}"
    listener, gone = Listener.__new__(Listener), Gone()
    listener.app, listener.first_connection_attempt = app, True
    listener.ensure_connected(gone)
    assert gone.tried["max_retries"] is None
    assert [gone.tried[name] for name in ("interval_start", "interval_step", "interval_max")] == [1.0, 0, RETRY_SECONDS]


def test_a_ring_in_hand_never_counts_as_work_under_way() -> None:
    """With an acknowledgement that cannot be sent it would for ever, and Celery would take no more."""
    (queue,) = app.conf.task_queues
    heard = []
    with Connection("memory://") as connection:
        channel = connection.channel()
        with Consumer(channel, [queue], callbacks=[lambda body, message: heard.append(body)], accept=["json"]):
            connection.Producer().publish({"ring": 1}, exchange=queue.exchange, routing_key=queue.routing_key)
            connection.drain_events(timeout=5)
        assert heard == [{"ring": 1}]
        assert channel.qos.can_consume() and not channel.qos._delivered
