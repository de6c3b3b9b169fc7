"""What a child asks of database and broker, and what workers ask that rest: `python -m benchmarks.child_load`.

The real application on a PostgreSQL server of its own and its own broker, both of which count. Nobody watches a page.
"""

import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psutil
import psycopg
import redis

from benchmarks.application_searches import ApplicationSearches
from benchmarks.platform_cost import CHILDREN, SEARCH
from tests.faults.postgres_server import Server, running_server
from tests.running_application import RunningApplication, start_application, stop_application
from webapp.supervisor.broker import socket_path

FEW, MANY = 1, 3  # Workers.
REST_SECONDS = 60.0
LOOK_SECONDS = 5.0  # Between two looks whether the search has finished, which are statements as well.
COUNTS = """
select xact_commit, tup_inserted + tup_updated + tup_deleted,
       (select sum(calls) from pg_stat_statements where query not ilike 'begin%' and query not ilike 'commit%'),
       txid_current()
from pg_stat_database where datname = current_database()
"""
NAMES = "transactions", "rows_written", "statements", "write_transactions"


def measure() -> dict[str, dict[str, float]]:
    """child: of each child of a search with one worker, without what the application does at rest: transactions,
    write_transactions, rows_written, statements, database_ms (computing of the server), commands of the
    broker (and published, of these). seconds: how long a child took.

    rest: the same in a second of the application without work, with one worker; worker: what each further one adds,
    which is so little that it is lost between two counts of less than a minute.
    """
    with _counting_server() as server:
        with _application(server, FEW) as application:
            rest = _at_rest(application, server)
            child = _of_a_child(application, server, rest)
        with _application(server, MANY) as application:
            more = _at_rest(application, server)
    worker = {name: (more[name] - rest[name]) / (MANY - FEW) for name in rest}
    return {"child": child, "rest": rest, "worker": worker}


@contextmanager
def _counting_server() -> Iterator[Server]:
    with running_server() as server:
        with psycopg.connect(server.url, autocommit=True) as database:
            database.execute("alter system set shared_preload_libraries = 'pg_stat_statements'")
        server.stop("fast")
        server.start()
        server.wait_until_ready()
        with psycopg.connect(server.url, autocommit=True) as database:
            database.execute("create extension pg_stat_statements")
        yield server


@contextmanager
def _application(server: Server, workers: int) -> Iterator[RunningApplication]:
    """With workers that have loaded PyTorch and measured themselves."""
    with tempfile.TemporaryDirectory() as folder:
        options = "--workers", str(workers)
        application = start_application(Path(folder), *options, environment={"DATABASE_URL": server.url})
        try:
            _wait_for_speeds(server, workers)
            yield application
        finally:
            stop_application(application)


def _wait_for_speeds(server: Server, workers: int) -> None:
    until = time.monotonic() + 120
    with psycopg.connect(server.url, autocommit=True) as database:
        while time.monotonic() < until:
            row = database.execute("select count(*) from searches_worker where speed::text <> '[]'").fetchone()
            if row is not None and row[0] >= workers:
                return
            time.sleep(1)
    raise AssertionError("a worker did not say how quick it is")


def _at_rest(application: RunningApplication, server: Server) -> dict[str, float]:
    """In a second."""
    began, before = time.monotonic(), _counted(application, server)
    time.sleep(REST_SECONDS)
    after, seconds = _counted(application, server), time.monotonic() - began
    return {name: (after[name] - before[name]) / seconds for name in after}


def _of_a_child(application: RunningApplication, server: Server, rest: dict[str, float]) -> dict[str, float]:
    with closing(ApplicationSearches(application)) as searches:
        searches.finished(searches.start(SEARCH))  # The first search waits for the data.
        before, began = _counted(application, server), time.monotonic()
        search = searches.start(SEARCH)
        while searches.told(search)["state"] != "finished":
            time.sleep(LOOK_SECONDS)
        after, took = _counted(application, server), time.monotonic() - began
    found = {name: (after[name] - before[name] - rest[name] * took) / CHILDREN for name in after}
    return found | {"seconds": took / CHILDREN}


def _counted(application: RunningApplication, server: Server) -> dict[str, float]:
    time.sleep(2)  # Statistics are flushed once a second.
    with psycopg.connect(server.url, autocommit=True) as database:
        row = database.execute(COUNTS).fetchone()
    assert row is not None
    told = dict(zip(NAMES, map(float, row), strict=True))
    return told | _of_the_broker(application) | {"database_ms": _computing_ms(server)}


def _of_the_broker(application: RunningApplication) -> dict[str, float]:
    with redis.Redis.from_url(f"unix://{socket_path(application.folder)}") as broker:
        stats: dict[str, Any] = broker.info("commandstats")
    calls = Counter({name.removeprefix("cmdstat_"): float(one["calls"]) for name, one in stats.items()})
    return {"commands": calls.total() - calls["info"], "published": calls["publish"]}


def _computing_ms(server: Server) -> float:
    """Of all processes of the server, also of those that have ended."""
    main = next(one for one in psutil.process_iter(["cmdline"]) if _is_of(one.info["cmdline"], server))
    used = main.cpu_times()
    seconds = used.user + used.system + used.children_user + used.children_system
    for child in main.children(recursive=True):
        times = child.cpu_times()
        seconds += times.user + times.system
    return 1000 * seconds


def _is_of(command: list[str] | None, server: Server) -> bool:
    return command is not None and str(server.folder / "files") in command and command[0].endswith("postgres")


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
