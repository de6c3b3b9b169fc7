"""An architecture in weights that all architectures of its space share, as a plan (ENAS, section 2, and released code).

A layer with weights is named by where it stands: the cell and block, or the layer; then, where they are its own, what
it reads and does. So equal names in the plans of two architectures are the same weights, what an architecture does not
use is not in its plan at all, and the layers of all architectures together are the bank.

Departure: batch norm behind the wide convolutions of a macro network has the epsilon of all others, not 100 times it.
"""

from collections.abc import Iterator

from search_engine.architectures.cell import Block, Cell
from search_engine.architectures.cells import CellArchitecture
from search_engine.architectures.macro import MacroArchitecture, MacroLayer
from search_engine.architectures.reading import Architecture
from search_engine.config.space import EnasMacroSpaceConfig, EnasMicroSpaceConfig
from search_engine.config.supernet import ImageSupernetConfig, MacroSupernetConfig, MicroSupernetConfig
from search_engine.errors import ArchitectureError
from search_engine.layers import Layer, LayerList, Pair
from search_engine.macro_supernet import lay_macro_path
from search_engine.micro_supernet import lay_micro_path
from search_engine.network_plan import NetworkPlan, check_sizes

ImageSpaceConfig = EnasMicroSpaceConfig | EnasMacroSpaceConfig


def path_plan(
    architecture: Architecture,
    supernet: ImageSupernetConfig,
    *,
    image_channels: int,
    image_size: int | Pair,
    classes: int,
    auxiliary: bool = False,
) -> NetworkPlan:
    """The network of an architecture in shared weights; it never looks at what else its space holds.

    image_size: height and width in pixels, one number where they are equal.
    auxiliary: with the auxiliary head, where the network has a place for it.
    Raises ArchitectureError where the architecture is no such one, ConfigError where image, classes or filters do not
    fit.
    """
    architecture.validated()
    image = (image_channels, *((image_size, image_size) if isinstance(image_size, int) else image_size))
    check_sizes(image, classes, supernet.halvings)
    layers = LayerList(image)
    if isinstance(architecture, CellArchitecture) and isinstance(supernet, MicroSupernetConfig):
        output, auxiliary_output = lay_micro_path(layers, architecture, supernet, classes, auxiliary)
        outputs = [output] if auxiliary_output is None else [output, auxiliary_output]
        return NetworkPlan(image, layers.needed_for(outputs), output, auxiliary_output)
    if isinstance(architecture, MacroArchitecture) and isinstance(supernet, MacroSupernetConfig):
        output = lay_macro_path(layers, architecture, supernet, classes)
        return NetworkPlan(image, layers.needed_for([output]), output)
    raise ArchitectureError("kind", f'is "{architecture.kind}"; these shared weights are for "{supernet.kind}".')


def image_supernet_layers(
    space: ImageSpaceConfig,
    supernet: ImageSupernetConfig,
    *,
    image_channels: int,
    image_size: int | Pair,
    classes: int,
    auxiliary: bool = False,
) -> tuple[Layer, ...]:
    """The bank: every layer with weights that an architecture of the space can use, each once.

    Ordered by where they stand in the network: by cell or layer. Raises as path_plan.
    """
    bank: dict[str, Layer] = {}
    for architecture in _covering(space):
        path = path_plan(
            architecture, supernet, image_channels=image_channels, image_size=image_size, classes=classes,
            auxiliary=auxiliary,
        )  # fmt: skip
        for layer in path.layers:
            if layer.parameter_shapes():
                bank.setdefault(layer.name, layer)
    stands = {place: number for number, place in enumerate(dict.fromkeys(name.split(".")[0] for name in bank))}
    return tuple(sorted(bank.values(), key=lambda layer: stands[layer.name.split(".")[0]]))


def _covering(space: ImageSpaceConfig) -> Iterator[Architecture]:
    """A few architectures of the space that together use everything it holds."""
    if isinstance(space, EnasMacroSpaceConfig):
        yield from (_with_all_skips(space, operation) for operation in space.operations)
        return
    for operation in space.operations:
        for state in range(space.nodes + 1):
            # One side always reads the current input, or the cells before it might be in no path at all; an input that
            # nobody reads is an end of its own, so that each must be left alone once.
            for pair in sorted({(state, state), (state, 0), (0, state)}):
                cell = _reading(space, operation, pair)
                yield CellArchitecture(cell, cell)


def _with_all_skips(space: EnasMacroSpaceConfig, operation: str) -> MacroArchitecture:
    first = 1 if space.indexing == "figure" else 0
    layers = (MacroLayer(operation, tuple(range(first, first + index))) for index in range(space.layers))
    return MacroArchitecture(tuple(layers))


def _reading(space: EnasMicroSpaceConfig, operation: str, states: Pair) -> Cell:
    """Every node reads the two states, or, until they are there, the node before."""
    inputs = [(min(states[0], node + 1), min(states[1], node + 1)) for node in range(space.nodes)]
    blocks = tuple(Block(pair, (operation, operation), "add") for pair in inputs)
    read = {state for pair in inputs for state in pair}
    first = 0 if space.unused_inputs else 2
    return Cell(blocks, tuple(state for state in range(first, space.nodes + 2) if state not in read))
