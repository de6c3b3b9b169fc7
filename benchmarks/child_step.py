"""A training step of the child that the NASNet search trains (NASNet-A, N = 2, F = 32), against a plain network.

The plain network computes the same as everybody's does: in PyTorch's default memory order, with a ReLU and a pool
of its own for each who reads one, keeping what the backward pass reads, in a process as it is started. Ours runs in a
process as a worker starts its trainer. `same_plan` is between the two: our plan and our process, but the default order,
and nothing computed again. All take turns, each with one thread; CPU time is counted. Peak memory is what steps take
beyond a process that has made its first small one.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import torch

from benchmarks.peak_memory import peak_since_now
from search_engine.architectures.cell import Block, Cell
from search_engine.architectures.cells import CellArchitecture
from search_engine.config.layout import LayoutConfig
from search_engine.config.recipe import RecipeConfig
from search_engine.layers import NAMED_AFTER_SOURCE, Layer
from search_engine.network_plan import NetworkPlan, plan
from search_engine.networks import program
from search_engine.networks.plan_network import PlanNetwork
from search_engine.training.numerics import set_numerics
from search_engine.training.train import Trainee, training_step
from webapp.searches.workers.trainer_process import as_trainer

BATCH, IMAGE = 64, 32
ROUNDS = 3
WAYS = ("ours", "plain", "same_plan")

NASNET_A = CellArchitecture(
    Cell(
        (
            Block((0, 1), ("sep_conv_5x5", "sep_conv_3x3"), "add"),
            Block((1, 1), ("sep_conv_5x5", "sep_conv_3x3"), "add"),
            Block((0, 1), ("avg_pool_3x3", "identity"), "add"),
            Block((1, 1), ("avg_pool_3x3", "avg_pool_3x3"), "add"),
            Block((0, 0), ("sep_conv_3x3", "identity"), "add"),
        ),
        (1, 2, 3, 4, 5, 6),
    ),
    Cell(
        (
            Block((0, 1), ("sep_conv_5x5", "sep_conv_7x7"), "add"),
            Block((0, 1), ("max_pool_3x3", "sep_conv_7x7"), "add"),
            Block((0, 1), ("avg_pool_3x3", "sep_conv_5x5"), "add"),
            Block((3, 2), ("identity", "avg_pool_3x3"), "add"),
            Block((2, 0), ("sep_conv_3x3", "max_pool_3x3"), "add"),
        ),
        (3, 4, 5, 6),
    ),
)


def measure() -> dict[str, Any]:
    """{"ratios": {"plain", "same_plan": [of CPU time to ours, by round]}, "images_per_cpu_second": {way: median},
    "peak_megabytes": {way}}. Raises AssertionError where the losses differ.
    """
    processes = {way: _Contender(way) for way in WAYS}
    try:
        rounds = [{way: process.step() for way, process in processes.items()} for _ in range(ROUNDS)]
        peaks = {way: process.step()["peak_megabytes"] for way, process in processes.items()}
    finally:
        for process in processes.values():
            process.end()
    losses = [rounds[0][way]["first_loss"] for way in WAYS]
    assert max(losses) - min(losses) < 1e-4, f"the networks do not compute the same: {losses}"
    seconds = {way: [each[way]["seconds"] for each in rounds] for way in WAYS}
    return {
        "ratios": {
            way: [other / ours for other, ours in zip(seconds[way], seconds["ours"], strict=True)] for way in WAYS[1:]
        },
        "images_per_cpu_second": {way: BATCH / statistics.median(seconds[way]) for way in WAYS},
        "peak_megabytes": peaks,
    }


class _Contender:
    """A process that makes a step whenever it reads a line."""

    def __init__(self, way: str) -> None:
        bare = {name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_TUNABLES"))}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.child_step", "--way", way],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env=bare if way == "plain" else as_trainer(bare, threads=1),
        )  # fmt: skip

    def step(self) -> dict[str, float]:
        """{"seconds": of the CPU, "first_loss": of new weights, "peak_megabytes": of all steps so far}"""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        found: dict[str, float] = json.loads(self._process.stdout.readline())
        return found

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


def _contend(way: str) -> None:
    set_numerics(1)
    child = plan(NASNET_A, LayoutConfig(), image_channels=3, image_size=IMAGE, classes=10)
    if way != "ours":
        patch.object(program, "WORTH_WHILE", sys.maxsize).start()  # Until the process ends.
    trainee = Trainee(
        PlanNetwork(
            nothing_shared(child) if way == "plain" else child,
            generator=torch.Generator().manual_seed(1),
            memory_format=torch.channels_last if way == "ours" else torch.contiguous_format,
        ),
        RecipeConfig(batch_size=BATCH),
    )
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(BATCH, 3, IMAGE, IMAGE, generator=generator)
    labels = torch.randint(0, 10, (BATCH,), generator=generator)
    first_loss = float(training_step(trainee, images[:2], labels[:2]))  # Loads code.
    peak = peak_since_now()
    training_step(trainee, images, labels)  # Prepares kernels.
    for _ in sys.stdin:
        started = time.process_time()
        training_step(trainee, images, labels)
        seconds = time.process_time() - started
        print(json.dumps({"seconds": seconds, "first_loss": first_loss, "peak_megabytes": peak()}), flush=True)


def nothing_shared(child: NetworkPlan) -> NetworkPlan:
    """The same network, in which everyone who reads a ReLU, a pool or every second pixel computes it for itself."""
    layers = {layer.name: layer for layer in child.layers}
    laid: dict[str, Layer] = {}

    def own(name: str, reader: str) -> str:
        layer = layers.get(name)
        if layer is None or layer.kind not in NAMED_AFTER_SOURCE:
            return name
        copy = f"{name} for {reader}"
        laid[copy] = replace(layer, name=copy, inputs=(own(layer.inputs[0], copy),))
        return copy

    for layer in child.layers:
        if layer.kind not in NAMED_AFTER_SOURCE:
            inputs = tuple(own(name, f"{layer.name} {place}") for place, name in enumerate(layer.inputs))
            laid[layer.name] = replace(layer, inputs=inputs)
    return replace(child, layers=tuple(laid.values()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--way", choices=WAYS)
    chosen = parser.parse_args().way
    print(json.dumps(measure(), indent=1)) if chosen is None else _contend(chosen)
