"""A database in memory for simulated worlds: its tables are made once in a process, and it is empty again in a moment.

Unlike a test's own transaction it commits, so that what the program does behind a commit is done.
"""

import copy
import functools
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.core.management import call_command
from django.db import connections
from django.db.backends.sqlite3.base import DatabaseWrapper

Empty = Callable[[], None]


@contextmanager
def memory_database() -> Iterator[Empty]:
    """Inside, Django's database is one in memory that has all tables and no rows; the value empties it again."""
    before = connections["default"]
    connections["default"] = _new_database()
    try:
        _empty()
        yield _empty
    finally:
        connections["default"].connection.close()
        connections["default"] = before


def _empty() -> None:
    pristine = _with_all_tables()
    database = connections["default"]
    if database.connection is not None:
        database.connection.close()
    database.connect()
    pristine.backup(database.connection)


@functools.cache
def _with_all_tables() -> sqlite3.Connection:
    """A database that nobody writes to, as migrations leave it."""
    before = connections["default"]
    connections["default"] = database = _new_database()
    try:
        call_command("migrate", verbosity=0, interactive=False)
        pristine = sqlite3.connect(":memory:")
        database.connection.backup(pristine)
        database.connection.close()
    finally:
        connections["default"] = before
    return pristine


def _new_database() -> DatabaseWrapper:
    settings = copy.deepcopy(connections["default"].settings_dict)
    settings |= {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:", "OPTIONS": {}}
    return DatabaseWrapper(settings, "default")
