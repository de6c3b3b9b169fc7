"""How well the time left is told once ten children are done: real searches on the real application, one by one.

`python -m benchmarks.time_left` prints a line for each. What is missed by chance stays in: a search of which the first
ten children were small or large by luck cannot be told from one whose children are.
"""

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.application_searches import ApplicationSearches
from tests.running_application import start_application, stop_application

TOLD_AFTER = 10  # Children.
SEEDS = (1, 2, 3, 4)
_RECIPE = {"epochs": 1, "batch_size": 32}
_DATA = {"name": "fashion-mnist-10k", "image_size": 14, "train_examples": 2000, "held_out_examples": 1000}
# Small and large steps, even and uneven children, with and without a controller, with and without a final round.
SHAPES: dict[str, dict[str, Any]] = {
    "PPO, two blocks": {
        "space": {"kind": "nasnet", "blocks": 2},
        "strategy": {"kind": "ppo", "step_size": 10},
        "child": {"kind": "cells", "normal_cells": 1, "reductions": 1, "filters": 8},
        "budget": {"children": 60},
    },
    "random, five blocks": {
        "space": {"kind": "nasnet", "blocks": 5},
        "strategy": {"kind": "random", "step_size": 5},
        "child": {"kind": "cells", "normal_cells": 1, "reductions": 1, "filters": 4},
        "budget": {"children": 40},
    },
    "evolution, three blocks, with a final round": {
        "space": {"kind": "nasnet", "blocks": 3},
        "strategy": {"kind": "evolution"},
        "child": {"kind": "cells", "normal_cells": 1, "reductions": 1, "filters": 8},
        "budget": {"children": 50},
        "finals": {"children": 2, "epochs": 2, "filters": 8},  # As in a long search, a small part of the whole.
    },
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """told: seconds left after ten children; truth: what it took from there."""

    shape: str
    seed: int
    told: float
    truth: float

    @property
    def error(self) -> float:
        return (self.told - self.truth) / self.truth


def measure(seeds: tuple[int, ...] = SEEDS) -> list[Told]:
    """Of every shape with every seed, on as many workers as there are cores."""
    with tempfile.TemporaryDirectory() as folder:
        application = start_application(Path(folder), "--workers", str(os.cpu_count()))
        try:
            with closing(ApplicationSearches(application)) as searches:
                return list(_each(searches, seeds))
        finally:
            stop_application(application)


def _each(searches: ApplicationSearches, seeds: tuple[int, ...]) -> Iterator[Told]:
    for seed in seeds:
        for shape, settings in SHAPES.items():
            config = {"name": shape, "recipe": _RECIPE, "data": _DATA, "reproducibility": {"seed": seed}} | settings
            search = searches.start(config)
            searches.wait(search, lambda told: told["done"] >= TOLD_AFTER)
            left = searches.told(search, "/time-left")
            assert left["seconds"] is not None, left["why"]
            end = searches.finished(search)[-1]["at"]
            one = Told(shape=shape, seed=seed, told=left["seconds"], truth=end - left["at"])
            line = {"shape": shape, "seed": seed, "told": left["seconds"], "truth": one.truth, "error": one.error}
            print(json.dumps(line), file=sys.stderr, flush=True)
            yield one


if __name__ == "__main__":
    measure()
