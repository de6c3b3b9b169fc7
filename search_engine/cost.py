"""What a network costs, as sums over its plan: parameters, mult-adds, memory of activations."""

import math
from dataclasses import dataclass

from search_engine import network_plan
from search_engine.architectures.reading import Architecture
from search_engine.config.layout import Layout
from search_engine.layers import IMAGE, NAMED_AFTER_SOURCE, Layer
from search_engine.network_plan import NetworkPlan

FLOAT_BYTES, INDEX_BYTES = 4, 8


@dataclass(frozen=True, slots=True)
class LayerCost:
    """A row of the table of layers. shape: (channels, height, width) of the output; mult_adds: for one image."""

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    mult_adds: int


@dataclass(frozen=True, slots=True)
class PartCost:
    """A part of a network as sums over its layers: a stem, a cell, a layer of a macro network, a head.

    name: what the names of its layers begin with. shape: of what leaves it.
    """

    name: str
    shape: tuple[int, ...]
    parameters: int
    mult_adds: int


def parameters(plan: NetworkPlan) -> int:
    """Trained numbers, batch norm's scale and shift among them, its moving statistics not.

    Counts the auxiliary head where the plan has one: see NetworkPlan.without_auxiliary.
    """
    return sum(map(_parameters, plan.layers))


def child_parameters(layout: Layout, image_size: int, architecture: Architecture) -> int:
    """Of a child's network for coloured images of ten classes, which stand for any: to compare children by."""
    return parameters(network_plan.plan(architecture, layout, image_channels=3, image_size=image_size, classes=10))


def mult_adds(plan: NetworkPlan) -> int:
    """Multiply-adds of convolutions and linear layers for one image, the papers' count; nothing else is counted."""
    return sum(map(_mult_adds, plan.layers))


def activation_bytes(plan: NetworkPlan, batch_size: int) -> int:
    """Bytes that PyTorch keeps from forward to backward in 32-bit floats, without weights: an estimate.

    What is kept once counts once: inputs of convolutions, batch norms and pools, outputs of ReLUs, and the positions
    that a max pool found. Convolutions with uneven padding keep a padded copy, one for all that want the same.
    """
    numbers = sum(_kept_numbers(plan).values())
    positions = sum(math.prod(layer.shape) for layer in plan.layers if layer.kind == "max_pool")
    return batch_size * (numbers * FLOAT_BYTES + positions * INDEX_BYTES)


def _kept_numbers(plan: NetworkPlan) -> dict[str, int]:
    """How many numbers each tensor holds that is kept for one image."""
    shapes = {IMAGE: plan.image} | {layer.name: layer.shape for layer in plan.layers}
    kept: dict[str, int] = {}
    for layer in plan.layers:
        source = layer.inputs[0]
        if layer.kind == "relu":
            kept[layer.name] = math.prod(layer.shape)
        elif layer.kind == "conv" and _is_uneven(layer.padding):
            kept[f"{source} padded {layer.padding}"] = _padded(shapes[source], layer.padding)
        elif layer.kind in ("conv", "batch_norm", "max_pool", "avg_pool", "linear"):
            kept[source] = math.prod(shapes[source])
    return kept


def layer_costs(plan: NetworkPlan) -> tuple[LayerCost, ...]:
    """One row per layer, in order."""
    return tuple(
        LayerCost(layer.name, layer.kind, layer.shape, _parameters(layer), _mult_adds(layer)) for layer in plan.layers
    )


def part_costs(plan: NetworkPlan) -> tuple[PartCost, ...]:
    """One row per part, in order. A part that lays no layer of its own has no row."""
    shapes: dict[str, tuple[int, ...]] = {}
    sums: dict[str, tuple[int, int]] = {}
    for layer in plan.layers:
        part = layer.name.partition(".")[0]
        if layer.kind not in NAMED_AFTER_SOURCE:
            shapes[part] = layer.shape
        counted, added = sums.get(part, (0, 0))
        sums[part] = (counted + _parameters(layer), added + _mult_adds(layer))
    return tuple(PartCost(part, shapes[part], *sums[part]) for part in shapes)


def _parameters(layer: Layer) -> int:
    return sum(math.prod(shape) for shape in layer.parameter_shapes().values())


def _mult_adds(layer: Layer) -> int:
    if layer.kind not in ("conv", "linear"):
        return 0
    _, height, width = layer.shape
    return math.prod(layer.parameter_shapes()["weight"]) * height * width


def _is_uneven(padding: tuple[int, int, int, int]) -> bool:
    top, bottom, left, right = padding
    return top != bottom or left != right


def _padded(shape: tuple[int, int, int], padding: tuple[int, int, int, int]) -> int:
    channels, height, width = shape
    top, bottom, left, right = padding
    return channels * (height + top + bottom) * (width + left + right)
