"""The campaigns of faults for which `make test` has time, in their small size, as `make faults` runs them."""

import importlib

import pytest

from tests.faults.__main__ import lines_of
from tests.faults.campaigns.campaign import CAMPAIGNS

pytestmark = pytest.mark.processes


@pytest.mark.parametrize("name", CAMPAIGNS)
def test_what_must_hold_under_faults_holds(name: str) -> None:
    campaign = importlib.import_module(CAMPAIGNS[name]).CAMPAIGN
    if campaign.is_tested_by:
        pytest.skip(f"{campaign.is_tested_by} does it")
    if not campaign.in_make_test:
        pytest.skip("make faults does it: it would take make test beyond its time")
    lines = list(lines_of(name, seed=0, size="small"))
    assert lines, "the campaign made no run"
    assert [line["problems"] for line in lines] == [[] for _ in lines]
