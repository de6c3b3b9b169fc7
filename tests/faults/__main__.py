"""`make faults`: harm is done to the program, campaign by campaign, and every run is a JSON line.

Ends with status 1 when anything did not hold. `python -m tests.faults --help` names the campaigns.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.faults.campaigns.campaign import CAMPAIGNS
from tests.running_application import ROOT
from webapp.parent_death import die_with_parent

Line = dict[str, Any]


def main(arguments: list[str]) -> int:
    options = _parse(arguments)
    told = {"commit": commit(), "machine": machine()}
    failed = False
    with open(options.out or os.devnull, "a", encoding="utf-8") as kept:
        for name in options.campaigns or CAMPAIGNS:
            for found in lines_of(name, options.seed, options.size):
                line = json.dumps(found | told)
                print(line, flush=True)
                print(line, file=kept, flush=True)
                failed = failed or bool(found["problems"])
    return 1 if failed else 0


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("campaigns", nargs="*", metavar="campaign", help=f"of {', '.join(CAMPAIGNS)}; all if none")
    parser.add_argument("--size", choices=("small", "large"), default="small", help="seconds, or minutes to an hour")
    parser.add_argument("--seed", type=int, default=0, help="of all that is random (0)")
    parser.add_argument("--out", type=Path, help="file to which the lines are added as well")
    options = parser.parse_args(arguments)
    if unknown := set(options.campaigns) - set(CAMPAIGNS):
        parser.error(f"no campaign is called {', '.join(sorted(unknown))}; there are {', '.join(CAMPAIGNS)}")
    return options


def lines_of(name: str, seed: int, size: str) -> Iterator[Line]:
    """The runs of a campaign, which has a process and a folder of its own. A crash of it is a line with a problem."""
    with tempfile.TemporaryDirectory(prefix=f"faults-{name}-", ignore_cleanup_errors=True) as folder:
        command = [sys.executable, "-m", "tests.faults.campaigns.one", name, str(seed), size, folder]
        with subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, text=True, preexec_fn=die_with_parent()
        ) as process:
            assert process.stdout is not None
            for text in process.stdout:
                yield json.loads(text)
        if process.returncode:
            crash = f"The campaign itself ended with status {process.returncode}; standard error says why."
            what = "the campaign to its end"
            yield {"campaign": name, "size": size, "what": what, "counts": {}, "problems": [crash], "seed": seed,
                   "skipped": None, "seconds": 0.0}  # fmt: skip


def commit() -> str:
    """What was tested, with a mark where files differ from it; "unknown" outside a clone."""
    found = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12", "--match", ""],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    return found.stdout.strip() or "unknown"


def machine() -> Line:
    """Facts that decide about times, without any name."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "system": platform.system(), "processor": platform.machine(), "cores": os.cpu_count(),
        "memory_gb": round(memory / 1024**3, 1), "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
    }  # fmt: skip


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
