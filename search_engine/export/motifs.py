"""What a person would see in the flat layers of a plan: a few modules that come again and again.

A motif stands for layers of a plan that belong together. Its Python expression builds a module whose tensors have the
names that the plan gives them, so that checkpoints fit.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from search_engine.layers import Layer

Family = Mapping[str, Layer]  # Layers with weights whose names differ in the last part only, by that part.


@dataclass(frozen=True, slots=True)
class Motif:
    """Layers that become one module.

    name: dotted, of the module. covers: names of its layers with weights, and of what is computed inside it.
    output: the layer whose value leaves it. source: what it reads; a ReLU before it, if there is one, is its own.
    build: Python that makes the module, with a pair of braces for each of `widths`.
    """

    name: str
    covers: frozenset[str]
    output: str
    source: str
    build: str
    widths: tuple[int, ...]


def motifs_of(layers: Mapping[str, Layer]) -> list[Motif]:
    """The motifs of all layers with weights, in the order of their outputs."""
    families: dict[str, dict[str, Layer]] = {}
    for layer in layers.values():
        if layer.parameter_shapes():
            prefix, _, last = layer.name.rpartition(".")
            families.setdefault(prefix, {})[last] = layer
    found = [motif for prefix, family in families.items() for motif in _motifs_of_family(prefix, family, layers)]
    place = {name: index for index, name in enumerate(layers)}
    return sorted(_chained(found, layers), key=lambda motif: place[motif.output])


def _motifs_of_family(prefix: str, family: Family, layers: Mapping[str, Layer]) -> list[Motif]:
    names = tuple(family)
    if names == ("conv", "batch_norm"):
        return [_convolution(prefix, family, layers)]
    if names == ("depthwise", "pointwise", "batch_norm"):
        return [_separable(prefix, family, layers)]
    if names == ("even", "odd", "batch_norm"):
        return [_factorized(prefix, family, layers)]
    return [_single(layer, layers) for layer in family.values()]


def _convolution(prefix: str, family: Family, layers: Mapping[str, Layer]) -> Motif:
    conv, norm = family["conv"], family["batch_norm"]
    channels, filters = conv.in_channels, conv.shape[0]
    if is_valid(conv):
        build = f"nn.Sequential(OrderedDict(conv={_written_out(conv)}, batch_norm=BatchNorm({{}})))"
        return Motif(prefix, _names(family), norm.name, conv.inputs[0], build, (channels, filters, filters))
    source, is_activated = _before(conv, layers)
    build = f"{'ReluConv' if is_activated else 'Conv'}({{}}, {{}}{window(conv)})"
    return Motif(prefix, _names(family), norm.name, source, build, (channels, filters))


def _separable(prefix: str, family: Family, layers: Mapping[str, Layer]) -> Motif:
    depthwise, norm = family["depthwise"], family["batch_norm"]
    source, is_activated = _before(depthwise, layers)
    assert is_activated, f"{prefix} does not start with a ReLU"
    build = f"SeparableConv({{}}, {{}}{window(depthwise)})"
    return Motif(prefix, _names(family), norm.name, source, build, (depthwise.in_channels, norm.shape[0]))


def _factorized(prefix: str, family: Family, layers: Mapping[str, Layer]) -> Motif:
    even, odd, norm = family["even"], family["odd"], family["batch_norm"]
    skipping = layers[even.inputs[0]]
    inner = {norm.inputs[0], *even.inputs, *odd.inputs}  # The concatenation, and the two ways to skip pixels.
    build = "FactorizedReduction({}, {})"
    widths = (even.in_channels, norm.shape[0])
    return Motif(prefix, _names(family) | inner, norm.name, skipping.inputs[0], build, widths)


def _single(layer: Layer, layers: Mapping[str, Layer]) -> Motif:
    """A layer by itself, as PyTorch or the file has it."""
    widths: tuple[int, ...] = (layer.in_channels, layer.shape[0])
    if layer.kind == "linear":
        build = "nn.Linear({}, {})" if layer.bias else "nn.Linear({}, {}, bias=False)"
    elif layer.kind == "batch_norm":
        build, widths = "BatchNorm({})", (layer.shape[0],)
    else:
        groups = ", groups={}" if layer.groups != 1 else ""
        widths = (*widths, layer.groups) if groups else widths
        is_plain = is_valid(layer) or is_even(layer)
        build = _written_out(layer, groups) if is_plain else f"SameConv({{}}, {{}}{window(layer)}{groups})"
    return Motif(layer.name, frozenset((layer.name,)), layer.name, layer.inputs[0], build, widths)


def window(conv: Layer) -> str:
    """Kernel, stride and dilation as further arguments, where they are not the usual ones."""
    words = [_side(conv.kernel)]
    if conv.stride != (1, 1):
        words.append(f"stride={_side(conv.stride)}")
    if conv.dilation != 1:
        words.append(f"dilation={conv.dilation}")
    return "".join(f", {word}" for word in words)


def _written_out(conv: Layer, groups: str = "") -> str:
    """A convolution as PyTorch has it, whose padding is the same number on both sides."""
    padded = f", padding={_side((conv.padding[0], conv.padding[2]))}" if any(conv.padding) else ""
    return f"nn.Conv2d({{}}, {{}}{window(conv)}{padded}{groups}, bias=False)"


def _side(pair: tuple[int, int]) -> str:
    return str(pair[0] if pair[0] == pair[1] else pair)


def is_valid(layer: Layer) -> bool:
    """Whether the window of a convolution is larger than a pixel and padded nowhere."""
    return layer.kernel != (1, 1) and not any(layer.padding)


def is_even(layer: Layer) -> bool:
    """Whether the window of a convolution or pool is padded alike on every side: by half its reach beyond a pixel."""
    rows, columns = ((size - 1) // 2 * layer.dilation for size in layer.kernel)
    return layer.padding == (rows, rows, columns, columns)


def _before(first: Layer, layers: Mapping[str, Layer]) -> tuple[str, bool]:
    """(what a motif reads, whether it begins with a ReLU of that)."""
    source = first.inputs[0]
    if source in layers and layers[source].kind == "relu":
        return layers[source].inputs[0], True
    return source, False


def _names(family: Family) -> frozenset[str]:
    return frozenset(layer.name for layer in family.values())


def _chained(motifs: list[Motif], layers: Mapping[str, Layer]) -> list[Motif]:
    """Where `x.first` feeds nothing but `x.second`, and `x` holds nothing else, the two are one module `x`."""
    by_name = {motif.name: motif for motif in motifs}
    joined: list[Motif] = []
    for motif in motifs:
        name, _, last = motif.name.rpartition(".")
        first, second = by_name.get(f"{name}.first"), by_name.get(f"{name}.second")
        alone = sum(each.startswith(f"{name}.") for each in by_name) == 2
        if first is None or second is None or not alone or not _feeds_only(first, second, layers):
            joined.append(motif)
        elif last == "first":
            build = f"chain({first.build}, {second.build})"
            covers = first.covers | second.covers
            joined.append(Motif(name, covers, second.output, first.source, build, first.widths + second.widths))
    return joined


def _feeds_only(first: Motif, second: Motif, layers: Mapping[str, Layer]) -> bool:
    if second.source != first.output:
        return False
    readers = {layer.name for layer in layers.values() if first.output in layer.inputs}
    beyond = {layer.name for layer in layers.values() if readers & set(layer.inputs)}
    return all(layers[reader].kind == "relu" for reader in readers) and beyond <= second.covers
