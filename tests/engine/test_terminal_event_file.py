import random
import re
from pathlib import Path

import pytest

from search_engine.errors import CheckpointError, UserError
from search_engine.events import EpochEnded, Event, StateChanged
from search_engine.terminal.event_file import EventFile

EVENTS: list[Event] = [
    EpochEnded(epoch=1, epochs=2, loss=0.1, accuracy=1 / 3, learning_rate=0.1, seconds=0.5),
    EpochEnded(epoch=2, epochs=2, loss=0.05, learning_rate=0.0, seconds=0.5),
    StateChanged(state="finished"),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = EventFile(tmp_path / "events.jsonl")
    for event in EVENTS:
        file.append(event)
    file.sync()
    file.close()
    return tmp_path / "events.jsonl"


def reopened(path: Path) -> list[Event]:
    file = EventFile(path)
    file.close()
    return file.events


def test_events_are_read_back_as_they_were(path: Path) -> None:
    assert reopened(path) == EVENTS


def test_a_last_line_that_a_crash_cut_short_is_dropped(path: Path) -> None:
    content = path.read_bytes()
    whole = content.rindex(b"\n", 0, -1) + 1
    for length in range(whole, len(content)):
        path.write_bytes(content[:length])
        assert reopened(path) == EVENTS[:2]
        assert path.read_bytes() == content[:whole]


def test_a_file_goes_on_after_a_cut(path: Path) -> None:
    file = EventFile(path)
    assert file.cut(1) == EVENTS[1:]
    for event in EVENTS[1:]:
        file.append(event)
    file.close()
    assert reopened(path) == EVENTS


def test_fewer_events_than_were_saved_are_damage(path: Path) -> None:
    file = EventFile(path)
    with pytest.raises(CheckpointError, match="has 3 events, but 4 were saved"):
        file.cut(4)
    file.close()


@pytest.mark.parametrize("line", [b"not json\n", b"[]\n", b'{"n": 3, "at": 1}\n', b'{"n": 7, "at": 1, "kind": "x"}\n'])
def test_a_damaged_line_is_named(path: Path, line: bytes) -> None:
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], line]))
    with pytest.raises(CheckpointError, match="is damaged in line 3"):
        EventFile(path)


def test_two_processes_cannot_have_one_file(path: Path) -> None:
    file = EventFile(path)
    with pytest.raises(UserError, match="is in use by another process"):
        EventFile(path)
    file.close()
    assert reopened(path) == EVENTS


def test_every_flipped_byte_is_noticed_and_said_with_its_line(path: Path) -> None:
    content = path.read_bytes()
    generator = random.Random(1)
    for place in generator.sample(range(len(content) - 1), 60):  # Without its last byte a file is one that was cut.
        damaged = bytearray(content)
        damaged[place] ^= 1 << generator.randrange(8)
        path.write_bytes(damaged)
        with pytest.raises(CheckpointError, match=r"is damaged in line [123]"):
            EventFile(path)


def test_a_line_that_is_gone_or_was_moved_is_noticed(path: Path) -> None:
    first, second, third = path.read_bytes().splitlines(keepends=True)
    for lines in ((second, third), (first, third), (second, first, third)):
        path.write_bytes(b"".join(lines))
        with pytest.raises(CheckpointError, match=r"is damaged in line [12]"):
            EventFile(path)


def without_digests(content: bytes) -> bytes:
    """As earlier versions wrote it."""
    return re.sub(rb', "digest": "[0-9a-f]{16}"', b"", content)


def test_a_file_of_an_earlier_version_opens_and_goes_on_with_digests(path: Path) -> None:
    path.write_bytes(without_digests(path.read_bytes()))
    file = EventFile(path)
    assert file.events == EVENTS
    file.append(EVENTS[0])
    file.close()
    assert reopened(path) == [*EVENTS, EVENTS[0]]
    content = path.read_bytes()
    assert content.count(b"digest") == 1
    path.write_bytes(content.replace(b'"epochs": 2, "loss": 0.1', b'"epochs": 2, "loss": 0.2'))
    with pytest.raises(CheckpointError, match="is damaged in line 4"):
        EventFile(path)


def test_a_line_without_a_digest_behind_one_with_is_damage(path: Path) -> None:
    first, *rest = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(first + without_digests(b"".join(rest)))
    with pytest.raises(CheckpointError, match="is damaged in line 2"):
        EventFile(path)
