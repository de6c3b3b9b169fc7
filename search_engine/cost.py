"""What a network costs, as sums over its plan: parameters, mult-adds, memory of activations."""

import math
from dataclasses import dataclass

from search_engine.layers import IMAGE, Layer
from search_engine.network_plan import NetworkPlan

FLOAT_BYTES, INDEX_BYTES = 4, 8


@dataclass(frozen=True, slots=True)
class LayerCost:
    """A row of the table of layers. shape: (channels, height, width) of the output; mult_adds: for one image."""

    name: str
    kind: str
    shape: tuple[int, int, int]
    parameters: int
    mult_adds: int


def parameters(plan: NetworkPlan) -> int:
    """Trained numbers, batch norm's scale and shift among them, its moving statistics not.

    Counts the auxiliary head where the plan has one: see NetworkPlan.without_auxiliary.
    """
    return sum(map(_parameters, plan.layers))


def mult_adds(plan: NetworkPlan) -> int:
    """Multiply-adds of convolutions and linear layers for one image, the papers' count; nothing else is counted."""
    return sum(map(_mult_adds, plan.layers))


def activation_bytes(plan: NetworkPlan, batch_size: int) -> int:
    """Bytes that PyTorch keeps from forward to backward in 32-bit floats, without weights: an estimate.

    What is kept once is counted once: inputs of convolutions (padded, where the padding is uneven), batch norms and
    pools, outputs of ReLUs, and the positions that a max pool found.
    """
    sizes = {IMAGE: math.prod(plan.image)} | {layer.name: math.prod(layer.shape) for layer in plan.layers}
    kept: dict[str, int] = {}
    for layer in plan.layers:
        if layer.kind in ("conv", "max_pool", "avg_pool") and _is_uneven(layer.padding):
            kept[f"{layer.inputs[0]} padded {layer.padding}"] = _padded_size(plan, layer) * FLOAT_BYTES
        elif layer.kind in ("conv", "batch_norm", "max_pool", "avg_pool", "linear"):
            kept[layer.inputs[0]] = sizes[layer.inputs[0]] * FLOAT_BYTES
        elif layer.kind == "relu":
            kept[layer.name] = sizes[layer.name] * FLOAT_BYTES
        if layer.kind == "max_pool":
            kept[f"{layer.name} positions"] = sizes[layer.name] * INDEX_BYTES
    return batch_size * sum(kept.values())


def layer_costs(plan: NetworkPlan) -> tuple[LayerCost, ...]:
    """One row per layer, in order."""
    return tuple(
        LayerCost(layer.name, layer.kind, layer.shape, _parameters(layer), _mult_adds(layer)) for layer in plan.layers
    )


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


def _padded_size(plan: NetworkPlan, layer: Layer) -> int:
    _, height, width = next(other.shape for other in plan.layers if other.name == layer.inputs[0])
    top, bottom, left, right = layer.padding
    return layer.in_channels * (height + top + bottom) * (width + left + right)
