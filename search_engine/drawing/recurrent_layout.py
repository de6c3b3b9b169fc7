"""Where the parts of a recurrent cell stand: its nodes as a tree, below them the mean.

Every node reads one other, so nodes form a tree, and a tree with a column for the way from each averaged node down to
the mean can always be drawn without any crossing: each node stands above all that reads it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from search_engine.architectures.recurrent import RecurrentArchitecture
from search_engine.drawing.geometry import Box, Point
from search_engine.drawing.parts import END_HEIGHT, OPERATION_HEIGHT
from search_engine.drawing.text import SIZE_SMALL, text_width

NODE_GAP = 12.0
NUMBER_INSET, NUMBER_GAP = 6.0, 5.0  # Of a node's number, from its left side and to its name.
ROW_GAP = 28.0
LANE_WIDTH = 4.0  # The way of an averaged node that others read, down beside them.
END_WIDTH, END_GAP = 92.0, 16.0  # Word, state and mean.
PORT_GAP = 11.0
WORD, STATE = -1, -2  # Stand for the two inputs where a node's number is wanted.
MEAN = -3

Legs = tuple[tuple[Point, Point], ...]


@dataclass(frozen=True, slots=True)
class PlacedWay:
    """Data from a node, WORD or STATE to a node or MEAN, from top to bottom; straight between two legs."""

    source: int
    target: int
    legs: Legs


@dataclass(frozen=True, slots=True)
class RecurrentLayout:
    """Everything that is drawn."""

    width: float
    height: float
    word: Box
    state: Box
    nodes: tuple[Box, ...]
    mean: Box
    ways: tuple[PlacedWay, ...]


@dataclass(slots=True)
class _Tree:
    """What a layout grows from: who reads each node, and where everything comes to stand."""

    readers: list[list[int]]
    averaged: frozenset[int]
    node_width: float
    depth: list[int]
    centre: dict[int, float]
    lane: dict[int, float]  # Of averaged nodes that others read.


def layout(cell: RecurrentArchitecture) -> RecurrentLayout:
    """Every box and way in its place; the same for the same cell, always."""
    tree = _tree(cell)
    width = _place(tree, 0, 0.0)
    half = END_WIDTH + END_GAP / 2  # Of word and state, which stand side by side over node 0.
    shift = max(0.0, half - tree.centre[0])
    whole = shift + width + max(0.0, half - (width - tree.centre[0]))
    word, state = (Box(shift + tree.centre[0] + x, 0.0, END_WIDTH, END_HEIGHT) for x in (-half, END_GAP / 2))
    step = OPERATION_HEIGHT + ROW_GAP
    nodes = tuple(
        Box(
            shift + tree.centre[n] - tree.node_width / 2,
            END_HEIGHT + ROW_GAP + step * row,
            tree.node_width,
            OPERATION_HEIGHT,
        )
        for n, row in enumerate(tree.depth)
    )
    ends = sorted((shift + tree.lane.get(node, tree.centre[node]), node) for node in cell.averaged)
    mean = _mean(ends, whole, max(box.bottom for box in nodes))
    ways = (*_inputs(word, state, nodes[0]), *_reads(tree, nodes), *_leaving(tree, nodes, mean, ends))
    return RecurrentLayout(whole, mean.bottom, word, state, nodes, mean, ways)


def _mean(ends: Sequence[tuple[float, int]], whole: float, low: float) -> Box:
    """Below the last row, in the middle of what comes in; the further it comes, the lower."""
    wide = max(END_WIDTH, 24 + PORT_GAP * (len(ends) - 1))
    middle = (ends[0][0] + ends[-1][0]) / 2
    x = min(max(middle - wide / 2, 0.0), whole - wide)
    return Box(x, low + ROW_GAP + min(0.1 * (ends[-1][0] - middle), 40.0), wide, END_HEIGHT)


def _tree(cell: RecurrentArchitecture) -> _Tree:
    readers: list[list[int]] = [[] for _ in cell.nodes]
    depth = [0] * len(cell.nodes)
    for number, node in enumerate(cell.nodes):
        if node.source is not None:
            readers[node.source].append(number)
            depth[number] = depth[node.source] + 1
    return _Tree(readers, frozenset(cell.averaged), _node_width(cell), depth, {}, {})


def _node_width(cell: RecurrentArchitecture) -> float:
    """All nodes are as wide as the longest name needs with the longest number left of it, and as much space right."""
    name = max(text_width(node.activation) for node in cell.nodes)
    number = text_width(str(len(cell.nodes) - 1), SIZE_SMALL)
    return math.ceil(name + 2 * (NUMBER_INSET + number + NUMBER_GAP))


def _place(tree: _Tree, node: int, left: float) -> float:
    """Puts a node above all that stands on it, from x = left on; returns where that ends. Readers stand by number."""
    readers = tree.readers[node]
    if not readers:
        tree.centre[node] = left + tree.node_width / 2
        return left + tree.node_width
    x = left
    if node in tree.averaged:
        tree.lane[node] = x + LANE_WIDTH / 2
        x += LANE_WIDTH + NODE_GAP
    for reader in readers:
        x = _place(tree, reader, x) + NODE_GAP
    tree.centre[node] = (tree.centre[readers[0]] + tree.centre[readers[-1]]) / 2
    return x - NODE_GAP


def _inputs(word: Box, state: Box, first: Box) -> tuple[PlacedWay, PlacedWay]:
    left, right = _ports(first, 2)
    return (
        PlacedWay(WORD, 0, (((word.centre, word.bottom), (left, first.y)),)),
        PlacedWay(STATE, 0, (((state.centre, state.bottom), (right, first.y)),)),
    )


def _reads(tree: _Tree, nodes: Sequence[Box]) -> list[PlacedWay]:
    """From each node to those that read it, its ports in their order; the first port is that of its lane."""
    found = []
    for source, readers in enumerate(tree.readers):
        lanes = int(source in tree.lane)
        ports = _ports(nodes[source], lanes + len(readers))
        for port, reader in zip(ports[lanes:], readers, strict=True):
            leg = ((port, nodes[source].bottom), (nodes[reader].centre, nodes[reader].y))
            found.append(PlacedWay(source, reader, (leg,)))
    return sorted(found, key=lambda way: way.target)


def _leaving(tree: _Tree, nodes: Sequence[Box], mean: Box, ends: Sequence[tuple[float, int]]) -> list[PlacedWay]:
    """From every averaged node straight down past the last row, then to its port of the mean."""
    low = max(box.bottom for box in nodes)
    found = []
    for port, (x, node) in zip(_ports(mean, len(ends)), ends, strict=True):
        bottom = nodes[node].bottom
        legs: list[tuple[Point, Point]] = []
        if node in tree.lane:
            leaving = _ports(nodes[node], 1 + len(tree.readers[node]))[0]
            legs.append(((leaving, bottom), (x, bottom + ROW_GAP)))
        elif bottom < low:
            legs.append(((x, bottom), (x, low)))
        found.append(PlacedWay(node, MEAN, (*legs, ((x, low), (port, mean.y)))))
    return found


def _ports(box: Box, count: int) -> list[float]:
    gap = min(PORT_GAP, (box.width - 20) / max(count - 1, 1))
    return [box.centre + gap * (index - (count - 1) / 2) for index in range(count)]
