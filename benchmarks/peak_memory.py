"""How much memory a computation takes at most, measured in a process of its own, where nothing was there before."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import psutil

from search_engine.process_memory import keeping_memory


def peak_elsewhere(module: str, *arguments: str) -> float:
    """What `python -m module --peak ARGUMENTS` prints: the megabytes that `peak_here` gives there, as a trainer."""
    command = [sys.executable, "-m", module, "--peak", *arguments]
    environment = keeping_memory(os.environ)
    finished = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300, env=environment)
    return float(finished.stdout)


def peak_here(compute: Callable[[], object]) -> float:
    """Megabytes that a computation takes at most, beyond what is there before it; once per process."""
    peak = peak_since_now()
    compute()
    return peak()


def peak_since_now() -> Callable[[], float]:
    """Asks for the megabytes that were taken at most since now, beyond what is there; once per process."""
    before = psutil.Process().memory_info().rss
    return lambda: (_highest_resident_bytes() - before) / 2**20


def _highest_resident_bytes() -> int:
    """Of this process since it began. Linux's getrusage would count the parent's memory at the fork."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError("this system does not tell the highest resident memory")
