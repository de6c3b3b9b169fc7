"""Seeds of the simulation in one process of pytest, and the bugs that it must find."""

import json
import logging
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
import torch

from tests.faults import real_engine
from tests.faults.planted_bugs import BUGS, WITHIN
from tests.faults.run_seeds import quick_folder, replay, simulated_worlds
from tests.running_application import ROOT

# CELLWRIGHT_SEEDS=1000 runs so many; a seed that fails there becomes a test of its own here.
SEEDS = int(os.environ.get("CELLWRIGHT_SEEDS", "30"))
BATCH = 30
FEWEST = 5  # In a batch: verdicts of each sort, and finalists trained again.
HARM = {
    "changed a bit of a file",
    "did not hear the answer",
    "disk refused a write, fsync or rename",
    "found no database",
    "froze",
    "gave three commands at once",
    "ring came several times",
    "ring was swallowed",
    "ring without a broker",
    "was delivered several times",
    "was faster",
    "was killed",
    "was killed between two acts",
    "was refused",
    "was set back",
    "was set forward",
}
WHAT_PEOPLE_DO = {"pause", "resume", "prioritise", "drain", "stop", "delete"}


@pytest.fixture
def simulated(db, tmp_path_factory):
    """A function that runs a seed. The log is silent: what is done is done on purpose."""
    logging.disable(logging.CRITICAL)
    place = quick_folder()
    with simulated_worlds(tmp_path_factory.mktemp("worlds") if place is None else _own_folder(place)) as run:
        yield run
    logging.disable(logging.NOTSET)


def _own_folder(place):
    folder = Path(place) / f"cellwright-worlds-{os.getpid()}"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_whatever_dies_the_search_computes_the_same(first, simulated):
    done = Counter()
    for seed in range(first, first + BATCH):
        report = simulated(seed)
        assert report.problems == [], replay(seed)
        done += report.counts
    assert done.keys() >= HARM | WHAT_PEOPLE_DO, "a simulation that does no harm proves nothing"
    assert sum(done[what] for what in HARM) >= 10 * BATCH
    assert done["child over a bound"] >= FEWEST and done["weighed child"] >= FEWEST
    assert min(done["did share"], done["did teach"], done["did derive"], done["did train"]) >= FEWEST
    assert done["did retrain"] >= FEWEST and done["result_kept"] >= 1
    assert done["file_damaged"] >= FEWEST and done["made the state of the controller again"] >= 1


def test_whatever_dies_the_real_controller_learns_the_same(simulated):
    torch.set_num_threads(1)  # A controller this small would only wait for its threads.
    for seed in range(3):
        report = simulated(seed, real_engine)
        assert report.problems == [], f"seed {seed}"
        assert report.counts["search finished"] > 0


def test_a_seed_has_one_history_whatever_ran_before_it(simulated):
    first, other, again = (simulated(seed) for seed in (11, 12, 11))
    assert first.history == again.history and first.digest == again.digest
    assert first.digest != other.digest


@pytest.mark.processes
def test_a_seed_has_one_history_in_every_process():
    """However Python mixes its hashes."""
    digests = [_digests_in_another_process(hash_seed) for hash_seed in ("1", "2")]
    assert digests[0] == digests[1] and len(digests[0]) == 4


def _digests_in_another_process(hash_seed):
    command = [sys.executable, "-m", "tests.faults.run_seeds", "20", "4"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | {"PYTHONHASHSEED": hash_seed}, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return json.loads(done.stdout)["digests"]


@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_found(bug, simulated):
    with BUGS[bug]():
        assert any(simulated(seed).problems for seed in range(WITHIN[BUGS[bug]]))
