"""The pictures of cells: nothing overlaps, every edge arrives, the same cell always gives the same text.

The golden pictures are made anew with `python tests/engine/test_drawing_cells.py`; look at each before it is committed.
"""

import itertools
import random
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_engine.architectures.cell import (
    COMBINATIONS,
    MAX_BLOCKS,
    NASNET_OPERATIONS,
    OPERATIONS,
    Block,
    Cell,
    loose_ends,
)
from search_engine.architectures.cells import CellArchitecture
from search_engine.drawing.cell_layout import CellLayout, layout
from search_engine.drawing.cell_rows import MOST_EXACT, OUTPUT, ordered_rows
from search_engine.drawing.cells import both_cells_svg, cell_svg, describe_cell
from search_engine.drawing.geometry import Box

GOLDEN = Path(__file__).parent.parent / "golden" / "cells"
SVG = "{http://www.w3.org/2000/svg}"


def _added(left: int, right: int, first: str, second: str) -> Block:
    return Block((left, right), (first, second), "add")


SEP3, SEP5, SEP7, AVG, MAX = "sep_conv_3x3", "sep_conv_5x5", "sep_conv_7x7", "avg_pool_3x3", "max_pool_3x3"
NORMAL = Cell(  # NASNet-A, released code.
    (_added(0, 1, SEP5, SEP3), _added(1, 1, SEP5, SEP3), _added(0, 1, AVG, "identity"), _added(1, 1, AVG, AVG),
     _added(0, 0, SEP3, "identity")), (1, 2, 3, 4, 5, 6)
)  # fmt: skip
REDUCTION = Cell(
    (_added(0, 1, SEP5, SEP7), _added(0, 1, MAX, SEP7), _added(0, 1, AVG, SEP5), _added(3, 2, "identity", AVG),
     _added(2, 0, SEP3, MAX)), (3, 4, 5, 6)
)  # fmt: skip


DARTS_LIKE = Cell(
    (_added(0, 1, "dilated_sep_conv_3x3", SEP3), _added(0, 2, "conv_7x1_1x7", "dilated_sep_conv_5x5")), (2, 3)
)


def _random_cell(blocks: int, seed: int) -> Cell:
    draw = random.Random(seed)
    made = tuple(
        Block(
            (draw.randrange(index + 2), draw.randrange(index + 2)),
            (draw.choice(NASNET_OPERATIONS), draw.choice(NASNET_OPERATIONS)),
            draw.choice(COMBINATIONS),
        )
        for index in range(blocks)
    )
    return Cell(made, loose_ends(made))


@st.composite
def _cells(draw: st.DrawFn) -> Cell:
    blocks = tuple(
        Block(
            (draw(st.integers(0, index + 1)), draw(st.integers(0, index + 1))),
            (draw(st.sampled_from(OPERATIONS)), draw(st.sampled_from(OPERATIONS))),
            draw(st.sampled_from(COMBINATIONS)),
        )
        for index in range(draw(st.integers(1, MAX_BLOCKS)))
    )
    extra = draw(st.sets(st.integers(0, len(blocks) + 1)))
    return Cell(blocks, tuple(sorted({*loose_ends(blocks), *extra})))


def _pictures() -> dict[str, str]:
    return {
        "nasnet-a-normal": cell_svg(NORMAL, title="NASNet-A normal cell"),
        "nasnet-a-reduction": cell_svg(REDUCTION, title="NASNet-A reduction cell"),
        "nasnet-a": both_cells_svg(CellArchitecture(NORMAL, REDUCTION)),
        "random-2-blocks": cell_svg(_random_cell(2, 1), title="Random cell of 2 blocks"),
        "random-4-blocks": cell_svg(_random_cell(4, 2), title="Random cell of 4 blocks"),
        "random-7-blocks": cell_svg(_random_cell(7, 3), title="Random cell of 7 blocks"),
        "darts-operations": cell_svg(DARTS_LIKE, title="Cell with operations of DARTS"),
    }


@pytest.mark.parametrize("name", sorted(_pictures()))
def test_a_picture_is_the_golden_one(name: str) -> None:
    assert _pictures()[name] == (GOLDEN / f"{name}.svg").read_text()


@given(_cells())
@settings(max_examples=60, deadline=None)
def test_no_two_boxes_overlap(cell: Cell) -> None:
    placed = layout(cell)
    frames = [*placed.inputs.values(), *(block.frame for block in placed.blocks), placed.output]
    for one, other in itertools.combinations(frames, 2):
        assert not _overlap(one, other)
    for block in placed.blocks:
        parts = [*block.operations, block.combination]
        assert all(_inside(part, block.frame) for part in parts)
        assert not any(_overlap(one, other) for one, other in itertools.combinations(parts, 2))
    whole = Box(-0.01, -0.01, placed.width + 0.02, placed.height + 0.02)
    assert all(_inside(frame, whole) for frame in frames)


@given(_cells())
@settings(max_examples=60, deadline=None)
def test_every_edge_leaves_its_source_and_ends_at_its_node(cell: Cell) -> None:
    placed = layout(cell)
    wanted = {(state, 2 + index, side) for index, b in enumerate(cell.blocks) for side, state in enumerate(b.inputs)}
    wanted |= {(state, OUTPUT, 0) for state in cell.concat}
    assert {(edge.source, edge.target, edge.side) for edge in placed.edges} == wanted
    for edge in placed.edges:
        (x, y), (to_x, to_y) = edge.legs[0][0], edge.legs[-1][1]
        source, target = _source_box(placed, edge.source), _target_box(placed, edge.target, edge.side)
        assert source.x < x < source.x + source.width and y == source.bottom
        assert target.x < to_x < target.x + target.width and to_y == target.y
        assert all(end[1] > start[1] for start, end in edge.legs), "data flows down"


@given(_cells())
@settings(max_examples=60, deadline=None)
def test_no_edge_runs_through_a_box_that_it_does_not_join(cell: Cell) -> None:
    placed = layout(cell)
    frames = {block.state: block.frame for block in placed.blocks} | placed.inputs | {OUTPUT: placed.output}
    for edge in placed.edges:
        for x, y in _points(edge.legs):
            for state, frame in frames.items():
                if state not in (edge.source, edge.target):
                    assert not (frame.x < x < frame.x + frame.width and frame.y < y < frame.bottom)


@given(_cells())
@settings(max_examples=30, deadline=None)
def test_a_picture_is_well_formed_and_always_the_same(cell: Cell) -> None:
    svg = cell_svg(cell, title="A <cell> & its title")
    assert svg == cell_svg(cell, title="A <cell> & its title")
    root = ElementTree.fromstring(svg)
    assert root.findtext(f"{SVG}title") == "A <cell> & its title"
    assert root.findtext(f"{SVG}desc") == describe_cell(cell)
    assert len(root.findall(f".//{SVG}g[@class='drawing-block']")) == len(cell.blocks)
    edges = [path for path in root.iter(f"{SVG}path") if "drawing-edge" in path.get("class", "")]
    assert len(edges) == 2 * len(cell.blocks) + len(cell.concat)


def test_the_side_whose_source_stands_further_left_stands_left() -> None:
    for seed in range(30):
        placed = layout(_random_cell(5, seed))
        for block in placed.blocks:
            ends = {edge.side: edge.legs[-1][0][0] for edge in placed.edges if edge.target == block.state}
            assert ends[block.sides[0]] <= ends[block.sides[1]] + 1e-9


def test_an_input_that_nothing_reads_is_not_drawn() -> None:
    cell = Cell((_added(1, 1, SEP3, "identity"),), (2,))
    assert list(layout(cell).inputs) == [1]
    assert "current input" not in cell_svg(cell, title="One input")


def test_a_row_holds_at_most_three_blocks() -> None:
    blocks = tuple(_added(0, 1, SEP3, SEP3) for _ in range(7))
    tops = [block.frame.y for block in layout(Cell(blocks, loose_ends(blocks))).blocks]
    assert max(tops.count(top) for top in tops) == 3


def test_operations_grow_with_the_longest_name_of_their_cell() -> None:
    usual, long = (layout(Cell((_added(0, 1, SEP3, name),), (2,))) for name in (MAX, "dilated_sep_conv_5x5"))
    assert {box.width for box in usual.blocks[0].operations} == {66}
    assert {box.width for box in long.blocks[0].operations} == {76}, "66 pixels of text and 5 on either side"


def test_a_full_row_is_ordered_without_trying_every_order() -> None:
    """Twelve blocks that read early states have rows of a dozen lanes: 2 ** 12 subsets took seconds."""
    draw = random.Random(2)
    blocks = tuple(_added(draw.randrange(min(index + 2, 3)), draw.randrange(2), SEP3, SEP3) for index in range(12))
    graph = ordered_rows(Cell(blocks, tuple(range(14))))
    assert max(map(len, graph.items)) > MOST_EXACT
    assert all(len(set(row)) == len(row) for row in graph.items)
    for between, upper, lower in zip(graph.links, graph.items, graph.items[1:], strict=False):
        assert {a for a, _ in between} <= set(upper)
        assert {b for _, b in between} == set(lower), "nothing stands in a row that no link reaches"


def _overlap(one: Box, other: Box) -> bool:
    across = one.x < other.x + other.width and other.x < one.x + one.width
    return across and one.y < other.bottom and other.y < one.bottom


def _inside(part: Box, whole: Box) -> bool:
    across = whole.x <= part.x and part.x + part.width <= whole.x + whole.width
    return across and whole.y <= part.y and part.bottom <= whole.bottom


def _source_box(placed: CellLayout, state: int) -> Box:
    return placed.inputs[state] if state < 2 else placed.blocks[state - 2].combination


def _target_box(placed: CellLayout, state: int, side: int) -> Box:
    if state == OUTPUT:
        return placed.output
    block = placed.blocks[state - 2]
    return block.operations[block.sides.index(side)]


def _points(legs: tuple[tuple[tuple[float, float], tuple[float, float]], ...]) -> list[tuple[float, float]]:
    """Twenty points along each straight run down a lane and each curve (its bends as drawing.py makes them)."""
    points: list[tuple[float, float]] = []
    for ((_, _), top), (bottom, _) in itertools.pairwise(legs):
        points += [(top[0], top[1] + (bottom[1] - top[1]) * part / 20) for part in range(21)]
    for start, end in legs:
        bend = (end[1] - start[1]) * 0.55
        ys = (start[1], start[1] + bend, end[1] - bend, end[1])
        xs = (start[0], start[0], end[0], end[0])
        for part in range(21):
            t = part / 20
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            points.append((sum(map(float.__mul__, weights, xs)), sum(map(float.__mul__, weights, ys))))
    return points


if __name__ == "__main__":
    for picture, text in _pictures().items():
        (GOLDEN / f"{picture}.svg").write_text(text)
