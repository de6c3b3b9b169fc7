"""A cell of blocks as a picture."""

from collections.abc import Mapping

from search_engine.architectures.cell import Block, Cell
from search_engine.architectures.cells import CellArchitecture
from search_engine.drawing import parts
from search_engine.drawing.cell_layout import CellLayout, PlacedBlock, PlacedEdge, layout
from search_engine.drawing.cell_rows import OUTPUT
from search_engine.drawing.geometry import Box
from search_engine.drawing.palette import EDGE_COLOURS, FRAME, FRAME_LINE, INK, PAPER, SHORT_NAMES

BETWEEN = 22.0  # From the normal cell to the reduction cell.


def cell_svg(cell: Cell, *, title: str, name: str = "", marks: Mapping[str, str] = parts.NO_MARKS) -> str:
    """One cell as a picture with its title above. name: the architecture's field that holds it, as marks name it."""
    placed = layout(cell)
    inner = _cell(cell, placed, name, marks)
    return parts.one_picture("cell", title, describe_cell(cell), placed.width, placed.height, inner)


def both_cells_svg(architecture: CellArchitecture) -> str:
    """The normal cell over the reduction cell, both at one scale."""
    cells = (("Normal cell", architecture.normal), ("Reduction cell", architecture.reduction))
    placed = [layout(cell) for _, cell in cells]
    width = max(each.width for each in placed)
    inner: list[str] = []
    y = 0.0
    for (title, cell), place in zip(cells, placed, strict=True):
        shown = parts.titled("cell", title, (width - place.width) / 2, _cell(cell, place))
        inner += [f'<g transform="translate(0 {parts.number(y)})">', *shown, "</g>"]
        y += parts.HEADING + place.height + BETWEEN
    text = " ".join(f"{title}: {describe_cell(cell)}" for title, cell in cells)
    return parts.document("Normal cell and reduction cell", text, width, y - BETWEEN, inner)


def describe_cell(cell: Cell) -> str:
    """The cell in words: "Block 1: sep 5x5 of current input add identity of ... ." """
    sentences = []
    for number, block in enumerate(cell.blocks, start=1):
        left, right = (
            f"{SHORT_NAMES[operation]} of {_state_name(state)}"
            for state, operation in zip(block.inputs, block.operations, strict=True)
        )
        sentences.append(f"Block {number}: {left} {block.combination} {right}.")
    leaving = ", ".join(_state_name(state) for state in cell.concat)
    return " ".join([*sentences, f"Output: {leaving}."])


def _state_name(state: int) -> str:
    return ("current input", "previous input")[state] if state < 2 else f"block {state - 1}"


def _cell(cell: Cell, placed: CellLayout, name: str = "", marks: Mapping[str, str] = parts.NO_MARKS) -> list[str]:
    """Frames below edges, edges below boxes: an edge is never hidden and never writes over a name."""
    frames = [parts.rectangle("drawing-frame", block.frame, 10, FRAME, FRAME_LINE) for block in placed.blocks]
    edges = [_edge(edge, name, marks) for edge in sorted(placed.edges, key=lambda edge: edge.target != OUTPUT)]
    inputs = [parts.end(_state_name(state), "h_i" if state == 0 else "h_i−1", box, f"drawing-input input-{state}",
                        EDGE_COLOURS["current" if state == 0 else "previous"])
              for state, box in placed.inputs.items()]  # fmt: skip
    end = "concat" if len(cell.concat) > 1 else "output"
    output = parts.marked(parts.end(end, "h_i+1", placed.output, "drawing-output", INK), f"{name}.concat", marks)
    blocks = [_block(block, cell.blocks[block.state - 2], name, marks) for block in placed.blocks]
    return [*frames, *edges, *inputs, *blocks, output]


def _block(placed: PlacedBlock, block: Block, name: str, marks: Mapping[str, str]) -> str:
    place = _place(name, placed.state)
    middle = placed.combination
    stems = [_stem(box, middle) for box in placed.operations]
    boxes = [
        parts.marked(parts.operation(block.operations[side], box), f"{place}.operations.{side}", marks)
        for side, box in zip(placed.sides, placed.operations, strict=True)
    ]
    join = parts.labelled(block.combination, middle, f"drawing-join join-{block.combination}", PAPER, INK, radius=10)
    join = parts.marked(join, f"{place}.combination", marks)
    number = parts.remark(str(placed.state - 1), placed.frame.x + 9, placed.frame.bottom - 9)
    return "\n".join([f'<g class="drawing-block" data-state="{placed.state}">', *stems, *boxes, join, number, "</g>"])


def _stem(operation: Box, join: Box) -> str:
    """From an operation to the near end of the combination."""
    end = join.x if operation.centre < join.centre else join.right
    bend, stop = (operation.centre, join.middle), (end, join.middle)
    path = f"M{parts.point((operation.centre, operation.bottom))}Q{parts.point(bend)} {parts.point(stop)}"
    return f'<path class="drawing-stem" d="{path}" fill="none" stroke="{EDGE_COLOURS["block"]}" stroke-width="1.5"/>'


def _place(name: str, state: int) -> str:
    """The path of a block in the architecture's JSON form."""
    return f"{name}.blocks.{state - 2}"


def _edge(edge: PlacedEdge, name: str, marks: Mapping[str, str]) -> str:
    kind = "output" if edge.target == OUTPUT else {0: "current", 1: "previous"}.get(edge.source, "block")
    target = "output" if edge.target == OUTPUT else str(edge.target)
    place = f"{name}.concat" if edge.target == OUTPUT else f"{_place(name, edge.target)}.inputs.{edge.side}"
    return parts.marked(parts.edge(kind, edge.source, target, parts.falling(edge.legs)), place, marks)
