"""Whole searches of ten minutes each: what the best architecture so far is, minute by minute, by method.

`python -m benchmarks.whole_searches` goes on where the committed file ends, until it holds SEEDS searches of each
method; several of these programs may run at once with --part 0/2 and --part 1/2. A search takes ten minutes of one
core. A line each:

method, seed
best       {mark: {second, reward, architecture}}: the best so far at each of MARKS, and since when it was the best
evaluated  how many architectures were trained or scored

Seconds are CPU time of the one thread that searches, so that what else the machine does does not count. The methods
share images, their number and the size of the children; rewards of different methods are not compared: what each found
is trained and scored alike by benchmarks/whole_search_scores.py.
"""

import tempfile
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.growing_file import Line, grow_a_part
from benchmarks.unseen_images import NOWHERE
from search_engine.config.budget import BudgetConfig
from search_engine.config.screening import ScreeningConfig
from search_engine.config.strategy import AnyStrategyConfig, EvolutionConfig, RandomConfig
from search_engine.data.batches import prepare
from search_engine.evaluators.standalone import StandaloneEvaluator
from search_engine.events import ChildFinished, ControllerPhaseEnded, Event, StepProposed
from search_engine.presets import COFFEE
from search_engine.shared_presets import MICRO_DEMO
from search_engine.terminal.search_folder import SearchFolder
from search_engine.terminal.shared_search_folder import SharedSearchFolder
from search_engine.training.numerics import set_numerics
from search_engine.training.shared_building import prepare_shared

FILE = Path(__file__).parent / "data" / "whole_searches.jsonl"
SEEDS = 5
MARKS = (60, 120, 180, 300, 420, 600)  # Seconds.
MOST_CHILDREN = 2000  # More than ten minutes hold.
EPOCHS = 106  # Of shared weights, which fill ten minutes nearly: a schedule must know its end.
CPU = torch.device("cpu")
DATA = COFFEE.config.data
assert MICRO_DEMO.config.data == DATA

Events = Iterator[tuple[Event, float]]


def _searched(method: str, seed: int) -> Line:
    with tempfile.TemporaryDirectory() as folder:
        found, evaluated = METHODS[method](Path(folder), seed)
    return {"best": best_at_marks(found), "evaluated": evaluated}


def best_at_marks(found: Sequence[Line]) -> dict[str, Line]:
    """found: what was the best so far from which second on, in this order. A mark before all of them is left out."""
    so_far = {mark: [each for each in found if each["second"] <= mark] for mark in MARKS}
    return {str(mark): each[-1] for mark, each in so_far.items() if each}


def _child_by_child(strategy: AnyStrategyConfig, folder: Path, seed: int, *, drawn: int = 1) -> tuple[list[Line], int]:
    """The child with the best reward is the best so far. drawn: of so many the largest is trained."""
    config = _with_seed(COFFEE.config, seed).model_copy(
        update={
            "strategy": strategy, "budget": BudgetConfig(children=MOST_CHILDREN),
            "screening": ScreeningConfig(drawn=drawn),
        }
    )  # fmt: skip
    data = prepare(config.data, seed=seed, folder=NOWHERE, device=CPU)
    search = SearchFolder(folder, config)
    events = search.run(
        StandaloneEvaluator(config, device=CPU, folder=NOWHERE, data=data), data=data.description.to_json(),
        should_stop=lambda: False,
    )  # fmt: skip
    found: list[Line] = []
    proposed: dict[tuple[int, int], dict[str, Any]] = {}
    evaluated, best = 0, -1.0
    for event, second in _ten_minutes(events):
        if isinstance(event, StepProposed):
            proposed |= {(event.step, each.slot): each.architecture for each in event.proposals}
        elif isinstance(event, ChildFinished):
            evaluated += 1
            if event.reward is not None and event.reward > best:
                best = event.reward
                found.append({"second": second, "reward": best, "architecture": proposed[event.step, event.slot]})
    search.close()
    return found, evaluated


def _with_shared_weights(folder: Path, seed: int) -> tuple[list[Line], int]:
    """The best score of the latest phase is the best so far: other weights gave the scores before it."""
    shared = MICRO_DEMO.config.shared.model_copy(update={"epochs": EPOCHS, "first_period": EPOCHS})
    config = _with_seed(MICRO_DEMO.config, seed).model_copy(update={"shared": shared})
    search = SharedSearchFolder(folder, config)
    events = search.run(prepare_shared(config, folder=NOWHERE, device=CPU), device=CPU, should_stop=lambda: False)
    found: list[Line] = []
    evaluated, second = 0, 0.0
    for event, second in _ten_minutes(events):
        if isinstance(event, ControllerPhaseEnded):
            evaluated += event.rounds * config.strategy.step_size
            best = event.best
            found.append({"second": second, "reward": best.reward, "architecture": best.architecture})
    if search.is_derived:  # Before the time was over.
        (derived,) = search.best(1)
        reward = derived.pop("search")["reward"]
        found.append({"second": second, "reward": reward, "architecture": derived})
    search.close()
    return found, evaluated


def _with_seed(config: Any, seed: int) -> Any:
    return config.model_copy(update={"reproducibility": config.reproducibility.model_copy(update={"seed": seed})})


def _ten_minutes(events: Generator[Event, None, None]) -> Events:
    began = time.process_time()
    for event in events:
        second = time.process_time() - began
        if second > MARKS[-1]:
            events.close()
            return
        yield event, second


METHODS: dict[str, Callable[[Path, int], tuple[list[Line], int]]] = {
    "NASNet with PPO": partial(_child_by_child, COFFEE.config.strategy),
    "ENAS, cells with shared weights": _with_shared_weights,
    "regularized evolution": partial(_child_by_child, EvolutionConfig()),
    "random search": partial(_child_by_child, RandomConfig()),
    "random search, the largest of four": partial(_child_by_child, RandomConfig(), drawn=4),
}


DUE = [{"method": method, "seed": seed} for seed in range(1, SEEDS + 1) for method in METHODS]

if __name__ == "__main__":
    set_numerics(1)
    grow_a_part(FILE, DUE, _searched, about=__doc__)
