"""Runs seeds of the simulation in the database that the environment names: `python -m tests.faults.simulate_here 0 20`.

The database is emptied before each. Prints one JSON line: the counts of all seeds together, and what did not hold.
"""

import json
import logging
import os
import sys
import tempfile
from collections import Counter
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webapp.settings")

import django

django.setup()

from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402

from tests.faults.simulation import simulate  # noqa: E402


def main(first: int, count: int) -> None:
    call_command("migrate", verbosity=0)
    logging.disable(logging.CRITICAL)  # What is done is done on purpose.
    counts, problems = Counter[str](), []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(first, first + count):
            place = Path(folder) / str(seed)
            place.mkdir()
            call_command("flush", verbosity=0, interactive=False)
            report = simulate(seed, place)
            counts.update(report.counts)
            problems += [f"seed {seed}: {problem}" for problem in report.problems]
    print(json.dumps({"database": connection.vendor, "seeds": count, "counts": counts, "problems": problems}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
