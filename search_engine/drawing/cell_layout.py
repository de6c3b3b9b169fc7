"""Where the parts of a cell stand in its picture: a layered layout, data flowing from top to bottom.

A block (two operations and their combination) is one item of its row, its parts placed by a fixed template. An edge
that passes a row runs down its lane there, so no edge ever runs behind a box. All lengths are pixels.
"""

import functools
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from search_engine.architectures.cell import Cell
from search_engine.drawing.cell_rows import OUTPUT, Item, Rows, chain, ordered_rows, sides_of, source_of
from search_engine.drawing.geometry import Box, Point
from search_engine.drawing.palette import SHORT_NAMES
from search_engine.drawing.parts import END_HEIGHT, OPERATION_HEIGHT, PADDING
from search_engine.drawing.text import text_width

OPERATION_WIDTH = 66.0  # At least; all operations of a cell are as wide as its longest name needs.
SIDES_GAP = 8.0  # Between the two operations of a block.
STEM = 15.0  # From an operation down to the combination.
COMBINATION_WIDTH, COMBINATION_HEIGHT = 54.0, 20.0
FRAME = 8.0  # Padding of a block around its parts.
BLOCK_HEIGHT = OPERATION_HEIGHT + STEM + COMBINATION_HEIGHT + 2 * FRAME
END_WIDTH = 138.0  # Inputs and output.
LANE_WIDTH = 4.0
ITEM_GAP = 16.0
PORT_GAP = 11.0  # Between edges that leave or enter one box side by side.


@dataclass(frozen=True, slots=True)
class PlacedBlock:
    """A block's template in place. sides: as drawn, left to right, each an index into the block's inputs."""

    state: int
    frame: Box
    sides: tuple[int, int]
    operations: tuple[Box, Box]
    combination: Box


@dataclass(frozen=True, slots=True)
class PlacedEdge:
    """An edge from a state to a side of a block, or to the output (side 0).

    legs: (start, end) of each curve; between two legs the edge runs straight down its lane.
    """

    source: int
    target: int
    side: int
    legs: tuple[tuple[Point, Point], ...]


@dataclass(frozen=True, slots=True)
class CellLayout:
    """Everything that is drawn. Inputs that nothing reads are left out."""

    width: float
    height: float
    inputs: dict[int, Box]
    blocks: tuple[PlacedBlock, ...]
    output: Box
    edges: tuple[PlacedEdge, ...]


@functools.lru_cache(maxsize=64)
def layout(cell: Cell) -> CellLayout:
    """The best layout found; the same for the same cell, always. Some are kept: an edit leaves the other cell alone."""
    graph = ordered_rows(cell)
    sides = {2 + index: sides_of(graph, 2 + index) for index in range(len(cell.blocks))}
    return _placed(graph, sides, _centres(graph, sides))


def _operation_width(cell: Cell) -> float:
    names = {SHORT_NAMES[operation] for block in cell.blocks for operation in block.operations}
    return max(OPERATION_WIDTH, *(math.ceil(text_width(name)) + 2 * PADDING for name in names))


def _widths(graph: Rows) -> dict[Item, float]:
    """The width of every item."""
    block = 2 * (_operation_width(graph.cell) + FRAME) + SIDES_GAP
    return {
        item: LANE_WIDTH if isinstance(item, tuple) else block if item >= 2 else END_WIDTH
        for row in graph.items
        for item in row
    }


def _centres(graph: Rows, sides: Mapping[int, tuple[int, int]]) -> dict[Item, float]:
    """The centre of every item: as near to its neighbours as order and gaps allow, lanes straightest of all."""
    pulls: dict[Item, list[tuple[Item, float, float]]] = {item: [] for row in graph.items for item in row}
    for between in graph.links:
        for upper, lower in between:
            offset = _side_offset(graph, sides, upper, lower)
            weight = _straightness(upper, lower)
            pulls[lower].append((upper, -offset, weight))
            pulls[upper].append((lower, offset, weight))
    widths = _widths(graph)
    centres: dict[Item, float] = {}
    for row in graph.items:
        centres.update(zip(row, _spread([0.0] * len(row), [1.0] * len(row), [widths[i] for i in row]), strict=True))
    for sweep in range(30):
        for row in graph.items if sweep % 2 == 0 else reversed(graph.items):
            weights = [sum(weight for _, _, weight in pulls[item]) for item in row]
            wanted = [
                sum((centres[other] + offset) * weight for other, offset, weight in pulls[item]) / total
                for item, total in zip(row, weights, strict=True)
            ]
            centres.update(zip(row, _spread(wanted, weights, [widths[i] for i in row]), strict=True))
    return centres


def _straightness(upper: Item, lower: Item) -> float:
    """How hard a link pulls its ends above each other: lanes hardest, the way to the output least."""
    if isinstance(lower, tuple):
        return 8.0 if isinstance(upper, tuple) else 2.0
    return 0.5 if lower == OUTPUT else 1.0


def _side_offset(graph: Rows, sides: Mapping[int, tuple[int, int]], upper: Item, lower: Item) -> float:
    """How far right of a block's centre the edge from `upper` ends; 0 where both of its sides read it."""
    if isinstance(lower, tuple) or lower == OUTPUT:
        return 0.0
    inputs = graph.cell.blocks[lower - 2].inputs
    if inputs[0] == inputs[1]:
        return 0.0
    drawn_left = inputs[sides[lower][0]] == source_of(upper)
    return (_operation_width(graph.cell) + SIDES_GAP) / 2 * (-1 if drawn_left else 1)


def _spread(wanted: Sequence[float], weights: Sequence[float], widths: Sequence[float]) -> list[float]:
    """The centres nearest to `wanted` (weighted least squares) that keep the order of items so wide, and its gaps.

    Exact, by pooling adjacent violators, after taking the least distances off.
    """
    offsets = [0.0]
    for left, right in itertools.pairwise(widths):
        offsets.append(offsets[-1] + (left + right) / 2 + ITEM_GAP)
    pools: list[tuple[float, float, int]] = []  # (place, weight, items)
    for want, weight, offset in zip(wanted, weights, offsets, strict=True):
        pools.append((want - offset, weight, 1))
        while len(pools) > 1 and pools[-2][0] > pools[-1][0]:
            (a, p, m), (b, q, n) = pools[-2:]
            pools[-2:] = [((a * p + b * q) / (p + q), p + q, m + n)]
    places = [place for place, _, items in pools for _ in range(items)]
    return [place + offset for place, offset in zip(places, offsets, strict=True)]


def _placed(graph: Rows, sides: Mapping[int, tuple[int, int]], centres: Mapping[Item, float]) -> CellLayout:
    widths = _widths(graph)
    left = min(centre - widths[item] / 2 for item, centre in centres.items())
    right = max(centre + widths[item] / 2 for item, centre in centres.items())
    middle = {item: centre - left for item, centre in centres.items()}
    tops = _tops(graph, middle)
    ends = {
        state: Box(middle[state] - END_WIDTH / 2, tops[graph.row_of[state]], END_WIDTH, END_HEIGHT)
        for state in (0, 1, OUTPUT)
        if state in middle
    }
    operation = _operation_width(graph.cell)
    blocks = {
        state: _template(state, middle[state], tops[graph.row_of[state]], drawn, operation)
        for state, drawn in sides.items()
    }
    edges = _edges(graph, middle, tops, ends, blocks)
    output = ends.pop(OUTPUT)
    return CellLayout(right - left, output.bottom, ends, tuple(blocks.values()), output, edges)


def _tops(graph: Rows, middle: Mapping[Item, float]) -> list[float]:
    """The upper edge of every row; the wider an edge swings between two rows, the further they stand apart."""
    tops = [0.0]
    for row, between in enumerate(graph.links):
        swing = max(abs(middle[a] - middle[b]) for a, b in between)
        tops.append(tops[-1] + (BLOCK_HEIGHT if row else END_HEIGHT) + min(30.0 + 0.1 * swing, 64.0))
    return tops


def _template(state: int, centre: float, top: float, sides: tuple[int, int], operation: float) -> PlacedBlock:
    """operation: the width of an operation."""
    reach = operation + SIDES_GAP / 2
    operations = (
        Box(centre - reach, top + FRAME, operation, OPERATION_HEIGHT),
        Box(centre + SIDES_GAP / 2, top + FRAME, operation, OPERATION_HEIGHT),
    )
    below = operations[0].bottom + STEM
    combination = Box(centre - COMBINATION_WIDTH / 2, below, COMBINATION_WIDTH, COMBINATION_HEIGHT)
    frame = Box(centre - reach - FRAME, top, 2 * (reach + FRAME), BLOCK_HEIGHT)
    return PlacedBlock(state, frame, sides, operations, combination)


def _edges(
    graph: Rows,
    middle: Mapping[Item, float],
    tops: Sequence[float],
    ends: Mapping[int, Box],
    blocks: Mapping[int, PlacedBlock],
) -> tuple[PlacedEdge, ...]:
    """One edge for every side of every block and every state of the output, each from port to port."""
    reads = [(block.inputs[side], 2 + index, side) for index, block in enumerate(graph.cell.blocks) for side in (0, 1)]
    reads += [(state, OUTPUT, 0) for state in graph.cell.concat]
    ways = {read: chain(graph.row_of, read[0], read[1]) for read in reads}
    into: dict[tuple[int, int, int], float] = {}  # Where each edge enters its target.
    last = sorted((middle[ways[read][-2]], read) for read in reads if read[1] == OUTPUT)
    into.update(zip([read for _, read in last], _ports(ends[OUTPUT], len(last)), strict=True))
    for read in reads:
        if read[1] != OUTPUT:
            block = blocks[read[1]]
            into[read] = block.operations[block.sides.index(read[2])].centre
    out = _outgoing_ports(ways, middle, into, ends, blocks)
    return tuple(
        PlacedEdge(*read, _legs(ways[read], out[read], into[read], graph, middle, tops, ends, blocks)) for read in reads
    )


def _outgoing_ports(
    ways: Mapping[tuple[int, int, int], list[Item]],
    middle: Mapping[Item, float],
    into: Mapping[tuple[int, int, int], float],
    ends: Mapping[int, Box],
    blocks: Mapping[int, PlacedBlock],
) -> dict[tuple[int, int, int], float]:
    """Where each edge leaves its source: ports stand in the order of where their edges go; a lane has one port."""
    found: dict[tuple[int, int, int], float] = {}
    for source in {read[0] for read in ways}:
        aims = {
            read: middle[way[1]] if isinstance(way[1], tuple) else into[read]
            for read, way in ways.items()
            if read[0] == source
        }
        box = ends[source] if source < 2 else blocks[source].combination
        places = sorted(set(aims.values()))
        port = dict(zip(places, _ports(box, len(places)), strict=True))
        found.update({read: port[aim] for read, aim in aims.items()})
    return found


def _ports(box: Box, count: int) -> list[float]:
    gap = min(PORT_GAP, (box.width - 20) / max(count - 1, 1))
    return [box.centre + gap * (index - (count - 1) / 2) for index in range(count)]


def _legs(
    way: Sequence[Item],
    start: float,
    end: float,
    graph: Rows,
    middle: Mapping[Item, float],
    tops: Sequence[float],
    ends: Mapping[int, Box],
    blocks: Mapping[int, PlacedBlock],
) -> tuple[tuple[Point, Point], ...]:
    source, target = source_of(way[0]), source_of(way[-1])
    y = ends[source].bottom if source < 2 else blocks[source].combination.bottom
    at: Point = (start, y)
    legs: list[tuple[Point, Point]] = []
    for lane in way[1:-1]:
        assert isinstance(lane, tuple)
        legs.append((at, (middle[lane], tops[lane[1]])))
        at = (middle[lane], tops[lane[1]] + BLOCK_HEIGHT)
    legs.append((at, (end, ends[OUTPUT].y if target == OUTPUT else blocks[target].operations[0].y)))
    return tuple(legs)
