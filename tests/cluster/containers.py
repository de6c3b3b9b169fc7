"""A container's command as processes: started, killed with all that it started, stopped and started again."""

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.cluster.deploy_files import ROOT
from webapp.parent_death import die_with_parent


@dataclass
class Container:
    """grace: seconds that it has to end by itself when it is stopped. log: takes what it writes."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    grace: float
    process: psutil.Popen | None = None

    def start(self) -> None:
        """From the main thread, since it ends with the thread that started it."""
        with self.log.open("ab") as log:
            self.process = psutil.Popen(
                [*self.command], cwd=ROOT, env=dict(self.environment), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True, preexec_fn=die_with_parent(),
            )  # fmt: skip

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """All its processes at once, as the kernel does it to a container."""
        assert self.process is not None and self.is_running, f"{self.name} has ended{self.said()}"
        family = [self.process, *self.process.children(recursive=True)]
        for each in family:
            try:
                each.send_signal(signal.SIGKILL)
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(family, timeout=10)

    def stop(self) -> bool:
        """As `docker stop`: TERM to the first process, and KILL to all after the grace; whether that was not needed."""
        assert self.process is not None and self.is_running, f"{self.name} has ended{self.said()}"
        family = [self.process, *self.process.children(recursive=True)]
        self.process.terminate()
        _, alive = psutil.wait_procs([self.process], timeout=self.grace)
        if alive:
            self.kill()
            return False
        _, left = psutil.wait_procs(family, timeout=2)
        for each in left:
            each.kill()
        return not left

    def run(self, seconds: float) -> None:
        """One that does something and ends."""
        self.start()
        self.wait(seconds)

    def wait(self, seconds: float) -> None:
        assert self.process is not None
        status = self.process.wait(timeout=seconds)
        assert status == 0, f"{self.name} ended with status {status}{self.said()}"

    def said(self) -> str:
        """The end of its log, for messages."""
        text = self.log.read_text(errors="replace")[-1500:] if self.log.exists() else ""
        return f"\n--- {self.name}\n{text}"


def seconds_of(text: str | None) -> float:
    """As Compose writes a duration; ten seconds where nothing is said."""
    units = {"h": 3600.0, "m": 60.0, "s": 1.0}
    total, number = 0.0, ""
    for sign in text or "10s":
        if sign in units:
            total, number = total + float(number) * units[sign], ""
        else:
            number += sign
    return total


def wait_until(holds: object, seconds: float, what: str) -> None:
    """holds: a function without arguments."""
    assert callable(holds)
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, what
        time.sleep(0.05)


def outer_environment() -> dict[str, str]:
    """What every process of this machine needs to find its programs; nothing else of ours reaches a container."""
    return {"PATH": os.environ["PATH"]}
