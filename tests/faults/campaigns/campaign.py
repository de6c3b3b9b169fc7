"""What a campaign is: a sort of harm, what must hold under it, and a generator of runs.

A campaign is a file beside this one that ends with `CAMPAIGN = Campaign(...)`, and a line in `CAMPAIGNS`. It runs in a
process of its own (`one.py`) with a fresh data folder: Django is set up before the file is imported, so that it may
import models, and the database is there where the campaign asks for it. Everything random in it comes from the seed.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

# Small: seconds, in `make test`. Large: minutes to an hour, by `make faults SIZE=large`.
Size = Literal["small", "large"]

CAMPAIGNS = {  # By name, in the order in which they run: the module.
    "kills": "tests.faults.campaigns.kills",
    "broker": "tests.faults.campaigns.broker",
    "frozen": "tests.faults.campaigns.frozen",
    "simulation": "tests.faults.campaigns.simulation",
    "storage": "tests.faults.campaigns.storage",
    "writers": "tests.faults.campaigns.writers",
    "live": "tests.faults.campaigns.live",
    "postgres": "tests.faults.campaigns.postgres",
    "clock": "tests.faults.campaigns.clock",
    "races": "tests.faults.campaigns.races",
    "clients": "tests.faults.campaigns.clients",
    "stored": "tests.faults.campaigns.stored",
    "children": "tests.faults.campaigns.children",
    "damage": "tests.faults.campaigns.damage",
    "ending": "tests.faults.campaigns.ending",
}


@dataclass(frozen=True, kw_only=True)
class Run:
    """One line of the report.

    what: a phrase that tells this run from the campaign's others. counts: what was done, and how often ("kills of a
    trainer": 31), and what was measured ("median seconds to recover": 5.2): the report adds up whole numbers over all
    runs of a campaign, and gives the range of the others. problems: what did not hold, a sentence each; [] means that
    everything held. seed: where it is another than the campaign's own. skipped: why the run could
    not be made on this machine; then nothing is claimed.
    """

    what: str
    counts: Mapping[str, int | float | str]
    problems: list[str]
    seed: int | None = None
    skipped: str | None = None


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """harm, holds: what is done and what must hold, each a sentence for the report.

    run(seed, size, folder): does it, a `Run` at a time. folder: empty, for this campaign alone, removed afterwards.
    wants_database: whether the database of this process, a file of its own, is made before the start.
    minutes: about how long the large size takes on a quiet machine of two cores.
    is_tested_by: the test file that does the small size already, so that `make test` does not do it twice.
    """

    harm: str
    holds: str
    run: Callable[[int, Size, Path], Iterator[Run]]
    minutes: float
    wants_database: bool = False
    is_tested_by: str = ""
