"""The moving average of a network's weights, which is scored and kept in place of the last weights (NASNet, A.7)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn


class WeightAverage:
    """Every trained tensor and every batch-norm statistic of a network, averaged exponentially over the steps.

    The statistics are averaged like the weights, as in the released training script; where a recipe measures them anew,
    it does so with the averaged weights, and the average goes on from what was measured.
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self._decay = decay
        self._live = network.state_dict(keep_vars=True)
        self._tensors = {name: tensor.detach().clone() for name, tensor in self._live.items()}

    @torch.no_grad()
    def update(self, steps: int) -> None:
        """Take in the weights after so many steps in all."""
        live = [tensor.detach() for tensor in self._live.values()]
        torch._foreach_lerp_(list(self._tensors.values()), live, 1 - decay_after(steps, self._decay))

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Within, the network has the averages; behind, its own tensors again. What changes within is the average's."""
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    def tensors(self) -> dict[str, Tensor]:
        """The averages by the names of the network."""
        return dict(self._tensors)

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from what `tensors` gave. KeyError where one is missing, RuntimeError where one has another shape."""
        for name, average in self._tensors.items():
            average.copy_(tensors[name])

    def _exchange(self) -> None:
        """Swap storages, so that nothing is copied and whoever holds a parameter still holds it."""
        for name, tensor in self._live.items():
            average = self._tensors[name]
            tensor.data, average.data = average.data, tensor.data


def decay_after(steps: int, decay: float) -> float:
    """How much of the average a step keeps: less at first, or the random first weights would stay in it for long.

    TensorFlow does so where the number of steps is given, and the released training script gives it.
    """
    return min(decay, (1 + steps) / (10 + steps))
