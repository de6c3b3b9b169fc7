"""How fast a device trains, measured in about two seconds, for estimates before a search starts."""

import time

import torch

from search_engine.architectures.cell import Block, Cell
from search_engine.architectures.cells import CellArchitecture
from search_engine.config.layout import LayoutConfig
from search_engine.config.recipe import RecipeConfig
from search_engine.network_plan import plan
from search_engine.networks.plan_network import PlanNetwork
from search_engine.training.train import Trainee, training_step
from search_engine.training_speed import Measured, TrainingSpeed, fitted, work_of

MEASURED_SECONDS = 0.6  # Each, after one step that is not counted.

_BLOCKS = (  # A mixture of what children are made of: separable and plain convolutions and a pool.
    Block((0, 1), ("sep_conv_5x5", "conv_3x3"), "add"),
    Block((2, 0), ("max_pool_3x3", "conv_1x3_3x1"), "concat"),
)
_CELL = Cell(_BLOCKS, (3,))
# (layout, image size, batch size): two that mostly wait for calls, one for memory, one for arithmetic.
_SIZES = (
    (LayoutConfig(normal_cells=1, reductions=1, filters=4), 14, 32),
    (LayoutConfig(normal_cells=1, reductions=1, filters=8), 14, 32),
    (LayoutConfig(normal_cells=2, reductions=2, filters=16), 28, 64),
    (LayoutConfig(normal_cells=1, reductions=2, filters=24), 28, 32),
)


def measure_speed(device: torch.device) -> TrainingSpeed:
    """Told from four networks of different sizes."""
    return fitted([_measured(layout, size, batch_size, device) for layout, size, batch_size in _SIZES])


def _measured(layout: LayoutConfig, size: int, batch_size: int, device: torch.device) -> Measured:
    network_plan = plan(CellArchitecture(_CELL, _CELL), layout, image_channels=1, image_size=size, classes=10)
    network = PlanNetwork(network_plan, generator=torch.Generator().manual_seed(0)).to(device)
    trainee = Trainee(network, RecipeConfig(batch_size=batch_size))
    images = torch.zeros(batch_size, 1, size, size, device=device)
    labels = torch.zeros(batch_size, dtype=torch.int64, device=device)
    float(training_step(trainee, images, labels))
    started, steps = time.perf_counter(), 0
    while (seconds := time.perf_counter() - started) < MEASURED_SECONDS:
        float(training_step(trainee, images, labels))  # Reading the loss waits for the device.
        steps += 1
    return Measured(work_of(network_plan), batch_size, seconds / steps)
