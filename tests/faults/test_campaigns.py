"""All campaigns of faults in their small size, as `make faults` runs them."""

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
    lines = list(lines_of(name, seed=0, size="small"))
    assert lines, "the campaign made no run"
    assert [line["problems"] for line in lines] == [[] for _ in lines]
