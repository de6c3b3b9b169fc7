"""The log of a stream: facts numbered from 1 without gaps, and a bell that says there are new ones.

Numbers are given under the lock of the stream's row, so a reader of "everything after n" never misses one that commits
late. The bell carries no data: whoever hears it reads the log, and whoever misses it reads a moment later.
"""

import functools
import logging
import time
import uuid
from collections.abc import Sequence
from typing import Any

import redis
from django.conf import settings
from django.db import transaction

from search_engine.events import Event
from webapp.searches import clock, models, stream_notices

SILENCE_SECONDS = 5.0  # After a bell that did not answer, how long it is left alone.

log = logging.getLogger(__name__)
_silent_until = 0.0  # By time.monotonic, of this process.


def append(stream_id: uuid.UUID, events: Sequence[Event]) -> int:
    """Write events at the end of the stream and ring after the commit; the number of the last event.

    Takes the stream's lock, to the end of the caller's transaction where there is one.
    """
    with transaction.atomic(savepoint=False):  # Whoever has a transaction gives it up as a whole.
        stream = models.Stream.objects.select_for_update().only("last_event").get(pk=stream_id)
        if not events:
            return stream.last_event
        at = clock.now()
        rows = [_row(stream_id, stream.last_event + 1 + index, at, event) for index, event in enumerate(events)]
        models.Event.objects.bulk_create(rows)
        stream_notices.tell_of(stream_id, rows)
        models.Stream.objects.filter(pk=stream_id).update(last_event=rows[-1].number)
        transaction.on_commit(lambda: ring(stream_id))
    return rows[-1].number


def read(stream_id: uuid.UUID, after: int, limit: int = 500) -> list[dict[str, Any]]:
    """At most `limit` events after number `after`, in order, as they travel: {"n", "at", "kind", ...payload}."""
    rows = models.Event.objects.filter(stream_id=stream_id, number__gt=after).order_by("number")
    # Values, not rows as objects: half the time, for a page that has a long log to catch up on.
    found = rows.values_list("number", "at", "kind", "payload")[:limit]
    return [{"n": number, "at": at, "kind": kind, **payload} for number, at, kind, payload in found]


def channel(stream_id: uuid.UUID) -> str:
    """The name of the stream's bell."""
    return f"cellwright:stream:{stream_id}"


def ring(stream_id: uuid.UUID) -> None:
    """Say that the stream has news. Where no Redis is set up or it does not answer, readers notice by themselves."""
    global _silent_until
    if not settings.REDIS_URL or time.monotonic() < _silent_until:
        return
    try:
        _bell(settings.REDIS_URL).publish(channel(stream_id), b"")
    except redis.RedisError as error:
        _silent_until = time.monotonic() + SILENCE_SECONDS
        log.debug("The bell of %s did not ring: %s", stream_id, error)


@functools.cache
def _bell(url: str) -> redis.Redis:
    return redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1, retry=None)


def _row(stream_id: uuid.UUID, number: int, at: float, event: Event) -> models.Event:
    payload = event.to_json()
    kind = payload.pop("kind")
    return models.Event(stream_id=stream_id, number=number, kind=kind, payload=payload, at=at)
