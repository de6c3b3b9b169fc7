"""One module executes every plan: the network is data, this is the machine. Letters: B batch, C channels, H, W size."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from search_engine.layers import IMAGE, Layer
from search_engine.network_plan import NetworkPlan

Compute = Callable[..., Tensor]


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
        self._norms: list[_BatchNorm] = []
        modules: dict[str, nn.Module] = {}
        for layer in plan.layers:
            if layer.parameter_shapes():
                modules[layer.name] = self._build_module(layer, generator)
                _register(self, layer.name, modules[layer.name])
        self.to(memory_format=memory_format)
        needed = {layer.name for layer in plan.without_auxiliary().layers}
        main = tuple(layer for layer in plan.layers if layer.name in needed)
        self._main = _Program(main, (plan.output,), modules, memory_format)
        self._both = self._main
        if plan.auxiliary_output is not None:
            self._both = _Program(plan.layers, (plan.output, plan.auxiliary_output), modules, memory_format)

    def forward(self, images: Tensor) -> Tensor:
        """Logits [B, classes] of images [B, C, H, W]."""
        return self._main.run(images.contiguous(memory_format=self._memory_format))[0]

    def both_logits(self, images: Tensor) -> tuple[Tensor, Tensor | None]:
        """Logits and auxiliary logits, each [B, classes], for a training step; None where the plan has no such head."""
        logits, *auxiliary = self._both.run(images.contiguous(memory_format=self._memory_format))
        return logits, auxiliary[0] if auxiliary else None

    def set_statistics_momentum(self, momentum: float | None) -> None:
        """How much the newest batch weighs in batch norm's running statistics; None is the plan's own value."""
        for norm in self._norms:
            norm.momentum = self.plan.batch_norm_momentum if momentum is None else momentum

    def _build_module(self, layer: Layer, generator: torch.Generator) -> nn.Module:
        if layer.kind == "conv":
            return _Convolution(layer, generator)
        if layer.kind == "linear":
            return _Linear(layer, generator)
        assert layer.kind == "batch_norm", f"{layer.kind} has no weights"
        norm = _BatchNorm(layer, self.plan.batch_norm_epsilon, self.plan.batch_norm_momentum)
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
        modules: dict[str, nn.Module],
        memory_format: torch.memory_format,
    ) -> None:
        raw = _with_explicit_padding(layers, modules, memory_format)
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
    layers: tuple[Layer, ...], modules: dict[str, nn.Module], memory_format: torch.memory_format
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
        if layer.kind == "conv" and not _is_even(layer):
            padded = f"{sources[0]} padded {layer.padding}"
            steps.setdefault(padded, (padded, sources, _zero_padding(layer)))
            sources = (padded,)
        # Convolution and batch norm keep their inputs for the backward pass, not their outputs, so an output that
        # nothing else reads may be overwritten.
        is_last_reader = readers[layer.inputs[0]] == 1 and kinds.get(layer.inputs[0]) in ("conv", "batch_norm")
        compute = modules.get(layer.name) or _stateless(layer, memory_format, is_last_reader)
        steps[layer.name] = (layer.name, sources, compute)
    return list(steps.values())


def _is_even(layer: Layer) -> bool:
    top, bottom, left, right = layer.padding
    return top == bottom and left == right


def _zero_padding(layer: Layer) -> Compute:
    top, bottom, left, right = layer.padding
    return lambda x: functional.pad(x, (left, right, top, bottom))


def _stateless(layer: Layer, memory_format: torch.memory_format, may_overwrite: bool) -> Compute:
    """What a layer without weights computes."""
    if layer.kind == "relu":
        return functional.relu_ if may_overwrite else functional.relu
    if layer.kind == "add":
        return torch.add
    if layer.kind == "concat":
        return lambda *parts: _Concat.apply(memory_format, *parts)
    if layer.kind == "global_pool":
        return lambda x: x.mean((2, 3), keepdim=True)
    if layer.kind == "subsample":
        return _subsample(layer, memory_format)
    assert layer.kind in ("max_pool", "avg_pool"), f"unknown kind of layer: {layer.kind}"
    return _pool(layer)


def _pool(layer: Layer) -> Compute:
    """Padding enters neither the largest nor the mean value.

    Where SAME wants one pixel more below and right, ceil_mode lets the last window reach over the edge: the same
    windows as with the padding, without a copy of the source.
    """
    top, bottom, left, right = layer.padding
    assert bottom - top in (0, 1) and right - left in (0, 1), f"padding {layer.padding} is not SAME"
    padding, ceil = (top, left), not _is_even(layer)
    if layer.kind == "max_pool":
        return lambda x: functional.max_pool2d(x, layer.kernel, layer.stride, padding, ceil_mode=ceil)
    return lambda x: functional.avg_pool2d(
        x, layer.kernel, layer.stride, padding, ceil_mode=ceil, count_include_pad=False
    )


def _subsample(layer: Layer, memory_format: torch.memory_format) -> Compute:
    """Every second pixel, after the padding; a copy, since both directions of the convolution behind it want one."""
    top, bottom, left, right = layer.padding
    rows, columns = layer.stride

    def compute(x: Tensor) -> Tensor:
        shifted = x[:, :, max(-top, 0) :: rows, max(-left, 0) :: columns]
        _, _, height, width = shifted.shape
        missing = (0, layer.shape[2] - width, 0, layer.shape[1] - height)
        padded = functional.pad(shifted, missing) if any(missing) else shifted
        return padded.contiguous(memory_format=memory_format)

    assert top in (0, -1) and left in (0, -1) and bottom in (0, 1) and right in (0, 1)
    return compute


class _Concat(torch.autograd.Function):
    """Parts side by side as channels, whose gradients come back as tensors of their own.

    PyTorch's own gives back views into one gradient, with gaps between their pixels, for which the backward pass of
    batch norm has only a slow way: 97 ms instead of 6 for 64 x 32 channels of 32 x 32.
    """

    @staticmethod
    def forward(context: Any, memory_format: torch.memory_format, *parts: Tensor) -> Tensor:
        context.memory_format, context.channels = memory_format, [part.shape[1] for part in parts]
        return torch.cat(parts, 1)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        views = gradients[0].split(context.channels, 1)
        return None, *(view.contiguous(memory_format=context.memory_format) for view in views)


class _Convolution(nn.Module):
    def __init__(self, layer: Layer, generator: torch.Generator) -> None:
        super().__init__()
        self.weight = nn.Parameter(_fan_out_weights(layer, generator))
        padding = (layer.padding[0], layer.padding[2]) if _is_even(layer) else (0, 0)
        self._arguments = (None, layer.stride, padding, (layer.dilation, layer.dilation), layer.groups)

    def forward(self, x: Tensor) -> Tensor:
        return torch.conv2d(x, self.weight, *self._arguments)


class _Linear(nn.Module):
    def __init__(self, layer: Layer, generator: torch.Generator) -> None:
        super().__init__()
        self.weight = nn.Parameter(_fan_out_weights(layer, generator))
        self.bias = nn.Parameter(torch.zeros(layer.shape[0]))

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x.flatten(1), self.weight, self.bias)


class _BatchNorm(nn.Module):
    running_mean: Tensor
    running_var: Tensor

    def __init__(self, layer: Layer, epsilon: float, momentum: float) -> None:
        super().__init__()
        channels = layer.shape[0]
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))
        self.momentum, self._epsilon = momentum, epsilon

    def forward(self, x: Tensor) -> Tensor:
        return torch.batch_norm(
            x, self.weight, self.bias, self.running_mean, self.running_var,
            self.training, self.momentum, self._epsilon, True,
        )  # fmt: skip


def _fan_out_weights(layer: Layer, generator: torch.Generator) -> Tensor:
    """Variance scaling by what a weight feeds, as the released code initialises every convolution and linear layer.

    TensorFlow's factor is 2, and it widens the deviation by 1.3 because it cuts the normal distribution at two of them.
    """
    shape = layer.parameter_shapes()["weight"]
    fan_out = shape[0] // layer.groups * math.prod(shape[2:])
    deviation = math.sqrt(1.3 * 2 / fan_out)
    weights = torch.empty(shape)
    nn.init.trunc_normal_(weights, 0.0, deviation, -2 * deviation, 2 * deviation, generator=generator)
    return weights


def _register(root: nn.Module, name: str, module: nn.Module) -> None:
    """Hang a module into the tree at a dotted name."""
    *path, last = name.split(".")
    for part in path:
        if part not in root._modules:
            root.add_module(part, nn.Module())
        root = root.get_submodule(part)
    root.add_module(last, module)
