"""The real application without workers, and its web process as it is looked at from outside."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.running_application import RunningApplication, environment_of, start_application, stop_application
from webapp.supervisor.broker import socket_path

LONGEST_COMMAND = 1800  # Seconds.


@contextmanager
def application_without_workers(folder: Path) -> Iterator[tuple[RunningApplication, psutil.Process]]:
    """The application with this data folder, and its web process."""
    application = start_application(folder, "--workers", "0")
    try:
        parts = application.supervisor.children()
        yield application, next(part for part in parts if "uvicorn" in " ".join(part.cmdline()))
    finally:
        stop_application(application)


@contextmanager
def on_one_core(process: psutil.Process) -> Iterator[None]:
    """Inside the block, this process has the first core; we, and whomever we start, have the others. Linux alone."""
    ours = os.sched_getaffinity(0)
    first, *others = sorted(ours)
    for thread in process.threads():  # Threads that come later have the cores of the one that starts them.
        os.sched_setaffinity(thread.id, {first})
    os.sched_setaffinity(0, others or [first])
    try:
        yield
    finally:
        os.sched_setaffinity(0, ours)


def cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def run_beside(application: RunningApplication, module: str, *arguments: str) -> str:
    """What `python -m module ARGUMENTS` prints, with the application's data folder and broker."""
    ours = {"REDIS_URL": f"unix://{socket_path(application.folder)}"}
    finished = subprocess.run(
        [sys.executable, "-m", module, *arguments], env=environment_of(application.folder) | ours, check=True,
        stdout=subprocess.PIPE, text=True, timeout=LONGEST_COMMAND,
    )  # fmt: skip
    return finished.stdout


def seeded(application: RunningApplication, children: int, *arguments: str) -> str:
    """The identifier of a search of so many children, made by benchmarks.seeded_search."""
    return run_beside(application, "benchmarks.seeded_search", "--children", str(children), *arguments).split()[-1]
