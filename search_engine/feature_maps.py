"""Where a network's features are taken for detection: the last output of every size on the way to its head."""

from dataclasses import dataclass, replace

from search_engine.layers import IMAGE, NAMED_AFTER_SOURCE, Layer, needed_for
from search_engine.network_plan import NetworkPlan

DEEPEST = 4  # As many maps as torchvision's detectors read of a residual network, if there are as many.


@dataclass(frozen=True, slots=True)
class FeatureMap:
    """A layer whose output is a feature map. stride: pixels of the image from one of its pixels to the next."""

    layer: str
    channels: int
    stride: int


def feature_maps(plan: NetworkPlan) -> tuple[FeatureMap, ...]:
    """The last output before each halving and the last of all, the deepest four where there are more.

    What the head computes is none of them.
    """
    layers = {layer.name: layer for layer in plan.without_auxiliary().layers}
    strides = _strides(tuple(layers.values()))
    leaving: dict[str, Layer] = {}  # Of each part its last layer, which leaves it.
    for layer in layers.values():
        part = layer.name.partition(".")[0]
        if part != "head" and layer.kind not in NAMED_AFTER_SOURCE:
            leaving[part] = layer
    found = {strides[layer.name]: layer for layer in leaving.values()}
    maps = [FeatureMap(layer.name, layer.shape[0], stride) for stride, layer in sorted(found.items())]
    return tuple(maps[-DEEPEST:])


def trunk(plan: NetworkPlan) -> NetworkPlan:
    """The layers that the feature maps need; the deepest map is the output."""
    names = [each.layer for each in feature_maps(plan)]
    layers = needed_for({layer.name: layer for layer in plan.layers}, names)
    return replace(plan, layers=layers, output=names[-1], auxiliary_output=None)


def _strides(layers: tuple[Layer, ...]) -> dict[str, int]:
    """Pixels of the image between two neighbours in a column of each layer's output."""
    strides = {IMAGE: 1}
    for layer in layers:
        strides[layer.name] = strides[layer.inputs[0]] * layer.stride[0]
    return strides
