"""Cells of NAS-Bench-201: six operations in places of their own, each on the way that it stands for."""

import itertools

from search_engine.architectures.nas_bench_201 import NAS_BENCH_201_EDGES, NasBench201Architecture
from search_engine.drawing.nas_bench_201 import layout, nas_bench_201_svg


def test_every_way_runs_from_its_node_through_its_operation_to_its_node() -> None:
    placed = layout()
    for (source, target), box, way in zip(NAS_BENCH_201_EDGES, placed.operations, placed.ways, strict=True):
        for node, (x, y) in ((placed.nodes[source], way[0]), (placed.nodes[target], way[-1])):
            assert node.x <= x <= node.right and node.y <= y <= node.bottom
        upright = [(a, b) for a, b in itertools.pairwise(way) if a[0] == b[0]]
        assert any(x == box.centre and y < box.y and box.bottom < low for (x, y), (_, low) in upright)


def test_no_two_ways_cross() -> None:
    pieces = [[*itertools.pairwise(way)] for way in layout().ways]
    for one, other in itertools.combinations(pieces, 2):
        for (a, b), (c, d) in itertools.product(one, other):
            upright, level = ((a, b), (c, d)) if a[0] == b[0] else ((c, d), (a, b))
            x, y = upright[0][0], level[0][1]
            across = min(level[0][0], level[1][0]) < x < max(level[0][0], level[1][0])
            assert not (across and upright[0][1] < y < upright[1][1])


def test_what_passes_nothing_is_dashed_and_explained() -> None:
    some = NasBench201Architecture(("none", "skip_connect", "none", *["nor_conv_1x1"] * 3))
    assert nas_bench_201_svg(some).count("stroke-dasharray") == 4, "two ways and their two boxes"
    assert "dashed: nothing passes" in nas_bench_201_svg(some)
    every = nas_bench_201_svg(NasBench201Architecture(("avg_pool_3x3",) * 6))
    assert "dash" not in every
