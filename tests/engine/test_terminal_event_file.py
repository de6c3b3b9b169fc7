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
