"""A macro network in shared weights: what ENAS's macro search trains (released code for CIFAR-10).

Each layer has weights of its own for every operation. Layers count from 1, the stem is output 0, reductions count
from 0. Unlike a network that is trained from scratch, channels do not double, each convolution is followed by its ReLU,
and outputs are added where they are joined, unless the configuration says otherwise.
"""

from search_engine.architectures.macro import MacroArchitecture, MacroLayer
from search_engine.config.supernet import MacroSupernetConfig
from search_engine.layers import IMAGE, LayerList
from search_engine.macro_network import STEM, layers_before_halving
from search_engine.operations import convolve, factorized_reduction, separable_once


def lay_macro_path(
    layers: LayerList, architecture: MacroArchitecture, supernet: MacroSupernetConfig, classes: int
) -> str:
    """Lay the whole network and return the layer that gives logits; it has no bias."""
    filters = supernet.filters
    outputs = [convolve(layers, "stem", IMAGE, filters, (3, 3))]
    halvings = layers_before_halving(architecture)
    for number, layer in enumerate(architecture.layers, start=STEM + 1):
        name = f"layer_{number}"
        result = lay_operation(layers, layer.operation, f"{name}.{layer.operation}", outputs[-1], filters)
        is_joined = number > STEM + 1 or layer.skips  # Later layers are, even with nothing but themselves.
        outputs.append(_joined(layers, name, layer, outputs, result, supernet) if is_joined else result)
        if number in halvings:
            name = f"reduction_{halvings.index(number)}"
            outputs = [
                factorized_reduction(layers, f"{name}.output_{index}", output, filters)
                for index, output in enumerate(outputs)
            ]
    return layers.linear("head.linear", layers.global_pool(outputs[-1]), classes, bias=False)


def lay_operation(layers: LayerList, operation: str, name: str, source: str, filters: int) -> str:
    """A 1x1 convolution, then what the operation is named after; a ReLU behind each convolution."""
    fitted = convolve(layers, f"{name}.fit", source, filters)
    if operation == "avg_pool_3x3":
        return layers.pool("avg_pool", layers.relu(fitted), 3, 1)
    if operation == "max_pool_3x3":
        return layers.pool("max_pool", layers.relu(fitted), 3, 1)
    size = 5 if operation.endswith("5x5") else 3
    if operation.startswith("sep_conv"):
        return layers.relu(separable_once(layers, name, fitted, filters, size, 1))
    return layers.relu(convolve(layers, name, layers.relu(fitted), filters, (size, size)))


def _joined(
    layers: LayerList, name: str, layer: MacroLayer, outputs: list[str], result: str, supernet: MacroSupernetConfig
) -> str:
    """The result with the outputs that the layer names, and batch norm.

    Side by side and then convolved is the same as each convolved for itself, and added.
    """
    is_convolved = supernet.join == "concat"
    joined = layers.conv(f"{name}.join.own", result, supernet.filters) if is_convolved else result
    for skip in layer.skips:
        source = outputs[skip]
        if is_convolved:
            source = layers.conv(f"{name}.join.output_{skip}", layers.relu(source), supernet.filters)
        joined = layers.add(f"{name}.join.add_{skip}", joined, source)
    return layers.batch_norm(f"{name}.join.batch_norm", joined)
