"""One supervised process: started, looked at, restarted when it dies, stopped with everything it started."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from webapp.parent_death import die_with_parent

FIRST_PAUSE_SECONDS = 0.5  # Before a dead part is started again; doubled each time it dies young.
LONGEST_PAUSE_SECONDS = 10.0
GROWN_UP_SECONDS = 30.0  # A part that lived that long starts again with the first pause.
SILENT_SECONDS = 10.0  # A server that the others need and that answers nobody for so long is replaced.
LARGEST_LOG_BYTES = 5 * 1024**2


@dataclass
class Part:
    """A process by name.

    prepare: called before each start; is_ready: whether it answers; stop_seconds: how long it may take to end by
    itself; serves_the_others: the others need it until they have ended, and one that falls silent is replaced.
    """

    name: str
    command: list[str]
    folder: Path
    log: Path
    environment: Mapping[str, str]
    prepare: Callable[[], object] = field(default=lambda: None)
    is_ready: Callable[[], bool] = field(default=lambda: True)
    stop_seconds: float = 3.0
    serves_the_others: bool = False
    process: subprocess.Popen[bytes] | None = None
    _started: float = 0.0
    _pause: float = FIRST_PAUSE_SECONDS
    _start_again: float | None = None
    _was_asked: bool = False
    _answered: float = 0.0

    def start(self) -> None:
        """Start it in a session of its own, so that Ctrl-C reaches the supervisor alone, which stops it in order."""
        self.prepare()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as output:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.folder,
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=die_with_parent(),
            )
        self._started = self._answered = time.monotonic()
        self._start_again, self._was_asked = None, False

    def is_dead(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def look_after(self) -> str | None:
        """Start it again if it died and its pause is over. Returns a line for the terminal when it has just died."""
        if not self.is_dead():
            self._end_if_silent()
            return None
        now = time.monotonic()
        if self._start_again is None:
            lived_long = now - self._started > GROWN_UP_SECONDS
            self._pause = FIRST_PAUSE_SECONDS if lived_long else self._pause
            self._start_again = now + self._pause
            line = f"The {self.name} {self.how_it_ended()}; it starts again in {self._pause:g} s. Its log: {self.log}"
            self._pause = min(2 * self._pause, LONGEST_PAUSE_SECONDS)
            self._kill_group()
            return line
        if now >= self._start_again:
            self.start()
        return None

    def _end_if_silent(self) -> None:
        """A server that others need is of no use when it lives but does not answer, its socket removed for instance."""
        now = time.monotonic()
        if not self.serves_the_others or now - self._answered < SILENT_SECONDS / 2:
            return
        if self.is_ready():
            self._answered = now
        elif now - self._answered > SILENT_SECONDS:
            self._kill_group()

    def how_it_ended(self) -> str:
        assert self.process is not None
        status = self.process.returncode
        return f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"

    def ask_to_stop(self) -> None:
        """Once: to Celery a second request means to drop what it does."""
        if self.process is not None and self.process.poll() is None and not self._was_asked:
            self.process.terminate()
            self._was_asked = True

    def stop(self) -> None:
        """Ask it to end, then end it and everything in its session."""
        if self.process is None:
            return
        self.ask_to_stop()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout=self.stop_seconds)
        self._kill_group()
        self.process.wait()

    def _kill_group(self) -> None:
        assert self.process is not None
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)


def keep_logs_small(folder: Path) -> None:
    """Move a log's text aside once it is too long. The processes go on writing to the same file, at its new end."""
    for log in folder.glob("*.log"):
        if log.stat().st_size > LARGEST_LOG_BYTES:
            shutil.copyfile(log, log.with_suffix(".log.1"))
            os.truncate(log, 0)
