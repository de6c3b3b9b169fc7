"""One module executes every plan: the network is data, this is the machine. Letters: B batch, C channels, H, W size."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from search_engine.layers import IMAGE, Layer
from search_engine.network_plan import NetworkPlan
from search_engine.networks.layer_compute import (
    BatchNorm,
    Compute,
    Convolution,
    DropPath,
    Linear,
    compute_of,
    is_evenly_padded,
    pad_with_zeros,
)


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
                _register(self, layer.name, modules[layer.name])
        self.to(memory_format=memory_format)
        needed = {layer.name for layer in plan.without_auxiliary().layers}
        main = tuple(layer for layer in plan.layers if layer.name in needed)
        self._drop_paths = {layer.name: DropPath() for layer in plan.layers if layer.kind == "drop_path"}
        computes: dict[str, Compute] = {**modules, **self._drop_paths}
        self._main = _Program(main, (plan.output,), computes, memory_format)
        self._both = self._main
        if plan.auxiliary_output is not None:
            self._both = _Program(plan.layers, (plan.output, plan.auxiliary_output), computes, memory_format)

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


@dataclass(frozen=True, slots=True)
class _Step:
    """Compute one value from others; all are places in a list. finished: places that no later step reads."""

    compute: Compute
    sources: tuple[int, ...]
    target: int
    finished: tuple[int, ...]


class _Program:
    """Layers as a list of steps, prepared once so that running it is a plain loop."""

    def __init__(
        self,
        layers: tuple[Layer, ...],
        outputs: tuple[str, ...],
        computes: dict[str, Compute],
        memory_format: torch.memory_format,
    ) -> None:
        """computes: of layers with weights or drop paths, by name."""
        raw = _with_explicit_padding(layers, computes, memory_format)
        places = {IMAGE: 0} | {target: place for place, (target, _, _) in enumerate(raw, start=1)}
        last_use = {source: number for number, (_, sources, _) in enumerate(raw) for source in sources}
        self._steps = tuple(
            _Step(
                compute,
                tuple(places[source] for source in sources),
                places[target],
                tuple({places[s] for s in sources if last_use[s] == number and s not in outputs}),
            )
            for number, (target, sources, compute) in enumerate(raw)
        )
        self._outputs = tuple(places[name] for name in outputs)
        self._size = len(places)

    def run(self, images: Tensor) -> tuple[Tensor, ...]:
        """The outputs. Intermediate values are let go after their last use, so scoring needs little memory."""
        values: list[Tensor | None] = [None] * self._size
        values[0] = images
        for step in self._steps:
            values[step.target] = step.compute(*[values[source] for source in step.sources])
            for place in step.finished:
                values[place] = None
        return tuple(values[place] for place in self._outputs)  # type: ignore[misc]


_RawStep = tuple[str, tuple[str, ...], Compute]


def _with_explicit_padding(
    layers: tuple[Layer, ...], computes: dict[str, Compute], memory_format: torch.memory_format
) -> list[_RawStep]:
    """(name of the value, names it is computed from, how), in order.

    PyTorch's convolutions pad both sides alike. Where SAME wants one pixel more below and right, the source is padded
    by a step of its own, once for all convolutions that want it so.
    """
    readers: dict[str, int] = {}
    for layer in layers:
        for source in layer.inputs:
            readers[source] = readers.get(source, 0) + 1
    kinds = {layer.name: layer.kind for layer in layers}
    steps: dict[str, _RawStep] = {}
    for layer in layers:
        sources = layer.inputs
        if layer.kind == "conv" and not is_evenly_padded(layer):
            padded = f"{sources[0]} padded {layer.padding}"
            steps.setdefault(padded, (padded, sources, pad_with_zeros(layer)))
            sources = (padded,)
        # Convolution and batch norm keep their inputs for the backward pass, not their outputs, so an output that
        # nothing else reads may be overwritten.
        is_last_reader = readers[layer.inputs[0]] == 1 and kinds.get(layer.inputs[0]) in ("conv", "batch_norm")
        compute = computes.get(layer.name) or compute_of(layer, memory_format, is_last_reader)
        steps[layer.name] = (layer.name, sources, compute)
    return list(steps.values())


def _register(root: nn.Module, name: str, module: nn.Module) -> None:
    """Hang a module into the tree at a dotted name."""
    *path, last = name.split(".")
    for part in path:
        if part not in root._modules:
            root.add_module(part, nn.Module())
        root = root.get_submodule(part)
    root.add_module(last, module)
