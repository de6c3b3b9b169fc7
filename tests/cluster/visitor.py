"""A person in front of the proxy, as a program: signs in by a link, starts a search, asks again and again, watches."""

import asyncio
import random
import re
import ssl
import time
from dataclasses import dataclass, field
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

from tests.faults.live_page import Page, Place

ASK_SECONDS = 0.5
ANSWER_SECONDS = 20.0


@dataclass
class Visitor:
    """refused: what was answered otherwise than it should be while a search ran."""

    address: str
    trust: ssl.SSLContext
    client: httpx.AsyncClient = field(init=False)
    asked: int = 0
    refused: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        # One line a question: a browser opens new ones as well, and each is balanced anew.
        limits = httpx.Limits(max_keepalive_connections=0)
        self.client = httpx.AsyncClient(
            base_url=self.address, verify=self.trust, timeout=ANSWER_SECONDS, limits=limits, follow_redirects=True
        )

    async def sign_in(self, link: str) -> None:
        answer = await self.client.get(link)
        assert answer.status_code == 200 and "sessionid" in self.client.cookies, answer.text[:500]

    async def start_search(self, config: dict[str, Any]) -> str:
        """As the form's script does it: with the token that stands in the page, and from the page's address."""
        page = await self.client.get("/searches/new")
        token = re.search(r'name="csrf-token" content="(\w+)"', page.text)
        assert token is not None, page.text[:500]
        headers = {"Referer": f"{self.address}/searches/new", "X-CSRFToken": token[1]}
        bare = await self.client.post("/api/searches", json={"config": config})
        assert bare.status_code == 403, "A request without the page's token was let through."
        answer = await self.client.post("/api/searches", json={"config": config}, headers=headers)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def search(self, search: str) -> dict[str, Any]:
        found: dict[str, Any] = (await self.client.get(f"/api/searches/{search}")).json()
        return found

    async def ask_until(self, search: str, over: asyncio.Event) -> None:
        """The search's page and its answer of the API by turns; whatever is not 200 is noted."""
        paths = (f"/searches/{search}", f"/api/searches/{search}")
        while not over.is_set():
            path = paths[self.asked % 2]
            self.asked += 1
            try:
                answer = await self.client.get(path)
                if answer.status_code != 200:
                    self.refused.append(f"{path}: {answer.status_code} {answer.text[:200]}")
            except httpx.HTTPError as error:
                self.refused.append(f"{path}: {error!r}")
            await asyncio.sleep(ASK_SECONDS)

    async def ended(self, search: str, seconds: float) -> dict[str, Any]:
        until = time.monotonic() + seconds
        while True:
            try:
                found = await self.search(search)
                if found["state"] not in ("running", "paused"):
                    return found
                late = f"the search is {found['state']}: {found.get('reason')}"
            except (httpx.HTTPError, ValueError) as error:
                late = repr(error)
            assert time.monotonic() < until, late
            await asyncio.sleep(0.1)

    async def further(self, page: Page, events: int, seconds: float) -> None:
        """Wait until the page has so many events."""
        until = time.monotonic() + seconds
        while page.last < events:
            assert time.monotonic() < until, f"the page stays at event {page.last} of {events}"
            await asyncio.sleep(0.05)

    def place(self, search: str) -> Place:
        """Where its live pages connect, past the proxy."""
        url = httpx.URL(self.address)
        assert url.port is not None
        return Place(url.port, self.client.cookies["sessionid"], search, url.host, self.trust)

    def page(self, search: str) -> Page:
        return Page(self.place(search), random.Random(0))

    async def open_socket(self, search: str, after: int) -> ClientConnection:
        """A live page's line that nobody reads but the test."""
        place = self.place(search)
        return await connect(place.address(after), additional_headers=place.headers, ssl=place.trust, proxy=None)
