"""A cell of NAS-Bench-201 as a picture: four nodes in a column, an operation on the way between every two of them.

Every operation has a place of its own, so no two ways cross: steps from node to node in the column, the way round node
1 on the left, the one round node 2 and the one from the input to the output on the right.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from search_engine.architectures.nas_bench_201 import NAS_BENCH_201_EDGES, NasBench201Architecture
from search_engine.drawing import parts
from search_engine.drawing.geometry import Box, Point
from search_engine.drawing.palette import EDGE_COLOURS, INK, SHORT_NAMES

NAS_BENCH_201_TITLE = "Cell of NAS-Bench-201"
OPERATION_WIDTH = 66.0
NODE_WIDTH = 78.0
COLUMNS = (0.0, 96.0, 192.0, 276.0)  # Where the operations of each column begin.
GAP = 22.0  # Between a node and an operation of the column.
STEP = parts.END_HEIGHT + parts.OPERATION_HEIGHT + 2 * GAP
LEGEND = 24.0
CORNER = 12.0
COLUMN_OF = {(0, 1): 1, (1, 2): 1, (2, 3): 1, (0, 2): 0, (1, 3): 2, (0, 3): 3}
NODE_NAMES = ("input", "node 1", "node 2", "output")


@dataclass(frozen=True, slots=True)
class NasBench201Layout:
    """Everything that is drawn; operations and ways stand in the order of the architecture's operations.

    ways: corners of each edge from its source to its target, behind its operation.
    """

    width: float
    height: float
    nodes: tuple[Box, ...]
    operations: tuple[Box, ...]
    ways: tuple[tuple[Point, ...], ...]


def nas_bench_201_svg(architecture: NasBench201Architecture, marks: Mapping[str, str] = parts.NO_MARKS) -> str:
    """The whole cell under its title."""
    placed = layout()
    inner, height = _cell(architecture, placed, marks), placed.height
    if "none" in architecture.operations:
        height += LEGEND
        inner.append(parts.remark("dashed: nothing passes", 0, height - 3))
    text = describe_nas_bench_201(architecture)
    return parts.one_picture("nas-bench-201", NAS_BENCH_201_TITLE, text, placed.width, height, inner)


def describe_nas_bench_201(architecture: NasBench201Architecture) -> str:
    """The cell in words: "Node 1: conv 3x3 of input. Node 2: ... . Output: sum of ..., ... and ... ." """
    sentences = []
    for target in range(1, len(NODE_NAMES)):
        terms = [
            f"{SHORT_NAMES[operation]} of {NODE_NAMES[source]}"
            for (source, to), operation in zip(NAS_BENCH_201_EDGES, architecture.operations, strict=True)
            if to == target and operation != "none"
        ]
        found = f"sum of {', '.join(terms)}" if len(terms) > 1 else "".join(terms) or "nothing, so zeros"
        sentences.append(f"{NODE_NAMES[target].capitalize()}: {found}.")
    return " ".join(sentences)


def layout() -> NasBench201Layout:
    """The same for every cell of the benchmark: only names and colours differ."""
    centre = COLUMNS[1] + OPERATION_WIDTH / 2
    nodes = tuple(
        Box(centre - NODE_WIDTH / 2, STEP * node, NODE_WIDTH, parts.END_HEIGHT) for node in range(len(NODE_NAMES))
    )
    operations = tuple(_operation(nodes, edge) for edge in NAS_BENCH_201_EDGES)
    ways = tuple(_way(nodes, edge, box) for edge, box in zip(NAS_BENCH_201_EDGES, operations, strict=True))
    return NasBench201Layout(COLUMNS[-1] + OPERATION_WIDTH, nodes[-1].bottom, nodes, operations, ways)


def _operation(nodes: tuple[Box, ...], edge: tuple[int, int]) -> Box:
    """Half way between its two nodes."""
    y = (nodes[edge[0]].middle + nodes[edge[1]].middle - parts.OPERATION_HEIGHT) / 2
    return Box(COLUMNS[COLUMN_OF[edge]], y, OPERATION_WIDTH, parts.OPERATION_HEIGHT)


def _way(nodes: tuple[Box, ...], edge: tuple[int, int], operation: Box) -> tuple[Point, ...]:
    """Straight down the column, or out of a node's side, down through the operation and back into the other's side."""
    source, target = nodes[edge[0]], nodes[edge[1]]
    column = COLUMN_OF[edge]
    if column == 1:
        return (source.centre, source.bottom), (target.centre, target.y)
    shift = {0: 0.0, 2: -5.0, 3: 5.0}[column]  # Two ways enter the output from the right: the outer one lower.
    start, stop = (source.x, target.x) if column == 0 else (source.right, target.right)
    low = target.middle + shift
    return (start, source.middle), (operation.centre, source.middle), (operation.centre, low), (stop, low)


def _cell(architecture: NasBench201Architecture, placed: NasBench201Layout, marks: Mapping[str, str]) -> list[str]:
    """Ways below boxes: each runs behind its operation."""
    named = list(zip(NAS_BENCH_201_EDGES, architecture.operations, strict=True))
    edges = [
        parts.marked(
            parts.edge("block", *edge, _path(way), is_dashed=operation == "none"), f"operations.{index}", marks
        )
        for index, ((edge, operation), way) in enumerate(zip(named, placed.ways, strict=True))
    ]
    boxes = [
        f'<g class="drawing-way" data-from="{edge[0]}" data-to="{edge[1]}">'
        f"{parts.marked(parts.operation(operation, box), f'operations.{index}', marks)}</g>"
        for index, ((edge, operation), box) in enumerate(zip(named, placed.operations, strict=True))
    ]
    nodes = [_node(number, box) for number, box in enumerate(placed.nodes)]
    return [*edges, *boxes, *nodes]


def _node(number: int, box: Box) -> str:
    classes, stroke = "drawing-join", INK
    if number == 0:
        classes, stroke = "drawing-input input-0", EDGE_COLOURS["current"]
    elif number == len(NODE_NAMES) - 1:
        classes = "drawing-output"
    return parts.end(NODE_NAMES[number], "", box, classes, stroke)


def _path(way: tuple[Point, ...]) -> str:
    """Straight lines with round corners."""
    path = f"M{parts.point(way[0])}"
    for before, corner, behind in zip(way, way[1:], way[2:], strict=False):
        path += (
            f"L{parts.point(_towards(corner, before))}Q{parts.point(corner)} {parts.point(_towards(corner, behind))}"
        )
    return f"{path}L{parts.point(way[-1])}"


def _towards(corner: Point, other: Point) -> Point:
    """The point a corner's radius away from it, on the upright or level line to another."""
    x, y = (max(-CORNER, min(CORNER, to - at)) for at, to in zip(corner, other, strict=True))
    return corner[0] + x, corner[1] + y
