"""A training step of the child that the NASNet search trains (NASNet-A, N = 2, F = 32), against a plain network.

The plain network is the same plan in PyTorch's default memory order. Both take turns in one process with one thread, so
that what else the machine does touches them alike; CPU time is counted, and the median ratio of the rounds is given.
"""

import json
import statistics
import time

import torch

from search_engine.architectures.cell import Block, Cell
from search_engine.architectures.cells import CellArchitecture
from search_engine.config.layout import LayoutConfig
from search_engine.config.recipe import RecipeConfig
from search_engine.network_plan import plan
from search_engine.networks.plan_network import PlanNetwork
from search_engine.training.numerics import set_numerics
from search_engine.training.train import Trainee, training_step

BATCH, IMAGE = 64, 32
ROUNDS = 3

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


def measure() -> dict[str, float]:
    """{"ratio": plain over ours, "images_per_cpu_second": ours, "plain_images_per_cpu_second"}."""
    set_numerics(1)
    ours, plain = _trainee(torch.channels_last), _trainee(torch.contiguous_format)
    generator = torch.Generator().manual_seed(0)
    images = torch.randn(BATCH, 3, IMAGE, IMAGE, generator=generator)
    labels = torch.randint(0, 10, (BATCH,), generator=generator)
    for trainee in (ours, plain):
        _cpu_seconds(trainee, images, labels)  # The first step prepares kernels.
    rounds = [(_cpu_seconds(ours, images, labels), _cpu_seconds(plain, images, labels)) for _ in range(ROUNDS)]
    our_seconds = statistics.median(mine for mine, _ in rounds)
    plain_seconds = statistics.median(other for _, other in rounds)
    return {
        "ratio": statistics.median(other / mine for mine, other in rounds),
        "images_per_cpu_second": BATCH / our_seconds,
        "plain_images_per_cpu_second": BATCH / plain_seconds,
    }


def _trainee(memory_format: torch.memory_format) -> Trainee:
    child = plan(NASNET_A, LayoutConfig(), image_channels=3, image_size=IMAGE, classes=10)
    network = PlanNetwork(child, generator=torch.Generator().manual_seed(1), memory_format=memory_format)
    return Trainee(network, RecipeConfig(batch_size=BATCH))


def _cpu_seconds(trainee: Trainee, images: torch.Tensor, labels: torch.Tensor) -> float:
    started = time.process_time()
    training_step(trainee, images, labels)
    return time.process_time() - started


if __name__ == "__main__":
    print(json.dumps(measure(), indent=1))
