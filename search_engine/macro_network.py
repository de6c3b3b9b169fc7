"""A macro network as its authors train one from scratch (ENAS, released code for CIFAR-10).

Layers count from 1, as in the architecture; reductions from 0. Two pooling operations are missing in that code: here
they are built as its search builds them, in the order of its other layers. The published sizes count separable
convolutions as full ones, as that code builds them; here the layout decides.
"""

from search_engine.architectures.macro import MacroArchitecture, MacroLayer
from search_engine.config.layout import MacroLayoutConfig
from search_engine.layers import IMAGE, LayerList
from search_engine.operations import convolve, factorized_reduction, fit_channels, separable_once

STEM = 0  # The number of the stem's output among the outputs of all layers.


def lay_macro_network(
    layers: LayerList, architecture: MacroArchitecture, layout: MacroLayoutConfig, classes: int
) -> str:
    """Lay the whole network and return the layer that gives logits; it has no bias."""
    filters = layout.filters
    outputs = [convolve(layers, "stem", IMAGE, filters, (3, 3))]
    halvings = layers_before_halving(architecture)
    for number, layer in enumerate(architecture.layers, start=STEM + 1):
        outputs.append(_layer(layers, number, layer, outputs, filters, layout.full_conv))
        if number in halvings:
            filters *= 2
            name = f"reduction_{halvings.index(number)}"
            outputs = [
                factorized_reduction(layers, f"{name}.output_{index}", output, filters)
                for index, output in enumerate(outputs)
            ]
    return layers.linear("head.linear", layers.global_pool(outputs[-1]), classes, bias=False)


def layers_before_halving(architecture: MacroArchitecture) -> tuple[int, ...]:
    """The layers behind which every output so far is halved: after one and two thirds, rounded down.

    Fewer than three layers have no thirds and are never halved, as in the released code.
    """
    third = len(architecture.layers) // 3
    return (third, 2 * third) if third else ()


def _layer(
    layers: LayerList, number: int, layer: MacroLayer, outputs: list[str], filters: int, is_full_conv: bool
) -> str:
    """An operation on the last output, then the join with the outputs that the layer names."""
    name = f"layer_{number}"
    fitted = fit_channels(layers, f"{name}.fit", outputs[-1], filters)
    result = _operation(layers, f"{name}.operation", layer.operation, fitted, filters, is_full_conv)
    if number == STEM + 1 and not layer.skips:
        return result  # Every later layer is joined, even with nothing but itself (released code).
    joined = [outputs[skip] for skip in layer.skips] + [result]
    source = joined[0] if len(joined) == 1 else layers.concat(f"{name}.concat", joined)
    return fit_channels(layers, f"{name}.join", source, filters)


def _operation(layers: LayerList, name: str, operation: str, source: str, filters: int, is_full_conv: bool) -> str:
    if operation == "avg_pool_3x3":
        return layers.pool("avg_pool", source, 3, 1)
    if operation == "max_pool_3x3":
        return layers.pool("max_pool", source, 3, 1)
    size = 5 if operation.endswith("5x5") else 3
    if operation.startswith("sep_conv") and not is_full_conv:
        return separable_once(layers, name, source, filters, size, 1)
    return convolve(layers, name, layers.relu(source), filters, (size, size))
