"""The live socket: it sends what is new since n, whatever the page asks and however slowly it reads.

Read-only. Nothing a browser sends is looked at, so there is nothing to forge; actions go by POST.
"""

import asyncio
import contextlib
import json
import logging
import time
import uuid
from typing import Any
from urllib.parse import parse_qs

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.db import DatabaseError

from webapp.accounts.models import User
from webapp.searches.live.hub import Watched, this_hub
from webapp.searches.models import Stream
from webapp.searches.share_links import OPENED, streams_opened

ALIVE_SECONDS = 15.0  # A page that hears nothing for twice as long asks by itself.
RIGHTS_SECONDS = 30.0
LINK_RIGHTS_SECONDS = 3.0  # Of a page that a link opened: revoking the link shuts it.
BAD_REQUEST, NOT_SIGNED_IN, LINK_GONE, NOT_FOUND, TRY_AGAIN = 4400, 4401, 4403, 4404, 1013

log = logging.getLogger(__name__)


class StreamConsumer(AsyncWebsocketConsumer):
    """One browser page that watches one stream."""

    _rights_seconds = RIGHTS_SECONDS  # After so many it is asked again whether the page may.

    async def connect(self) -> None:
        await self.accept()  # A close before that would reach the page as a plain 403, without a code.
        self._stream_id: uuid.UUID = self.scope["url_route"]["kwargs"]["stream_id"]
        after = _number(self.scope["query_string"])
        if after is None:
            await self.close(BAD_REQUEST)
            return
        refusal = await self._refusal()
        if refusal is not None:
            await self.close(refusal)
            return
        self._sender = asyncio.create_task(self._send_and_close(after))

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """What a page sends is ignored; its size is limited by the server."""

    async def disconnect(self, code: int) -> None:
        sender = getattr(self, "_sender", None)
        if sender is not None:
            sender.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await sender

    async def _send_and_close(self, after: int) -> None:
        async with this_hub().watch(self._stream_id, after) as watched:
            try:
                code = await self._send_what_is_new(watched, after)
            except DatabaseError:
                log.exception("The socket of stream %s ends; its page will come again", self._stream_id)
                code = TRY_AGAIN
        await self.close(code)

    async def _send_what_is_new(self, watched: Watched, after: int) -> int:
        """Until the rights are gone: returns the code to close with. `after` is this page's own cursor."""
        spoken = checked = time.monotonic()
        while True:
            news = watched.news  # Taken before the read, so that what comes during it wakes us at once.
            events = await watched.since(after)
            if events:
                # A slow page holds us up here and finds more in its next frame; nobody else waits for it.
                await self._send_json({"events": events})
                after, spoken = events[-1]["n"], time.monotonic()
            if time.monotonic() - checked >= self._rights_seconds:
                refusal = await self._refusal()
                if refusal is not None:
                    return refusal
                checked = time.monotonic()
            if events:
                continue
            if time.monotonic() - spoken >= ALIVE_SECONDS:
                await self._send_json({"alive": after})
                spoken = time.monotonic()
            until = min(spoken + ALIVE_SECONDS, checked + self._rights_seconds)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), max(0.0, until - time.monotonic()))

    async def _send_json(self, value: dict[str, Any]) -> None:
        await self.send(text_data=json.dumps(value, separators=(",", ":")))

    @database_sync_to_async
    def _refusal(self) -> int | None:
        """The close code if this page may not watch this stream now; asked again and again, since people sign out."""
        user = self.scope["user"]
        session = self.scope["session"]
        is_there = session.session_key is not None and session.exists(session.session_key)
        linked = streams_opened(session) if is_there else frozenset()
        is_signed_in = (
            is_there and user.is_authenticated and User.objects.filter(pk=user.pk, is_active=True).exists()
        )  # fmt: skip
        if is_signed_in and Stream.objects.visible_to(user).filter(pk=self._stream_id).exists():
            self._rights_seconds = RIGHTS_SECONDS
            return None
        if self._stream_id in linked:
            self._rights_seconds = LINK_RIGHTS_SECONDS
            return None
        if is_signed_in or linked:
            return NOT_FOUND
        return LINK_GONE if is_there and session.get(OPENED) else NOT_SIGNED_IN


def _number(query: bytes) -> int | None:
    """The page's cursor, ?after=N; 0 when it is not given, None when it is no number."""
    given = parse_qs(query.decode("latin-1")).get("after", ["0"])[-1]
    return int(given) if given.isascii() and given.isdigit() and len(given) < 16 else None
