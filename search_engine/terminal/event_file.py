"""Events of one search or training as lines of JSON in a file, in the form in which the web app sends them.

A line is an object with its number from 1 ("n"), its time in seconds since 1970 ("at") and the event, and at its end a
digest ("digest"): the first digits of a SHA-256 over the digest of the line before and the line without its own. So a
byte that changed, and a line that is gone or was moved, is noticed. Files of earlier versions have no digests at first;
from where the first line has one, every line has.
"""

import fcntl
import hashlib
import itertools
import json
import os
import time
from contextlib import ExitStack
from pathlib import Path

from pydantic import ValidationError

from search_engine import storage
from search_engine.errors import CheckpointError, UserError
from search_engine.events import Event, event_from_json

DIGITS = 16  # Of a digest, hexadecimal: enough against accidents, and nobody is kept from forging.
_MARK = b', "digest": "'


class EventFile:
    """Appends events. One process at a time has the file; a last line that a crash cut short is dropped."""

    def __init__(self, path: Path) -> None:
        """Raises UserError while another process has the file, CheckpointError where it is not such a file."""
        self._path = path
        with ExitStack() as unless_ready:
            self._file = unless_ready.enter_context(path.open("ab"))
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise UserError(str(path.parent), "is in use by another process.") from error
            lines = path.read_bytes().splitlines(keepends=True)
            if lines and not lines[-1].endswith(b"\n"):
                lines.pop()
            self._digests = [""]  # After so many lines; "" where they have none.
            self.events = [self._read(number, line) for number, line in enumerate(lines, 1)]
            self._ends = [0, *itertools.accumulate(map(len, lines))]  # Bytes of the file after so many lines.
            os.truncate(path, self._ends[-1])
            unless_ready.pop_all()

    def cut(self, count: int) -> list[Event]:
        """Keep the first `count` events and return the others. Raises CheckpointError when there are fewer."""
        if len(self.events) < count:
            raise CheckpointError(
                str(self._path), f"has {len(self.events)} events, but {count} were saved: it is damaged."
            )
        self.events, rest = self.events[:count], self.events[count:]
        del self._ends[count + 1 :]
        del self._digests[count + 1 :]
        os.truncate(self._path, self._ends[-1])
        return rest

    def append(self, event: Event) -> None:
        told = {"n": len(self.events) + 1, "at": round(time.time(), 3)} | event.to_json()
        plain = json.dumps(told).encode().removesuffix(b"}")
        digest = _digest(self._digests[-1], plain)
        line = plain + _MARK + digest.encode() + b'"}\n'
        storage.write(self._file, line)
        self.events.append(event)
        self._digests.append(digest)
        self._ends.append(self._ends[-1] + len(line))

    def sync(self) -> None:
        """Once this returns, a loss of power takes no event."""
        storage.sync(self._file.fileno(), self._path)

    def close(self) -> None:
        self._file.close()

    def _read(self, number: int, line: bytes) -> Event:
        plain, mark, rest = line.rpartition(_MARK)
        before = self._digests[-1]
        digest = _digest(before, plain) if mark else ""
        if rest != digest.encode() + b'"}\n' if mark else before:
            raise CheckpointError(str(self._path), f"is damaged in line {number}: its digest says that it was another.")
        self._digests.append(digest)
        try:
            value = json.loads(line)
            value.pop("digest", None)
            if value.pop("n") != number:
                raise ValueError("the numbers have a gap")
            del value["at"]
            return event_from_json(value)
        except (ValidationError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise CheckpointError(str(self._path), f"is damaged in line {number}.") from error


def _digest(before: str, plain: bytes) -> str:
    """Of a line: before: the digest of the one before it; plain: the line up to where its own digest begins."""
    return hashlib.sha256(before.encode() + plain).hexdigest()[:DIGITS]
