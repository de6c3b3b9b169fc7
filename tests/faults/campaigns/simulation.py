"""The simulation of a whole cluster with a virtual clock: thousands of seeds, one process for each core."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

from tests.faults.campaigns.campaign import Campaign, Run, Size
from tests.running_application import ROOT
from webapp.parent_death import die_with_parent

SEEDS: dict[Size, int] = {"small": 100, "large": 4000}
FIRST_OF_NEXT = 10**6  # Two campaigns of neighbouring seeds have no seed of the simulation in common.


def run(seed: int, size: Size, folder: Path) -> Iterator[Run]:
    """A run for each batch of seeds, in the order in which they end."""
    processes = os.cpu_count() or 1
    share = SEEDS[size] // processes
    lines: SimpleQueue[str | None] = SimpleQueue()
    for number in range(processes):
        first = seed * FIRST_OF_NEXT + number * share
        threading.Thread(target=_pass_on, args=(first, share, lines), daemon=True).start()
    left = processes
    while left:
        line = lines.get()
        if line is None:
            left -= 1
        else:
            yield _run_of(json.loads(line))


def _pass_on(first: int, count: int, lines: "SimpleQueue[str | None]") -> None:
    command = [sys.executable, "-m", "tests.faults.run_seeds", str(first), str(count)]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent()
    ) as process:  # fmt: skip
        assert process.stdout is not None
        told = 0
        for line in process.stdout:
            told += len(json.loads(line)["digests"])
            lines.put(line)
    if told < count:
        crash = f"The process ended with status {process.returncode} after {told} of {count} seeds from {first}."
        lines.put(json.dumps({"seeds": [first + told, first + count], "counts": {}, "problems": [crash]}))
    lines.put(None)


def _run_of(line: dict) -> Run:
    first, end = line["seeds"]
    figures = {
        "seeds": end - first, "virtual seconds": line.get("virtual_seconds", 0),
        "seconds of computing": line.get("seconds_of_computing", 0.0),
    }  # fmt: skip
    return Run(
        what=f"seeds {first} to {end - 1}", counts=figures | line["counts"], problems=line["problems"], seed=first
    )


CAMPAIGN = Campaign(
    harm="In a simulated cluster processes die at any statement and freeze, calls and messages come several times or"
    " never, replies are lost, disk, database and broker fail, bits of files change, the clock is set, and people give"
    " commands at any moment.",
    holds="Every search ends, or says why not, computes what one process without faults computes, and its rows, log and"
    " files agree.",
    run=run,
    minutes=15,
    is_tested_by="tests/faults/test_simulation.py",
)
