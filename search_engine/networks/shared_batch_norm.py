"""Batch norm whose weights serve many networks: one decision for all of them which statistics it uses."""

import torch
from torch import Tensor, nn

from search_engine.layers import Layer
from search_engine.networks.layer_compute import Compute, batch_normed, normed_by_batch

EPSILON, MOMENTUM = 1e-5, 0.1  # As batch norm of CIFAR networks in the released codes; the newest batch weighs 0.1.


class Statistics:
    """Which statistics batch norm uses now; all layers of a network look at one such object.

    keeps_running: running statistics are kept while weights learn, and used otherwise; else it is always the batch's.
    """

    def __init__(self, *, keeps_running: bool) -> None:
        self.keeps_running = keeps_running
        self.is_training = False


class SharedBatchNorm(nn.Module):
    running_mean: Tensor | None
    running_var: Tensor | None

    def __init__(self, layer: Layer, statistics: Statistics) -> None:
        super().__init__()
        channels = layer.shape[0]
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels) if statistics.keeps_running else None)
        self.register_buffer("running_var", torch.ones(channels) if statistics.keeps_running else None)
        self._statistics = statistics

    def forward(self, x: Tensor) -> Tensor:
        of_batch = self._statistics.is_training or not self._statistics.keeps_running
        return batch_normed(self, x, of_batch, MOMENTUM, EPSILON)

    def with_statistics(self, x: Tensor) -> tuple[Tensor, Compute | None]:
        """As BatchNorm's."""
        if self._statistics.keeps_running and not self._statistics.is_training:
            return self(x), None
        return normed_by_batch(x, self.weight, self.bias, self.running_mean, self.running_var, MOMENTUM, EPSILON)
