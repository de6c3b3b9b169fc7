"""Many workers in virtual time: `python -m benchmarks.simulated_cluster --workers 64 --searches 8`, a JSON line.

The simulation of faults (tests/faults) without a fault: workers, reconciler, claims, leases, planner and log are the
product's, on a database in memory. Assumed is what a child takes (ten times as long as another, at most), what an
update takes (0.1 to 2 s), how long a ring is on its way (up to 0.3 s), and up to 0.1 s between a claim and the first
step of training.
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.faults.run_seeds import prepare_django

CHILD_SECONDS = 10.0, 100.0  # At least and at most; evenly spread on a logarithmic scale, so 39 on average.
LONGEST_SECONDS = 3600  # That a simulation may take.


@dataclass(frozen=True, slots=True)
class Span:
    """What a worker did from one virtual moment to another."""

    worker: str
    began: float
    ended: float


def measure(*, workers: int, searches: int, children: int, step: int, lookahead: int = 1) -> dict[str, Any]:
    """As `told`, out of a process of its own."""
    options = {"workers": workers, "searches": searches, "children": children, "step": step, "lookahead": lookahead}
    arguments = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    command = [sys.executable, "-m", "benchmarks.simulated_cluster", *arguments]
    finished = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True, timeout=LONGEST_SECONDS)
    found: dict[str, Any] = json.loads(finished.stdout)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.simulated_cluster", description=__doc__)
    parser.add_argument("--workers", type=int, default=10)
    parser.add_argument("--searches", type=int, default=1)
    parser.add_argument("--children", type=int, default=200, help="of each search")
    parser.add_argument("--step", type=int, default=20, help="children in a step")
    parser.add_argument("--lookahead", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="cellwright-cluster-") as folder:
        prepare_django(folder)
        print(json.dumps(simulated(Path(folder), **vars(options))))


def simulated(folder: Path, *, workers: int, searches: int, children: int, step: int, lookahead: int) -> dict[str, Any]:
    """What became of a cluster: see `told`. folder: for files, empty. Django must be set up."""
    from tests.faults.memory_database import memory_database

    with memory_database():
        cluster = _cluster(folder)
        with cluster.is_real():
            _set_up(cluster, workers, searches, children, step, lookahead)
            cluster.run()
            assert not cluster.problems, cluster.problems
            return told(_trainings(), cluster.spans, workers)


def told(trainings: Iterable[Span], spans: Iterable[Span], workers: int) -> dict[str, Any]:
    """whole: share of all workers' time, from the first claim to the last verdict, in which they trained children.
    bulk: the same up to the moment at which the last child began; from then on there is nothing for whoever is free.

    idle: share of that time in which workers held no job at all; longest_gap: in seconds, of one worker between jobs.
    """
    trainings, spans = list(trainings), list(spans)
    first, last = min(span.began for span in spans), max(span.ended for span in trainings)
    last_begun = max(span.began for span in trainings)
    gaps = [min(gap.ended, last_begun) - gap.began for gap in gaps_of(spans, first) if gap.began < last_begun]
    return {
        "children": len(trainings),
        "seconds": last - first,
        "whole": _busy(trainings, first, last) / (workers * (last - first)),
        "bulk": _busy(trainings, first, last_begun) / (workers * (last_begun - first)),
        "idle": 1 - _busy(spans, first, last_begun) / (workers * (last_begun - first)),
        "longest_gap": max(gaps, default=0.0),
    }


def gaps_of(spans: Iterable[Span], first: float) -> list[Span]:
    """Where each worker had nothing, from `first` on and between what it did."""
    of_worker = defaultdict(list)
    for span in spans:
        of_worker[span.worker].append(span)
    found = []
    for worker, own in of_worker.items():
        free_since = first
        for span in sorted(own, key=lambda one: one.began):
            found.append(Span(worker, free_since, span.began))
            free_since = span.ended
    return found


def _busy(spans: Iterable[Span], first: float, last: float) -> float:
    """Seconds of workers inside a stretch of time."""
    return sum(max(0.0, min(span.ended, last) - max(span.began, first)) for span in spans)


def _cluster(folder: Path) -> Any:
    """A world in which nothing goes wrong, and that knows what each worker did. Made here, since it needs Django."""
    from tests.faults import fake_engine
    from tests.faults.simulation import World
    from webapp.searches import leases
    from webapp.searches.models import Stream

    class Cluster(World):
        def __init__(self) -> None:
            super().__init__(0, folder, fake_engine)
            self.spans: list[Span] = []
            self._since: dict[str, float] = {}

        @property
        def is_wild(self) -> bool:
            return False

        @property
        def epoch_seconds(self) -> tuple[float, float]:
            least, most = CHILD_SECONDS
            seconds = least * math.exp(self.chance.random() * math.log(most / least))
            return seconds, seconds

        def commit(self, who: str, act: Callable[..., Any], *arguments: Any) -> Any:
            answer = super().commit(who, act, *arguments)
            if act is leases.claim and answer is not None:
                self._since[who] = self.now
            return answer

        def note(self, who: str, what: str) -> None:
            super().note(who, what)
            if what.startswith("did "):
                self.spans.append(Span(who, self._since.pop(who), self.now))

        def _is_over(self) -> bool:
            return not Stream.objects.filter(state__in=Stream.OPEN).exists()

    return Cluster()


def _set_up(cluster: Any, workers: int, searches: int, children: int, step: int, lookahead: int) -> None:
    from tests.faults import fake_engine
    from tests.faults.actors import being_present, reconciling
    from webapp.accounts.models import User
    from webapp.searches import lifecycle

    owner = User.objects.create(name="simulated")
    for seed in range(1, searches + 1):
        config = fake_engine.small_config(
            children=children, step_size=step, lookahead=lookahead, epochs=1, seed=seed
        )  # fmt: skip
        lifecycle.create_search(owner, config, decisions=fake_engine.DECISIONS, data=fake_engine.DATA)
        cluster.now += 0.1
    for number in range(workers):
        cluster.start_worker(f"worker {number}")
    cluster.start("reconciler", reconciling(cluster), 0.5)
    cluster.start("presence", being_present(cluster))


def _trainings() -> list[Span]:
    """Of each child, from its beginning to its verdict."""
    from webapp.searches.models import Event

    found, begun = [], {}
    words = Event.objects.filter(kind__in=("child_started", "child_finished")).order_by("stream", "number")
    for stream, kind, payload, at in words.values_list("stream_id", "kind", "payload", "at"):
        child = stream, payload["step"], payload["slot"]
        if kind == "child_started":
            begun[child] = payload["worker"], at
        else:
            worker, began = begun[child]
            found.append(Span(worker, began, at))
    return found


if __name__ == "__main__":
    main()
