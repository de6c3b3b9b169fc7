"""A training step and a reward pass of recurrent cells with shared weights (ENAS), against computing all paths.

Ours computes the matrices that the sampled cell names. `all_paths` computes for every node every earlier node's matrix
and all four activations, and chooses by factors of 0 and 1 among the results, as code does that keeps one graph for
all cells; batches of small matrices make it as quick as that can be. Both give the same outputs, which is checked.
They take turns in one process as a worker starts its trainer, with one thread; CPU time is counted. Peak memory is
that of a process of its own, started alike: what a training step takes beyond the weights.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import time
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.peak_memory import peak_elsewhere, peak_here
from search_engine.architectures.recurrent import ACTIVATIONS, RecurrentArchitecture, RecurrentNode
from search_engine.config.space import EnasRecurrentSpaceConfig
from search_engine.config.supernet_text import RecurrentSupernetConfig
from search_engine.networks.recurrent_cell import activated
from search_engine.networks.recurrent_supernet import RecurrentSupernet
from search_engine.process_memory import keeping_memory
from search_engine.training.numerics import set_numerics

STREAMS, LENGTH, VOCABULARY, CELLS = 64, 35, 2_000, 5
SPACE, SUPERNET = EnasRecurrentSpaceConfig(), RecurrentSupernetConfig()
WAYS = ("ours", "all_paths")


def measure() -> dict[str, Any]:
    """{"train", "reward": CPU time of all paths over ours, for each cell, "words_per_cpu_second": {"train", "reward"}
    of ours, "peak_megabytes": {way: beyond the weights}}
    """
    finished = subprocess.run(
        [sys.executable, "-m", "benchmarks.recurrent_supernet_step", "--here"], check=True, capture_output=True,
        text=True, timeout=900, env=keeping_memory(os.environ),
    )  # fmt: skip
    found: dict[str, Any] = json.loads(finished.stdout)
    return found | {"peak_megabytes": {way: peak_elsewhere("benchmarks.recurrent_supernet_step", way) for way in WAYS}}


def _measure_here() -> dict[str, Any]:
    set_numerics(1)
    drawn = _cells()
    runs = {way: _Run(way) for way in WAYS}
    _must_agree(runs, drawn[0])
    for run in runs.values():
        run.train(drawn[0])  # The first step prepares kernels.
    train: dict[str, list[float]] = {way: [] for way in WAYS}
    reward: dict[str, list[float]] = {way: [] for way in WAYS}
    for cell in drawn:
        for way, run in runs.items():
            train[way].append(run.train(cell))
            reward[way].append(run.reward(cell))
    return {
        "train": _ratios(train),
        "reward": _ratios(reward),
        "words_per_cpu_second": {
            "train": STREAMS * LENGTH / statistics.median(train["ours"]),
            "reward": STREAMS * LENGTH / statistics.median(reward["ours"]),
        },
    }


class _Run:
    """One way to compute the cells, with weights and optimizer of its own."""

    def __init__(self, way: str) -> None:
        self._way = way
        self._network = RecurrentSupernet(
            SPACE, SUPERNET, vocabulary=VOCABULARY, generator=torch.Generator().manual_seed(1)
        )
        self._optimizer = torch.optim.SGD(self._network.parameters(), lr=1.0, weight_decay=1e-6, fused=True)
        generator = torch.Generator().manual_seed(0)
        self._words = torch.randint(0, VOCABULARY, (LENGTH + 1, STREAMS), generator=generator)

    def outputs(self, cell: RecurrentArchitecture) -> Tensor:
        """[T, B, H]."""
        state, words = self._network.first_state(STREAMS), self._words[:-1]
        if self._way == "ours":
            return self._network(cell, words, state)[0]
        return _all_paths(self._network, cell, words, state)

    def train(self, cell: RecurrentArchitecture) -> float:
        """CPU seconds of a training step: forward, backward, clipping, SGD."""
        started = time.process_time()
        logits = self._network.logits(self.outputs(cell))
        functional.cross_entropy(logits.flatten(0, 1), self._words[1:].flatten()).backward()
        torch.nn.utils.clip_grad_norm_(self._network.parameters(), 0.25)
        self._optimizer.step()
        self._optimizer.zero_grad(set_to_none=True)
        return time.process_time() - started

    @torch.no_grad()
    def reward(self, cell: RecurrentArchitecture) -> float:
        """CPU seconds of a pass over one validation minibatch."""
        started = time.process_time()
        logits = self._network.logits(self.outputs(cell))
        functional.cross_entropy(logits.flatten(0, 1), self._words[1:].flatten())
        return time.process_time() - started


def _all_paths(network: RecurrentSupernet, cell: RecurrentArchitecture, words: Tensor, state: Tensor) -> Tensor:
    """[T, B] to [T, B, H], computing every matrix and every activation."""
    nodes, norms = network.nodes, network.cell_norms()
    assert norms is not None and norms.node_scale is None
    driven = network.vectors(words) @ nodes["0_word"]
    weights = [
        torch.stack([nodes[f"{target}_from_{source}"] for source in range(target)]) for target in range(1, SPACE.nodes)
    ]
    sources = [_chosen(node.source, index) for index, node in enumerate(cell.nodes) if node.source is not None]
    activations = [_chosen(ACTIVATIONS.index(node.activation), len(ACTIVATIONS)) for node in cell.nodes]
    averaged = torch.tensor([float(index in cell.averaged) for index in range(SPACE.nodes)]) / len(cell.averaged)
    outputs = []
    for drive in driven:
        product = (drive + state @ nodes["0_state"])[None]
        found = _highway(state[None], product, activations[0])
        for weight, source, activation in zip(weights, sources, activations[1:], strict=True):
            every = _highway(found, torch.bmm(found, weight), activation)
            found = torch.cat([found, torch.einsum("s,sbh->bh", source, every)[None]])
        state = norms.of_output(torch.einsum("n,nbh->bh", averaged, found))
        outputs.append(state)
    return torch.stack(outputs)


def _highway(before: Tensor, product: Tensor, activation: Tensor) -> Tensor:
    """before: [S, B, H]; product: [S, B, 2H]; activation: [4]. Returns [S, B, H]."""
    value, gate = product.chunk(2, 2)
    every = torch.stack([activated(name, value) for name in ACTIVATIONS])
    return torch.lerp(before, torch.einsum("a,asbh->sbh", activation, every), torch.sigmoid(gate))


def _chosen(index: int, among: int) -> Tensor:
    return functional.one_hot(torch.tensor(index), among).float()


def _must_agree(runs: dict[str, _Run], cell: RecurrentArchitecture) -> None:
    """On the first words: batch norm enlarges what is rounded from word to word."""
    ours, others = (runs[way].outputs(cell)[:3] for way in WAYS)
    if not torch.allclose(ours, others, atol=1e-4):
        raise AssertionError("computing all paths gives other outputs than the sampled one")


def _ratios(seconds: dict[str, list[float]]) -> list[float]:
    return [other / ours for other, ours in zip(seconds["all_paths"], seconds["ours"], strict=True)]


def _cells() -> list[RecurrentArchitecture]:
    """Drawn evenly, always the same."""
    drawing = random.Random(1)
    cells = []
    for _ in range(CELLS):
        nodes = tuple(
            RecurrentNode(drawing.randrange(index) if index else None, drawing.choice(ACTIVATIONS))
            for index in range(SPACE.nodes)
        )
        cells.append(RecurrentArchitecture(nodes, RecurrentArchitecture(nodes, ()).loose_ends()).validated())
    return cells


def _peak(way: str) -> float:
    """Megabytes of a training step of the first cell."""
    set_numerics(1)
    run, cell = _Run(way), _cells()[0]
    return peak_here(lambda: run.train(cell))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--peak", metavar="WAY")
    parser.add_argument("--here", action="store_true", help="in this process, as it was started")
    options = parser.parse_args()
    if options.peak:
        print(_peak(options.peak))
    else:
        print(json.dumps(_measure_here() if options.here else measure(), indent=1))
