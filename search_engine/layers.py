"""Primitive layers of a network as plain data, and the list that lays them one after another."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

IMAGE = "image"  # What the first layers of a network read.
# Kinds of layers that bear the name of the part whose output they read, wherever they stand.
NAMED_AFTER_SOURCE = frozenset({"relu", "max_pool", "avg_pool", "subsample", "zeros", "global_pool"})

Kind = Literal[
    "conv", "batch_norm", "relu", "max_pool", "avg_pool", "subsample", "add", "concat", "global_pool", "linear",
    "drop_path", "zeros",
]  # fmt: skip
Shape = tuple[int, int, int]
Pair = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Layer:
    """One primitive step of a network.

    name: dotted and unique; it begins the name of every tensor of the layer in checkpoints.
    inputs: names of earlier layers, or IMAGE.
    shape: (channels, height, width) of the output; in_channels: channels of the first input.
    kernel, stride: (height, width); the dilation is the same in both directions.
    padding: (top, bottom, left, right) in pixels, as TensorFlow's SAME places it: what is odd goes below and right.
        Convolutions read zeros there, pools leave it out. Negative padding of a subsample drops pixels.
    counts_padding: of an average pool that does not leave its padding out, but reads zeros there.
    depth: of a drop path only: how deep in the network its cell stands, in (0, 1]; 1 is the last cell.
    """

    name: str
    kind: Kind
    inputs: tuple[str, ...]
    shape: Shape
    in_channels: int
    kernel: Pair = (1, 1)
    stride: Pair = (1, 1)
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    dilation: int = 1
    groups: int = 1
    bias: bool = False
    counts_padding: bool = False
    depth: float = 0.0

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of what is trained, by the last part of its name; {} for most kinds."""
        shapes: dict[str, tuple[int, ...]] = {}
        if self.kind == "conv":
            shapes["weight"] = (self.shape[0], self.in_channels // self.groups, *self.kernel)
        elif self.kind == "linear":
            shapes["weight"] = (self.shape[0], self.in_channels)
        elif self.kind == "batch_norm":
            shapes["weight"] = (self.shape[0],)
        if self.bias:
            shapes["bias"] = (self.shape[0],)
        return shapes

    def buffer_shapes(self) -> dict[str, tuple[int, ...]]:
        """Shapes of what is kept with the weights but not trained: the moving statistics of batch norm."""
        if self.kind != "batch_norm":
            return {}
        return {"running_mean": (self.shape[0],), "running_var": (self.shape[0],)}


class LayerList:
    """Layers in the making. Every method adds one layer, if need be, and returns the name of its output.

    Layers with weights are named by whoever adds them. A layer without weights that reads one other is named after
    what it reads and does, so asking for it twice gives the same layer: it is computed once.
    """

    def __init__(self, image: Shape, *, is_centred: bool = False, counts_padding: bool = False) -> None:
        """The layers of a network that reads images of this shape.

        is_centred: windows of odd size are padded alike on both sides, as in networks that were made in PyTorch; it
        differs from SAME at stride 2 only, and there in what a window sees, not in shapes. counts_padding: average
        pools of stride 2 or more read zeros where they are padded.
        """
        self._is_centred, self._counts_padding = is_centred, counts_padding
        self._layers: dict[str, Layer] = {}
        self._shapes: dict[str, Shape] = {IMAGE: image}

    def shape(self, name: str) -> Shape:
        return self._shapes[name]

    def needed_for(self, outputs: Sequence[str]) -> tuple[Layer, ...]:
        """The layers in order, without those that no output needs."""
        return needed_for(self._layers, outputs)

    def conv(
        self,
        name: str,
        source: str,
        filters: int,
        *,
        kernel: Pair = (1, 1),
        stride: Pair = (1, 1),
        dilation: int = 1,
        groups: int = 1,
        is_padded: bool = True,
    ) -> str:
        """A convolution without bias. is_padded: SAME, else VALID, in TensorFlow's words."""
        channels, padding, size = self._window(source, kernel, stride, dilation, is_padded)
        return self._add(
            Layer(name, "conv", (source,), (filters, *size), channels, kernel, stride, padding, dilation, groups)
        )

    def batch_norm(self, name: str, source: str) -> str:
        shape = self._shapes[source]
        return self._add(Layer(name, "batch_norm", (source,), shape, shape[0], bias=True))

    def relu(self, source: str) -> str:
        shape = self._shapes[source]
        return self._once(f"{source}.relu") or self._add(Layer(f"{source}.relu", "relu", (source,), shape, shape[0]))

    def pool(
        self, kind: Literal["max_pool", "avg_pool"], source: str, size: int, stride: int, *, is_padded: bool = True
    ) -> str:
        """A square pool. The padding belongs to neither the largest nor the mean value, unless the list counts it."""
        name = f"{source}.{kind}_{size}x{size}" + (f"_stride_{stride}" if stride != 1 else "")
        kernel, strides = (size, size), (stride, stride)
        channels, padding, out = self._window(source, kernel, strides, 1, is_padded)
        shape, counts_padding = (channels, *out), self._counts_padding and kind == "avg_pool" and stride != 1
        return self._once(name) or self._add(
            Layer(name, kind, (source,), shape, channels, kernel, strides, padding, counts_padding=counts_padding)
        )

    def subsample(self, source: str, *, is_shifted: bool) -> str:
        """Every second pixel of every second row: the first, third, ... or, shifted, the second, fourth, ...

        The last shifted pixel of an odd size lies outside the image and is zero, so both have the same size.
        """
        name = f"{source}.subsample" + ("_shifted" if is_shifted else "")
        channels, height, width = self._shapes[source]
        padding = (-1, height % 2, -1, width % 2) if is_shifted else (0, 0, 0, 0)
        shape = (channels, math.ceil(height / 2), math.ceil(width / 2))
        return self._once(name) or self._add(
            Layer(name, "subsample", (source,), shape, channels, stride=(2, 2), padding=padding)
        )

    def add(self, name: str, left: str, right: str) -> str:
        shape = self._shapes[left]
        assert shape == self._shapes[right], f"{name} adds {shape} and {self._shapes[right]}"
        return self._add(Layer(name, "add", (left, right), shape, shape[0]))

    def drop_path(self, name: str, source: str, depth: float) -> str:
        """The source itself, which in a training step is zero for some of the images; see `Layer` for the depth."""
        shape = self._shapes[source]
        return self._add(Layer(name, "drop_path", (source,), shape, shape[0], depth=depth))

    def concat(self, name: str, sources: Sequence[str]) -> str:
        """Side by side as channels, in the order given."""
        shapes = [self._shapes[source] for source in sources]
        assert len({shape[1:] for shape in shapes}) == 1, f"{name} joins {shapes}"
        shape = (sum(shape[0] for shape in shapes), *shapes[0][1:])
        return self._add(Layer(name, "concat", tuple(sources), shape, shapes[0][0]))

    def zeros(self, source: str) -> str:
        """Zeros in the shape of the source, whatever it holds."""
        shape = self._shapes[source]
        return self._once(f"{source}.zeros") or self._add(Layer(f"{source}.zeros", "zeros", (source,), shape, shape[0]))

    def global_pool(self, source: str) -> str:
        """The mean of each channel."""
        channels, height, width = self._shapes[source]
        return self._add(
            Layer(f"{source}.global_pool", "global_pool", (source,), (channels, 1, 1), channels, (height, width))
        )

    def linear(self, name: str, source: str, units: int, *, bias: bool = True) -> str:
        channels, height, width = self._shapes[source]
        assert (height, width) == (1, 1), f"{name} reads {height} x {width} pixels"
        return self._add(Layer(name, "linear", (source,), (units, 1, 1), channels, bias=bias))

    def _window(
        self, source: str, kernel: Pair, stride: Pair, dilation: int, is_padded: bool
    ) -> tuple[int, tuple[int, int, int, int], Pair]:
        """(channels read, padding, size of the output) of a window that moves over a source."""
        channels, height, width = self._shapes[source]
        top, bottom, rows = _along(height, kernel[0], stride[0], dilation, is_padded, self._is_centred)
        left, right, columns = _along(width, kernel[1], stride[1], dilation, is_padded, self._is_centred)
        return channels, (top, bottom, left, right), (rows, columns)

    def _once(self, name: str) -> str | None:
        return name if name in self._layers else None

    def _add(self, layer: Layer) -> str:
        assert layer.name not in self._layers, f"two layers are called {layer.name}"
        self._layers[layer.name] = layer
        self._shapes[layer.name] = layer.shape
        return layer.name


def needed_for(layers: Mapping[str, Layer], outputs: Sequence[str]) -> tuple[Layer, ...]:
    """Of layers by name, in order, those that an output depends on."""
    needed = set(outputs)
    for layer in reversed(tuple(layers.values())):
        if layer.name in needed:
            needed.update(layer.inputs)
    return tuple(layer for layer in layers.values() if layer.name in needed)


def _along(
    size: int, kernel: int, stride: int, dilation: int, is_padded: bool, is_centred: bool
) -> tuple[int, int, int]:
    """(padding before, padding after, size of the output) along one direction."""
    reach = (kernel - 1) * dilation + 1
    if not is_padded:
        return 0, 0, (size - reach) // stride + 1
    if is_centred and reach % 2:
        each = (reach - 1) // 2
        return each, each, (size + 2 * each - reach) // stride + 1
    out = math.ceil(size / stride)
    total = max((out - 1) * stride + reach - size, 0)
    return total // 2, total - total // 2, out
