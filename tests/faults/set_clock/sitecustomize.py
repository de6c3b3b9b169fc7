"""Sets the clock of an application under test: what SQLite calls "now" is off by the seconds that a file says.

Python imports this by itself where the folder is in PYTHONPATH, so it reaches every process of the application. The
program is not touched: it asks its database for the time, as always, and the database's function answers otherwise.
Trainers have no database and are left alone.
"""

import os
import sys
import time
from pathlib import Path
from typing import Any

FILE = os.environ.get("CELLWRIGHT_SET_CLOCK", "")
UNIX_EPOCH, DAY = 2440587.5, 86400.0  # As a Julian day; seconds.


def _julian_day(moment: str) -> float:
    """In the place of SQLite's own."""
    if moment != "now":
        raise ValueError(f"nobody asks for the Julian day of {moment}")
    return UNIX_EPOCH + (time.time() + float(Path(FILE).read_text())) / DAY


def _replace(connection: Any, **_: Any) -> None:
    if connection.vendor == "sqlite":
        connection.connection.create_function("julianday", 1, _julian_day)


if FILE and "search_engine.trainer" not in sys.orig_argv:
    from django.db.backends.signals import connection_created

    connection_created.connect(_replace, weak=False)
