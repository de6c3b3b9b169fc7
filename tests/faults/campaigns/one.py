"""One campaign in a process of its own: `python -m tests.faults.campaigns.one NAME SEED SIZE FOLDER`.

Prints a JSON line for each run, on what was standard output when it began; everything else goes to standard error.
A crash of the campaign is a traceback and a status other than 0, which the harness reports as a problem.
"""

import importlib
import json
import logging
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path

from tests.faults.campaigns.campaign import CAMPAIGNS, Campaign


def main(name: str, seed: str, size: str, folder: str) -> None:
    lines = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    campaign = prepared(name, Path(folder))
    place = Path(folder) / "campaign"
    place.mkdir()
    began = time.monotonic()
    for run in campaign.run(int(seed), size, place):
        ended = time.monotonic()
        seconds = round(ended - began, 1)
        found = {"campaign": name, "size": size} | asdict(run) | {"seed": int(seed) if run.seed is None else run.seed}
        print(json.dumps(found | {"seconds": seconds}), file=lines, flush=True)
        began = ended


def prepared(name: str, folder: Path) -> Campaign:
    """The campaign, with Django set up on a data folder of its own."""
    for variable in ("DATABASE_URL", "REDIS_URL"):
        os.environ.pop(variable, None)
    os.environ["CELLWRIGHT_DATA"] = str(folder / "data")
    os.environ["DJANGO_SETTINGS_MODULE"] = "webapp.settings"
    import django
    from django.core.management import call_command

    django.setup()
    logging.getLogger("httpx").setLevel(logging.WARNING)  # It writes a line for each question.
    campaign: Campaign = importlib.import_module(CAMPAIGNS[name]).CAMPAIGN
    if campaign.wants_database:
        call_command("migrate", verbosity=0, interactive=False)
    return campaign


if __name__ == "__main__":
    main(*sys.argv[1:])
