"""A live page without a browser: what frontend/static/js/live/socket.js does, and whether it got everything."""

import asyncio
import hashlib
import json
import random
import socket
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

TINY_BUFFER = 4096  # Bytes that the kernel keeps for a slow reader.
NO_ANSWER_SECONDS = 30.0
PAUSE_SECONDS = 0.05  # The page waits half a second and more; here as many as possible shall come again.


@dataclass(frozen=True)
class Place:
    """Where the pages of a stream connect. cookie: of a session of its owner; trust: where the line is encrypted."""

    port: int
    cookie: str
    stream: str
    host: str = "127.0.0.1"
    trust: ssl.SSLContext | None = None

    def address(self, after: int) -> str:
        scheme = "ws" if self.trust is None else "wss"
        return f"{scheme}://{self.host}:{self.port}/ws/streams/{self.stream}?after={after}"

    @property
    def headers(self) -> dict[str, str]:
        scheme = "http" if self.trust is None else "https"
        return {"Cookie": f"sessionid={self.cookie}", "Origin": f"{scheme}://{self.host}:{self.port}"}


@dataclass
class Page:
    """One page: its cursor, and what was wrong with what it was sent.

    slow: it sleeps between frames and has a tiny receive buffer. wanted: how often it comes at least, also when nothing
    is left to read. frames: file that takes every event, one a line.
    """

    place: Place
    chance: random.Random
    slow: bool = False
    wanted: int = 0
    frames: Path | None = None
    last: int = 0
    connects: int = 0
    refused: int = 0
    problems: list[str] = field(default_factory=list)
    _digest: Any = field(default_factory=hashlib.sha256)

    @property
    def digest(self) -> str:
        """Of every event in the order in which it was taken."""
        return str(self._digest.hexdigest())

    async def watch(self, until: asyncio.Event, end: "asyncio.Future[int]", longest_visit: int) -> None:
        """Come, read some, leave at random and come again with the last number; from `until` on, to number `end`.

        longest_visit: events after which it leaves at the latest, as long as `until` is not set.
        """
        while not (until.is_set() and self.last >= await end and self.connects >= self.wanted):
            try:
                await self._visit(until, end, longest_visit)
            except (OSError, WebSocketException, TimeoutError):
                self.refused += 1  # The server is away.
            await asyncio.sleep(self.chance.uniform(0.0, PAUSE_SECONDS) * (4 if self.refused else 1))

    async def _visit(self, until: asyncio.Event, end: "asyncio.Future[int]", longest_visit: int) -> None:
        leaves_after = self.last + self.chance.choice((0, self.chance.randint(1, longest_visit)))
        async with asyncio.timeout(NO_ANSWER_SECONDS):
            line = await self._connect()
        self.connects += 1
        try:
            while not (until.is_set() and self.last >= await end):
                if self.last >= leaves_after and not until.is_set():
                    break  # Some leave before they have read anything.
                async with asyncio.timeout(NO_ANSWER_SECONDS):
                    self._read(json.loads(await line.recv()))
                if self.slow and not until.is_set():
                    await asyncio.sleep(self.chance.uniform(0.0, 0.4))
        finally:
            await self._leave(line)

    async def _connect(self) -> ClientConnection:
        options: dict[str, Any] = {"max_size": None, "ping_interval": None, "proxy": None, "close_timeout": 1}
        options["ssl"] = self.place.trust
        if self.slow:
            own = socket.socket()
            own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, TINY_BUFFER)
            own.setblocking(False)
            try:
                await asyncio.get_running_loop().sock_connect(own, ("127.0.0.1", self.place.port))
            except BaseException:
                own.close()
                raise
            options |= {"sock": own, "max_queue": 1}
        place = self.place
        return await connect(place.address(self.last), additional_headers=place.headers, **options)

    async def _leave(self, line: ClientConnection) -> None:
        """With a word, or as one whose line is cut."""
        if self.chance.random() < 0.5:
            line.transport.abort()
            await line.wait_closed()
        else:
            await line.close()

    def _read(self, frame: dict[str, Any]) -> None:
        taken = []
        for event in frame.get("events", ()):
            if event["n"] != self.last + 1:
                self.problems.append(f"event {event['n']} came after event {self.last}")
            self.last = event["n"]
            line = json.dumps(event, sort_keys=True)
            self._digest.update(line.encode())
            taken.append(line + "\n")
        if self.frames is not None and taken:
            with self.frames.open("a") as file:
                file.writelines(taken)
