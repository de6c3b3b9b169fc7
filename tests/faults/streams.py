"""The small searches of every method, and the training for keeps, with which real applications are harmed.

Each takes about ten seconds of one core on a quiet machine, and has several children or phases in which to be struck.
"""

from collections.abc import Callable, Iterable
from typing import Any

from tests.faults.application import Application

IMAGES: dict[str, Any] = {"image_size": 8, "train_examples": 1000, "held_out_examples": 100}
CHILDREN: dict[str, Any] = {
    "space": {"blocks": 1},
    "child": {"normal_cells": 1, "reductions": 1, "filters": 4},
    "recipe": {"epochs": 4, "batch_size": 50},
    "data": IMAGES | {"train_examples": 2000},
    "budget": {"children": 8},
}  # A child takes about a second.
SHARED: dict[str, Any] = {
    "strategy": {"kind": "reinforce", "step_size": 4},
    "shared": {"epochs": 2, "batch_size": 20},
    "phases": {"rounds": 40, "score_batch": 50},
    "deriving": {"candidates": 5, "train": 1},
    "data": {"image_size": 14, "train_examples": 2000, "held_out_examples": 100},
    "derived_recipe": {"epochs": 1},
}  # A phase takes some seconds.
SEARCHES: dict[str, dict[str, Any]] = {
    "ppo": CHILDREN | {
        "strategy": {"kind": "ppo", "step_size": 4}, "finals": {"children": 1, "epochs": 2, "filters": 4},
    },
    "random": CHILDREN | {"strategy": {"kind": "random", "step_size": 4}},
    "enas-micro": SHARED | {
        "method": "enas-micro", "space": {"nodes": 2},
        "supernet": {"normal_cells": 1, "reductions": 1, "filters": 4},
        "derived": {"skeleton": "enas", "normal_cells": 1, "reductions": 1, "filters": 4},
    },
    "enas-macro": SHARED | {
        "method": "enas-macro", "space": {"layers": 3}, "supernet": {"filters": 8},
        "derived": {"kind": "macro", "filters": 4},
    },
    "enas-recurrent": {
        "method": "enas-recurrent", "strategy": {"kind": "reinforce", "step_size": 4},
        "space": {"nodes": 3}, "supernet": {"hidden": 8},
        "shared": {"epochs": 2, "minibatches": 60}, "phases": {"rounds": 40, "score_batch": 20},
        "deriving": {"candidates": 5, "train": 1}, "derived": {"hidden": 8},
        "derived_recipe": {
            "epochs": 1, "scoring_batch": 512, "test_batch": 512, "batch_size": 512, "learning_rate": 2.0,
        },
    },
}  # fmt: skip
TRAINING: dict[str, Any] = {
    "layout": {"normal_cells": 1, "filters": 4},
    "recipe": {"epochs": 6, "batch_size": 64},
    "data": {"image_size": 8, "train_examples": 1000, "held_out_examples": 100},
}
STREAMS = (*SEARCHES, "training")  # One of each.


def start(application: Application, names: Iterable[str], seed: int = 0) -> dict[str, str]:
    """Start these; the identifier of each by its name. seed: of all of them."""
    return {name: _starter(application, name, seed)() for name in names}


def _starter(application: Application, name: str, seed: int) -> Callable[[], str]:
    more = {"name": name, "reproducibility": {"seed": seed}}
    if name == "training":
        return lambda: application.start_training("nasnet-a", TRAINING | more)
    return lambda: application.start_search(SEARCHES[name] | more)
