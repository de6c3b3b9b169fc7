"""Macro networks: arcs run from box to box, swing out by their length, and few of them cross."""

import itertools
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from search_engine.architectures.macro import MacroArchitecture, MacroLayer
from search_engine.drawing.macro import macro_svg
from search_engine.drawing.macro_layout import COLUMN, FURTHEST, NEAREST, RIGHT, layout, sides_of
from search_engine.editing.editor import labels

Skips = list[tuple[int, int]]


def _network(skips: Skips, layers: int) -> MacroArchitecture:
    joined = [tuple(sorted(s for s, t in skips if t == number)) for number in range(1, layers + 1)]
    return MacroArchitecture(tuple(MacroLayer("conv_3x3", found) for found in joined)).validated()


@st.composite
def _skips(draw: st.DrawFn) -> Skips:
    possible = list(itertools.combinations(range(9), 2))
    return sorted(draw(st.sets(st.sampled_from(possible))))


def _crossings(sides: dict[tuple[int, int], int]) -> int:
    return sum(
        a < c < b < d or c < a < d < b
        for ((a, b), one), ((c, d), other) in itertools.combinations(sides.items(), 2)
        if one == other
    )


@given(_skips())
@settings(deadline=None)
def test_no_skip_alone_could_change_sides_and_cross_fewer(skips: Skips) -> None:
    sides = sides_of(skips)
    assert list(sides) == skips
    assert all(_crossings(sides) <= _crossings(sides | {skip: -side}) for skip, side in sides.items())


def test_two_sides_are_enough_for_skips_that_would_cross() -> None:
    chain = [(0, 3), (2, 5), (4, 7), (6, 8)]  # Each crosses the next.
    assert _crossings(dict.fromkeys(chain, RIGHT)) == 3
    assert _crossings(sides_of(chain)) == 0
    crossing = [(0, 3), (1, 4), (2, 6)]  # Each crosses both others.
    assert _crossings(sides_of(crossing)) == 1


@given(_skips())
@settings(deadline=None)
def test_an_arc_leaves_its_source_and_enters_the_bar_of_its_layer(skips: Skips) -> None:
    placed = layout(_network(skips, 8))
    boxes = [placed.stem, *(layer.last for layer in placed.layers)]
    assert sorted((skip.source, skip.target) for skip in placed.skips) == skips
    for skip in placed.skips:
        for box, (x, y) in ((boxes[skip.source], skip.start), (boxes[skip.target], skip.end)):
            assert x == (box.right if skip.side == RIGHT else box.x)
            assert box.y < y < box.bottom
        out = skip.start[0] + skip.side * skip.reach
        assert -placed.left <= out <= COLUMN + placed.right
        assert placed.layers[skip.target - 1].bar is not None


def test_the_further_an_arc_goes_the_further_it_swings() -> None:
    placed = layout(_network([(0, target) for target in range(1, 9)], 8))
    reaches = [skip.reach for skip in sorted(placed.skips, key=lambda skip: skip.target)]
    assert reaches == sorted(reaches) and len(set(reaches)) == 8
    assert (reaches[0], reaches[-1]) == (NEAREST, FURTHEST)


def test_the_image_is_halved_after_a_third_and_two_thirds() -> None:
    assert layout(_network([], 2)).halvings == (), "Too few layers for thirds."
    placed = layout(_network([], 12))
    for box, number in zip(placed.halvings, (4, 8), strict=True):
        above, below = placed.layers[number - 1], placed.layers[number]
        assert above.last.bottom < box.y and box.bottom < below.operation.y


def test_the_legend_names_only_the_spans_that_occur() -> None:
    assert "skips over" not in macro_svg(_network([], 3))
    svg = macro_svg(_network([(0, 1), (0, 10)], 10))
    assert "1 to 3 layers" in svg and "9 and more" in svg and "4 to 8" not in svg


def test_to_be_edited_the_skips_of_a_layer_are_one_part_for_each_colour_and_none_is_missing() -> None:
    dense = MacroArchitecture(tuple(MacroLayer("conv_3x3", tuple(range(layer + 1))) for layer in range(12)))
    root = ElementTree.fromstring(macro_svg(dense, labels(dense)))
    arcs = [path for path in root.iter("{http://www.w3.org/2000/svg}path") if "drawing-skip" in path.get("class", "")]
    assert len(arcs) <= 3 * 12
    for number in range(1, 13):
        ours = [path for path in arcs if path.get("data-to") == str(number)]
        assert {path.get("data-place") for path in ours} == {f"layers.{number - 1}.skips"}
        assert sum(path.get("d", "").count("M") for path in ours) == number


def test_to_be_edited_an_arc_more_or_less_leaves_every_other_element_as_it_is_and_where_it_is() -> None:
    dense = tuple(MacroLayer("conv_3x3", tuple(range(layer + 1))) for layer in range(12))
    fewer = (*dense[:-1], MacroLayer("conv_3x3", dense[-1].skips[1:]))  # The longest arc is gone, and a side narrower.
    before, after = (
        list(ElementTree.fromstring(macro_svg(network, labels(network))).iter())
        for network in (MacroArchitecture(dense), MacroArchitecture(fewer))
    )
    assert len(before) == len(after)
    changed = [was for was, now in zip(before, after, strict=True) if (was.attrib, was.text) != (now.attrib, now.text)]
    # The document, its words and its paper; where the network stands; two halvings, as wide as it; bar and arcs.
    assert len(changed) <= 8, [(element.tag, element.attrib) for element in changed]
