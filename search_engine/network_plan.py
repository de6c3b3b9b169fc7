"""An architecture in a layout becomes a plan: a flat list of primitive named layers.

Cost sums the plan, PyTorch executes it, and its names are the keys of every checkpoint: the name of a cell in its
skeleton, then of what stands in the cell. Blocks count from 0, as in the released code.
"""

from dataclasses import dataclass, replace

from search_engine.architectures.cell import Block, Cell
from search_engine.architectures.cells import CellArchitecture
from search_engine.architectures.macro import MacroArchitecture
from search_engine.architectures.nas_bench_201 import NasBench201Architecture
from search_engine.architectures.reading import Architecture
from search_engine.config.layout import Layout, LayoutConfig, MacroLayoutConfig, NasBench201LayoutConfig
from search_engine.errors import ArchitectureError, ConfigError
from search_engine.layers import IMAGE, Layer, LayerList, Pair, Shape, needed_for
from search_engine.macro_network import lay_macro_network, layers_before_halving
from search_engine.nas_bench_201_network import lay_nas_bench_201_network
from search_engine.operations import apply_operation, factorized_reduction, fit_channels, match_state
from search_engine.skeletons import RULES, Place, batch_norm_constants, lay_stem, places, smallest_image

AUXILIARY_POOL, AUXILIARY_STRIDE = 5, 3  # The auxiliary head's first pool, without padding (released code).
AUXILIARY_FILTERS = (128, 768)


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """A network as data.

    image: (channels, height, width) of what it reads.
    layers: each reads only what stands before it; nothing is there that an output does not need.
    output, auxiliary_output: names of the layers that give logits; the second serves in training only.
    batch_norm_momentum: the weight of the newest batch, as PyTorch counts it: 1 minus the released code's decay.
    """

    image: Shape
    layers: tuple[Layer, ...]
    output: str
    auxiliary_output: str | None = None
    batch_norm_epsilon: float = 1e-5
    batch_norm_momentum: float = 0.1

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """Every trained tensor, by its name in checkpoints, in the order of the layers."""
        return {
            f"{layer.name}.{last}": shape for layer in self.layers for last, shape in layer.parameter_shapes().items()
        }

    def buffer_shapes(self) -> dict[str, tuple[int, ...]]:
        """Every tensor that is kept but not trained, by its name in checkpoints."""
        return {f"{layer.name}.{last}": shape for layer in self.layers for last, shape in layer.buffer_shapes().items()}

    def without_auxiliary(self) -> "NetworkPlan":
        """The network as it is used after training."""
        if self.auxiliary_output is None:
            return self
        layers = needed_for({layer.name: layer for layer in self.layers}, [self.output])
        return replace(self, layers=layers, auxiliary_output=None)


def plan(
    architecture: Architecture,
    layout: Layout,
    *,
    image_channels: int,
    image_size: int | Pair,
    classes: int,
    auxiliary: bool = False,
    drop_path: bool = False,
) -> NetworkPlan:
    """The network of an architecture in a layout of its kind.

    image_size: height and width in pixels, one number where they are equal.
    auxiliary: with the auxiliary head, where the layout has a place for it.
    drop_path: with a layer of this kind behind every operation that a training step may drop; only cells have such.
    Raises ArchitectureError where it cannot exist, ConfigError where image, classes or filters do not fit.
    """
    architecture.validated()
    image = (image_channels, *((image_size, image_size) if isinstance(image_size, int) else image_size))
    if isinstance(architecture, MacroArchitecture) and isinstance(layout, MacroLayoutConfig):
        check_sizes(image, classes, len(layers_before_halving(architecture)))
        layers = LayerList(image)
        return _planned(layers, lay_macro_network(layers, architecture, layout, classes))
    if isinstance(architecture, NasBench201Architecture) and isinstance(layout, NasBench201LayoutConfig):
        check_sizes(image, classes, layout.halvings)
        layers = LayerList(image, is_centred=True)
        return _planned(layers, lay_nas_bench_201_network(layers, architecture, layout, classes))
    if isinstance(architecture, CellArchitecture) and isinstance(layout, LayoutConfig):
        check_sizes(image, classes, layout.halvings, smallest_image(layout))
        is_centred = RULES[layout.skeleton].is_centred
        layers = LayerList(image, is_centred=is_centred, counts_padding=layout.average_counts_padding)
        output, auxiliary_output = _cell_network(layers, architecture, layout, classes, auxiliary, drop_path)
        return _planned(layers, output, auxiliary_output, *batch_norm_constants(layout))
    raise ArchitectureError("kind", f'is "{architecture.kind}"; this layout is for kind "{layout.kind}".')


def _planned(layers: LayerList, output: str, auxiliary_output: str | None = None, *constants: float) -> NetworkPlan:
    needed = layers.needed_for([output] if auxiliary_output is None else [output, auxiliary_output])
    return NetworkPlan(layers.shape(IMAGE), needed, output, auxiliary_output, *constants)


def check_sizes(image: Shape, classes: int, halvings: int, smallest: int | None = None) -> None:
    """Raise ConfigError where a network cannot read such images or tell so many classes apart.

    smallest: height and width in pixels with which every halving still finds two rows, where that is not usual.
    """
    channels, size = image[0], min(image[1:])
    for field, value in (("image_channels", channels), ("classes", classes)):
        if value < 1:
            raise ConfigError(field, f"is {value}; must be at least 1.")
    if smallest is None:
        smallest = (1 << halvings - 1) + 1 if halvings else 1
    if size < smallest:
        times = f"to be halved {halvings} times it" if halvings else "it"
        raise ConfigError("image_size", f"is {size}; {times} must be at least {smallest}.")


def _cell_network(
    layers: LayerList,
    architecture: CellArchitecture,
    layout: LayoutConfig,
    classes: int,
    auxiliary: bool,
    drop_path: bool,
) -> tuple[str, str | None]:
    """Cells in a skeleton (NASNet, Figure 2, and released code): what gives logits, and auxiliary logits if any."""
    states = [lay_stem(layers, layout)]
    auxiliary_source: str | None = None
    skeleton = tuple(places(layout))
    for index, place in enumerate(skeleton):
        depth = (index + 1) / len(skeleton) if drop_path else None
        cell = architecture.reduction if place.is_reduction else architecture.normal
        previous = states[-place.previous] if len(states) >= place.previous else None
        states.append(_cell(layers, cell, place, previous, states[-1], depth))
        if auxiliary and place.has_auxiliary:
            auxiliary_source = states[-1]
    rules = RULES[layout.skeleton]
    last = layers.relu(states[-1]) if rules.head_relu else states[-1]
    output = layers.linear("head.linear", layers.global_pool(last), classes, bias=rules.head_bias)
    if auxiliary_source is None:
        return output, None
    return output, auxiliary_head(layers, auxiliary_source, classes, rules.auxiliary_bias)


def _cell(layers: LayerList, cell: Cell, place: Place, previous: str | None, current: str, depth: float | None) -> str:
    """Lay a cell and return its output.

    previous: output of the cell before `current`; None for the first cell. depth: as of `_block`.
    """
    fitted = _fit_previous(layers, place, previous, current)
    if place.rules.fits_current_twice and layers.shape(current)[0] != place.filters:
        current = fit_channels(layers, f"{place.name}.calibrated", current, place.filters)
    states = [fit_channels(layers, f"{place.name}.current", current, place.filters), fitted]
    for index, block in enumerate(cell.blocks):
        states.append(_block(layers, block, f"{place.name}.block_{index}", place, states, depth))
    height = layers.shape(states[-1])[1]
    joined = [
        match_state(layers, f"{place.name}.match_{state}", states[state], place.filters, height)
        for state in cell.concat
    ]
    return joined[0] if len(joined) == 1 else layers.concat(f"{place.name}.concat", joined)


def _fit_previous(layers: LayerList, place: Place, previous: str | None, current: str) -> str:
    """The previous input with the size of the current one; the first cell reads the stem itself, as its rules say."""
    if previous is None:
        if place.rules.first_previous_is_raw:
            return current
        previous = current
    name = f"{place.name}.previous"
    channels, height, _ = layers.shape(previous)
    if height != layers.shape(current)[1]:
        return factorized_reduction(layers, name, layers.relu(previous), place.filters)
    fits = channels == place.filters and not place.rules.always_fits_previous
    return previous if fits else fit_channels(layers, name, previous, place.filters)


def _block(layers: LayerList, block: Block, name: str, place: Place, states: list[str], depth: float | None) -> str:
    """Two operations and their combination. In a reduction cell, what reads an input of the cell halves it.

    depth: of the cell in the network, where operations may be dropped; None where none may. The identity is never
    dropped, even where it had to become a convolution (released code).
    """
    sides = []
    for side, state, operation in zip(("left", "right"), block.inputs, block.operations, strict=True):
        stride = 2 if place.is_reduction and state < 2 else 1
        laid = _operate(layers, operation, f"{name}.{side}", states[state], place, stride)
        if depth is not None and operation != "identity":
            laid = layers.drop_path(f"{name}.{side}.drop_path", laid, depth)
        sides.append(laid)
    if block.combination == "add":
        return layers.add(f"{name}.add", sides[0], sides[1])
    # The paper says that 1x1 convolutions are put in where shapes must match, and not where. We fit a concatenation
    # back to the cell's filters at once, so that every block gives a state of the same shape.
    return fit_channels(layers, f"{name}.fit", layers.concat(f"{name}.concat", sides), place.filters)


def _operate(layers: LayerList, operation: str, name: str, source: str, place: Place, stride: int) -> str:
    if operation == "identity" and stride == 2 and place.rules.identity_halves:
        return factorized_reduction(
            layers, name, layers.relu(source) if place.rules.with_relu else source, place.filters
        )
    return apply_operation(layers, operation, name, source, place.filters, stride)


def auxiliary_head(layers: LayerList, source: str, classes: int, bias: bool) -> str:
    """Lay the head that serves in training only and return its logits (NASNet and ENAS, released code)."""
    height = layers.shape(source)[1]
    if height < AUXILIARY_POOL:
        raise ConfigError(
            "image_size", f"leaves {height} pixels at the auxiliary head; it needs at least {AUXILIARY_POOL}."
        )
    pooled = layers.pool("avg_pool", layers.relu(source), AUXILIARY_POOL, AUXILIARY_STRIDE, is_padded=False)
    conv = layers.conv("auxiliary.first.conv", pooled, AUXILIARY_FILTERS[0])
    narrow = layers.relu(layers.batch_norm("auxiliary.first.batch_norm", conv))
    _, *size = layers.shape(narrow)
    conv = layers.conv(
        "auxiliary.second.conv", narrow, AUXILIARY_FILTERS[1], kernel=(size[0], size[1]), is_padded=False
    )
    wide = layers.relu(layers.batch_norm("auxiliary.second.batch_norm", conv))
    return layers.linear("auxiliary.linear", wide, classes, bias=bias)
