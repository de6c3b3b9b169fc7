"""Architectures as pictures: stand-alone SVG, the same in a page, a download, a notebook and the terminal.

Colours are presentation attributes made for a light page; every part has a class name, so a page's style sheet
recolours it (any CSS rule is stronger than a presentation attribute). The same architecture gives the same text.
"""

from collections.abc import Iterable
from xml.sax.saxutils import escape, quoteattr

from search_engine.architectures.cell import Block, Cell
from search_engine.architectures.cells import CellArchitecture
from search_engine.architectures.reading import Architecture
from search_engine.drawing.layout import Box, CellLayout, PlacedBlock, PlacedEdge, Point, layout
from search_engine.drawing.rows import OUTPUT

SHORT_NAMES = {
    "identity": "identity",
    "conv_1x3_3x1": "1x3 3x1",
    "conv_1x7_7x1": "1x7 7x1",
    "dilated_conv_3x3": "dil 3x3",
    "avg_pool_3x3": "avg 3x3",
    "max_pool_3x3": "max 3x3",
    "max_pool_5x5": "max 5x5",
    "max_pool_7x7": "max 7x7",
    "conv_1x1": "conv 1x1",
    "conv_3x3": "conv 3x3",
    "sep_conv_3x3": "sep 3x3",
    "sep_conv_5x5": "sep 5x5",
    "sep_conv_7x7": "sep 7x7",
    "dilated_sep_conv_3x3": "dil sep 3x3",
    "dilated_sep_conv_5x5": "dil sep 5x5",
    "conv_7x1_1x7": "7x1 1x7",
}
COLOURS = {  # family: (fill, stroke)
    "convolution": ("#dbe9fb", "#3d78c2"),
    "separable": ("#e7e0fa", "#7a5bc4"),
    "pool": ("#fdebd0", "#c98319"),
    "identity": ("#eef0f3", "#8a94a3"),
}
EDGE_COLOURS = {"current": "#2f7d6b", "previous": "#b4527a", "block": "#5b6675", "output": "#a3acb8"}
INK, QUIET, PAPER, FRAME = "#1d2530", "#667085", "#ffffff", "#f6f7f9"
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"
MARGIN, HEADING = 12.0, 26.0  # Around the picture; height of a cell's title.
BETWEEN = 22.0  # From the normal cell to the reduction cell.


def cell_svg(cell: Cell, *, title: str) -> str:
    """One cell as a picture with its title above."""
    placed = layout(cell)
    width = max(placed.width, _text_width(title))
    parts = _titled_cell(cell, placed, title, (width - placed.width) / 2)
    return _document(title, describe(cell), width, HEADING + placed.height, parts)


def architecture_svg(architecture: Architecture) -> str:
    """The normal cell over the reduction cell, both at one scale."""
    assert isinstance(architecture, CellArchitecture), architecture.kind
    cells = (("Normal cell", architecture.normal), ("Reduction cell", architecture.reduction))
    placed = [layout(cell) for _, cell in cells]
    width = max(each.width for each in placed)
    parts: list[str] = []
    y = 0.0
    for (title, cell), place in zip(cells, placed, strict=True):
        inner = _titled_cell(cell, place, title, (width - place.width) / 2)
        parts += [f'<g transform="translate(0 {_number(y)})">', *inner, "</g>"]
        y += HEADING + place.height + BETWEEN
    text = " ".join(f"{title}: {describe(cell)}" for title, cell in cells)
    return _document("Normal cell and reduction cell", text, width, y - BETWEEN, parts)


def describe(cell: Cell) -> str:
    """The cell in words, for those who cannot see it: "Block 1: sep 5x5 of current input add identity of ... ." """
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


def family(operation: str) -> str:
    """What kind of operation it is; operations of one family share a colour."""
    if operation == "identity":
        return "identity"
    if "pool" in operation:
        return "pool"
    return "separable" if "sep_" in operation else "convolution"


# Parts, from the whole to the detail.


def _document(title: str, text: str, width: float, height: float, parts: Iterable[str]) -> str:
    wide, high = _number(width + 2 * MARGIN), _number(height + 2 * MARGIN)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="cell-drawing" role="img" width="{wide}" height="{high}" '
            f'viewBox="0 0 {wide} {high}" font-family="{FONT}" font-size="12">',
            f"<title>{escape(title)}</title>",
            f"<desc>{escape(text)}</desc>",
            f'<rect class="drawing-paper" width="{wide}" height="{high}" rx="8" fill="{PAPER}"/>',
            f'<g transform="translate({_number(MARGIN)} {_number(MARGIN)})">',
            *parts,
            "</g>",
            "</svg>",
            "",
        ]
    )


def _titled_cell(cell: Cell, placed: CellLayout, title: str, left: float) -> list[str]:
    heading = (
        f'<text class="drawing-title" x="0" y="12" font-size="13" font-weight="600" fill="{INK}">{escape(title)}</text>'
    )
    shift = f'<g class="cell" transform="translate({_number(left)} {_number(HEADING)})">'
    return [heading, shift, *_cell(cell, placed), "</g>"]


def _cell(cell: Cell, placed: CellLayout) -> list[str]:
    """Frames below edges, edges below boxes: an edge is never hidden and never writes over a name."""
    frames = [_box("drawing-frame", block.frame, 10, FRAME, "#e4e7ec") for block in placed.blocks]
    edges = [_edge(edge) for edge in sorted(placed.edges, key=lambda edge: edge.target != OUTPUT)]
    inputs = [_end(_state_name(state), "h<sub>i" if state == 0 else "h<sub>i−1", box, f"drawing-input input-{state}",
                   EDGE_COLOURS["current" if state == 0 else "previous"])
              for state, box in placed.inputs.items()]  # fmt: skip
    name = "concat" if len(cell.concat) > 1 else "output"
    output = _end(name, "h<sub>i+1", placed.output, "drawing-output", INK)
    blocks = [_block(block, cell.blocks[block.state - 2]) for block in placed.blocks]
    return [*frames, *edges, *inputs, *blocks, output]


def _block(placed: PlacedBlock, block: Block) -> str:
    middle = placed.combination
    stems = [_stem(box, middle) for box in placed.operations]
    boxes = [
        _labelled(SHORT_NAMES[block.operations[side]], box, f"drawing-op family-{family(block.operations[side])}",
                  *COLOURS[family(block.operations[side])])
        for side, box in zip(placed.sides, placed.operations, strict=True)
    ]  # fmt: skip
    join = _labelled(block.combination, middle, f"drawing-join join-{block.combination}", PAPER, INK, radius=10)
    number = (
        f'<text class="drawing-number" x="{_number(placed.frame.x + 9)}" y="{_number(placed.frame.bottom - 9)}" '
        f'font-size="10" fill="{QUIET}">{placed.state - 1}</text>'
    )
    return "\n".join([f'<g class="drawing-block" data-state="{placed.state}">', *stems, *boxes, join, number, "</g>"])


def _stem(operation: Box, join: Box) -> str:
    """From an operation to the near end of the combination."""
    end = join.x if operation.centre < join.centre else join.x + join.width
    y = join.y + join.height / 2
    path = f"M{_point((operation.centre, operation.bottom))}Q{_point((operation.centre, y))} {_point((end, y))}"
    return f'<path class="drawing-stem" d="{path}" fill="none" stroke="{EDGE_COLOURS["block"]}" stroke-width="1.5"/>'


def _edge(edge: PlacedEdge) -> str:
    path = ""
    for start, end in edge.legs:
        bend = (end[1] - start[1]) * 0.55
        path += f"{'L' if path else 'M'}{_point(start)}"
        path += f"C{_point((start[0], start[1] + bend))} {_point((end[0], end[1] - bend))} {_point(end)}"
    kind = "output" if edge.target == OUTPUT else {0: "current", 1: "previous"}.get(edge.source, "block")
    target = "output" if edge.target == OUTPUT else str(edge.target)
    return (
        f'<path class="drawing-edge edge-{kind}" data-from="{edge.source}" data-to="{target}" d="{path}" fill="none" '
        f'stroke="{EDGE_COLOURS[kind]}" stroke-width="1.5"/>'
    )


def _end(name: str, symbol: str, box: Box, classes: str, stroke: str) -> str:
    letter, index = symbol.split("<sub>")
    label = (
        f'{escape(name)} <tspan class="drawing-symbol" font-style="italic" fill="{QUIET}">{letter}'
        f'<tspan font-size="9" dy="3">{index}</tspan></tspan>'
    )
    return _labelled(label, box, classes, PAPER, stroke, radius=14, is_markup=True)


def _labelled(
    label: str, box: Box, classes: str, fill: str, stroke: str, *, radius: float = 6, is_markup: bool = False
) -> str:
    text = label if is_markup else escape(label)
    return (
        f'<g class="{classes}">{_box("", box, radius, fill, stroke)}'
        f'<text x="{_number(box.centre)}" y="{_number(box.y + box.height / 2 + 4)}" text-anchor="middle" '
        f'fill="{INK}">{text}</text></g>'
    )


def _box(classes: str, box: Box, radius: float, fill: str, stroke: str) -> str:
    named = f" class={quoteattr(classes)}" if classes else ""
    return (
        f'<rect{named} x="{_number(box.x)}" y="{_number(box.y)}" width="{_number(box.width)}" '
        f'height="{_number(box.height)}" rx="{_number(radius)}" fill="{fill}" stroke="{stroke}"/>'
    )


def _point(point: Point) -> str:
    return f"{_number(point[0])} {_number(point[1])}"


def _number(value: float) -> str:
    """A length to a tenth of a pixel, without needless zeros and without a minus zero."""
    return f"{round(value, 1) + 0.0:.1f}".removesuffix(".0")


def _text_width(text: str) -> float:
    return 7.5 * len(text)
