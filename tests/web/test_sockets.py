"""The live socket as a browser sees it: order, no loss, no doubles, and nobody who may not watch."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from search_engine.events import EpochEnded
from webapp.accounts.models import User
from webapp.accounts.sign_in import get_or_create_user
from webapp.asgi import application
from webapp.searches import clock, event_log
from webapp.searches.live import consumers, hub, page_rights
from webapp.searches.models import Share, Stream

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stream() -> Stream:
    owner = get_or_create_user("owner")
    return Stream.objects.create(owner=owner, kind="training", created=clock.now(), code_version="test")


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(hub, "LOOK_SECONDS", 0.05)
    return


def cookie_of(name: str) -> str:
    client = Client()
    client.force_login(get_or_create_user(name))
    return client.cookies["sessionid"].value


@pytest.fixture
def cookie(stream: Stream) -> str:
    return cookie_of("owner")


class Page:
    """The browser's end of a socket. (Channels has one too; it needs a server that we do not use.)"""

    def __init__(self, path: str, query: str, headers: list[tuple[bytes, bytes]]) -> None:
        scope = {"type": "websocket", "path": path, "query_string": query.encode(), "headers": headers}
        self._line = ApplicationCommunicator(application, scope | {"subprotocols": []})

    async def connect(self) -> bool:
        await self._line.send_input({"type": "websocket.connect"})
        return (await self.hear())["type"] == "websocket.accept"

    async def hear(self) -> dict[str, Any]:
        return await self._line.receive_output(timeout=5)

    async def frame(self) -> dict[str, Any]:
        message = await self.hear()
        assert message["type"] == "websocket.send", message
        return json.loads(message["text"])

    async def say(self, **message: Any) -> None:
        await self._line.send_input({"type": "websocket.receive"} | message)

    async def leave(self) -> None:
        await self._line.send_input({"type": "websocket.disconnect", "code": 1000})
        await self._line.wait(timeout=5)


def socket(stream: Stream, cookie: str | None, after: str = "0", origin: bytes | None = b"http://localhost") -> Page:
    headers = [(b"host", b"localhost")]
    if origin is not None:
        headers.append((b"origin", origin))
    if cookie is not None:
        headers.append((b"cookie", f"sessionid={cookie}".encode()))
    return Page(f"/ws/streams/{stream.pk}", f"after={after}", headers)


@sync_to_async
def append(stream: Stream, count: int) -> None:
    events = [EpochEnded(epoch=1, epochs=1, loss=1.0, learning_rate=0.1, seconds=1.0) for _ in range(count)]
    event_log.append(stream.pk, events)


async def receive(page: Page, until: int) -> list[dict[str, Any]]:
    events: list[dict[str, Any]] = []
    while not events or events[-1]["n"] < until:
        frame = await page.frame()
        assert 0 < len(frame["events"]) <= hub.FRAME_EVENTS
        events += frame["events"]
    return events


async def closing_code(page: Page) -> int:
    assert await page.connect()  # A page hears a code only from an open socket.
    message = await page.hear()
    assert message["type"] == "websocket.close", message
    return message["code"]


async def test_what_was_and_what_comes_arrives_in_order_as_the_api_tells_it(stream: Stream, cookie: str) -> None:
    await append(stream, 3)
    page = socket(stream, cookie)
    assert await page.connect()
    before = await receive(page, 3)
    await append(stream, 2)
    found = before + await receive(page, 5)
    assert [event["n"] for event in found] == [1, 2, 3, 4, 5]
    assert found == await sync_to_async(event_log.read)(stream.pk, 0)
    await page.leave()


async def test_a_reader_that_comes_and_goes_loses_nothing_and_sees_nothing_twice(stream: Stream, cookie: str) -> None:
    numbers: list[int] = []
    for round in range(1, 9):
        await append(stream, 5)
        page = socket(stream, cookie, after=str(numbers[-1] if numbers else 0))
        assert await page.connect()
        await append(stream, 5)
        wanted = round * 10 - 3  # It leaves before all have arrived.
        numbers += [event["n"] for event in await receive(page, wanted)]
        await page.leave()
    page = socket(stream, cookie, after=str(numbers[-1]))
    assert await page.connect()
    await append(stream, 1)
    numbers += [event["n"] for event in await receive(page, 81)]
    await page.leave()
    assert numbers == list(range(1, 82))


async def test_a_slow_reader_gets_bigger_frames_and_everything(
    stream: Stream, cookie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Event()
    send = consumers.StreamConsumer.send

    async def send_when_the_reader_has_read(self: Any, *args: Any, **kwargs: Any) -> None:
        await send(self, *args, **kwargs)
        await gate.wait()

    monkeypatch.setattr(consumers.StreamConsumer, "send", send_when_the_reader_has_read)
    slow = socket(stream, cookie)
    assert await slow.connect()
    await append(stream, 1)
    assert len((await slow.frame())["events"]) == 1  # From here on it takes nothing.
    for _ in range(120):
        await append(stream, 10)
    gate.set()
    frames = []
    while not frames or frames[-1]["events"][-1]["n"] < 1201:
        frames.append(await slow.frame())
    assert [event["n"] for frame in frames for event in frame["events"]] == list(range(2, 1202))
    assert len(frames) <= 12  # Of up to 500 events, instead of 120 frames of ten.
    await slow.leave()


async def test_a_stranger_is_refused(stream: Stream) -> None:
    assert await closing_code(socket(stream, None)) == page_rights.NOT_SIGNED_IN
    assert await closing_code(socket(stream, "no-such-session")) == page_rights.NOT_SIGNED_IN


async def test_somebody_elses_stream_looks_like_none(stream: Stream) -> None:
    other = await sync_to_async(cookie_of)("other")
    assert await closing_code(socket(stream, other)) == page_rights.NOT_FOUND
    stream.pk = "00000000-0000-0000-0000-000000000000"
    assert await closing_code(socket(stream, other)) == page_rights.NOT_FOUND


@pytest.mark.parametrize(
    "origin", [None, b"https://evil.example", b"http://localhost.evil.example", b"null", b"http://"]
)
async def test_a_page_of_another_site_gets_no_socket(stream: Stream, cookie: str, origin: bytes | None) -> None:
    assert not await socket(stream, cookie, origin=origin).connect()


@pytest.mark.parametrize("after", ["-1", "1.5", "x", "9" * 30, "٣"])
async def test_a_cursor_that_is_no_number_is_refused(stream: Stream, cookie: str, after: str) -> None:
    assert await closing_code(socket(stream, cookie, after=quote(after))) == consumers.BAD_REQUEST


async def test_a_silent_stream_says_that_it_is_alive(
    stream: Stream, cookie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(consumers, "ALIVE_SECONDS", 0.1)
    await append(stream, 2)
    page = socket(stream, cookie, after="2")
    assert await page.connect()
    for _ in range(3):
        assert await page.frame() == {"alive": 2}
    await page.leave()


async def test_whoever_signs_out_loses_the_socket(stream: Stream, cookie: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_rights, "RIGHTS_SECONDS", 0.1)
    page = socket(stream, cookie)
    assert await page.connect()

    def sign_out() -> None:
        client = Client()
        client.cookies["sessionid"] = cookie
        assert client.post("/sign-out").status_code == 302

    await sync_to_async(sign_out)()
    message = await page.hear()
    assert (message["type"], message["code"]) == ("websocket.close", page_rights.NOT_SIGNED_IN)


async def test_whoever_is_locked_out_loses_the_socket(
    stream: Stream, cookie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_rights, "RIGHTS_SECONDS", 0.1)
    page = socket(stream, cookie)
    assert await page.connect()
    await sync_to_async(User.objects.update)(is_active=False)
    assert (await page.hear())["code"] == page_rights.NOT_SIGNED_IN


async def test_what_a_browser_sends_is_ignored(stream: Stream, cookie: str) -> None:
    page = socket(stream, cookie)
    assert await page.connect()
    for text in ("{}", "no json", '{"type": "websocket.disconnect"}'):
        await page.say(text=text)
    await page.say(bytes=b"\0\xff")
    await append(stream, 1)
    assert [event["n"] for event in await receive(page, 1)] == [1]
    await page.leave()


async def test_whoever_reads_nothing_loses_the_socket_all_the_same(
    stream: Stream, cookie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_rights, "RIGHTS_SECONDS", 0.1)
    send = consumers.StreamConsumer.send

    async def send_and_wait_for_ever(self: Any, *args: Any, **kwargs: Any) -> None:
        await send(self, *args, **kwargs)
        await asyncio.Event().wait()

    monkeypatch.setattr(consumers.StreamConsumer, "send", send_and_wait_for_ever)
    page = socket(stream, cookie)
    assert await page.connect()
    await append(stream, 1)
    await page.frame()
    await append(stream, 5)
    await sync_to_async(User.objects.update)(is_active=False)
    assert (await page.hear())["code"] == page_rights.NOT_SIGNED_IN  # And none of the five.


async def test_a_session_of_an_earlier_password_is_none(stream: Stream, cookie: str) -> None:
    def change_the_password() -> None:
        user = User.objects.get(name="owner")
        user.set_password("another one")
        user.save()

    await sync_to_async(change_the_password)()
    assert await closing_code(socket(stream, cookie)) == page_rights.NOT_SIGNED_IN


async def test_two_hundred_pages_of_ten_people_cost_a_few_queries(stream: Stream) -> None:
    def cookies() -> list[str]:
        return [cookie_of("owner" if index % 10 == 0 else f"person {index % 10}") for index in range(200)]

    asked = [page_rights.Asked(key, stream.pk) for key in await sync_to_async(cookies)()]

    def look() -> tuple[dict[page_rights.Asked, int], list[str]]:
        with CaptureQueriesContext(connection) as captured:
            found = page_rights.refusals(asked)
        return found, [query["sql"] for query in captured.captured_queries]

    found, queries = await sync_to_async(look)()
    assert found == {each: page_rights.NOT_FOUND for index, each in enumerate(asked) if index % 10}
    assert len([query for query in queries if query.startswith("SELECT")]) == 2 + 10


async def test_one_browser_holds_only_so_many_sockets(
    stream: Stream, cookie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_rights, "MOST_OF_A_SESSION", 2)
    pages = [socket(stream, cookie) for _ in range(2)]
    for page in pages:
        assert await page.connect()
    assert await closing_code(socket(stream, cookie)) == consumers.TRY_AGAIN
    other = socket(stream, await sync_to_async(cookie_of)("owner"))
    assert await other.connect()
    await pages[0].leave()
    again = socket(stream, cookie)
    assert await again.connect()
    for page in (pages[1], other, again):
        await page.leave()


async def test_whoever_a_stream_is_shared_with_no_more_loses_the_socket(
    stream: Stream, cookie: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page_rights, "RIGHTS_SECONDS", 0.1)
    other = await sync_to_async(cookie_of)("other")
    reader = await User.objects.aget(name="other")
    share = await Share.objects.acreate(stream=stream, user=reader, role=Share.Role.READER, created=0.0)
    page = socket(stream, other)
    assert await page.connect()
    await append(stream, 1)
    assert [event["n"] for event in await receive(page, 1)] == [1]
    await sync_to_async(share.delete)()
    assert (await page.hear())["code"] == page_rights.NOT_FOUND
