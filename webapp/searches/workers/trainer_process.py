"""One trainer: the process that computes, seen from the worker that drives it.

The protocol is one JSON object a line over its standard input and output (search_engine/trainer.py). Only this file
knows that it is a process; `worker` drives anything that sends and receives.
"""

import contextlib
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol

from search_engine.process_memory import keeping_memory
from webapp.parent_death import die_with_parent

Message = dict[str, Any]
TRAINER = (sys.executable, "-m", "search_engine.trainer")
NONE: Mapping[str, str] = MappingProxyType({})
LONGEST_ERROR = 300  # Characters of a line that was not understood, in the reason.


class TrainerGone(Exception):
    """The trainer ended or spoke nonsense; the message says how, for the log of the page."""


class Trainer(Protocol):
    """What a worker drives. `threads` is fixed when it starts, because it decides how numbers are rounded."""

    threads: int

    def send(self, request: Message) -> None: ...

    def receive(self, timeout_seconds: float) -> Message | None:
        """The next message, or None when nothing came in time; raises TrainerGone."""

    def has_ended(self) -> bool: ...

    def kill(self) -> None: ...


def as_trainer(environment: Mapping[str, str], *, threads: int) -> dict[str, str]:
    """The environment of a trainer."""
    return {**keeping_memory(environment), "OMP_NUM_THREADS": str(threads), "PYTHONUNBUFFERED": "1"}


class TrainerProcess:
    """A running trainer, by default `python -m search_engine.trainer`."""

    def __init__(
        self,
        *,
        spool: Path,
        data_sets: Path,
        log: Path,
        threads: int,
        device: str,
        variables: Mapping[str, str] = NONE,
        program: Sequence[str] = TRAINER,
    ) -> None:
        """Start it without waiting: it takes two seconds to load PyTorch.

        spool: folder for the files it makes; data_sets: for what it downloads; log: file for its standard error.
        variables: of its environment, which decide what it sees of the machine's devices.
        """
        self.threads = threads
        self._unread = bytearray()
        self._ended = False
        spool.mkdir(parents=True, exist_ok=True)
        log.parent.mkdir(parents=True, exist_ok=True)
        command = [*program, "--spool", str(spool), "--data", str(data_sets)]
        with log.open("ab") as errors:
            self._process = subprocess.Popen(
                [*command, "--threads", str(threads), "--device", device],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                env=as_trainer({**os.environ, **variables}, threads=threads),
                start_new_session=True,
                preexec_fn=die_with_parent(),
            )
        assert self._process.stdout is not None
        os.set_blocking(self._process.stdout.fileno(), False)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._process.stdout, selectors.EVENT_READ)

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, request: Message) -> None:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(json.dumps(request, separators=(",", ":")).encode() + b"\n")
            self._process.stdin.flush()
        except OSError as error:
            raise TrainerGone(self._how_it_ended()) from error

    def receive(self, timeout_seconds: float) -> Message | None:
        until = time.monotonic() + timeout_seconds
        while True:
            line, found, rest = self._unread.partition(b"\n")
            if found:
                self._unread = rest
                return _read(line)
            if self._ended:
                raise TrainerGone(self._how_it_ended())
            if not self._selector.select(max(0.0, until - time.monotonic())):
                return None
            self._read_more()

    def has_ended(self) -> bool:
        return self._process.poll() is not None

    def kill(self) -> None:
        """End it at once and wait for it. A file that is half written stays in the spool under a name of its own."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._selector.close()
        for pipe in (self._process.stdin, self._process.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()

    def _read_more(self) -> None:
        assert self._process.stdout is not None
        chunk = os.read(self._process.stdout.fileno(), 1 << 16)
        self._ended = not chunk
        self._unread += chunk

    def _how_it_ended(self) -> str:
        try:
            status = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            return "the trainer closed its output but goes on running"
        if status < 0:
            return f"the trainer was killed by {signal.Signals(-status).name}"
        return f"the trainer ended with status {status}; see its log"


def _read(line: bytes) -> Message:
    try:
        message = json.loads(line)
    except ValueError as error:
        raise TrainerGone(f"the trainer sent a line that is no JSON: {line[:LONGEST_ERROR]!r}") from error
    if not isinstance(message, dict):
        raise TrainerGone(f"the trainer sent something that is no object: {line[:LONGEST_ERROR]!r}")
    return message
