"""An architecture in a layout becomes a plan: a flat list of primitive named layers. The skeleton is written here.

Cost sums the plan, PyTorch executes it, and its names are the keys of every checkpoint. Cells and blocks in these names
count from 0, as in the released code: `cell_0` ... are the normal cells, `reduction_0` ... the reduction cells.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from search_engine.architecture import Architecture, Block, Cell, validate
from search_engine.config import LayoutConfig
from search_engine.errors import ConfigError
from search_engine.layers import IMAGE, Layer, LayerList, Shape, needed_for
from search_engine.operations import apply_operation, factorized_reduction, fit_channels, match_state

STEM_FILTERS = 3  # The CIFAR stem has this many times F channels (released code).
AUXILIARY_POOL, AUXILIARY_STRIDE = 5, 3  # The auxiliary head's first pool, without padding (released code).
AUXILIARY_FILTERS = (128, 768)


@dataclass(frozen=True, slots=True)
class NetworkPlan:
    """A network as data.

    image: (channels, height, width) of what it reads.
    layers: each reads only what stands before it; nothing is there that an output does not need.
    output, auxiliary_output: names of the layers that give logits; the second serves in training only.
    batch_norm_momentum: the weight of the newest batch, as PyTorch counts it (the released code's decay is 0.9).
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


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a cell stands in a skeleton. filters: of each of its blocks."""

    name: str
    is_reduction: bool
    filters: int
    has_auxiliary: bool = False


def plan(
    architecture: Architecture,
    layout: LayoutConfig,
    *,
    image_channels: int,
    image_size: int,
    classes: int,
    auxiliary: bool = False,
) -> NetworkPlan:
    """The CIFAR network of an architecture (NASNet, Figure 2 and the released code).

    image_size: height and width in pixels. auxiliary: with the auxiliary head, where there are two reductions or more.
    Raises ArchitectureError where a cell cannot exist, ConfigError where image, classes or filters do not fit.
    """
    validate(architecture.normal, "normal")
    validate(architecture.reduction, "reduction")
    _check_sizes(layout, image_channels, image_size, classes)
    layers = LayerList((image_channels, image_size, image_size))
    current = _cifar_stem(layers, layout)
    previous: str | None = None
    auxiliary_source: str | None = None
    for place in _cifar_skeleton(layout):
        cell = architecture.reduction if place.is_reduction else architecture.normal
        # What precedes the cell after a reduction is the cell that fed the reduction, not an earlier one.
        previous, current = current, _cell(layers, cell, place, previous, current)
        if auxiliary and place.has_auxiliary:
            auxiliary_source = current
    output = layers.linear("head.linear", layers.global_pool(layers.relu(current)), classes)
    if auxiliary_source is None:
        return NetworkPlan(layers.shape(IMAGE), layers.needed_for([output]), output)
    auxiliary_output = _auxiliary_head(layers, auxiliary_source, classes)
    return NetworkPlan(layers.shape(IMAGE), layers.needed_for([output, auxiliary_output]), output, auxiliary_output)


def _check_sizes(layout: LayoutConfig, image_channels: int, image_size: int, classes: int) -> None:
    for field, value in (("image_channels", image_channels), ("classes", classes)):
        if value < 1:
            raise ConfigError(field, f"is {value}; must be at least 1.")
    smallest = 2 ** (layout.reductions - 1) + 1  # So that every reduction still finds two rows.
    if image_size < smallest:
        raise ConfigError(
            "image_size", f"is {image_size}; to be halved {layout.reductions} times it must be at least {smallest}."
        )


def _cifar_stem(layers: LayerList, layout: LayoutConfig) -> str:
    conv = layers.conv("stem.conv", IMAGE, STEM_FILTERS * layout.filters, kernel=(3, 3))
    return layers.batch_norm("stem.batch_norm", conv)


def _cifar_skeleton(layout: LayoutConfig) -> Iterator[_Place]:
    """Stacks of N normal cells with a reduction cell between; filters double at each reduction."""
    for stack in range(layout.reductions + 1):
        filters = layout.filters * 2**stack
        if stack > 0:
            yield _Place(f"reduction_{stack - 1}", True, filters)
        for index in range(layout.normal_cells):
            # The auxiliary head stands before the second reduction, and nowhere if there is none.
            is_last = index == layout.normal_cells - 1
            has_auxiliary = stack == 1 and is_last and layout.reductions >= 2
            yield _Place(f"cell_{stack * layout.normal_cells + index}", False, filters, has_auxiliary)


def _cell(layers: LayerList, cell: Cell, place: _Place, previous: str | None, current: str) -> str:
    """Lay a cell and return its output. previous: output of the cell before `current`; None for the first cell."""
    fitted = _fit_previous(layers, place, previous, current)
    states = [fit_channels(layers, f"{place.name}.current", current, place.filters), fitted]
    for index, block in enumerate(cell.blocks):
        states.append(_block(layers, block, f"{place.name}.block_{index}", place, states))
    height = layers.shape(states[-1])[1]
    joined = [
        match_state(layers, f"{place.name}.match_{state}", states[state], place.filters, height)
        for state in cell.concat
    ]
    return joined[0] if len(joined) == 1 else layers.concat(f"{place.name}.concat", joined)


def _fit_previous(layers: LayerList, place: _Place, previous: str | None, current: str) -> str:
    """The previous input with the size of the current one; the first cell reads the stem itself, with its channels."""
    if previous is None:
        return current
    name = f"{place.name}.previous"
    channels, height, _ = layers.shape(previous)
    if height != layers.shape(current)[1]:
        return factorized_reduction(layers, name, layers.relu(previous), place.filters)
    return previous if channels == place.filters else fit_channels(layers, name, previous, place.filters)


def _block(layers: LayerList, block: Block, name: str, place: _Place, states: list[str]) -> str:
    """Two operations and their combination. In a reduction cell, what reads an input of the cell halves it."""
    sides = []
    for side, state, operation in zip(("left", "right"), block.inputs, block.operations, strict=True):
        stride = 2 if place.is_reduction and state < 2 else 1
        sides.append(apply_operation(layers, operation, f"{name}.{side}", states[state], place.filters, stride))
    if block.combination == "add":
        return layers.add(f"{name}.add", sides[0], sides[1])
    # The paper says that 1x1 convolutions are put in where shapes must match, and not where. We fit a concatenation
    # back to the cell's filters at once, so that every block gives a state of the same shape.
    return fit_channels(layers, f"{name}.fit", layers.concat(f"{name}.concat", sides), place.filters)


def _auxiliary_head(layers: LayerList, source: str, classes: int) -> str:
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
    return layers.linear("auxiliary.linear", wide, classes)
