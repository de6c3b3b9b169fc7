"""Two cells in shared weights: the network of ENAS's micro search (released code for CIFAR-10).

Each side of a block has weights of its own for every state it may read and every operation. What leaves a cell is made
as narrow as one block: each loose end has a 1x1 convolution, and their results are added, which is the same as one
convolution over all of them side by side. Cells, blocks and states count as in network plans.
"""

from search_engine.architectures.cell import Block, Cell
from search_engine.architectures.cells import CellArchitecture
from search_engine.config.layout import LayoutConfig
from search_engine.config.supernet import MicroSupernetConfig
from search_engine.layers import LayerList
from search_engine.network_plan import auxiliary_head
from search_engine.operations import apply_operation, factorized_reduction, fit_channels, match_state
from search_engine.skeletons import Place, lay_stem, places


def lay_micro_path(
    layers: LayerList, architecture: CellArchitecture, supernet: MicroSupernetConfig, classes: int, auxiliary: bool
) -> tuple[str, str | None]:
    """Lay the cells of an architecture and return what gives logits, and auxiliary logits if any."""
    layout = LayoutConfig(
        skeleton="enas", normal_cells=supernet.normal_cells, reductions=supernet.reductions, filters=supernet.filters
    )
    states = [lay_stem(layers, layout)] * 2  # Both inputs of the first cell.
    auxiliary_source: str | None = None
    for place in places(layout):
        cell, stride = (architecture.reduction, 2) if place.is_reduction else (architecture.normal, 1)
        if place.is_reduction and supernet.reduction_cell == "released":
            # The halved input also is what the next cell reads as its previous one.
            states.append(factorized_reduction(layers, f"{place.name}.halved", states[-1], place.filters))
            stride = 1
        states.append(_cell(layers, cell, place, states[-2], states[-1], stride))
        if auxiliary and place.has_auxiliary:
            auxiliary_source = states[-1]
    output = layers.linear("head.linear", layers.global_pool(layers.relu(states[-1])), classes, bias=False)
    return output, None if auxiliary_source is None else auxiliary_head(layers, auxiliary_source, classes, False)


def _cell(layers: LayerList, cell: Cell, place: Place, previous: str, current: str, stride: int) -> str:
    """Lay a cell and return its output, which has the channels of one block. stride: of what reads its inputs."""
    states = [_current(layers, place, current), _previous(layers, place, previous, current)]
    for index, block in enumerate(cell.blocks):
        states.append(_block(layers, block, f"{place.name}.block_{index}", place, states, stride))
    height = layers.shape(states[-1])[1]
    joined: str | None = None
    for state in sorted(cell.concat):
        matched = match_state(layers, f"{place.name}.match_{state}", states[state], place.filters, height)
        narrow = layers.conv(f"{place.name}.join.state_{state}", layers.relu(matched), place.filters)
        joined = narrow if joined is None else layers.add(f"{place.name}.join.add_{state}", joined, narrow)
    assert joined is not None, "no state leaves the cell"
    return layers.batch_norm(f"{place.name}.join.batch_norm", joined)


def _current(layers: LayerList, place: Place, current: str) -> str:
    if layers.shape(current)[0] == place.filters:
        return current
    return fit_channels(layers, f"{place.name}.current", current, place.filters)


def _previous(layers: LayerList, place: Place, previous: str, current: str) -> str:
    """The previous input with the size of the current one."""
    channels, height, _ = layers.shape(previous)
    if height != layers.shape(current)[1]:
        return factorized_reduction(layers, f"{place.name}.previous", layers.relu(previous), place.filters)
    if channels == place.filters:
        return previous
    return fit_channels(layers, f"{place.name}.previous", previous, place.filters)


def _block(layers: LayerList, block: Block, name: str, place: Place, states: list[str], stride: int) -> str:
    sides = []
    for side, state, operation in zip(("left", "right"), block.inputs, block.operations, strict=True):
        edge = f"{name}.{side}.state_{state}.{operation}"
        sides.append(lay_operation(layers, operation, edge, states[state], place.filters, stride if state < 2 else 1))
    return layers.add(f"{name}.add", sides[0], sides[1])


def lay_operation(layers: LayerList, operation: str, name: str, source: str, filters: int, stride: int) -> str:
    if operation == "identity" and stride == 2:
        return factorized_reduction(layers, name, source, filters)  # As in the network that is trained for keeps.
    return apply_operation(layers, operation, name, source, filters, stride)
