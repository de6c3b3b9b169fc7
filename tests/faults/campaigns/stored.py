"""What earlier versions left when they were killed is brought to its end by today's program.

tests/golden/stored has one zip for each state that was resolved: the last version of it began searches and trainings
and was killed in the middle of them (make_stored.py). Its database is migrated, its pages are opened, its work is done
by a worker with a real trainer; it must end as that version ends it when nothing happens to it.
"""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

from tests.faults.arithmetic import arithmetic
from tests.faults.campaigns.campaign import Campaign, Run, Size
from tests.running_application import ROOT

STORED = ROOT / "tests" / "golden" / "stored"
MOST_SECONDS = 600


def run(seed: int, size: Size, folder: Path) -> Iterator[Run]:
    """Nothing in it is random, and both sizes are the same."""
    for stored in sorted(STORED.glob("*.zip")):
        yield finished(stored, folder / stored.stem)


def finished(stored: Path, folder: Path) -> Run:
    with zipfile.ZipFile(stored) as archive:
        archive.extractall(folder)
    about = json.loads((folder / "expected.json").read_text())
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
