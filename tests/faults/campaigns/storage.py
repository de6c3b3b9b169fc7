"""The disk refuses at any write, fsync or rename of a worker and its trainer."""

from collections.abc import Iterator
from pathlib import Path

from tests.faults.campaigns.by_pytest import run_tests
from tests.faults.campaigns.campaign import Campaign, Run, Size

TESTS = "tests/faults/test_storage_faults.py"


def run(seed: int, size: Size, folder: Path) -> Iterator[Run]:
    """Nothing in it is random: the large size refuses every call in turn."""
    every = {"CELLWRIGHT_FAULTS": "all"} if size == "large" else {}
    yield run_tests("every call that writes a file refuses once", [TESTS], folder, every)


CAMPAIGN = Campaign(
    harm="Disk full, over quota, file too large, damaged or read-only, at every write, fsync and rename in turn.",
    holds="The checkpoint before is whole; the search is paused with the reason, goes on by itself, computes the same"
    " and leaves no file without a row.",
    run=run,
    minutes=15,
    is_tested_by=TESTS,
)
