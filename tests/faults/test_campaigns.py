"""Every campaign of faults in its small size, as `make faults` runs it."""

import importlib

import pytest

from tests.faults.__main__ import lines_of
from tests.faults.campaigns.campaign import CAMPAIGNS

pytestmark = pytest.mark.processes
HERE = [name for name, module in CAMPAIGNS.items() if not importlib.import_module(module).CAMPAIGN.is_tested_by]


@pytest.mark.parametrize("name", HERE)
def test_what_must_hold_under_faults_holds(name: str) -> None:
    lines = list(lines_of(name, seed=0, size="small"))
    assert lines, "the campaign made no run"
    assert [line["problems"] for line in lines] == [[] for _ in lines]
