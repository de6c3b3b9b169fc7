"""RMSProp as TensorFlow computes it, which the ImageNet networks were trained with (NASNet, A.7)."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor


class RmsProp(torch.optim.Optimizer):
    """Divides a gradient by the root of its mean square.

    mean_square <- decay * mean_square + (1 - decay) * gradient^2, from 1
    momentum    <- momentum_factor * momentum + rate * gradient / sqrt(mean_square + epsilon), from 0
    weight      <- weight - momentum

    PyTorch's own starts from a mean square of 0, adds epsilon outside the root and keeps the rate out of the momentum;
    with the paper's epsilon of 1 that is another method.
    """

    def __init__(
        self, groups: list[dict[str, Any]], *, rate: float, decay: float, epsilon: float, momentum: float
    ) -> None:
        """groups: each with "params" and "weight_decay", an L2 decay that is added to the gradient."""
        super().__init__(groups, {"lr": rate, "weight_decay": 0.0})
        self._decay, self._epsilon, self._momentum = decay, epsilon, momentum

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One step of every weight that has a gradient. closure: not used; PyTorch's schedulers know it."""
        for group in self.param_groups:
            weights = [weight for weight in group["params"] if weight.grad is not None]
            if weights:
                self._step(weights, group["lr"], group["weight_decay"])

    def _step(self, weights: list[Tensor], rate: float, weight_decay: float) -> None:
        states = [self._state_of(weight) for weight in weights]
        squares = [state["mean_square"] for state in states]
        momenta = [state["momentum_buffer"] for state in states]
        gradients = [weight.grad for weight in weights if weight.grad is not None]
        if weight_decay:
            gradients = list(torch._foreach_add(gradients, weights, alpha=weight_decay))
        torch._foreach_mul_(squares, self._decay)
        torch._foreach_addcmul_(squares, gradients, gradients, value=1 - self._decay)
        roots = torch._foreach_add(squares, self._epsilon)
        torch._foreach_sqrt_(roots)
        torch._foreach_mul_(momenta, self._momentum)
        torch._foreach_addcdiv_(momenta, gradients, roots, value=rate)
        torch._foreach_sub_(weights, momenta)

    def _state_of(self, weight: Tensor) -> dict[str, Tensor]:
        state: dict[str, Tensor] = self.state[weight]
        if not state:
            state["mean_square"] = torch.ones_like(weight)
            state["momentum_buffer"] = torch.zeros_like(weight)
        return state
