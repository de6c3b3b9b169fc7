"""What tests/web/test_upgrade.py shows of SQLite holds of PostgreSQL, where an upgrade without a stop matters most."""

from pathlib import Path

import pytest

from tests.cluster.test_backup_under_load import postgres
from tests.faults.campaigns.by_pytest import run_tests
from tests.web.slow_sizes import long

pytestmark = pytest.mark.processes


@long
def test_an_earlier_version_can_write_into_todays_tables_of_postgresql(tmp_path: Path) -> None:
    with postgres() as url:
        ran = run_tests("upgrade", ["tests/web/test_upgrade.py"], tmp_path, {"DATABASE_URL": url})
    assert ran.problems == [] and ran.counts["tests"] > 20
