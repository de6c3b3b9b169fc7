"""A training step and a reward pass of the image networks with shared weights (ENAS), against two other ways.

Ours computes one architecture's path in channels_last memory. `contiguous` computes the same in PyTorch's default
order; `all_paths` computes, in our order, every operation of every edge where ours computes the one that was sampled,
as code does that chooses among results (with macro networks every skip connection too); it leaves out the choosing.
Neither of the two computes anything again in the backward pass. All take turns, every architecture ROUNDS times, in one
process as a worker starts its trainer, with one thread; CPU time is counted. Peak memory is that of a process of its
own, started alike: what a training step takes beyond the weights.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any
from unittest.mock import patch

import torch
from torch.nn import functional

from benchmarks.peak_memory import peak_elsewhere, peak_here
from search_engine import macro_supernet, micro_supernet
from search_engine.architectures.cell import Block, Cell
from search_engine.architectures.cells import CellArchitecture
from search_engine.architectures.macro import MacroArchitecture, MacroLayer
from search_engine.config.space import EnasMacroSpaceConfig, EnasMicroSpaceConfig
from search_engine.config.supernet import MacroSupernetConfig, MicroSupernetConfig
from search_engine.layers import LayerList
from search_engine.networks import program
from search_engine.networks.image_supernet import ImageSupernet
from search_engine.networks.recomputation import WORTH_WHILE
from search_engine.process_memory import keeping_memory
from search_engine.training.numerics import set_numerics

BATCH, IMAGE, CLASSES, ARCHITECTURES, ROUNDS = 64, (3, 32, 32), 10, 3, 2
WAYS = ("ours", "contiguous", "all_paths")
MICRO, MACRO = EnasMicroSpaceConfig(), EnasMacroSpaceConfig()
Architecture = CellArchitecture | MacroArchitecture


def measure(kind: str) -> dict[str, Any]:
    """kind: "micro" or "macro".

    {"train": {"contiguous", "all_paths"}, "reward": the same, both as ratios of CPU time to ours, one for each turn;
    "images_per_cpu_second": {"train", "reward"} of ours; "peak_megabytes": {way: beyond the weights}}
    """
    finished = subprocess.run(
        [sys.executable, "-m", "benchmarks.supernet_step", "--here", kind], check=True, capture_output=True, text=True,
        timeout=900, env=keeping_memory(os.environ),
    )  # fmt: skip
    found: dict[str, Any] = json.loads(finished.stdout)
    peaks = {way: peak_elsewhere("benchmarks.supernet_step", kind, way) for way in WAYS}
    return found | {"peak_megabytes": peaks}


def _measure_here(kind: str) -> dict[str, Any]:
    set_numerics(1)
    drawn = _architectures(kind)
    runs = {way: _Run(kind, way, drawn) for way in WAYS}
    for index in range(ARCHITECTURES):
        for run in runs.values():
            run.train(index)  # The first step of each prepares kernels.
    seconds: dict[str, dict[str, list[float]]] = {what: {way: [] for way in WAYS} for what in ("train", "reward")}
    for index in [*range(ARCHITECTURES)] * ROUNDS:
        for way, run in runs.items():
            seconds["train"][way].append(run.train(index))
            seconds["reward"][way].append(run.reward(index))
    speeds = {what: BATCH / statistics.median(each["ours"]) for what, each in seconds.items()}
    return {what: _ratios(each) for what, each in seconds.items()} | {"images_per_cpu_second": speeds}


class _Run:
    """One way to compute the architectures, with weights and optimizer of its own."""

    def __init__(self, kind: str, way: str, drawn: list[Architecture]) -> None:
        memory_format = torch.contiguous_format if way == "contiguous" else torch.channels_last
        space, supernet = (MICRO, MicroSupernetConfig()) if kind == "micro" else (MACRO, MacroSupernetConfig())
        self._network = ImageSupernet(
            space, supernet, image=IMAGE, classes=CLASSES, auxiliary=True,
            generator=torch.Generator().manual_seed(1), memory_format=memory_format,
        )  # fmt: skip
        self._architectures = drawn
        self._worth_while = WORTH_WHILE if way == "ours" else sys.maxsize
        if way == "all_paths":
            self._lay_all_paths(kind)
        self._optimizer = torch.optim.SGD(self._network.parameters(), lr=0.05, momentum=0.9, nesterov=True)
        generator = torch.Generator().manual_seed(0)
        self._images = torch.randn(BATCH, *IMAGE, generator=generator)
        self._labels = torch.randint(0, CLASSES, (BATCH,), generator=generator)

    def _lay_all_paths(self, kind: str) -> None:
        """The network makes and keeps its paths while the one operation of each edge is replaced by all of them."""
        if kind == "macro":
            every = [tuple(range(1, number)) for number in range(1, MACRO.layers + 1)]
            self._architectures = [
                MacroArchitecture(tuple(
                    MacroLayer(layer.operation, skips) for layer, skips in zip(one.layers, every, strict=True)
                ))
                for one in self._architectures if isinstance(one, MacroArchitecture)
            ]  # fmt: skip
        module, space = (micro_supernet, MICRO) if kind == "micro" else (macro_supernet, MACRO)
        with patch.object(module, "lay_operation", _all_of(module.lay_operation, space.operations)):
            for architecture in self._architectures:
                self._network.parameters_of(architecture)

    def train(self, index: int) -> float:
        """CPU seconds of a training step: forward, backward, clipping, SGD."""
        started = time.process_time()
        with patch.object(program, "WORTH_WHILE", self._worth_while):
            logits, auxiliary = self._network.both_logits(self._architectures[index], self._images)
        loss = functional.cross_entropy(logits, self._labels)
        if auxiliary is not None:
            loss = loss + 0.4 * functional.cross_entropy(auxiliary, self._labels)
        self._optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._network.parameters(), 5.0)
        self._optimizer.step()
        return time.process_time() - started

    def reward(self, index: int) -> float:
        """CPU seconds of a pass over one validation minibatch."""
        started = time.process_time()
        with torch.no_grad():
            self._network.logits(self._architectures[index], self._images)
        return time.process_time() - started


def _all_of(lay: Callable[..., str], operations: tuple[str, ...]) -> Callable[..., str]:
    """Lays every operation where one is asked for, and adds their results."""

    def lay_all(layers: LayerList, operation: str, name: str, *rest: Any) -> str:
        edge = name.removesuffix(f".{operation}")
        total = ""
        for other in operations:
            result = lay(layers, other, f"{edge}.{other}", *rest)
            total = layers.add(f"{edge}.all_to_{other}", total, result) if total else result
        return total

    return lay_all


def _ratios(seconds: dict[str, list[float]]) -> dict[str, list[float]]:
    return {way: [other / ours for other, ours in zip(seconds[way], seconds["ours"], strict=True)] for way in WAYS[1:]}


def _architectures(kind: str) -> list[Architecture]:
    """Drawn evenly, always the same."""
    drawing = random.Random(1)
    return [_cells(drawing) if kind == "micro" else _macro(drawing) for _ in range(ARCHITECTURES)]


def _cells(drawing: random.Random) -> CellArchitecture:
    return CellArchitecture(_cell(drawing), _cell(drawing))


def _cell(drawing: random.Random) -> Cell:
    blocks = []
    for node in range(MICRO.nodes):
        inputs = (drawing.randrange(node + 2), drawing.randrange(node + 2))
        blocks.append(Block(inputs, (drawing.choice(MICRO.operations), drawing.choice(MICRO.operations)), "add"))
    read = {state for block in blocks for state in block.inputs}
    return Cell(tuple(blocks), tuple(end for end in range(MICRO.nodes + 2) if end not in read))


def _macro(drawing: random.Random) -> MacroArchitecture:
    layers = []
    for number in range(1, MACRO.layers + 1):
        skips = tuple(source for source in range(1, number) if drawing.random() < 0.4)
        layers.append(MacroLayer(drawing.choice(MACRO.operations), skips))
    return MacroArchitecture(tuple(layers))


def _peak(kind: str, way: str) -> float:
    """Megabytes of a training step of the first architecture."""
    set_numerics(1)
    run = _Run(kind, way, _architectures(kind))
    return peak_here(lambda: run.train(0))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--peak", nargs=2, metavar=("KIND", "WAY"))
    parser.add_argument("--here", metavar="KIND", help="in this process, as it was started")
    options = parser.parse_args()
    if options.peak:
        print(_peak(*options.peak))
    elif options.here:
        print(json.dumps(_measure_here(options.here)))
    else:
        print(json.dumps({kind: measure(kind) for kind in ("micro", "macro")}, indent=1))
