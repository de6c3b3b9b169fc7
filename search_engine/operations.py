"""The operations of NASNet and DARTS in primitive layers, and the two ways to make a state fit (released code, A.4).

Everywhere the order is ReLU, convolution, batch norm, and no convolution has a bias.
"""

from collections.abc import Callable

from search_engine.errors import ConfigError
from search_engine.layers import LayerList, Pair

Build = Callable[[LayerList, str, str, int, int], str]


def apply_operation(layers: LayerList, operation: str, name: str, source: str, filters: int, stride: int) -> str:
    """Lay an operation on a source and return its output, which has the given filters.

    name: begins the names of the layers that have weights. stride: 1, or 2 to halve height and width.
    """
    return _BUILDS[operation](layers, name, source, filters, stride)


def fit_channels(layers: LayerList, name: str, source: str, filters: int) -> str:
    """ReLU, 1x1 convolution, batch norm: the same pixels with other channels."""
    return convolve(layers, name, layers.relu(source), filters)


def factorized_reduction(layers: LayerList, name: str, source: str, filters: int) -> str:
    """Half the height and width without losing pixels: two 1x1 convolutions, one on pixels one to the right and below.

    No ReLU here: the caller puts one before where the released code does.
    """
    if filters % 2:
        raise ConfigError("filters", f"gives {filters} channels where halves are joined; must give an even number.")
    halves = [
        layers.conv(f"{name}.{half}", layers.subsample(source, is_shifted=is_shifted), filters // 2)
        for half, is_shifted in (("even", False), ("odd", True))
    ]
    return layers.batch_norm(f"{name}.batch_norm", layers.concat(f"{name}.concat", halves))


def match_state(layers: LayerList, name: str, source: str, filters: int, height: int) -> str:
    """A state as it may be concatenated: untouched where it fits, else reduced or fitted, without ReLU."""
    channels, source_height, _ = layers.shape(source)
    if source_height != height:
        return factorized_reduction(layers, name, source, filters)
    return source if channels == filters else convolve(layers, name, source, filters)


def convolve(
    layers: LayerList,
    name: str,
    source: str,
    filters: int,
    kernel: Pair = (1, 1),
    stride: Pair = (1, 1),
    dilation: int = 1,
) -> str:
    """Convolution and batch norm, without the ReLU before them."""
    conv = layers.conv(f"{name}.conv", source, filters, kernel=kernel, stride=stride, dilation=dilation)
    return layers.batch_norm(f"{name}.batch_norm", conv)


def _identity(layers: LayerList, name: str, source: str, filters: int, stride: int) -> str:
    if stride == 1 and layers.shape(source)[0] == filters:
        return source
    return convolve(layers, name, layers.relu(source), filters, stride=(stride, stride))


def _max_pool(size: int) -> Build:
    def build(layers: LayerList, name: str, source: str, filters: int, stride: int) -> str:
        return _with_filters(layers, name, layers.pool("max_pool", source, size, stride), filters)

    return build


def _avg_pool(size: int) -> Build:
    def build(layers: LayerList, name: str, source: str, filters: int, stride: int) -> str:
        return _with_filters(layers, name, layers.pool("avg_pool", source, size, stride), filters)

    return build


def _with_filters(layers: LayerList, name: str, pooled: str, filters: int) -> str:
    """The released code fits channels after a pool, with no ReLU between."""
    return pooled if layers.shape(pooled)[0] == filters else convolve(layers, name, pooled, filters)


def _conv(size: int, dilation: int = 1) -> Build:
    def build(layers: LayerList, name: str, source: str, filters: int, stride: int) -> str:
        return convolve(layers, name, layers.relu(source), filters, (size, size), (stride, stride), dilation)

    return build


def _row_then_column(size: int) -> Build:
    def build(layers: LayerList, name: str, source: str, filters: int, stride: int) -> str:
        # The same laboratory's later code narrows the channels around these two; the paper mentions no such
        # bottleneck, so here there is none. As in that code, each convolution strides along its own direction.
        row = convolve(layers, f"{name}.first", layers.relu(source), filters, (1, size), (1, stride))
        return convolve(layers, f"{name}.second", layers.relu(row), filters, (size, 1), (stride, 1))

    return build


def _separable(size: int) -> Build:
    def build(layers: LayerList, name: str, source: str, filters: int, stride: int) -> str:
        first = separable_once(layers, f"{name}.first", source, filters, size, stride)
        return separable_once(layers, f"{name}.second", first, filters, size, 1)  # Applied twice (A.4).

    return build


def _dilated_separable(size: int) -> Build:
    def build(layers: LayerList, name: str, source: str, filters: int, stride: int) -> str:
        # As DARTS has it: once, not twice, and every second pixel.
        return separable_once(layers, name, source, filters, size, stride, dilation=2)

    return build


def _row_then_column_at_once(size: int) -> Build:
    def build(layers: LayerList, name: str, source: str, filters: int, stride: int) -> str:
        # As DARTS has it: the two convolutions follow each other with nothing between.
        row = layers.conv(f"{name}.row", layers.relu(source), filters, kernel=(1, size), stride=(1, stride))
        column = layers.conv(f"{name}.column", row, filters, kernel=(size, 1), stride=(stride, 1))
        return layers.batch_norm(f"{name}.batch_norm", column)

    return build


def separable_once(
    layers: LayerList, name: str, source: str, filters: int, size: int, stride: int, dilation: int = 1
) -> str:
    """ReLU, depthwise convolution, pointwise convolution, batch norm."""
    channels = layers.shape(source)[0]
    depthwise = layers.conv(
        f"{name}.depthwise",
        layers.relu(source),
        channels,
        kernel=(size, size),
        stride=(stride, stride),
        dilation=dilation,
        groups=channels,
    )
    pointwise = layers.conv(f"{name}.pointwise", depthwise, filters)
    return layers.batch_norm(f"{name}.batch_norm", pointwise)


_BUILDS: dict[str, Build] = {
    "identity": _identity,
    "conv_1x3_3x1": _row_then_column(3),
    "conv_1x7_7x1": _row_then_column(7),
    "dilated_conv_3x3": _conv(3, dilation=2),  # The paper states no dilation; 2 is our choice.
    "avg_pool_3x3": _avg_pool(3),
    "max_pool_3x3": _max_pool(3),
    "max_pool_5x5": _max_pool(5),
    "max_pool_7x7": _max_pool(7),
    "conv_1x1": _conv(1),
    "conv_3x3": _conv(3),
    "sep_conv_3x3": _separable(3),
    "sep_conv_5x5": _separable(5),
    "sep_conv_7x7": _separable(7),
    "dilated_sep_conv_3x3": _dilated_separable(3),
    "dilated_sep_conv_5x5": _dilated_separable(5),
    "conv_7x1_1x7": _row_then_column_at_once(7),
}
