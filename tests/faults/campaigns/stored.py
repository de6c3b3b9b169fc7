"""What earlier versions left when they were killed is brought to its end by today's program.

tests/golden/stored has one zip for each state that was resolved: the last version of it began searches and trainings
and was killed in the middle of them (make_stored.py). Its database is migrated, its pages are opened, its work is done
by a worker with a real trainer; it must end as that version ends it when nothing happens to it. So must folders of the
terminal, in which a command was killed and is given again.
"""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.faults.arithmetic import arithmetic
from tests.faults.campaigns.campaign import Campaign, Run, Size
from tests.faults.terminal_folders import said
from tests.running_application import ROOT

STORED = ROOT / "tests" / "golden" / "stored"
OLDEST = "issue-2.zip"
MOST_SECONDS = 600


def run(seed: int, size: Size, folder: Path) -> Iterator[Run]:
    """Nothing in it is random. The small size takes the oldest state, which goes through every migration."""
    everything = sorted(STORED.glob("*.zip"))
    for stored in everything if size == "large" else [STORED / OLDEST]:
        place = folder / stored.stem
        with zipfile.ZipFile(stored) as archive:
            archive.extractall(place)
        about = json.loads((place / "expected.json").read_text())
        yield gone_on(about, place) if "commands" in about else finished(about, place)


def gone_on(about: dict[str, Any], folder: Path) -> Run:
    """Commands of the terminal are given again in their folders; whether they end as they would have."""
    problems, is_same_machine = [], about["arithmetic"] == arithmetic()
    for name, command in about["commands"].items():
        try:
            found = said(command["arguments"], folder / name, ROOT)
        except subprocess.SubprocessError as error:
            problems.append(f"{name}: {error} {getattr(error, 'stderr', '')}")
            continue
        if is_same_machine and found != command["said"]:
            problems.append(f"{name}: it ends with {found}, and undisturbed with {command['said']}")
    how = "compared" if is_same_machine else "not compared: this machine computes otherwise"
    what = f"folders of the terminal of {about['state']}, version {about['commit']}"
    return Run(what=what, counts={how: len(about["commands"])}, problems=problems)


def finished(about: dict[str, Any], folder: Path) -> Run:
    what = f"{about['state']}, version {about['commit']}"
    environment = os.environ | {"CELLWRIGHT_DATA": str(folder)}
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.finish_stored", arithmetic()], cwd=ROOT, env=environment, text=True,
        capture_output=True, timeout=MOST_SECONDS,
    )  # fmt: skip
    if done.returncode:
        problem = f"The program ended with status {done.returncode}: {done.stderr[-1000:]}"
        return Run(what=what, counts={}, problems=[problem])
    answer = json.loads(done.stdout)
    return Run(what=what, counts=answer["counts"], problems=answer["problems"])


CAMPAIGN = Campaign(
    harm="Searches and trainings of the last version of every earlier resolved state were paused or killed in the"
    " middle of a child, a final round, shared weights or an epoch; today's program gets their database and files.",
    holds="The database migrates, pages open, all ends with the fingerprint, or the accuracy, that the earlier version"
    " gives undisturbed; rows and files are sound. On a machine that computes otherwise fingerprints are not compared.",
    run=run,
    minutes=2,
)
