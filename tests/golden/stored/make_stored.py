"""Stores what an earlier version of this program leaves when it is killed, as a zip beside this file.

    python tests/golden/stored/make_stored.py issue-3

A clone of that version runs `manage.py up` on a data folder of its own. Searches and trainings are begun and, each in
the middle of something, struck: all processes get `kill -9`. What is left, database and store, goes into the zip,
together with what the same version gives for the same configurations when nothing happens to it.
"""

import argparse
import contextlib
import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import torch

from tests.faults.arithmetic import arithmetic

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
COMMITS = {"issue-2": "007bd07", "issue-3": "320424b", "issues-4-5": "61694b3"}  # The last ones of each state.
START_SECONDS, MOMENT_SECONDS, END_SECONDS = 90.0, 120.0, 300.0
HOST = "import socket\nsocket.gethostname = lambda: 'stored-host'\n"  # Names of workers stand in events.

Events = list[dict[str, Any]]

SMALL: dict[str, Any] = {
    "space": {"blocks": 1},
    "strategy": {"kind": "ppo", "step_size": 3, "hidden_size": 8},
    "child": {"normal_cells": 1, "reductions": 1, "filters": 4},
    "recipe": {"epochs": 4, "batch_size": 50},
    "data": {"image_size": 8, "train_examples": 2000, "held_out_examples": 100},
    "budget": {"children": 6},
}
SHARED: dict[str, Any] = {
    "method": "enas-macro",
    "space": {"layers": 3},
    "strategy": {"kind": "reinforce", "step_size": 4, "hidden_size": 8},
    "supernet": {"filters": 4},
    "shared": {"epochs": 2, "batch_size": 20},
    "phases": {"rounds": 20, "score_batch": 50},
    "deriving": {"candidates": 4, "train": 1},
    "data": {"image_size": 8, "train_examples": 400, "held_out_examples": 100},
    "derived": {"kind": "macro", "filters": 4},
    "derived_recipe": {"epochs": 1},
}
CELL = {"blocks": [{"inputs": [0, 1], "operations": ["identity", "conv_3x3"], "combination": "add"}], "concat": [2]}
ARCHITECTURE = {"format": 1, "kind": "cells", "normal": CELL, "reduction": CELL}
RANDOM = {"kind": "random", "step_size": 2}
TRAINING: dict[str, Any] = {
    "layout": {"normal_cells": 1, "reductions": 1, "filters": 4},
    "recipe": {"epochs": 4, "batch_size": 50},
    "data": {"image_size": 8, "train_examples": 2000, "held_out_examples": 100},
}


@dataclass(frozen=True)
class Stored:
    """A search or training and what is done to it: `strike` once `moment` is there."""

    name: str
    kind: str  # Of the API's addresses.
    config: dict[str, Any]
    moment: Callable[[Events], bool]
    strike: str = "pause"  # Or "stop", "kill": only killed, or "": nothing.


def is_in_a_child_of_step_1(events: Events) -> bool:
    return any(event["kind"] == "epoch_ended" and event["step"] == 1 for event in events)


def has_ended(events: Events) -> bool:
    return events[-1]["kind"] == "state_changed"


def has(kind: str, times: int = 1) -> Callable[[Events], bool]:
    return lambda events: sum(event["kind"] == kind for event in events) >= times


def what_is_stored(state: str) -> list[Stored]:
    """What this version can do, in the order in which it is begun; the last one is running when all is killed."""
    stored = [
        Stored("finished", "searches", {**SMALL, "budget": {"children": 2}, "strategy": RANDOM}, has_ended, ""),
        Stored("stopped in a child", "searches", SMALL, is_in_a_child_of_step_1, "stop"),
        Stored("training paused", "trainings", {**TRAINING, "architecture": ARCHITECTURE}, has("epoch_ended", 2)),
        Stored("paused in a child", "searches", {**SMALL, "reproducibility": {"seed": 4}}, is_in_a_child_of_step_1),
    ]
    if state != "issue-2":
        finals = {"finals": {"children": 2, "epochs": 3, "normal_cells": 1, "filters": 4}, "budget": {"children": 3}}
        stored.append(Stored("paused in the final round", "searches", {**SMALL, **finals}, has("finalist_epoch_ended")))
        bounded = {**SMALL, "bounds": {"parameters": 4000}, "strategy": {**SMALL["strategy"], "lookahead": 1}}
        stored.append(Stored("paused with a bound", "searches", bounded, is_in_a_child_of_step_1))
    if state == "issues-4-5":
        stored.append(Stored("paused with shared weights", "searches", SHARED, has("shared_epoch_ended")))
        later = {**SHARED, "reproducibility": {"seed": 7}}
        stored.append(Stored("paused after a phase", "searches", later, has("controller_phase_ended")))
    return [*stored, Stored("killed in a child", "searches", SMALL, is_in_a_child_of_step_1, "kill")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("state", choices=COMMITS)
    state = parser.parse_args().state
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder / "program")], check=True)
        subprocess.run(["git", "checkout", "--quiet", COMMITS[state]], cwd=folder / "program", check=True)
        (folder / "host").mkdir()
        (folder / "host" / "sitecustomize.py").write_text(HOST)
        expected = undisturbed(folder, state)
        for stored in what_is_stored(state):
            begin_and_strike(folder, stored)
        pack(state, folder / "struck", expected)


def begin_and_strike(folder: Path, stored: Stored) -> None:
    """Let it come to its moment, strike, and kill everything."""
    with running(folder, "struck") as client:
        address = begin(client, stored)
        wait(client, address, stored.moment, MOMENT_SECONDS)
        if stored.strike in ("pause", "stop"):
            client.post(f"{address}/{stored.strike}").raise_for_status()


def undisturbed(folder: Path, state: str) -> dict[str, dict[str, Any]]:
    """What the same version gives for the same configurations: fingerprint, or accuracy and epochs, by name."""
    found = {}
    with running(folder, "undisturbed") as client:
        addresses = {stored.name: begin(client, stored) for stored in what_is_stored(state)}
        for name, address in addresses.items():
            wait(client, address, has_ended, END_SECONDS)
            reply = client.get(address).json()
            assert reply["state"] == "finished", reply
            wanted = ("fingerprint", "test_accuracy", "held_out_accuracy")
            found[name] = {each: reply[each] for each in wanted if each in reply}
    return found


def begin(client: httpx.Client, stored: Stored) -> str:
    answer = client.post(f"/api/{stored.kind}", json={"config": {**stored.config, "name": stored.name}})
    assert answer.status_code == 201, f"{stored.name}: {answer.text}"
    return f"/api/{stored.kind}/{answer.json()['id']}"


def wait(client: httpx.Client, address: str, moment: Callable[[Events], bool], seconds: float) -> None:
    until = time.monotonic() + seconds
    while not moment(client.get(f"{address}/events", params={"after": 0, "limit": 500}).json()["events"]):
        assert time.monotonic() < until, f"{address} did not come to its moment"
        time.sleep(0.03)


@contextlib.contextmanager
def running(folder: Path, data: str) -> Iterator[httpx.Client]:
    """That version with this data folder, and a client of it. At the end of the block all its processes are killed."""
    program, output = folder / "program", folder / "up.txt"
    environment = {name: value for name, value in os.environ.items() if name not in ("REDIS_URL", "DATABASE_URL")}
    environment |= {"CELLWRIGHT_DATA": str(folder / data), "PYTHONPATH": str(folder / "host"), "PYTHONUNBUFFERED": "1"}
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    with output.open("w") as file:
        supervisor = psutil.Popen(
            [sys.executable, "manage.py", "up", "--port", port, "--workers", "2"], cwd=program, env=environment,
            stdout=file, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip
    try:
        until = time.monotonic() + START_SECONDS
        while re.search(r"http://\S+/sign-in/\S+", output.read_text()) is None:
            assert supervisor.poll() is None and time.monotonic() < until, output.read_text()
            time.sleep(0.1)
        command = [sys.executable, "manage.py", "token", "stored"]
        made = subprocess.run(command, cwd=program, env=environment, check=True, capture_output=True, text=True)
        headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30) as client:
            yield client
    finally:
        family = [supervisor, *supervisor.children(recursive=True)]
        for process in family:
            with contextlib.suppress(psutil.Error):
                process.send_signal(signal.SIGKILL)
        psutil.wait_procs(family, timeout=10)


def pack(state: str, data: Path, expected: dict[str, dict[str, Any]]) -> None:
    """The database, the files that its rows name, and what is expected; no secret, no log, no download."""
    database = data / "database"
    with contextlib.closing(sqlite3.connect(data / "cellwright.sqlite3")) as source:
        for table in ("django_session", "accounts_apitoken"):
            with contextlib.suppress(sqlite3.OperationalError):
                source.execute(f"DELETE FROM {table}")
        source.commit()
        source.execute("VACUUM INTO ?", (str(database),))
        named = "\n".join(source.iterdump())
    about = {"state": state, "commit": COMMITS[state], "torch": torch.__version__, "arithmetic": arithmetic()}
    with zipfile.ZipFile(HERE / f"{state}.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("expected.json", json.dumps({**about, "undisturbed": expected}, indent=1))
        archive.write(database, "cellwright.sqlite3")
        for path in sorted((data / "artifacts").glob("??/*")):
            if path.parent.name + path.name in named:
                archive.write(path, f"artifacts/{path.parent.name}/{path.name}")
    print(f"{HERE / state}.zip has {(HERE / f'{state}.zip').stat().st_size:,} bytes.")


if __name__ == "__main__":
    main()
