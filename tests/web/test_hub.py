"""The hub reads a watched stream's rows once for everybody, in order, without loss, with and without rings."""

import asyncio
import json
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import sync_to_async

from search_engine.events import EpochEnded
from webapp.accounts.sign_in import get_or_create_user
from webapp.searches import clock, event_log
from webapp.searches.live import hub
from webapp.searches.models import Stream
from webapp.supervisor import broker
from webapp.supervisor.part import Part

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def stream() -> Stream:
    owner = get_or_create_user("owner")
    return Stream.objects.create(owner=owner, kind="training", created=clock.now(), code_version="test")


@pytest.fixture
def redis_url(tmp_path: Path, settings: Any) -> Iterator[str]:
    path = broker.socket_path(tmp_path)
    broker.make_folder(path.parent)
    part = Part("broker", broker.server_command(path), folder=tmp_path, log=tmp_path / "broker.log", environment={})
    part.start()
    until = time.monotonic() + 10
    while not broker.answers(path):
        assert time.monotonic() < until, part.log.read_text()
        time.sleep(0.02)
    settings.REDIS_URL = f"unix://{path}"
    yield settings.REDIS_URL
    event_log._bell.cache_clear()
    part.stop()
    path.unlink(missing_ok=True)
    path.parent.rmdir()


def events(count: int) -> list[EpochEnded]:
    return [EpochEnded(epoch=n, epochs=count, loss=1.0, learning_rate=0.1, seconds=1.0) for n in range(1, count + 1)]


async def append(stream: Stream, count: int) -> None:
    await sync_to_async(event_log.append)(stream.pk, events(count))


async def collect(watched: hub.Watched, after: int, until: int) -> list[int]:
    """The numbers that a reader at `after` gets until it has got `until`."""
    numbers: list[int] = []
    async with asyncio.timeout(10):
        while after < until:
            news = watched.news
            found = await watched.since(after)
            numbers += [event["n"] for event in found]
            after = numbers[-1] if numbers else after
            if not found:
                await news.wait()
    return numbers


async def test_readers_at_different_places_each_get_all_that_follows(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub, "LOOK_SECONDS", 0.05)
    await append(stream, 30)
    here = hub.Hub()
    async with here.watch(stream.pk, 20) as watched, here.watch(stream.pk, 0) as same:
        assert watched is same
        readers = [asyncio.create_task(collect(watched, after, 60)) for after in (0, 7, 20, 45)]
        await append(stream, 30)
        assert await asyncio.gather(*readers) == [list(range(after + 1, 61)) for after in (0, 7, 20, 45)]


async def test_a_first_reader_beyond_the_end_leaves_the_others_their_news(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as a page that was open while an older copy of the database was put back."""
    monkeypatch.setattr(hub, "LOOK_SECONDS", 0.02)
    await append(stream, 3)
    here = hub.Hub()
    async with here.watch(stream.pk, 1000), here.watch(stream.pk, 0) as watched:
        assert await collect(watched, 0, 3) == [1, 2, 3]
        reader = asyncio.create_task(collect(watched, 3, 6))
        await asyncio.sleep(0.2)  # It waits for news by now.
        await append(stream, 3)
        assert await reader == [4, 5, 6]


async def test_a_reader_far_behind_what_is_kept_reads_the_rows(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "KEPT_EVENTS", 10)
    monkeypatch.setattr(hub, "FRAME_EVENTS", 7)
    monkeypatch.setattr(hub, "LOOK_SECONDS", 0.02)
    await append(stream, 100)
    async with hub.Hub().watch(stream.pk, 0) as watched:
        await collect(watched, 90, 100)
        assert await collect(watched, 0, 100) == list(range(1, 101))
        assert len(await watched.since(0)) == 7


async def test_rows_are_read_once_however_many_watch(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "LOOK_SECONDS", 60.0)
    reads: list[int] = []
    read = event_log.read

    def counted(stream_id: uuid.UUID, after: int, limit: int) -> list[dict[str, Any]]:
        found = read(stream_id, after, limit)
        reads.append(after)
        return found

    monkeypatch.setattr(event_log, "read", counted)
    async with hub.Hub().watch(stream.pk, 0) as watched:
        readers = [asyncio.create_task(collect(watched, 0, 5)) for _ in range(50)]
        async with asyncio.timeout(10):
            while len(reads) < 51:  # Each found out for itself that there is nothing, and so did the hub.
                await asyncio.sleep(0.01)
        await append(stream, 5)
        watched.rung.set()
        assert await asyncio.gather(*readers) == [[1, 2, 3, 4, 5]] * 50
    assert len(reads) == 52


async def test_a_ring_is_heard_at_once(stream: Stream, redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "LOOK_SECONDS", 30.0)
    async with hub.Hub().watch(stream.pk, 0) as watched:
        reader = asyncio.create_task(collect(watched, 0, 3))
        await asyncio.sleep(0.3)  # The subscription takes a moment.
        began = time.monotonic()
        await append(stream, 3)
        assert await reader == [1, 2, 3]
        assert time.monotonic() - began < 2.0


async def test_without_redis_news_come_a_moment_later(
    stream: Stream, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REDIS_URL = "unix:///nowhere/valkey.sock"
    monkeypatch.setattr(hub, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(hub, "RECONNECT_SECONDS", 0.01)
    async with hub.Hub().watch(stream.pk, 0) as watched:
        reader = asyncio.create_task(collect(watched, 0, 3))
        await append(stream, 3)
        assert await reader == [1, 2, 3]


async def test_the_last_one_to_leave_ends_the_looking(stream: Stream, redis_url: str) -> None:
    before = asyncio.all_tasks()
    here = hub.Hub()
    async with here.watch(stream.pk, 0), here.watch(stream.pk, 5):
        await asyncio.sleep(0.1)
        assert len(asyncio.all_tasks() - before) >= 2
    await asyncio.sleep(0.05)
    assert asyncio.all_tasks() == before
    async with here.watch(stream.pk, 0) as watched:  # And it begins anew.
        await append(stream, 1)
        assert await collect(watched, 0, 1) == [1]


async def test_a_stream_that_was_deleted_a_moment_ago_leaves_nothing_behind(stream: Stream, redis_url: str) -> None:
    before = asyncio.all_tasks()
    stream_id = stream.pk
    await sync_to_async(stream.delete)()
    async with hub.Hub().watch(stream_id, 0) as watched:
        await asyncio.sleep(0.1)
        assert watched.task is not None and not watched.task.done()
        assert await watched.since(0) == []
    await asyncio.sleep(0.05)
    assert asyncio.all_tasks() == before


async def test_an_error_of_the_looking_is_told_and_ends_the_listening_all_the_same(
    stream: Stream, redis_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail(stream_id: uuid.UUID) -> int:
        raise ValueError("a bug")

    monkeypatch.setattr(hub, "_last", fail)
    before = asyncio.all_tasks()
    async with hub.Hub().watch(stream.pk, 0):
        await asyncio.sleep(0.1)
    await asyncio.sleep(0.05)
    assert asyncio.all_tasks() == before
    assert ["ended early" in record.message for record in caplog.records] == [True]


async def test_whoever_only_waits_asks_nobody(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "LOOK_SECONDS", 60.0)
    await append(stream, 5)
    async with hub.Hub().watch(stream.pk, 0) as watched:
        await _looked(watched, 5)
        reads: list[int] = []
        monkeypatch.setattr(hub, "_read", lambda stream_id, after, limit: _counted(reads, after))
        assert [await watched.since(number) for number in (5, 6, 5, 5)] == [[]] * 4
        assert await watched.frame_since(5) is None
        assert reads == []


async def test_those_at_one_place_get_one_frame(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "LOOK_SECONDS", 60.0)
    await append(stream, 3)
    async with hub.Hub().watch(stream.pk, 0) as watched:
        await _looked(watched, 3)
        first, second, further = [await watched.frame_since(number) for number in (0, 0, 2)]
        assert first is not None and further is not None and first is second
        assert [event["n"] for event in json.loads(first[0])["events"]] == [1, 2, 3] and first[1] == 3
        assert [event["n"] for event in json.loads(further[0])["events"]] == [3]
        await append(stream, 1)
        watched.rung.set()
        await _looked(watched, 4)
        assert (await watched.frame_since(0) or ("", 0))[1] == 4


async def _looked(watched: hub.Watched, number: int) -> None:
    """Until the stream was looked at up to this event."""
    async with asyncio.timeout(10):
        while watched._looked_to != number:
            await asyncio.sleep(0.01)


async def _counted(reads: list[int], after: int) -> list[dict[str, Any]]:
    reads.append(after)
    return []
