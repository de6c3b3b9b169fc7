"""Whether two workers of the real application ever wait where lookahead allows it: `python -m benchmarks.two_workers`.

One search with steps of 20 children and lookahead 1, on a PostgreSQL server of its own. A child takes some seconds.
"""

import json
import tempfile
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.application_searches import ApplicationSearches
from benchmarks.platform_cost import SEARCH
from benchmarks.simulated_cluster import Span, told
from tests.faults.postgres_server import running_server
from tests.running_application import start_application, stop_application

WORKERS = 2
LONGER: dict[str, Any] = SEARCH | {
    "strategy": {"kind": "ppo", "step_size": 20, "lookahead": 1},
    "data": {"name": "fashion-mnist-10k", "image_size": 14, "train_examples": 2048, "held_out_examples": 256},
}


def measure() -> dict[str, Any]:
    """As simulated_cluster.told, of children alone: an update is a gap of the worker that does it."""
    with tempfile.TemporaryDirectory() as folder, running_server() as server:
        options = "--workers", str(WORKERS)
        application = start_application(Path(folder), *options, environment={"DATABASE_URL": server.url})
        try:
            with closing(ApplicationSearches(application)) as searches:
                searches.finished(searches.start(SEARCH))  # The first search waits for PyTorch and the data.
                trainings = list(trainings_of(searches.finished(searches.start(LONGER))))
        finally:
            stop_application(application)
    return told(trainings, trainings, WORKERS)


def trainings_of(events: Iterable[dict[str, Any]]) -> Iterable[Span]:
    """Each child's own training, which ends with its verdict."""
    workers = {}
    for event in events:
        if event["kind"] == "child_started":
            workers[event["step"], event["slot"]] = event["worker"]
        elif event["kind"] == "child_finished":
            yield Span(workers[event["step"], event["slot"]], event["at"] - event["seconds"], event["at"])


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
