"""What a training step was told to take before it began, against what it takes: random networks of many layouts.

The speed is measured as a worker measures its own, in the same run.
"""

import random
import statistics
import time

import torch

from search_engine.config.layout import LayoutConfig
from search_engine.config.recipe import RecipeConfig
from search_engine.config.space import NasnetSpaceConfig
from search_engine.network_plan import NetworkPlan, plan
from search_engine.networks.plan_network import PlanNetwork
from search_engine.spaces.nasnet import NasnetSpace
from search_engine.training.speed_measurement import measure_speed
from search_engine.training.train import Trainee, training_step
from search_engine.training_speed import TrainingSpeed, work_of

BLOCKS = (2, 3, 5)
NETWORKS = 4  # Of each number of blocks and each layout.
MEASURED_SECONDS = 0.4
# (N, reductions, F, pixels, batch): what short searches train, their finalists, and up to where a step takes a second.
LAYOUTS = (
    (1, 1, 4, 14, 32), (1, 1, 8, 14, 32), (6, 1, 8, 14, 32), (1, 2, 8, 28, 32), (3, 2, 16, 14, 64), (2, 2, 16, 28, 64),
    (1, 2, 24, 28, 32), (2, 2, 32, 32, 32),
)  # fmt: skip


def measure() -> dict[str, list[float]]:
    """By layout: the time told over the time taken, of each network."""
    torch.set_num_threads(1)
    generator, speed = random.Random(1), measure_speed(torch.device("cpu"))
    found = {}
    for layout in LAYOUTS:
        drawn = [_drawn(blocks, layout, generator) for blocks in BLOCKS for _ in range(NETWORKS)]
        found["N={}, {} reductions, F={}, {} pixels, batches of {}".format(*layout)] = [
            _told(network, layout[-1], speed) / _taken(network, layout[-1]) for network in drawn
        ]
    return found


def mean(ratios: list[float]) -> float:
    return statistics.geometric_mean(ratios)


def _drawn(blocks: int, layout: tuple[int, int, int, int, int], generator: random.Random) -> NetworkPlan:
    space = NasnetSpace(NasnetSpaceConfig(blocks=blocks))
    architecture = space.decode([generator.randrange(len(decision.options)) for decision in space.decisions])
    cells, reductions, filters, size, _ = layout
    config = LayoutConfig(normal_cells=cells, reductions=reductions, filters=filters)
    return plan(architecture, config, image_channels=1, image_size=size, classes=10)


def _told(network: NetworkPlan, batch_size: int, speed: TrainingSpeed) -> float:
    return speed.seconds(work_of(network), images=batch_size, batch_size=batch_size)


def _taken(network: NetworkPlan, batch_size: int) -> float:
    """Seconds of a step, the middle one of those that were tried."""
    trainee = Trainee(PlanNetwork(network, generator=torch.Generator().manual_seed(0)), RecipeConfig())
    images = torch.zeros(batch_size, *network.image)
    labels = torch.zeros(batch_size, dtype=torch.int64)
    float(training_step(trainee, images, labels))
    steps: list[float] = []
    while sum(steps) < MEASURED_SECONDS or len(steps) < 2:
        began = time.perf_counter()
        float(training_step(trainee, images, labels))
        steps.append(time.perf_counter() - began)
    return statistics.median(steps)
