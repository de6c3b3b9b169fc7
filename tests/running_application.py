"""The real application, started as a person starts it, with a data folder of its own."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from webapp.parent_death import die_with_parent

ROOT = Path(__file__).resolve().parents[1]
START_SECONDS = 90


@dataclass
class RunningApplication:
    """`manage.py up` with the link it printed."""

    supervisor: psutil.Popen
    link: str
    folder: Path

    @property
    def address(self) -> str:
        return self.link.split("/sign-in/")[0]


def start_application(
    folder: Path, *arguments: str, environment: Mapping[str, str] | None = None
) -> RunningApplication:
    """Start `manage.py up` on a free port and wait for its sign-in link.

    arguments: more of its command line; environment: what is set beside or instead of `environment_of`.
    """
    with (folder / "up.txt").open("w") as output:
        supervisor = psutil.Popen(
            [sys.executable, "manage.py", "up", "--port", str(free_port()), *arguments],
            cwd=ROOT,
            env=environment_of(folder) | dict(environment or {}),
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=die_with_parent(),
        )
    until = time.monotonic() + START_SECONDS
    while not (found := re.search(r"http://\S+/sign-in/\S+", (folder / "up.txt").read_text())):
        assert supervisor.poll() is None and time.monotonic() < until, (folder / "up.txt").read_text()
        time.sleep(0.05)
    return RunningApplication(supervisor, found.group(), folder)


def stop_application(application: RunningApplication) -> None:
    application.supervisor.send_signal(signal.SIGTERM)
    application.supervisor.wait(timeout=30)


def environment_of(folder: Path) -> dict[str, str]:
    """The environment of the application with this data folder, and of commands that speak to it."""
    ours = {name: value for name, value in os.environ.items() if name not in ("REDIS_URL", "DATABASE_URL")}
    return ours | {"CELLWRIGHT_DATA": str(folder), "PYTHONUNBUFFERED": "1"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
