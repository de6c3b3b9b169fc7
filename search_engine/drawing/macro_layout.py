"""Where the parts of a macro network stand: layers in a column, skip connections as arcs on both sides of it.

What a layer joins enters the bar under its operation, its output leaves the same bar: so an arc runs from bar to bar,
and the further it goes the further it swings out. Sides are chosen so that few arcs cross.
"""

import functools
from collections.abc import Sequence
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
    """Everything that is drawn. halvings: the boxes behind which height and width are half as large."""

    width: float
    height: float
    stem: Box
    layers: tuple[PlacedLayer, ...]
    halvings: tuple[Box, ...]
    head: Box
    skips: tuple[PlacedSkip, ...]


def layout(architecture: MacroArchitecture) -> MacroLayout:
    """Every box and arc in its place; the same for the same network, always."""
    count = len(architecture.layers)
    sides = sides_of([(source, 1 + at) for at, layer in enumerate(architecture.layers) for source in layer.skips])
    reaches = {skip: _reach(skip[1] - skip[0], count) for skip in sides}
    margins = {side: max((reaches[s] for s in sides if sides[s] == side), default=0.0) for side in (LEFT, RIGHT)}
    x = margins[LEFT]
    stem, layers, halvings, head = _column(architecture, x)
    above = [stem, *(layer.last for layer in layers)]
    skips = tuple(
        PlacedSkip(s, t, side, _leaving(above[s], side), _entering(above[t], side), reaches[s, t])
        for (s, t), side in sides.items()
    )
    return MacroLayout(x + COLUMN + margins[RIGHT], head.bottom, stem, layers, halvings, head, skips)


def sides_of(skips: Sequence[Skip]) -> dict[Skip, int]:
    """A side for every skip so that few cross: the longest choose first, then each changes as long as that gains.

    In the end no skip alone could change sides and cross fewer. Cost: 2,080 skips, all of 64 layers, take below 0.1 s.
    """
    layers = max((target for _, target in skips), default=0)
    crossing = {skip: _crossing(skip, layers) for skip in skips}
    on = {LEFT: 0, RIGHT: 0}  # The skips of each side, as bits.
    found: dict[Skip, int] = {}
    for skip in sorted(skips, key=lambda skip: (skip[0] - skip[1], skip)):
        crossed = {side: (on[side] & crossing[skip]).bit_count() for side in (RIGHT, LEFT)}
        side = found[skip] = min((RIGHT, LEFT), key=lambda side: (crossed[side], on[side].bit_count()))
        on[side] |= _bit(skip, layers)
    has_gained = True
    while has_gained:
        has_gained = False
        for skip in skips:
            side = found[skip]
            if (on[-side] & crossing[skip]).bit_count() < (on[side] & crossing[skip]).bit_count():
                on[side] ^= _bit(skip, layers)
                on[-side] ^= _bit(skip, layers)
                found[skip], has_gained = -side, True
    return {skip: found[skip] for skip in skips}


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


def _column(architecture: MacroArchitecture, x: float) -> tuple[Box, tuple[PlacedLayer, ...], tuple[Box, ...], Box]:
    """Stem, layers, halvings and head from top to bottom, the column's left side at x."""
    stem = Box(x, 0.0, COLUMN, END_HEIGHT)
    layers: list[PlacedLayer] = []
    halvings: list[Box] = []
    y = stem.bottom + LAYER_GAP
    for number, layer in enumerate(architecture.layers, start=1):
        operation = Box(x, y, COLUMN, OPERATION_HEIGHT)
        bar = Box(x, operation.bottom + BAR_GAP, COLUMN, BAR_HEIGHT) if layer.skips else None
        layers.append(PlacedLayer(number, operation, bar))
        y = layers[-1].last.bottom + LAYER_GAP
        if number in layers_before_halving(architecture):
            halvings.append(Box(x, y, COLUMN, HALVING_HEIGHT))
            y = halvings[-1].bottom + LAYER_GAP
    return stem, tuple(layers), tuple(halvings), Box(x, y, COLUMN, END_HEIGHT)
