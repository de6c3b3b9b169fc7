"""A byte is flipped in a file that a job goes on from: checkpoints, controllers, shared weights, at seeded offsets."""

import logging
import os
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import patch

from django.conf import settings

from tests.faults.campaigns.campaign import Campaign, Run, Size
from tests.faults.damaged_streams import damages, flip, gone_on_from, problems, work, work_until_a_second_checkpoint
from tests.faults.small_streams import start
from webapp.accounts.models import User
from webapp.searches import artifacts
from webapp.searches.models import Job, Search, Stream

FLIPS = {"small": 18, "large": 1000}
CHECKPOINTS = (
    ("search", "evaluate"), ("search", "retrain"), ("training", "train"), ("shared search", "share"),
    ("shared search", "teach"),
)  # fmt: skip
# Of a search before this job: which of its files, which one was before it, and what the log calls it.
WEIGHTS = ("weights", "weights_before", "file of the shared weights")
STRATEGY = ("strategy_state", "strategy_before", "state of the controller")
FILES = (
    ("search", "learn", 0, STRATEGY), ("search", "learn", 1, STRATEGY), ("shared search", "teach", 0, WEIGHTS),
    ("shared search", "teach", 0, STRATEGY), ("shared search", "share", 1, WEIGHTS),
    ("shared search", "share", 1, STRATEGY), ("shared search", "teach", 1, WEIGHTS),
    ("shared search", "teach", 1, STRATEGY), ("shared search", "derive", -1, WEIGHTS),
    ("shared search", "derive", -1, STRATEGY),
)  # fmt: skip


def run(seed: int, size: Size, folder: Path) -> Iterator[Run]:
    logging.getLogger("webapp").setLevel(logging.CRITICAL)
    counts: Counter[str] = Counter()
    found: list[str] = []
    for number in range(FLIPS[size]):
        chance = random.Random(f"damage:{seed}:{number}")
        place = folder / str(number)
        settings.ARTIFACTS_DIR = place / "store"
        with patch.object(os, "fsync", lambda descriptor: None):
            cases = (_checkpoint_problems(chance, place, counts), _file_problems(chance, place, counts))
            found += [f"flip {number}: {problem}" for problem in cases[number % 2]]
        Stream.objects.all().delete()
        User.objects.all().delete()
        shutil.rmtree(place)
        counts["bytes flipped"] += 1
    yield Run(what="one flipped byte", counts=dict(counts), problems=found)


def _checkpoint_problems(chance: random.Random, folder: Path, counts: Counter[str]) -> Iterator[str]:
    """The checkpoint of a job whose trainer died: the one before it is used."""
    kind, job_kind = chance.choice(CHECKPOINTS)
    start(kind)
    job = work_until_a_second_checkpoint(folder, job_kind)
    before = str(artifacts.local_path(job.checkpoint_before))
    flip(job.checkpoint, chance)
    used = gone_on_from(work(folder), job)
    if used != before:
        yield f"{job.what} goes on from {used}, not from the checkpoint before"
    yield from _told(f"checkpoint of {job.what}", False)
    counts[f"checkpoint, {job_kind}"] += 1


def _file_problems(chance: random.Random, folder: Path, counts: Counter[str]) -> Iterator[str]:
    """A file that a search goes on from: it is computed again from the one before, or from the rewards."""
    kind, job_kind, step, (name, before, called) = chance.choice(FILES)
    start(kind)
    work(folder, until=lambda: Job.objects.filter(kind=job_kind, step=step, state="due").exists())
    search = Search.objects.get()
    flip(getattr(search, name), chance)
    work(folder)
    yield from _told(called, not getattr(search, before))
    counts[f"{called}, {job_kind}"] += 1


def _told(what: str, is_anew: bool) -> Iterator[str]:
    """The damage is in the log, and the search ends as the straight run."""
    if damages() != [(what, is_anew)]:
        yield f"the log tells of {damages()}, and the {what} was damaged"
    if problems() != ["finished"]:
        yield f"it ends {problems()}"


CAMPAIGN = Campaign(
    harm="One bit of one byte, at a seeded offset, of a checkpoint, a controller or a file of shared weights that the"
    " next job goes on from.",
    holds="It is noticed and told in the log; the file before it is used, or what it held is computed again to the same"
    " bytes; the search ends as the straight run.",
    run=run,
    minutes=6,
    wants_database=True,
)
