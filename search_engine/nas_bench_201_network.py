"""A network of NAS-Bench-201 (Dong and Yang 2020, section 2.1 and released code): three stacks of one cell.

Between the stacks stands a residual block that halves height and width. Cells and blocks count from 0. What no output
needs is left out of the plan, so a cell with an edge that leads nowhere has fewer parameters here than the benchmark's
tables count.
"""

from search_engine.architectures.nas_bench_201 import NAS_BENCH_201_EDGES, NasBench201Architecture
from search_engine.config.layout import NasBench201LayoutConfig
from search_engine.layers import IMAGE, LayerList
from search_engine.operations import convolve

STACKS = 3
OUTPUT_NODE = 3
KERNELS = {"nor_conv_1x1": 1, "nor_conv_3x3": 3}


def lay_nas_bench_201_network(
    layers: LayerList, architecture: NasBench201Architecture, layout: NasBench201LayoutConfig, classes: int
) -> str:
    """Lay the whole network and return the layer that gives logits."""
    output = convolve(layers, "stem", IMAGE, layout.filters, (3, 3))
    for stack in range(STACKS):
        if stack > 0:
            output = _residual_block(layers, f"reduction_{stack - 1}", output, layout.filters * 2**stack)
        for index in range(layout.normal_cells):
            output = _cell(layers, architecture, f"cell_{stack * layout.normal_cells + index}", output)
    normed = layers.relu(layers.batch_norm("head.batch_norm", output))
    return layers.linear("head.linear", layers.global_pool(normed), classes)


def _cell(layers: LayerList, architecture: NasBench201Architecture, name: str, source: str) -> str:
    """Four nodes; each is the sum of what comes in over its edges, and zero where nothing does."""
    nodes = [source]
    for node in range(1, OUTPUT_NODE + 1):
        incoming = [
            _edge(layers, operation, f"{name}.edge_{start}_{end}", nodes[start])
            for (start, end), operation in zip(NAS_BENCH_201_EDGES, architecture.operations, strict=True)
            if end == node and operation != "none"
        ]
        total = incoming[0] if incoming else layers.zeros(source)
        for number, term in enumerate(incoming[1:], start=1):
            total = layers.add(f"{name}.node_{node}.add_{number}", total, term)
        nodes.append(total)
    return nodes[OUTPUT_NODE]


def _edge(layers: LayerList, operation: str, name: str, source: str) -> str:
    if operation == "skip_connect":
        return source
    if operation == "avg_pool_3x3":
        return layers.pool("avg_pool", source, 3, 1)
    kernel = KERNELS[operation]
    return convolve(layers, name, layers.relu(source), layers.shape(source)[0], (kernel, kernel))


def _residual_block(layers: LayerList, name: str, source: str, filters: int) -> str:
    """Two 3x3 convolutions beside a 2x2 average and a 1x1 convolution without batch norm."""
    first = convolve(layers, f"{name}.first", layers.relu(source), filters, (3, 3), (2, 2))
    second = convolve(layers, f"{name}.second", layers.relu(first), filters, (3, 3))
    shortcut = layers.conv(f"{name}.shortcut.conv", layers.pool("avg_pool", source, 2, 2), filters)
    return layers.add(f"{name}.add", shortcut, second)
