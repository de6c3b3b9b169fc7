"""Where the parts of a macro network stand: layers in a column, skip connections as arcs on both sides of it.

What a layer joins enters the bar under its operation, its output leaves the same bar: so an arc runs from bar to bar,
and the further it goes the further it swings out. Sides are chosen so that few arcs cross.
"""

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from search_engine.architectures.macro import MacroArchitecture
from search_engine.drawing.geometry import Box, Point
from search_engine.drawing.parts import END_HEIGHT, OPERATION_HEIGHT
from search_engine.macro_network import layers_before_halving

COLUMN = 104.0  # Width of a layer.
BAR_GAP, BAR_HEIGHT = 5.0, 15.0  # The bar under an operation, in which skips are joined.
LAYER_GAP = 15.0
HALVING_HEIGHT = 18.0
NEAREST, FURTHEST = 14.0, 122.0  # How far from the column an arc swings: over one layer, over the whole network.
LEFT, RIGHT = -1, 1

Skip = tuple[int, int]  # (source, layer): source 0 is the stem.


@dataclass(frozen=True, slots=True)
class PlacedLayer:
    """Layer `number`, counted from 1. bar: None where nothing is joined."""

    number: int
    operation: Box
    bar: Box | None

    @property
    def last(self) -> Box:
        """The box that its output leaves."""
        return self.bar or self.operation


@dataclass(frozen=True, slots=True)
class PlacedSkip:
    """An arc from start to end, at its middle `reach` pixels away from the column."""

    source: int
    target: int
    side: int
    start: Point
    end: Point
    reach: float


@dataclass(frozen=True, slots=True)
class MacroLayout:
    """Everything that is drawn. halvings: the boxes behind which height and width are half as large.

    The column stands at 0, so that an arc more or less moves nothing else; left, right: how far arcs swing beside it.
    """

    left: float
    right: float
    height: float
    stem: Box
    layers: tuple[PlacedLayer, ...]
    halvings: tuple[Box, ...]
    head: Box
    skips: tuple[PlacedSkip, ...]

    @property
    def width(self) -> float:
        return self.left + COLUMN + self.right


def layout(architecture: MacroArchitecture, *, is_steady: bool = False) -> MacroLayout:
    """Every box and arc in its place; the same for the same network, always.

    is_steady: an arc more or less sends no other one to the other side. A tenth more of them may cross for that.
    """
    count = len(architecture.layers)
    skips = [(source, 1 + at) for at, layer in enumerate(architecture.layers) for source in layer.skips]
    sides = {skip: _sides_of_all(count)[skip] for skip in skips} if is_steady else sides_of(skips)
    reach = {span: _reach(span, count) for span in {target - source for source, target in sides}}
    longest = {side: max((t - s for (s, t), on in sides.items() if on == side), default=None) for side in (LEFT, RIGHT)}
    margins = {side: 0.0 if span is None else reach[span] for side, span in longest.items()}
    stem, layers, halvings, head = _column(architecture)
    above = [stem, *(layer.last for layer in layers)]
    arcs = tuple(
        PlacedSkip(s, t, side, _leaving(above[s], side), _entering(above[t], side), reach[t - s])
        for (s, t), side in sides.items()
    )
    return MacroLayout(margins[LEFT], margins[RIGHT], head.bottom, stem, layers, halvings, head, arcs)


def sides_of(skips: Sequence[Skip]) -> dict[Skip, int]:
    """A side for every skip so that few cross: the longest choose first, then each changes as long as that gains.

    In the end no skip alone could change sides and cross fewer. Cost: 2,080 skips, all of 64 layers, take below 0.1 s.
    """
    layers = max((target for _, target in skips), default=0)
    crossing = {skip: _crossing(skip, layers) for skip in skips}
    left = right = 0  # The skips of each side, as bits.
    found: dict[Skip, int] = {}
    for skip in sorted(skips, key=lambda skip: (skip[0] - skip[1], skip)):
        others = crossing[skip]
        crossed_right, crossed_left = (right & others).bit_count(), (left & others).bit_count()
        if (crossed_right, right.bit_count()) <= (crossed_left, left.bit_count()):
            found[skip], right = RIGHT, right | _bit(skip, layers)
        else:
            found[skip], left = LEFT, left | _bit(skip, layers)
    has_gained = True
    while has_gained:
        has_gained = False
        for skip in skips:
            gain = (right & crossing[skip]).bit_count() - (left & crossing[skip]).bit_count()
            if gain * found[skip] > 0:  # RIGHT is 1: there it crosses more than it would on the other side.
                left ^= _bit(skip, layers)
                right ^= _bit(skip, layers)
                found[skip], has_gained = -found[skip], True
    return {skip: found[skip] for skip in skips}


@functools.lru_cache(maxsize=8)
def _sides_of_all(layers: int) -> Mapping[Skip, int]:
    """The sides of all skips that there can be."""
    return sides_of([(source, target) for target in range(1, layers + 1) for source in range(target)])


def _bit(skip: Skip, layers: int) -> int:
    return 1 << (skip[0] * (layers + 1) + skip[1])


@functools.lru_cache(maxsize=4096)  # Of the deepest network; of 64 layers that is half of the time.
def _crossing(skip: Skip, layers: int) -> int:
    """The bits of all skips that one would cross on its side: those with exactly one end strictly inside it."""
    source, target = skip
    within = (1 << target) - (1 << source + 1)
    behind = (1 << layers + 1) - (1 << target + 1)
    before = sum(within << first * (layers + 1) for first in range(source))
    return before + sum(behind << first * (layers + 1) for first in range(source + 1, target))


def _reach(span: int, layers: int) -> float:
    """A root lets short arcs of a deep network stand apart too."""
    part: float = ((span - 1) / max(layers - 1, 1)) ** 0.75
    return NEAREST + (FURTHEST - NEAREST) * part


def _leaving(box: Box, side: int) -> Point:
    return (box.x if side == LEFT else box.right, box.middle + 3)


def _entering(box: Box, side: int) -> Point:
    return (box.x if side == LEFT else box.right, box.middle - 3)


def _column(architecture: MacroArchitecture) -> tuple[Box, tuple[PlacedLayer, ...], tuple[Box, ...], Box]:
    """Stem, layers, halvings and head from top to bottom."""
    stem = Box(0.0, 0.0, COLUMN, END_HEIGHT)
    layers: list[PlacedLayer] = []
    halvings: list[Box] = []
    y = stem.bottom + LAYER_GAP
    for number, layer in enumerate(architecture.layers, start=1):
        operation = Box(0.0, y, COLUMN, OPERATION_HEIGHT)
        bar = Box(0.0, operation.bottom + BAR_GAP, COLUMN, BAR_HEIGHT) if layer.skips else None
        layers.append(PlacedLayer(number, operation, bar))
        y = layers[-1].last.bottom + LAYER_GAP
        if number in layers_before_halving(architecture):
            halvings.append(Box(0.0, y, COLUMN, HALVING_HEIGHT))
            y = halvings[-1].bottom + LAYER_GAP
    return stem, tuple(layers), tuple(halvings), Box(0.0, y, COLUMN, END_HEIGHT)
