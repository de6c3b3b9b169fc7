"""The live socket: it sends what is new since n, whatever the page asks and however slowly it reads.

Read-only. Nothing a browser sends is looked at, so there is nothing to forge; actions go by POST.
"""

import asyncio
import contextlib
import json
import logging
import time
import uuid
from urllib.parse import parse_qs

from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError

from webapp.searches.live.hub import Watched, this_hub
from webapp.searches.live.page_rights import Asked, refusals_now, this_rights

ALIVE_SECONDS = 15.0  # A page that hears nothing for twice as long asks by itself.
BAD_REQUEST, TRY_AGAIN = 4400, 1013  # What page_rights.py closes with stands there.

log = logging.getLogger(__name__)


class StreamConsumer(AsyncWebsocketConsumer):
    """One browser page that watches one stream."""

    async def connect(self) -> None:
        await self.accept()  # A close before that would reach the page as a plain 403, without a code.
        self._stream_id: uuid.UUID = self.scope["url_route"]["kwargs"]["stream_id"]
        after = _number(self.scope["query_string"])
        if after is None:
            await self.close(BAD_REQUEST)
            return
        asked = Asked(self.scope["session"].session_key, self._stream_id)
        refused = await refusals_now([asked])
        if refused:
            await self.close(refused[asked])
            return
        if this_rights().has_too_many(asked.session_key):
            await self.close(TRY_AGAIN)
            return
        self._sender = asyncio.create_task(self._send_and_close(asked, after))

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """What a page sends is ignored; its size is limited by the server."""

    async def disconnect(self, code: int) -> None:
        sender = getattr(self, "_sender", None)
        if sender is not None:
            sender.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sender

    async def _send_and_close(self, asked: Asked, after: int) -> None:
        with this_rights().watch(asked) as gone:
            sending = asyncio.create_task(self._send_for_ever(after))
            try:
                # Also in the middle of a frame, which a page that reads slowly could hold up as long as it likes.
                await asyncio.wait([sending, gone], return_when=asyncio.FIRST_COMPLETED)
            finally:
                sending.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await sending
        await self.close(gone.result() if gone.done() else TRY_AGAIN)

    async def _send_for_ever(self, after: int) -> None:
        """Until it is cancelled, or the database is away: the page will come again then."""
        async with this_hub().watch(self._stream_id, after) as watched:
            try:
                await self._send_what_is_new(watched, after)
            except DatabaseError:
                log.exception("The socket of stream %s ends; its page will come again", self._stream_id)

    async def _send_what_is_new(self, watched: Watched, after: int) -> None:
        """`after` is this page's own cursor."""
        spoken = time.monotonic()
        while True:
            news = watched.news  # Taken before the read, so that what comes during it wakes us at once.
            frame = await watched.frame_since(after)
            if frame is not None:
                # A slow page holds us up here and finds more in its next frame; nobody else waits for it.
                text, after = frame
                await self.send(text_data=text)
                spoken = time.monotonic()
                continue
            if time.monotonic() - spoken >= ALIVE_SECONDS:
                await self.send(text_data=json.dumps({"alive": after}))
                spoken = time.monotonic()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), max(0.0, spoken + ALIVE_SECONDS - time.monotonic()))


def _number(query: bytes) -> int | None:
    """The page's cursor, ?after=N; 0 when it is not given, None when it is no number."""
    given = parse_qs(query.decode("latin-1")).get("after", ["0"])[-1]
    return int(given) if given.isascii() and given.isdigit() and len(given) < 16 else None
