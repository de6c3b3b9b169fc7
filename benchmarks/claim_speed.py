"""What a claim costs on PostgreSQL with 10,000 due jobs: `python -m benchmarks.claim_speed`, a JSON line.

`--explain` prints each statement of a claim with the plan that the server chose for it. The rows are those of searches
that the product's own functions began, with an engine that computes by hashing; 100,000 jobs that are done lie beside.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SEARCHES, STEP = 20, 500  # As many jobs are due as children in the first steps.
DONE = 100_000  # Jobs.
CLAIMS = 300  # Of a single process.
PROCESSES = 16
PAUSE_SECONDS = 1.0  # At most, between two claims of a process: as if children took half a second.
KINDS = ("learn", "evaluate", "retrain", "train", "share", "teach", "derive", "score")


def measure() -> dict[str, dict[str, float]]:
    """Milliseconds of a claim: median, p99 and cpu_ms (of the process that claims); and claims per_second.

    alone: of one process without a pause; workers: of 16 with children of half a second, which is as many claims as
    1,900 workers with children of a minute; pressed: of 16 without any pause. one_search, many_searches: whole children
    of no length (claim, beginning, verdict) that 16 processes get through, where they share a search and where not.
    """
    from tests.faults.postgres_server import running_server

    with tempfile.TemporaryDirectory() as folder, running_server() as server:
        environment = environment_of(Path(folder), server.url)
        _wait([_begin(environment, "--prepare")])
        return {
            "alone": _claimed(environment, 1, CLAIMS, 0.0),
            "workers": _claimed(environment, PROCESSES, CLAIMS // 5, PAUSE_SECONDS),
            "pressed": _claimed(environment, PROCESSES, CLAIMS // 5, 0.0),
            "many_searches": _claimed(environment, PROCESSES, CLAIMS // 15, 0.0, "--hand-in"),
            "one_search": _claimed(environment, PROCESSES, CLAIMS // 15, 0.0, "--hand-in", "--first"),
        }


def environment_of(folder: Path, database: str) -> dict[str, str]:
    ours = {"CELLWRIGHT_DATA": str(folder), "DATABASE_URL": database, "REDIS_URL": ""}
    return os.environ | ours | {"DJANGO_SETTINGS_MODULE": "webapp.settings"}


def _claimed(environment: dict[str, str], processes: int, claims: int, pause: float, *options: str) -> dict[str, float]:
    began = [_begin(environment, "--claims", str(claims), "--pause", str(pause), *options) for _ in range(processes)]
    told = [json.loads(line) for line in _wait(began)]
    seconds = sorted(second for one in told for second in one["seconds"])
    worked = statistics.mean(one["cpu_seconds"] for one in told) / claims
    return {
        "median": 1000 * statistics.median(seconds),
        "p99": 1000 * seconds[int(0.99 * len(seconds))],
        "cpu_ms": 1000 * worked,
        "per_second": sum(claims / one["in_all"] for one in told),
    }


def _begin(environment: dict[str, str], *arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "benchmarks.claim_speed", *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def _wait(processes: Sequence["subprocess.Popen[str]"]) -> list[str]:
    outputs = [process.communicate(timeout=600)[0] for process in processes]
    assert not any(process.returncode for process in processes), "a process that claims failed"
    return outputs


# --- In a process with the server's address ---


def _prepare() -> None:
    from django.core.management import call_command
    from django.db import connection

    from tests.faults import fake_engine
    from tests.faults.steady_worker import work_off
    from webapp.accounts.models import User
    from webapp.searches import lifecycle
    from webapp.searches.models import Job, Stream, Worker

    call_command("migrate", verbosity=0)
    owner = User.objects.create(name="owner")
    for seed in range(1, SEARCHES + 1):
        config = fake_engine.small_config(children=STEP, step_size=STEP, seed=seed)
        lifecycle.create_search(owner, config, decisions=fake_engine.DECISIONS, data=fake_engine.DATA)
    with tempfile.TemporaryDirectory() as folder:
        work_off(Path(folder), jobs=SEARCHES, kinds=("learn",))
    for stream in Stream.objects.all():
        done = (
            Job(stream=stream, kind="evaluate", step=9, slot=slot, state="done") for slot in range(DONE // SEARCHES)
        )
        Job.objects.bulk_create(done, batch_size=5000)
    for number in range(PROCESSES):
        Worker.objects.create(name=f"host:{number}", host="host", device="cpu", seen=time.time(), speed=[0, 1e-9, 0])
    assert Job.objects.filter(state="due").count() == SEARCHES * STEP
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")  # As the server does by itself where it runs for longer.


def _claim_again_and_again(claims: int, pause: float, *, hand_in: bool) -> None:
    """Each job is given back at once, so as many stay due; or handed in, as if a child took no time."""
    from webapp.searches import leases

    name, chance = f"host:{os.getpid() % PROCESSES}", random.Random(os.getpid())
    leases.claim(name, ())  # A connection, and what Django does once.
    seconds, worked, began = [], 0.0, time.monotonic()
    for _ in range(claims):
        time.sleep(pause * chance.random())
        sooner, computed = time.monotonic(), time.process_time()
        claim = leases.claim(name, KINDS)
        seconds.append(time.monotonic() - sooner)
        worked += time.process_time() - computed
        assert claim is not None, "nothing was due"
        if hand_in:
            _hand_in(claim)
        else:
            leases.release(claim.job_id, claim.fence)
    print(json.dumps({"seconds": seconds, "cpu_seconds": worked, "in_all": time.monotonic() - began}))


def _hand_in(claim: Any) -> None:
    """As a worker does, by whatever it claimed: a child as a rule."""
    from search_engine.runner import child_finished
    from tests.faults import fake_engine
    from webapp.searches import results
    from webapp.searches.models import Child

    child = Child.objects.get(search=claim.stream_id, step=claim.step, slot=claim.slot)
    evaluator = fake_engine.FakeEvaluator(fake_engine.small_config(epochs=1))
    held = claim.job_id, claim.fence
    results.record_started(*held)
    verdict = child_finished(evaluator.verdict(claim.step, claim.slot, child.hash))
    results.record_child(*held, verdict, evaluator.epoch(claim.step, claim.slot, 1))


def _put_one_first() -> None:
    """From now on everybody works on one search."""
    from webapp.searches import lifecycle
    from webapp.searches.models import Stream

    lifecycle.prioritise(Stream.objects.order_by("created").values_list("pk", flat=True)[0], 1)


def _explain() -> None:
    from django.db import connection

    from webapp.searches import leases

    statements: list[tuple[str, Any]] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        statements.append((sql, params))
        return execute(sql, params, many, context)

    leases.claim("host:0", ())
    with connection.execute_wrapper(note):
        leases.claim("host:0", KINDS)
    with connection.cursor() as cursor:
        for sql, params in statements:
            print(f"\n{sql.strip()}\n    with {params}")
            if sql.lstrip().startswith("SELECT"):
                cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS) {sql}", params)
                print("\n".join(f"    {line}" for (line,) in cursor.fetchall()))


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.claim_speed", description=__doc__)
    parser.add_argument("--explain", action="store_true", help="print the statements of a claim, with their plans")
    for inner in ("--prepare", "--plans"):
        parser.add_argument(inner, action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--claims", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--pause", type=float, default=0.0, help=argparse.SUPPRESS)
    parser.add_argument("--hand-in", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--first", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if not (options.prepare or options.plans or options.claims):
        print(_explained() if options.explain else json.dumps(measure()))
        return
    import django

    django.setup()
    if options.prepare:
        _prepare()
    elif options.plans:
        _explain()
    else:
        if options.first:
            _put_one_first()
        _claim_again_and_again(options.claims, options.pause, hand_in=options.hand_in)


def _explained() -> str:
    from tests.faults.postgres_server import running_server

    with tempfile.TemporaryDirectory() as folder, running_server() as server:
        environment = environment_of(Path(folder), server.url)
        _wait([_begin(environment, "--prepare")])
        return _wait([_begin(environment, "--plans")])[0]


if __name__ == "__main__":
    main(sys.argv[1:])
