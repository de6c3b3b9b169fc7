"""News for the live sockets of this web process: each watched stream's new rows are read once, however many watch.

A ring carries no data, so nothing can get lost on the way but time: without a ring the rows are looked at every two
seconds, and without a Redis that is how it always goes.
"""

import asyncio
import contextlib
import json
import logging
import uuid
import weakref
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import redis.asyncio
from channels.db import database_sync_to_async
from django.conf import settings
from django.db import DatabaseError
from redis.exceptions import RedisError

from webapp.searches import event_log
from webapp.searches.models import Stream

LOOK_SECONDS = 2.0
FRAME_EVENTS = 500  # The most that one read or one frame holds.
SHARED_EVENTS = 50  # A frame of no more is kept for the others at the same place; larger ones are for latecomers.
KEPT_EVENTS = 2000  # What is kept of a stream for sockets that are a little behind; others read rows for themselves.
RECONNECT_SECONDS = 1.0

log = logging.getLogger(__name__)
ANY = cast(uuid.UUID, "*")  # All bells, in the notation of Redis patterns.
Wire = dict[str, Any]  # An event as it goes over the socket, see event_log.


class Watched:
    """One stream that somebody watches: its latest events, numbered without gaps, and a signal when there are more."""

    def __init__(self, stream_id: uuid.UUID) -> None:
        self.stream_id = stream_id
        self.watchers = 0
        self.rung = asyncio.Event()
        self.news = asyncio.Event()  # Set and replaced whenever there are more events.
        self.task: asyncio.Task[None] | None = None
        self._looked_to: int | None = None  # Behind this number there was nothing at the last look.
        self._kept: deque[Wire] = deque(maxlen=KEPT_EVENTS)
        self._frames: dict[int, tuple[str, int]] = {}  # By where their readers stand; until there are more events.

    @property
    def last(self) -> int | None:
        """Number of the newest event that is kept; None before the first look."""
        return self._kept[-1]["n"] if self._kept else None

    async def frame_since(self, number: int) -> tuple[str, int] | None:
        """What `since` gives, as it travels, and the number of the last event in it; None when there are none yet.

        Two hundred pages that stand at one place get one frame, written once.
        """
        known = self._frames.get(number)
        if known is not None:
            return known
        frames, events = self._frames, await self.since(number)
        if not events:
            return None
        frame = json.dumps({"events": events}, separators=(",", ":")), events[-1]["n"]
        if len(events) <= SHARED_EVENTS:
            frames[number] = frame  # Nobody looks there any more if there were news during the read.
        return frame

    async def since(self, number: int) -> list[Wire]:
        """The next events after this one, oldest first, at most a frame of them; [] when there are none yet."""
        if self._looked_to is not None and number >= self._looked_to:
            return []  # Whoever only waits asks nobody.
        if self.last is None or number + 1 < self._kept[0]["n"]:
            return await _read(self.stream_id, number, FRAME_EVENTS)
        start = number + 1 - self._kept[0]["n"]
        return [self._kept[index] for index in range(start, min(start + FRAME_EVENTS, len(self._kept)))]

    async def look(self, start: int) -> None:
        """Read what is new, again and again. start: from where on, which is where the first watcher stands."""
        after, is_checked = start, False
        while True:
            self.rung.clear()  # Before the read, so that a ring during it is not forgotten.
            try:
                if not is_checked:  # A page may name a number that the stream has not reached; others wait for less.
                    after, is_checked = min(start, await _last(self.stream_id)), True
                found = await _read(self.stream_id, after, FRAME_EVENTS)
            except DatabaseError:
                log.exception("Reading the events of %s failed; looking again in %g s", self.stream_id, LOOK_SECONDS)
                found = []
            if found:
                after = found[-1]["n"]
                self._kept.extend(found)
                self._frames = {}
                self.news.set()
                self.news = asyncio.Event()
            if is_checked:
                self._looked_to = after
            if len(found) < FRAME_EVENTS:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.rung.wait(), LOOK_SECONDS)


class Hub:
    """All streams that are watched in this process, and the one connection on which their rings arrive."""

    def __init__(self) -> None:
        self._watched: dict[str, Watched] = {}  # By the name of the stream's bell.
        self._listener: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def watch(self, stream_id: uuid.UUID, after: int) -> AsyncIterator[Watched]:
        """Inside the block the stream is looked at. The last one to leave ends that."""
        bell = event_log.channel(stream_id)
        watched = self._watched.get(bell)
        if watched is None:
            watched = self._watched[bell] = Watched(stream_id)
            watched.task = asyncio.create_task(watched.look(after))
        watched.watchers += 1
        if self._listener is None and settings.REDIS_URL:
            self._listener = asyncio.create_task(self._listen())
        try:
            yield watched
        finally:
            watched.watchers -= 1
            over: list[asyncio.Task[None] | None] = []
            if watched.watchers == 0:
                del self._watched[bell]
                over.append(watched.task)
            if not self._watched:
                over.append(self._listener)
                self._listener = None
            await _end(over)

    async def _listen(self) -> None:
        while True:
            # redis-py ends a read after 5 s by default, which is no error on a line that is mostly silent.
            client = redis.asyncio.from_url(settings.REDIS_URL, socket_timeout=None, socket_connect_timeout=5)
            try:
                async with client, client.pubsub(ignore_subscribe_messages=True) as subscription:
                    await subscription.psubscribe(event_log.channel(ANY))
                    async for message in subscription.listen():
                        self._ring(message["channel"].decode())
            except (RedisError, OSError) as error:
                log.warning("No rings arrive (%s); looking every %g s instead", error, LOOK_SECONDS)
            await asyncio.sleep(RECONNECT_SECONDS)

    def _ring(self, channel: str) -> None:
        watched = self._watched.get(channel)
        if watched is not None:  # Else it is a stream that nobody here watches.
            watched.rung.set()


_hubs: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Hub] = weakref.WeakKeyDictionary()


def this_hub() -> Hub:
    """The hub of this process: one per event loop, of which a server has one and every test its own."""
    return _hubs.setdefault(asyncio.get_running_loop(), Hub())


async def _end(tasks: Sequence[asyncio.Task[None] | None]) -> None:
    """All are told before any is waited for: whoever leaves may be cut off in the middle of this."""
    living = [task for task in tasks if task is not None]
    for task in living:
        task.cancel()
    if living:
        await asyncio.wait(living)
    for task in living:
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("What looked for news ended early", exc_info=error)


@database_sync_to_async
def _last(stream_id: uuid.UUID) -> int:
    """0 where it was deleted a moment ago."""
    return Stream.objects.filter(pk=stream_id).values_list("last_event", flat=True).first() or 0


@database_sync_to_async
def _read(stream_id: uuid.UUID, after: int, limit: int) -> list[Wire]:
    return event_log.read(stream_id, after=after, limit=limit)
