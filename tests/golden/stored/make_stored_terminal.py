"""Stores folders that the terminal of an earlier version leaves when it is killed, as a zip beside this file.

    python -m tests.golden.stored.make_stored_terminal issue-3

As make_stored, for `python -m search_engine search` and `train`: each is killed in the middle, and is done once without
that for what is expected.
"""

import json
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.arithmetic import arithmetic
from tests.faults.terminal_folders import said
from tests.golden.stored.make_stored import ARCHITECTURE, COMMITS, HERE, ROOT, SHARED, SMALL

MOMENT_SECONDS = 120.0
TRAIN = (
    "train architecture.json --data fashion-mnist-10k --cells 1 --reductions 1 --filters 4 --epochs 5 --image-size 8"
    " --train-examples 2000 --held-out-examples 100 --batch-size 50 --json --out out"
)


@dataclass(frozen=True)
class Folder:
    """A command in a folder, killed once its log has so many events of a kind."""

    name: str
    arguments: tuple[str, ...]
    file: str
    content: dict[str, Any]
    kind: str
    times: int


def what_is_stored(state: str) -> list[Folder]:
    search = ("search", "config.json", "--out", "out")
    stored = [
        Folder("search", search, "config.json", SMALL, "epoch_ended", 14),
        Folder("training", tuple(TRAIN.split()), "architecture.json", ARCHITECTURE, "epoch_ended", 2),
    ]
    if state != "issue-2":
        finals = {"finals": {"children": 2, "epochs": 3, "normal_cells": 1, "filters": 4}, "budget": {"children": 3}}
        stored.append(Folder("final round", search, "config.json", SMALL | finals, "finalist_epoch_ended", 2))
    if state == "issues-4-5":
        stored.append(Folder("shared weights", search, "config.json", SHARED, "shared_epoch_ended", 1))
    return stored


def main(state: str) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        program = folder / "program"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(program)], check=True)
        subprocess.run(["git", "checkout", "--quiet", COMMITS[state]], cwd=program, check=True)
        told = {}
        for stored in what_is_stored(state):
            undisturbed, struck = folder / "undisturbed" / stored.name, folder / "struck" / stored.name
            for place in (undisturbed, struck):
                place.mkdir(parents=True)
                (place / stored.file).write_text(json.dumps(stored.content))
            told[stored.name] = {
                "arguments": stored.arguments, "said": said(stored.arguments, undisturbed, program)
            }  # fmt: skip
            strike(stored, struck, program)
        pack(state, folder / "struck", told)


def strike(stored: Folder, place: Path, program: Path) -> None:
    """Kill it in the middle."""
    command = [sys.executable, "-m", "search_engine", *stored.arguments]
    process = subprocess.Popen(command, cwd=place, env={"PYTHONPATH": str(program)}, stdout=subprocess.DEVNULL)
    log, until = place / "out" / "events.jsonl", time.monotonic() + MOMENT_SECONDS
    while not (log.exists() and log.read_text().count(f'"kind": "{stored.kind}"') >= stored.times):
        assert process.poll() is None and time.monotonic() < until, f"{stored.name} did not come to its moment"
        time.sleep(0.01)
    process.kill()
    process.wait()


def pack(state: str, struck: Path, told: dict[str, Any]) -> None:
    path = HERE / f"terminal-{state}.zip"
    about = {"state": state, "commit": COMMITS[state], "arithmetic": arithmetic(), "commands": told}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("expected.json", json.dumps(about, indent=1))
        for file in sorted(struck.rglob("*")):
            archive.write(file, file.relative_to(struck))
    print(f"{path.name} has {path.stat().st_size:,} bytes.")


if __name__ == "__main__":
    main(sys.argv[1])
