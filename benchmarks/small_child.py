"""Where the CPU time of a small child goes, from the request to the verdict, in a trainer that has trained one before.

The children are those of the two-minute demo: 2,000 images of 14 x 14 for one epoch, two blocks a cell, random cells.
Each is evaluated twice, to the same bits. The first time CPU time is counted: in all, and until the first step. The
second time PyTorch's profiler says how long each operation took by itself; what the profiler itself takes for one is
measured, and taken off. In kernels is what the network's own operations took, forward and backward: convolution, norm,
pool, matrix product, elementwise, each with what it does before and behind its loop. All else is not: Python, autograd,
what is called around operations, optimizer, data.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Set
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import torch
from torch.profiler import ProfilerActivity, profile

from search_engine.config.search import SearchConfig
from search_engine.data.parts import Part
from search_engine.presets import DEMO
from search_engine.seeds import derive
from search_engine.spaces.build import build_space
from search_engine.trainer_jobs import Message, Trainer
from search_engine.training.numerics import set_numerics
from webapp.searches.workers.trainer_process import as_trainer

FILTERS, CHILDREN, CALLS = (8, 16), 3, 5000
NETWORK = {
    "aten::" + name
    for name in (
        "conv2d", "convolution_backward", "native_batch_norm", "native_batch_norm_backward", "relu", "relu_",
        "threshold_backward", "avg_pool2d", "avg_pool2d_backward", "max_pool2d", "max_pool2d_with_indices_backward",
        "cat", "contiguous", "add", "add_", "mul", "div", "mean", "sum", "linear", "mm", "pad", "argmax",
        "cross_entropy_loss", "nll_loss_backward", "_log_softmax_backward_data",
    )
}  # fmt: skip
OPTIMIZER = {"Optimizer.step#SGD.step", "Optimizer.step#Sgd.step", "aten::_foreach_norm", "aten::_foreach_mul_"}


def measure() -> dict[int, dict[str, list[float]]]:
    """By filters, of each child: {"seconds": of CPU time; as shares of them "kernels", "optimizer": its kernels and the
    norm of the gradient, "before": until the first step; "operations": how many of the network's there were, and
    "microseconds": how long one took on average}.
    """
    finished = subprocess.run(
        [sys.executable, "-m", "benchmarks.small_child", "--here"], check=True, capture_output=True, text=True,
        timeout=900, env=as_trainer(os.environ, threads=1),
    )  # fmt: skip
    return {int(filters): found for filters, found in json.loads(finished.stdout).items()}


def _measure_here() -> dict[int, dict[str, list[float]]]:
    set_numerics(1)
    with tempfile.TemporaryDirectory() as folder:
        trainer = Trainer(spool=Path(folder), data_folder=Path(folder), device=torch.device("cpu"))
        found: dict[int, dict[str, list[float]]] = {}
        noted = _noted()
        for filters in FILTERS:
            _evaluate(trainer, _request(filters, 0))  # Loads code and prepares kernels.
            children = [_looked_at(trainer, _request(filters, index), noted) for index in range(1, CHILDREN + 1)]
            found[filters] = {name: [child[name] for child in children] for name in children[0]}
        return found


def _looked_at(trainer: Trainer, request: Message, noted: float) -> dict[str, float]:
    """noted: seconds that the profiler takes for an operation."""
    with _until_data() as begun:
        began = time.process_time()
        verdict = _evaluate(trainer, request)
        seconds = time.process_time() - began
    with profile(activities=[ProfilerActivity.CPU]) as seen:
        began_again = time.perf_counter()
        again = _evaluate(trainer, request)
        whole = time.perf_counter() - began_again
    assert verdict == again, "the same child had two rewards"
    events = seen.events()
    whole -= noted * len(events)
    network, optimizer = (_outermost(events, names) for names in (NETWORK, OPTIMIZER))

    def share(found: list[Any]) -> float:
        return sum(event.cpu_time_total / 1e6 - noted * _inside(event) for event in found) / whole

    return {
        "seconds": seconds,
        "kernels": share(network),
        "optimizer": share(optimizer),
        "before": (begun[0] - began) / seconds,
        "operations": len(network),
        "microseconds": 1e6 * share(network) * seconds / len(network),
    }


def _outermost(events: Iterable[Any], names: Set[str]) -> list[Any]:
    """Events of these names that are in no other such event."""

    def is_inside(event: Any) -> bool:
        return event is not None and (event.name in names or is_inside(event.cpu_parent))

    return [event for event in events if event.name in names and not is_inside(event.cpu_parent)]


def _inside(event: Any) -> int:
    return 1 + sum(_inside(child) for child in event.cpu_children)


def _noted() -> float:
    """Seconds that the profiler takes for an operation."""
    number = torch.zeros(1)

    def timed() -> float:
        began = time.perf_counter()
        for _ in range(CALLS):
            number.relu_()
        return time.perf_counter() - began

    plainly = min(timed() for _ in range(3))
    with profile(activities=[ProfilerActivity.CPU]):
        noticed = min(timed() for _ in range(3))
    return max(0.0, noticed - plainly) / (2 * CALLS)  # Each is two operations, one inside the other.


@contextmanager
def _until_data() -> Iterator[list[float]]:
    """The CPU times at which data were first asked for."""
    begun: list[float] = []
    shuffled = Part.shuffled

    def noted(part: Part, *arguments: Any, **options: Any) -> Any:
        begun.append(time.process_time())
        return shuffled(part, *arguments, **options)

    with patch.object(Part, "shuffled", noted):
        yield begun


def _evaluate(trainer: Trainer, request: Message) -> Message:
    """The verdict without its seconds."""
    messages = [message["event"] for message in trainer.job(request) if "event" in message]
    return {name: value for name, value in messages[-1].items() if name != "seconds"}


def _request(filters: int, index: int) -> Message:
    """Drawn evenly, always the same."""
    config = _config(filters)
    generator = torch.Generator().manual_seed(derive(1, "small", index))
    decisions = build_space(config.space).decisions
    drawn = [int(torch.randint(len(each.options), (), generator=generator)) for each in decisions]
    return {
        "do": "evaluate", "config": config.model_dump(mode="json"), "step": 0, "slot": index, "decisions": drawn,
        "checkpoint": None,
    }  # fmt: skip


def _config(filters: int) -> SearchConfig:
    config = DEMO.config
    return config.model_copy(update={"child": config.child.model_copy(update={"filters": filters})})


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--here", action="store_true", help="in this process, as it was started")
    if parser.parse_args().here:
        print(json.dumps(_measure_here()))
    else:
        for filters, found in measure().items():
            print(filters, {name: round(statistics.median(each), 3) for name, each in found.items()})
