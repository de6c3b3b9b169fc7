"""Runs seeds of the simulation: `python -m tests.faults.run_seeds 0 1000` runs a thousand, a JSON line for each batch.

`python -m tests.faults.run_seeds 17 --history` replays one and prints all that happened in it. `--bug` plants a bug of
planted_bugs.
"""

import argparse
import json
import logging
import os
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

Line = dict[str, Any]
BATCH = 50


def main(arguments: list[str]) -> int:
    options = _parse(arguments)
    with tempfile.TemporaryDirectory(prefix="cellwright-seeds-", dir=quick_folder()) as folder:
        prepare_django(folder)
        with simulated_worlds(Path(folder)) as simulated, _planted(options.bug):
            if options.history:
                report = simulated(options.first)
                print("\n".join([*report.history, *report.problems, report.digest]))
                return 1 if report.problems else 0
            failed = False
            for first in range(options.first, options.first + options.count, BATCH):
                seeds = range(first, min(first + BATCH, options.first + options.count))
                line = batch(seeds, simulated)
                print(json.dumps(line), flush=True)
                failed = failed or bool(line["problems"])
    return 1 if failed else 0


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.run_seeds", description=__doc__)
    parser.add_argument("first", type=int, help="the first seed")
    parser.add_argument("count", type=int, nargs="?", default=1, help="how many (1)")
    parser.add_argument("--history", action="store_true", help="print all that happened in the first")
    parser.add_argument("--bug", help="one of planted_bugs.BUGS")
    return parser.parse_args(arguments)


def _planted(bug: str | None) -> AbstractContextManager[None]:
    from tests.faults.planted_bugs import BUGS

    return BUGS[bug]() if bug else nullcontext()


def batch(seeds: range, simulated: Callable[[int], Any]) -> Line:
    """One line: what was done in these seeds, digests of their histories, and what did not hold."""
    counts: Counter[str] = Counter()
    digests, problems, virtual = {}, [], 0.0
    began, worked = time.monotonic(), time.process_time()
    for seed in seeds:
        report = simulated(seed)
        counts += report.counts
        virtual += report.seconds
        digests[seed] = report.digest[:16]
        problems += [f"seed {seed}: {problem} Replay: {replay(seed)}" for problem in report.problems]
    seconds, computing = time.monotonic() - began, time.process_time() - worked
    return {
        "seeds": [seeds.start, seeds.stop], "counts": dict(sorted(counts.items())), "problems": problems,
        "virtual_seconds": round(virtual), "seconds": round(seconds, 2),
        "seconds_of_computing": round(computing, 2), "digests": digests,
    }  # fmt: skip


def replay(seed: int) -> str:
    return f"python -m tests.faults.run_seeds {seed} --history"


@contextmanager
def simulated_worlds(folder: Path) -> Iterator[Callable[..., Any]]:
    """A function that simulates a seed, each in an empty database and an empty folder inside this one."""
    from tests.faults.memory_database import memory_database
    from tests.faults.simulation import simulate

    with memory_database() as empty:

        def simulated(seed: int, *engine: Any) -> Any:
            empty()
            place = folder / f"seed-{seed}"
            place.mkdir()
            try:
                return simulate(seed, place, *engine)
            finally:
                shutil.rmtree(place)

        yield simulated


def quick_folder() -> str | None:
    """Files of simulated worlds need not outlive a loss of power."""
    return "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def prepare_django(folder: str) -> None:
    """Django without a database of its own and without a word in the log: what is done is done on purpose."""
    for variable in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(variable, None)
    os.environ |= {"CELLWRIGHT_DATA": f"{folder}/data", "DJANGO_SETTINGS_MODULE": "webapp.settings"}
    import django

    django.setup()
    logging.disable(logging.CRITICAL)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
