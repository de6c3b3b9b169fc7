"""One module executes every plan: the network is data, this is the machine. Letters: B batch, C channels, H, W size."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from search_engine.layers import Layer
from search_engine.network_plan import NetworkPlan
from search_engine.networks.layer_compute import (
    BatchNorm,
    Compute,
    Convolution,
    DropPath,
    Linear,
    subsample_with_dense_gradient,
)
from search_engine.networks.program import Program, hang


@dataclass(frozen=True, slots=True)
class Dropped:
    """What one training step multiplies values with: 0 where it drops them, else 1 / the probability to keep them.

    paths: [E, B], a row for each drop path of the plan, in its order. features: [B, C], for what the last layer reads.
    None drops nothing.
    """

    paths: Tensor | None = None
    features: Tensor | None = None


class PlanNetwork(nn.Module):
    """A plan with weights. Parameters and buffers have the plan's names: layer, dot, "weight", "bias", ...

    Images and everything computed from them are in channels_last memory, in which these networks take 1.6 to 1.8 times
    less CPU time than in PyTorch's default order.
    """

    def __init__(
        self,
        plan: NetworkPlan,
        *,
        generator: torch.Generator,
        memory_format: torch.memory_format = torch.channels_last,
    ) -> None:
        """Draw the weights from a generator on the CPU, in the order of the plan's layers.

        memory_format: the default order is there for comparison only.
        """
        super().__init__()
        self.plan = plan
        self._memory_format = memory_format
        self._norms: list[BatchNorm] = []
        modules: dict[str, nn.Module] = {}
        for layer in plan.layers:
            if layer.parameter_shapes():
                modules[layer.name] = self._build_module(layer, generator)
                hang(self, layer.name, modules[layer.name])
        self.to(memory_format=memory_format)
        needed = {layer.name for layer in plan.without_auxiliary().layers}
        main = tuple(layer for layer in plan.layers if layer.name in needed)
        self._drop_paths = {layer.name: DropPath() for layer in plan.layers if layer.kind == "drop_path"}
        computes: dict[str, Compute] = {**modules, **self._drop_paths, **_dense_subsamples(plan, memory_format)}
        self._main = Program(main, (plan.output,), computes, memory_format)
        self._both = self._main
        if plan.auxiliary_output is not None:
            self._both = Program(plan.layers, (plan.output, plan.auxiliary_output), computes, memory_format)

    def forward(self, images: Tensor) -> Tensor:
        """Logits [B, classes] of images [B, C, H, W]. Nothing is dropped."""
        return self._main.run(images.contiguous(memory_format=self._memory_format))[0]

    def both_logits(self, images: Tensor, dropped: Dropped | None = None) -> tuple[Tensor, Tensor | None]:
        """Logits and auxiliary logits, each [B, classes], for a training step; None where the plan has no such head."""
        with self._dropping(dropped):
            logits, *auxiliary = self._both.run(images.contiguous(memory_format=self._memory_format))
        return logits, auxiliary[0] if auxiliary else None

    @contextmanager
    def _dropping(self, dropped: Dropped | None) -> Iterator[None]:
        """Within, the drop paths and the last layer multiply with what is dropped; behind, they are as before."""
        if dropped is None:
            yield
            return
        head = self.get_submodule(self.plan.output)
        assert isinstance(head, Linear)
        try:
            head.scale = dropped.features
            if dropped.paths is not None:
                for path, scale in zip(self._drop_paths.values(), dropped.paths[..., None, None, None], strict=True):
                    path.scale = scale
            yield
        finally:
            head.scale = None
            for path in self._drop_paths.values():
                path.scale = None

    def set_statistics_momentum(self, momentum: float | None) -> None:
        """How much the newest batch weighs in batch norm's running statistics; None is the plan's own value."""
        for norm in self._norms:
            norm.momentum = self.plan.batch_norm_momentum if momentum is None else momentum

    def _build_module(self, layer: Layer, generator: torch.Generator) -> nn.Module:
        if layer.kind == "conv":
            return Convolution(layer, generator)
        if layer.kind == "linear":
            return Linear(layer, generator)
        assert layer.kind == "batch_norm", f"{layer.kind} has no weights"
        norm = BatchNorm(layer, self.plan.batch_norm_epsilon, self.plan.batch_norm_momentum)
        self._norms.append(norm)
        return norm


def _dense_subsamples(plan: NetworkPlan, memory_format: torch.memory_format) -> dict[str, Compute]:
    """Subsamples that may have a dense gradient, by name: those of a concatenation, directly or behind its ReLU.

    It saves turning what is as large as the concatenation from one memory order into the other, twice. Elsewhere the
    gradient reaches a batch norm in the order it has, whose sums would have other last bits than in networks that were
    trained before; a concatenation hands on gradients in one order in any case.
    """
    layers = {layer.name: layer for layer in plan.layers}
    found: dict[str, Compute] = {}
    for layer in plan.layers:
        source = layers.get(layer.inputs[0])
        if source is not None and source.kind == "relu":
            source = layers.get(source.inputs[0])
        if layer.kind == "subsample" and source is not None and source.kind == "concat":
            found[layer.name] = subsample_with_dense_gradient(layer, memory_format)
    return found
