"""The parts of one machine: started in order, watched until somebody stops them, stopped in reverse."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from webapp.parent_death import die_with_parent
from webapp.supervisor.part import Part, keep_logs_small
from webapp.supervisor.preflight import CannotStart

LOOK_SECONDS = 0.2
READY_SECONDS = 60.0  # A part that does not answer by then will not.
TRIM_LOGS_SECONDS = 60.0
_STOPPING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def say(line: str) -> None:
    """Print a line; the terminal may be gone, which must not keep anything from being stopped."""
    with contextlib.suppress(OSError, ValueError):
        print(line, flush=True)


class Stopped(Exception):
    """Somebody asked to stop before everything had started."""


@dataclass
class House:
    """All parts, in the order of their start.

    torch_check: a process that tries to load PyTorch, as every trainer will; None when it is not looked at (any more).
    """

    parts: list[Part]
    logs: Path
    torch_check: subprocess.Popen[str] | None = None
    _asked_to_stop: bool = field(default=False, init=False)

    def run(self, when_ready: Callable[[], None]) -> None:
        """Start everything, call `when_ready`, watch until a signal comes, and stop everything whatever happened."""
        with self._signals_noted():
            try:
                for part in self.parts:
                    part.start()
                    self._wait_until_ready(part)
                when_ready()
                self._watch()
            except Stopped:
                pass
            finally:
                say("Stopping ...")
                self._stop()
        say("Stopped. Everything is kept; start again to go on.")

    def _watch(self) -> None:
        trimmed = time.monotonic()
        while not self._asked_to_stop:
            for part in self.parts:
                line = part.look_after()
                if line is not None:
                    say(line)
            self._look_at_torch()
            if time.monotonic() - trimmed > TRIM_LOGS_SECONDS:
                keep_logs_small(self.logs)
                trimmed = time.monotonic()
            time.sleep(LOOK_SECONDS)

    def _wait_until_ready(self, part: Part) -> None:
        until = time.monotonic() + READY_SECONDS
        while not part.is_ready():
            if self._asked_to_stop:
                raise Stopped
            if part.is_dead():
                raise CannotStart(f"The {part.name} {part.how_it_ended()} at its start. {_last_line(part.log)}")
            if time.monotonic() > until:
                raise CannotStart(f"The {part.name} does not answer after {READY_SECONDS:g} s. Its log: {part.log}")
            time.sleep(0.02)

    def _look_at_torch(self) -> None:
        if self.torch_check is None or self.torch_check.poll() is None:
            return
        check, self.torch_check = self.torch_check, None
        _, errors = check.communicate()
        if check.returncode != 0:
            reason = errors.strip().splitlines()[-1] if errors.strip() else f"status {check.returncode}"
            raise CannotStart(f"PyTorch cannot be loaded, so nothing can be trained: {reason}")

    def _stop(self) -> None:
        for part in reversed(self.parts):
            if not part.serves_the_others:
                part.ask_to_stop()  # All at once, since each takes its second or two.
        for part in reversed(self.parts):
            part.stop()
        if self.torch_check is not None:
            self.torch_check.kill()
            self.torch_check.communicate()

    @contextlib.contextmanager
    def _signals_noted(self) -> Iterator[None]:
        def note(number: int, frame: FrameType | None) -> None:
            self._asked_to_stop = True

        before: dict[signal.Signals, Any] = {number: signal.signal(number, note) for number in _STOPPING_SIGNALS}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def start_torch_check() -> subprocess.Popen[str]:
    """Loads PyTorch once beside everything else: a missing C library is then one line here, not a puzzle in a log.

    It takes seconds of a core, which it leaves to whoever wants to work.
    """
    return subprocess.Popen(
        [sys.executable, "-c", "import os; os.nice(19); import torch"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=die_with_parent(),
    )


def _last_line(log: Path) -> str:
    with log.open("rb") as file:
        file.seek(max(0, os.fstat(file.fileno()).st_size - 4096))
        lines = file.read().decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else f"Its log is empty: {log}"
