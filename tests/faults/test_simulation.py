import logging
import os
from collections import Counter

import pytest
import torch
from django.db import transaction

from tests.faults import fake_engine, real_engine
from tests.faults.simulation import simulate
from webapp.searches import leases, results, shared_results
from webapp.searches.models import Job
from webapp.searches.workers import reconciler

# CELLWRIGHT_SEEDS=1000 runs so many; a seed that fails there becomes a test of its own here.
SEEDS = int(os.environ.get("CELLWRIGHT_SEEDS", "80"))
BATCH = 10
FEWEST = 5  # In a batch: verdicts of each sort, and finalists trained again.


class Undone(Exception):
    """Ends a transaction that shall leave nothing behind."""


def simulated(seed, folder, engine=fake_engine):
    """The report of one seed, in a database that is empty before and after."""
    folder = folder / str(seed)
    folder.mkdir(parents=True, exist_ok=True)
    reports = []
    try:
        with transaction.atomic():
            reports.append(simulate(seed, folder, engine))
            raise Undone
    except Undone:
        return reports[0]


@pytest.fixture(autouse=True)
def quiet(caplog):
    caplog.set_level(logging.ERROR)


@pytest.mark.django_db
@pytest.mark.parametrize("first", range(0, SEEDS, BATCH))
def test_whatever_dies_the_search_computes_the_same(first, tmp_path):
    harm = Counter()
    for seed in range(first, first + BATCH):
        report = simulated(seed, tmp_path)
        assert report.problems == [], f"seed {seed}"
        harm += report.counts
    done = {
        "was killed",
        "was killed between two acts",
        "froze",
        "was refused",
        "was faster",
        "did not hear the answer",
    }
    assert done <= set(harm), "a simulation that does no harm proves nothing"
    assert harm["child over a bound"] >= FEWEST and harm["weighed child"] >= FEWEST
    assert min(harm["did share"], harm["did teach"], harm["did derive"]) >= FEWEST
    assert harm["did retrain"] >= FEWEST and harm["result_kept"] >= 1


@pytest.mark.django_db
def test_whatever_dies_the_real_controller_learns_the_same(tmp_path):
    torch.set_num_threads(1)  # A controller this small would only wait for its threads.
    for seed in range(3):
        report = simulated(seed, tmp_path, real_engine)
        assert report.problems == [], f"seed {seed}"
        assert report.counts["search finished"] > 0


@pytest.mark.django_db
def test_a_seed_has_one_history(tmp_path):
    first, again = (simulated(11, tmp_path / name) for name in ("first", "again"))
    assert first.digest == again.digest
    assert first.digest != simulated(12, tmp_path / "first").digest


@pytest.mark.django_db
def test_a_missing_guard_is_found(tmp_path, monkeypatch):
    def unguarded(job_id, fence):
        return Job.objects.get(pk=job_id)

    monkeypatch.setattr(leases, "holding", unguarded)
    monkeypatch.setattr(results, "holding", unguarded)
    monkeypatch.setattr(shared_results, "holding", unguarded)
    assert fails_within(10, tmp_path)


@pytest.mark.django_db
def test_a_lease_without_a_fence_is_found(tmp_path, monkeypatch):
    """Workers look whether their job is leased, and not to whom."""

    def fenceless(act):
        def careless(job_id, fence, *arguments):
            return act(job_id, Job.objects.get(pk=job_id).fence, *arguments)

        return careless

    monkeypatch.setattr(results, "holding", fenceless(leases.holding))
    monkeypatch.setattr(leases, "renew", fenceless(leases.renew))
    assert fails_within(10, tmp_path)


@pytest.mark.django_db
def test_a_lease_that_never_runs_out_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(reconciler, "expire_leases", lambda: None)
    assert fails_within(5, tmp_path)


def fails_within(seeds, folder):
    """Whether the simulation notices something in one of so many seeds: by its checks, or by an assertion."""
    for seed in range(seeds):
        try:
            if simulated(seed, folder).problems:
                return True
        except AssertionError:
            return True
    return False
