"""Recurrent cells: data flows down, every way arrives, and no two ways ever cross."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from search_engine.architectures.recurrent import RecurrentArchitecture, RecurrentNode
from search_engine.drawing.geometry import Box, Point
from search_engine.drawing.recurrent_layout import MEAN, STATE, WORD, PlacedWay, RecurrentLayout, layout

PARTS = 12  # Pieces into which the tests cut a curve.


@st.composite
def _recurrents(draw: st.DrawFn) -> RecurrentArchitecture:
    count = draw(st.integers(1, 14))
    sources = [None, *(draw(st.integers(0, n - 1)) for n in range(1, count))]
    nodes = tuple(RecurrentNode(source, "tanh") for source in sources)
    extra = draw(st.sets(st.integers(0, count - 1)))
    averaged = {*RecurrentArchitecture(nodes, ()).loose_ends(), *extra}
    return RecurrentArchitecture(nodes, tuple(sorted(averaged))).validated()


@given(_recurrents())
@settings(max_examples=60, deadline=None)
def test_every_way_leaves_its_source_and_ends_at_its_target_below(cell: RecurrentArchitecture) -> None:
    placed = layout(cell)
    for way in placed.ways:
        source, target = _box(placed, way.source), _box(placed, way.target)
        (x, y), (to_x, to_y) = way.legs[0][0], way.legs[-1][1]
        assert source.x < x < source.right and y == source.bottom
        assert target.x < to_x < target.right and to_y == target.y
        lines = _points(way)
        assert all(one[1] <= other[1] for one, other in itertools.pairwise(lines)) and y < to_y


@given(_recurrents())
@settings(max_examples=60, deadline=None)
def test_no_two_ways_cross_and_none_runs_through_a_box(cell: RecurrentArchitecture) -> None:
    placed = layout(cell)
    ways = {way: _points(way) for way in placed.ways}
    for (_, one), (_, other) in itertools.combinations(ways.items(), 2):
        pieces = itertools.product(itertools.pairwise(one), itertools.pairwise(other))
        assert not any(_cross(*first, *second) for first, second in pieces)
    for way, points in ways.items():
        for node, box in enumerate(placed.nodes):
            if node not in (way.source, way.target):
                assert not any(box.x < x < box.right and box.y < y < box.bottom for x, y in points)


def test_a_node_stands_over_the_middle_of_those_that_read_it() -> None:
    nodes = tuple(RecurrentNode(source, "tanh") for source in (None, 0, 0, 2, 2))
    placed = layout(RecurrentArchitecture(nodes, (1, 3, 4)).validated())
    first, left, right, *_ = placed.nodes
    assert first.centre == (left.centre + right.centre) / 2
    assert right.centre == (placed.nodes[3].centre + placed.nodes[4].centre) / 2
    assert first.y < left.y == right.y < placed.nodes[3].y == placed.nodes[4].y < placed.mean.y


def _box(placed: RecurrentLayout, end: int) -> Box:
    named = {WORD: placed.word, STATE: placed.state, MEAN: placed.mean}
    return named[end] if end in named else placed.nodes[end]


def _points(way: PlacedWay) -> list[Point]:
    """Points along a way, its curves bent as they are drawn, and along its straight runs."""
    points: list[Point] = []
    for start, stop in way.legs:
        if points:
            (x, y), low = points[-1], start[1]
            points += [(x, y + (low - y) * part / PARTS) for part in range(PARTS)]
        bend = (stop[1] - start[1]) * 0.55
        ys = (start[1], start[1] + bend, stop[1] - bend, stop[1])
        xs = (start[0], start[0], stop[0], stop[0])
        for part in range(PARTS + 1):
            t = part / PARTS
            weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
            points.append((sum(map(float.__mul__, weights, xs)), sum(map(float.__mul__, weights, ys))))
    return points


def _cross(a: Point, b: Point, c: Point, d: Point) -> bool:
    """Whether two pieces cross strictly; touching ends do not count."""
    if max(a[1], b[1]) < min(c[1], d[1]) or max(c[1], d[1]) < min(a[1], b[1]):
        return False
    return _turn(a, b, c) * _turn(a, b, d) < -1e-6 and _turn(c, d, a) * _turn(c, d, b) < -1e-6


def _turn(a: Point, b: Point, c: Point) -> float:
    return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
