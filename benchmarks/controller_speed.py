"""How fast the controller draws: architectures per CPU-second, with log-probabilities and entropies."""

import statistics
import time

import torch

from search_engine.config.space import NasnetSpaceConfig
from search_engine.spaces.nasnet import NasnetSpace
from search_engine.strategies.controller import Controller

BATCH, ROUNDS, BATCHES_PER_ROUND = 20, 7, 10


def measure() -> dict[str, float]:
    """NASNet with 5 blocks, a fresh controller of 100 units, batches of 20, one thread.

    architectures_per_cpu_second: median of 7 rounds of 10 batches.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        decisions = NasnetSpace(NasnetSpaceConfig(blocks=5)).decisions
        generator = torch.Generator().manual_seed(1)
        controller = Controller(decisions, hidden_size=100, init_range=0.1, generator=generator)
        _seconds(controller, generator)  # The first calls set up what later ones reuse.
        rates = [BATCH * BATCHES_PER_ROUND / _seconds(controller, generator) for _ in range(ROUNDS)]
    finally:
        torch.set_num_threads(threads)
    return {"architectures_per_cpu_second": statistics.median(rates)}


def _seconds(controller: Controller, generator: torch.Generator) -> float:
    started = time.process_time()
    for _ in range(BATCHES_PER_ROUND):
        _, scores = controller.draw(BATCH, generator)
        assert bool(scores.joint.isfinite().all()) and bool(scores.entropies.isfinite().all())
    return time.process_time() - started
