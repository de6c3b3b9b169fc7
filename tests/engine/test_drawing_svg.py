"""Pictures of every kind of architecture: well-formed, complete, nothing overlaps, every name fits its box.

The golden pictures are made anew with `python tests/engine/test_drawing_svg.py`; look at each before it is committed.
"""

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_engine.architectures.cell import COMBINATIONS, OPERATIONS, Block, Cell, loose_ends
from search_engine.architectures.cells import CellArchitecture
from search_engine.architectures.macro import MACRO_OPERATIONS, MAX_LAYERS, MacroArchitecture, MacroLayer
from search_engine.architectures.nas_bench_201 import (
    NAS_BENCH_201_EDGES,
    NAS_BENCH_201_OPERATIONS,
    NasBench201Architecture,
)
from search_engine.architectures.reading import Architecture
from search_engine.architectures.recurrent import ACTIVATIONS, MAX_NODES, RecurrentArchitecture, RecurrentNode
from search_engine.catalogue.published import published_names, read_published
from search_engine.drawing.geometry import Box
from search_engine.drawing.palette import COLOURS, SHORT_NAMES, family
from search_engine.drawing.svg import architecture_svg, cell_svg, pictures
from search_engine.drawing.text import text_width

GOLDEN = Path(__file__).parent.parent / "golden" / "pictures"
SVG = "{http://www.w3.org/2000/svg}"

# The 24 layers of the released fixed network of ENAS's macro search: operation, then the skips.
ENAS_MACRO = """conv_3x3; sep_conv_5x5; conv_3x3 0; conv_5x5 2; conv_5x5; sep_conv_5x5 0 1 3; conv_5x5 5;
conv_5x5 1 2 4 5 6; sep_conv_3x3 1 2 3 5 7; conv_3x3; conv_5x5 5; conv_3x3 0 3 4 9 10; conv_5x5 1 7 9 10;
sep_conv_3x3 2 6 7 8 10 12; conv_3x3 0 1 3 5 11; conv_5x5 2 10 12 14; conv_5x5 1 5 8 9 10 11 14;
conv_5x5 4 6 8 11 13 16; sep_conv_5x5 1 2 4 10 12 14; sep_conv_5x5 1 2 12 13 18; conv_3x3 0 3 5 6 10 16 17;
sep_conv_5x5 1 3 4 7 9 10 12 13 15 18; conv_3x3 0 2 4 13 15 18; conv_3x3 0 1 5 6 7 9 13 15 18 19"""


def _macro(text: str) -> MacroArchitecture:
    rows = (row.split() for row in text.split(";"))
    return MacroArchitecture(tuple(MacroLayer(name, tuple(map(int, skips))) for name, *skips in rows)).validated()


def _recurrent(text: str, averaged: tuple[int, ...]) -> RecurrentArchitecture:
    rows = (row.split() for row in text.split(","))
    nodes = (RecurrentNode(int(source[0]) if source else None, name) for name, *source in rows)
    return RecurrentArchitecture(tuple(nodes), averaged).validated()


ENAS_RECURRENT = _recurrent(  # ENAS, figure 6.
    "tanh, tanh 0, relu 1, relu 2, tanh 2, tanh 2, relu 5, tanh 1, relu 6, relu 8, relu 8, relu 8", (3, 4, 7, 9, 10, 11)
)
DARTS_RECURRENT = _recurrent(  # Every node but the first is averaged.
    "sigmoid, relu 0, relu 1, identity 1, tanh 1, sigmoid 2, tanh 5, relu 3, sigmoid 5", (1, 2, 3, 4, 5, 6, 7, 8)
)
BENCHMARK_CELL = NasBench201Architecture(
    ("nor_conv_3x3", "nor_conv_1x1", "none", "skip_connect", "avg_pool_3x3", "nor_conv_3x3")
)


def _golden() -> dict[str, str]:
    small = "conv_3x3; avg_pool_3x3 0; sep_conv_5x5 0 1; max_pool_3x3 2; sep_conv_3x3; conv_5x5 1 3 4"
    return {
        "macro-enas-released": architecture_svg(_macro(ENAS_MACRO)),
        "macro-six-layers": architecture_svg(_macro(small)),
        "recurrent-enas": architecture_svg(ENAS_RECURRENT),
        "recurrent-all-averaged": architecture_svg(DARTS_RECURRENT),
        "nas-bench-201": architecture_svg(BENCHMARK_CELL),
    }


@st.composite
def _cells(draw: st.DrawFn) -> Cell:
    blocks = tuple(
        Block(
            (draw(st.integers(0, index + 1)), draw(st.integers(0, index + 1))),
            (draw(st.sampled_from(OPERATIONS)), draw(st.sampled_from(OPERATIONS))),
            draw(st.sampled_from(COMBINATIONS)),
        )
        for index in range(draw(st.integers(1, 6)))
    )
    return Cell(blocks, loose_ends(blocks))


@st.composite
def _macros(draw: st.DrawFn) -> MacroArchitecture:
    count = draw(st.integers(1, MAX_LAYERS))
    random, density = draw(st.randoms(use_true_random=False)), draw(st.sampled_from((0.0, 0.1, 0.5, 1.0)))
    return MacroArchitecture(
        tuple(
            MacroLayer(random.choice(MACRO_OPERATIONS), tuple(s for s in range(k) if random.random() < density))
            for k in range(1, count + 1)
        )
    ).validated()


@st.composite
def _recurrents(draw: st.DrawFn) -> RecurrentArchitecture:
    count = draw(st.integers(1, MAX_NODES))
    nodes = tuple(
        RecurrentNode(draw(st.integers(0, n - 1)) if n else None, draw(st.sampled_from(ACTIVATIONS)))
        for n in range(count)
    )
    loose = RecurrentArchitecture(nodes, ()).loose_ends()
    extra = draw(st.sets(st.integers(0, count - 1)))
    return RecurrentArchitecture(nodes, tuple(sorted({*loose, *extra}))).validated()


_benchmark_cells = st.tuples(*[st.sampled_from(NAS_BENCH_201_OPERATIONS)] * 6).map(NasBench201Architecture)
_architectures: st.SearchStrategy[Architecture] = st.one_of(
    st.builds(CellArchitecture, _cells(), _cells()), _macros(), _recurrents(), _benchmark_cells
)


@pytest.mark.parametrize("name", sorted(_golden()))
def test_a_picture_is_the_golden_one(name: str) -> None:
    assert _golden()[name] == (GOLDEN / f"{name}.svg").read_text()


@pytest.mark.parametrize("name", published_names())
def test_every_published_architecture_is_seen(name: str) -> None:
    root = ElementTree.fromstring(architecture_svg(read_published(name).architecture))
    assert len(list(_boxes(root))) > 8 and len(root.findtext(f"{SVG}desc") or "") > 100


@given(_architectures)
@settings(max_examples=40, deadline=None)
def test_no_boxes_overlap_and_none_leaves_the_picture(architecture: Architecture) -> None:
    root = ElementTree.fromstring(architecture_svg(architecture))
    width, height = float(root.get("width", "")), float(root.get("height", ""))
    boxes = sorted((box for _, box in _boxes(root)), key=lambda box: box.y)
    for index, one in enumerate(boxes):
        assert one.x > 11.8 and one.right < width - 11.8, "numbers are rounded to a tenth of a pixel"
        assert one.y > 11.8 and one.bottom < height - 11.8
        below = itertools.takewhile(lambda other, end=one.bottom: other.y < end, boxes[index + 1 :])  # type: ignore[misc]
        assert not any(one.x < other.right and other.x < one.right for other in below)


@given(_architectures)
@settings(max_examples=40, deadline=None)
def test_every_name_fits_its_box_and_stands_clear_of_its_number(architecture: Architecture) -> None:
    root = ElementTree.fromstring(architecture_svg(architecture))
    numbers = {inner: number for layer in root.iter() for inner, number in _numbered(layer)}
    for group, box in _boxes(root):
        text = group.find(f"{SVG}text")
        assert text is not None
        room = box.width - text_width("".join(text.itertext()), float(text.get("font-size", 12)))
        assert room >= 6
        if (number := numbers.get(group)) is not None:
            ends = float(number.get("x", "")) + text_width(number.text or "", 10)
            assert ends < float(text.get("x", "")) - (box.width - room) / 2


def _numbered(group: ElementTree.Element) -> Iterator[tuple[ElementTree.Element, ElementTree.Element]]:
    """The operation of a layer or node, and the number inside it."""
    operation, number = group.find(f"{SVG}g"), group.find(f"{SVG}text")
    if group.get("class") in ("drawing-layer", "drawing-node") and operation is not None and number is not None:
        yield operation, number


@given(_architectures)
@settings(max_examples=40, deadline=None)
def test_every_node_and_edge_is_drawn_exactly_once(architecture: Architecture) -> None:
    root = ElementTree.fromstring(architecture_svg(architecture))
    joined = Counter(
        (path.get("data-from"), path.get("data-to")) for path in root.iter(f"{SVG}path") if path.get("data-from")
    )
    nodes = sorted(int(n) for g in root.iter(f"{SVG}g") for key in KEYS if (n := g.get(key)) is not None)
    assert (nodes, joined) == _parts(architecture)


KEYS = ("data-state", "data-layer", "data-node")


def _parts(architecture: Architecture) -> tuple[list[int], Counter[tuple[str, str]]]:
    """The numbered nodes of an architecture, and from where to where its edges go."""
    match architecture:
        case CellArchitecture(normal=normal, reduction=reduction):
            nodes, edges = [], []
            for cell in (normal, reduction):
                nodes += [2 + index for index in range(len(cell.blocks))]
                edges += [(s, 2 + index) for index, block in enumerate(cell.blocks) for s in block.inputs]
                edges += [(s, "output") for s in cell.concat]
        case MacroArchitecture(layers=layers):
            nodes = list(range(1, len(layers) + 1))
            edges = [(s, number) for number, layer in enumerate(layers, start=1) for s in layer.skips]
        case RecurrentArchitecture(nodes=found, averaged=averaged):
            nodes = list(range(len(found)))
            edges = [(node.source, n) for n, node in enumerate(found) if node.source is not None]
            edges += [("word", 0), ("state", 0), *((n, "output") for n in averaged)]
        case NasBench201Architecture():
            nodes, edges = [], list(NAS_BENCH_201_EDGES)
    return sorted(nodes), Counter((str(source), str(target)) for source, target in edges)


@given(_architectures)
@settings(max_examples=30, deadline=None)
def test_a_picture_is_always_the_same_and_needs_nothing_from_elsewhere(architecture: Architecture) -> None:
    svg = architecture_svg(architecture)
    assert svg == architecture_svg(architecture)
    assert re.findall(r"https?://[^\"]+", svg) == ["http://www.w3.org/2000/svg"]
    assert " style=" not in svg and "<style" not in svg and " id=" not in svg and "href" not in svg


def test_pieces_are_the_two_cells_or_the_whole() -> None:
    cell = Cell((Block((0, 1), ("identity", "conv_3x3"), "add"),), (2,))
    found = pictures(CellArchitecture(cell, cell))
    assert {name: piece.title for name, piece in found.items()} == {
        "normal": "Normal cell",
        "reduction": "Reduction cell",
    }
    assert found["normal"].svg == cell_svg(cell, title="Normal cell")
    for whole in (_macro(ENAS_MACRO), ENAS_RECURRENT, BENCHMARK_CELL):
        piece = pictures(whole)["whole"]
        assert piece.svg == architecture_svg(whole) and f"<title>{piece.title}</title>" in piece.svg


def test_an_architecture_is_told_in_words() -> None:
    macro = ElementTree.fromstring(architecture_svg(_macro("conv_3x3; sep_conv_5x5 0; max_pool_3x3 0 2")))
    assert macro.findtext(f"{SVG}desc") == (
        "Stem. Layer 1: conv 3x3. Height and width are halved. Layer 2: sep 5x5, joined with the stem. "
        "Height and width are halved. Layer 3: max 3x3, joined with the stem, layer 2. Head: average and classes."
    )
    recurrent = ElementTree.fromstring(architecture_svg(_recurrent("tanh, relu 0, sigmoid 0", (1, 2))))
    assert recurrent.findtext(f"{SVG}desc") == (
        "Node 0: tanh of word and state. Node 1: relu of node 0. Node 2: sigmoid of node 0. "
        "Output: mean of node 1, node 2."
    )
    benchmark = ElementTree.fromstring(architecture_svg(BENCHMARK_CELL))
    assert benchmark.findtext(f"{SVG}desc") == (
        "Node 1: conv 3x3 of input. Node 2: conv 1x1 of input. "
        "Output: sum of identity of input, avg 3x3 of node 1, conv 3x3 of node 2."
    )


def test_every_operation_and_activation_has_a_name_and_a_colour() -> None:
    known = {*OPERATIONS, *MACRO_OPERATIONS, *NAS_BENCH_201_OPERATIONS}
    assert set(SHORT_NAMES) == known
    assert {family(operation) for operation in known} | set(ACTIVATIONS) == set(COLOURS)


def _boxes(root: ElementTree.Element) -> Iterator[tuple[ElementTree.Element, Box]]:
    """Every group that draws a box with a name, and the box where it stands in the whole picture."""

    def walk(element: ElementTree.Element, x: float, y: float) -> Iterator[tuple[ElementTree.Element, Box]]:
        shift = re.fullmatch(r"translate\((\S+) (\S+)\)", element.get("transform", ""))
        if shift:
            x, y = x + float(shift[1]), y + float(shift[2])
        rectangle = element.find(f"{SVG}rect")
        if rectangle is not None and element.tag == f"{SVG}g" and element.find(f"{SVG}text") is not None:
            left, top, width, height = (float(rectangle.get(key, "")) for key in ("x", "y", "width", "height"))
            yield element, Box(x + left, y + top, width, height)
        for child in element:
            yield from walk(child, x, y)

    return walk(root, 0.0, 0.0)


if __name__ == "__main__":
    for picture, drawn in _golden().items():
        (GOLDEN / f"{picture}.svg").write_text(drawn)
