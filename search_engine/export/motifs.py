"""What a person would see in the flat layers of a plan: a few modules that come again and again.

A motif stands for layers of a plan that belong together. Its Python expression builds a module whose tensors have the
names that the plan gives them, so that checkpoints fit.
"""

import math
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
    source, is_activated = _before(conv, layers)
    build = f"{'ReluConv' if is_activated else 'Conv'}({{}}, {{}}{window(conv, layers)})"
    return Motif(prefix, _names(family), norm.name, source, build, (conv.in_channels, conv.shape[0]))


def _separable(prefix: str, family: Family, layers: Mapping[str, Layer]) -> Motif:
    depthwise, norm = family["depthwise"], family["batch_norm"]
    source, is_activated = _before(depthwise, layers)
    assert is_activated, f"{prefix} does not start with a ReLU"
    build = f"SeparableConv({{}}, {{}}{window(depthwise, layers)})"
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
    elif layer.groups != 1:
        build, widths = f"SameConv({{}}, {{}}{window(layer, layers)}, groups={{}})", (*widths, layer.groups)
    else:
        build = f"SameConv({{}}, {{}}{window(layer, layers)})"
    return Motif(layer.name, frozenset((layer.name,)), layer.name, layer.inputs[0], build, widths)


def window(conv: Layer, layers: Mapping[str, Layer]) -> str:
    """Kernel, stride, dilation and padding as further arguments, where they are not the usual ones."""
    rows, columns = conv.kernel
    words = [str(rows if rows == columns else conv.kernel)]
    if conv.stride != (1, 1):
        words.append(f"stride={conv.stride[0] if conv.stride[0] == conv.stride[1] else conv.stride}")
    if conv.dilation != 1:
        words.append(f"dilation={conv.dilation}")
    if conv.kernel != (1, 1) and not any(conv.padding):
        words.append("is_padded=False")
    elif is_centred(conv, layers):
        words.append("is_centred=True")
    return "".join(f", {word}" for word in words)


def is_centred(layer: Layer, layers: Mapping[str, Layer]) -> bool:
    """Whether the window of a convolution or pool is padded alike on both sides where SAME would not be."""
    if layer.stride == (1, 1) or layer.inputs[0] not in layers:
        return False
    for size, kernel, stride, padded in zip(
        layers[layer.inputs[0]].shape[1:],
        layer.kernel,
        layer.stride,
        (layer.padding[:2], layer.padding[2:]),
        strict=True,
    ):
        same = (math.ceil(size / stride) - 1) * stride + (kernel - 1) * layer.dilation + 1 - size
        if max(same, 0) != sum(padded):
            return True
    return False


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
