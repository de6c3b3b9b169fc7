"""What the layers of a plan compute: modules for those with weights, functions for the rest."""

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from search_engine.layers import Layer

Compute = Callable[..., Tensor]
Draw = Callable[[Layer, torch.Generator], Tensor]  # The weights that a layer begins with.


def fan_out_weights(layer: Layer, generator: torch.Generator) -> Tensor:
    """Variance scaling by what a weight feeds, as NASNet's released code initialises convolutions and linear layers.

    TensorFlow's factor is 2, and it widens the deviation by 1.3 because it cuts the normal distribution at two of them.
    """
    shape = layer.parameter_shapes()["weight"]
    return _cut_normal(shape, math.sqrt(1.3 * 2 / (shape[0] // layer.groups * math.prod(shape[2:]))), generator)


def fan_in_weights(layer: Layer, generator: torch.Generator) -> Tensor:
    """Variance scaling by what a weight reads (He et al. 2015), as ENAS initialises its networks of images."""
    shape = layer.parameter_shapes()["weight"]
    return _cut_normal(shape, math.sqrt(2 / math.prod(shape[1:])), generator)


class Convolution(nn.Module):
    def __init__(self, layer: Layer, generator: torch.Generator, draw: Draw = fan_out_weights) -> None:
        super().__init__()
        self.weight = nn.Parameter(draw(layer, generator))
        padding = (layer.padding[0], layer.padding[2]) if is_evenly_padded(layer) else (0, 0)
        self._arguments = (None, layer.stride, padding, (layer.dilation, layer.dilation), layer.groups)

    def forward(self, x: Tensor) -> Tensor:
        return torch.conv2d(x, self.weight, *self._arguments)


class Linear(nn.Module):
    scale: Tensor | None = None  # [B, C]: what dropout multiplies the inputs with, while a training step sets it.

    def __init__(self, layer: Layer, generator: torch.Generator, draw: Draw = fan_out_weights) -> None:
        super().__init__()
        self.weight = nn.Parameter(draw(layer, generator))
        self.bias = nn.Parameter(torch.zeros(layer.shape[0])) if layer.bias else None

    def forward(self, x: Tensor) -> Tensor:
        flat = x.flatten(1) if self.scale is None else x.flatten(1) * self.scale
        return functional.linear(flat, self.weight, self.bias)


class BatchNorm(nn.Module):
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
        return batch_normed(self, x, self.training, self.momentum, self._epsilon)

    def with_statistics(self, x: Tensor) -> tuple[Tensor, Compute | None]:
        """The same, and how to compute it again from x alone; None where it used running statistics, which move."""
        if not self.training:
            return self(x), None
        return normed_by_batch(
            x, self.weight, self.bias, self.running_mean, self.running_var, self.momentum, self._epsilon
        )


def batch_normed(module: nn.Module, x: Tensor, of_batch: bool, momentum: float, epsilon: float) -> Tensor:
    """Batch norm with a module's weight, bias and running statistics, by those of x [B, C, H, W] or the running ones.

    Looked up in the dictionaries, and without the function that on a GPU chooses between kernels, it saves a step of a
    small child 1 percent.
    """
    own, kept = module._parameters, module._buffers
    arguments = x, own["weight"], own["bias"], kept["running_mean"], kept["running_var"], of_batch, momentum, epsilon
    return torch.native_batch_norm(*arguments)[0] if x.is_cpu else torch.batch_norm(*arguments, True)


def normed_by_batch(
    x: Tensor,
    weight: Tensor,
    bias: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    momentum: float,
    epsilon: float,
) -> tuple[Tensor, Compute]:
    """Batch norm by the statistics of x [B, C, H, W], and the same again for the same x, without measuring them twice.

    The kernel multiplies by weight / deviation and subtracts the mean. Given that product as its weight and a deviation
    of exactly 1, it does so in the same order, so the result has the same bits.
    """
    normed, mean, inverse_deviation = torch.native_batch_norm(
        x, weight, bias, running_mean, running_var, True, momentum, epsilon
    )
    scale, shift, ones = (weight * inverse_deviation).detach(), bias.detach(), torch.ones_like(mean)

    def again(x: Tensor) -> Tensor:
        return torch.batch_norm(x, scale, shift, mean, ones, False, 0.0, 0.0, True)

    return normed, again


class DropPath:
    """The source itself, or, while a training step sets a scale [B, 1, 1, 1], multiplied with it image by image.

    Of a 16-bit source the scale is rounded as the source is, by 0.4 percent at most, rather than the source widened.
    """

    scale: Tensor | None = None

    def __call__(self, x: Tensor) -> Tensor:
        return x if self.scale is None else x * self.scale.to(x.dtype)


def _cut_normal(shape: tuple[int, ...], deviation: float, generator: torch.Generator) -> Tensor:
    """Normal, with nothing beyond two deviations."""
    weights = torch.empty(shape)
    nn.init.trunc_normal_(weights, 0.0, deviation, -2 * deviation, 2 * deviation, generator=generator)
    return weights


def is_evenly_padded(layer: Layer) -> bool:
    top, bottom, left, right = layer.padding
    return top == bottom and left == right


def pad_with_zeros(layer: Layer) -> Compute:
    top, bottom, left, right = layer.padding
    return lambda x: functional.pad(x, (left, right, top, bottom))


def compute_of(layer: Layer, memory_format: torch.memory_format, may_overwrite: bool) -> Compute:
    """What a layer without weights computes."""
    if layer.kind == "relu":
        return functional.relu_ if may_overwrite else functional.relu
    if layer.kind == "add":
        return torch.add
    if layer.kind == "concat":
        return lambda *parts: _Concat.apply(memory_format, *parts)
    if layer.kind == "global_pool":
        return _global_mean
    if layer.kind == "zeros":
        return lambda x: x * 0.0  # Not a new tensor: what computes the source has a gradient, which is zero.
    if layer.kind == "subsample":
        return _subsample(layer, memory_format)
    assert layer.kind in ("max_pool", "avg_pool"), f"unknown kind of layer: {layer.kind}"
    return _pool(layer)


def _global_mean(x: Tensor) -> Tensor:
    """The mean of each channel, [B, C, 1, 1], of 16-bit values at 32 bits."""
    return x.mean((2, 3), keepdim=True, dtype=torch.float32 if x.dtype == torch.bfloat16 else None)


def _pool(layer: Layer) -> Compute:
    """Padding enters neither the largest nor the mean value, unless it is counted: then every sum has one divisor.

    Where SAME wants one pixel more below and right, ceil_mode lets the last window reach over the edge: the same
    windows as with the padding, without a copy of the source.
    """
    top, bottom, left, right = layer.padding
    assert bottom - top in (0, 1) and right - left in (0, 1), f"padding {layer.padding} is not SAME"
    padding, ceil = (top, left), not is_evenly_padded(layer)
    if layer.kind == "max_pool":
        return lambda x: functional.max_pool2d(x, layer.kernel, layer.stride, padding, ceil_mode=ceil)
    divisor = math.prod(layer.kernel) if layer.counts_padding else None
    return lambda x: functional.avg_pool2d(
        x, layer.kernel, layer.stride, padding, ceil_mode=ceil, count_include_pad=False, divisor_override=divisor
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


def subsample_with_dense_gradient(layer: Layer, memory_format: torch.memory_format) -> Compute:
    """As a subsample otherwise is, with a gradient in the same memory order as what it is the gradient of.

    PyTorch's own is in the default order, for which the backward pass of batch norm has only a slow way: a training
    step of a macro network in shared weights takes a quarter longer. Networks that were trained before keep it, since
    sums in another order differ in the last bits.
    """
    compute = _subsample(layer, memory_format)
    return lambda x: _Subsample.apply(x, layer, memory_format, compute)


class _Subsample(torch.autograd.Function):
    @staticmethod
    def forward(context: Any, x: Tensor, layer: Layer, memory_format: torch.memory_format, compute: Compute) -> Tensor:
        context.shape, context.layer, context.memory_format = x.shape, layer, memory_format
        return compute(x)

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        gradient = gradients[0]
        top, _, left, _ = context.layer.padding
        rows, columns = context.layer.stride
        full = torch.empty(
            context.shape, dtype=gradient.dtype, device=gradient.device, memory_format=context.memory_format
        ).zero_()
        read = full[:, :, max(-top, 0) :: rows, max(-left, 0) :: columns]
        read.copy_(gradient[:, :, : read.shape[2], : read.shape[3]])
        return full, None, None, None


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
        views = torch.split(gradients[0], context.channels, 1)
        return None, *(view.contiguous(memory_format=context.memory_format) for view in views)
