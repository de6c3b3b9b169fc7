"""Whole searches of ten minutes each: how good the best architecture so far is, minute by minute, by method.

`python -m benchmarks.whole_searches` goes on where the committed file ends, until it holds SEEDS searches of each
method; several of these programs may run at once with --part 0/2 and --part 1/2. A search takes ten minutes of one
core, and some minutes more for its scores. A line each:

method, seed
found      what was the best so far from which second on, whenever it changed: [{second, reward, architecture}]
scores     {second: test accuracy}: at each of MARKS, the best so far, trained from scratch by one recipe for all
evaluated  how many architectures were trained or scored

Seconds are CPU time of the one thread that searches, so that what else the machine does does not count. The methods
share images, their number and the size of the children; rewards of different methods are not compared, scores are.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Generator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch

from search_engine.config.budget import BudgetConfig
from search_engine.config.screening import ScreeningConfig
from search_engine.config.strategy import AnyStrategyConfig, EvolutionConfig, RandomConfig
from search_engine.config.training import TrainingConfig
from search_engine.data.batches import prepare
from search_engine.data.descriptions import describe
from search_engine.errors import ConfigError
from search_engine.evaluators.standalone import StandaloneEvaluator
from search_engine.events import ChildFinished, ControllerPhaseEnded, Event, StepProposed
from search_engine.presets import COFFEE
from search_engine.shared_presets import MICRO_DEMO
from search_engine.terminal.search_folder import SearchFolder
from search_engine.terminal.shared_search_folder import SharedSearchFolder
from search_engine.training.for_keeps import TrainingForKeeps
from search_engine.training.numerics import set_numerics
from search_engine.training.shared_building import prepare_shared

FILE = Path(__file__).parent / "data" / "whole_searches.jsonl"
SEEDS = 5
MARKS = (60, 120, 180, 300, 420, 600)  # Seconds.
MOST_CHILDREN = 2000  # More than ten minutes hold.
EPOCHS = 114  # Of shared weights, which fill ten minutes with their controller phases: a schedule must know its end.
CPU = torch.device("cpu")
NOWHERE = Path("unused: the data set is embedded")

Found = dict[str, Any]
Events = Iterator[tuple[Event, float]]


def grow(file: Path, part: int, parts: int) -> Iterator[str]:
    """Search what is in no line yet, seed by seed, and yield the name of each that is written."""
    set_numerics(1)
    due = [(method, seed) for seed in range(1, SEEDS + 1) for method in METHODS]
    for method, seed in due[part::parts]:
        if (method, seed) in _there(file):
            continue
        line = json.dumps({"method": method, "seed": seed} | _searched(method, seed))
        with file.open("a") as lines:
            lines.write(line + "\n")
        yield f"{method}, seed {seed}"


def _there(file: Path) -> set[tuple[str, int]]:
    lines = [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []
    return {(line["method"], line["seed"]) for line in lines}


def _searched(method: str, seed: int) -> Found:
    with tempfile.TemporaryDirectory() as folder:
        found, evaluated = METHODS[method](Path(folder), seed)
    return {"found": found, "scores": _scores(found, seed), "evaluated": evaluated}


def _child_by_child(strategy: AnyStrategyConfig, folder: Path, seed: int, *, drawn: int = 1) -> tuple[list[Found], int]:
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
    found: list[Found] = []
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


def _with_shared_weights(folder: Path, seed: int) -> tuple[list[Found], int]:
    """The best score of the latest phase is the best so far: other weights gave the scores before it."""
    shared = MICRO_DEMO.config.shared.model_copy(update={"epochs": EPOCHS, "first_period": EPOCHS})
    config = _with_seed(MICRO_DEMO.config, seed).model_copy(update={"shared": shared})
    search = SharedSearchFolder(folder, config)
    events = search.run(prepare_shared(config, folder=NOWHERE, device=CPU), device=CPU, should_stop=lambda: False)
    found: list[Found] = []
    evaluated, second = 0, 0.0
    for event, second in _ten_minutes(events):
        if isinstance(event, ControllerPhaseEnded):
            evaluated += event.rounds * config.strategy.step_size
            best = event.best
            found.append({"second": second, "reward": best.reward, "architecture": best.architecture})
    if search.is_derived:  # Before the time was over.
        (best,) = search.best(1)
        reward = best.pop("search")["reward"]
        found.append({"second": second, "reward": reward, "architecture": best})
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


def _scores(found: list[Found], seed: int) -> dict[str, float]:
    """Of the best so far at each mark at which there is one."""
    scores: dict[str, float] = {}
    trained: dict[str, float] = {}
    for mark in MARKS:
        so_far = [each["architecture"] for each in found if each["second"] <= mark]
        if so_far:
            name = json.dumps(so_far[-1])
            trained[name] = trained.get(name) or _test_accuracy(so_far[-1], seed)
            scores[str(mark)] = trained[name]
    return scores


def _test_accuracy(architecture: dict[str, Any], seed: int) -> float:
    config = TrainingConfig(
        architecture=architecture, layout=MICRO_DEMO.config.derived, recipe=MICRO_DEMO.config.derived_recipe,
        data=MICRO_DEMO.config.data,
    )  # fmt: skip
    config = _with_seed(config, seed)
    training = TrainingForKeeps(config, data=prepare(config.data, seed=seed, folder=NOWHERE, device=CPU), device=CPU)
    try:
        for _ in training.epochs():
            pass
    except ConfigError:  # It diverged, and guesses.
        return 1 / len(describe(config.data.name).classes)
    return training.test().test_accuracy


METHODS = {
    "NASNet with PPO": partial(_child_by_child, COFFEE.config.strategy),
    "ENAS, cells with shared weights": _with_shared_weights,
    "regularized evolution": partial(_child_by_child, EvolutionConfig()),
    "random search": partial(_child_by_child, RandomConfig()),
    "random search, the largest of four": partial(_child_by_child, RandomConfig(), drawn=4),
}


if __name__ == "__main__":
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--part", default="0/1", help="which of how many programs this is, such as 0/2")
    part, _, parts = arguments.parse_args().part.partition("/")
    for done in grow(FILE, int(part), int(parts)):
        print(done, flush=True)
