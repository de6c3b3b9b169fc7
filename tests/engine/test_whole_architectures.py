"""Architectures that are no cells: ENAS's macro networks and recurrent cells, and the cells of NAS-Bench-201."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_engine.architectures.macro import MACRO_OPERATIONS, MAX_LAYERS, MacroArchitecture, MacroLayer
from search_engine.architectures.nas_bench_201 import (
    NAS_BENCH_201_EDGES,
    NAS_BENCH_201_OPERATIONS,
    NasBench201Architecture,
)
from search_engine.architectures.reading import architecture_from_json
from search_engine.architectures.recurrent import ACTIVATIONS, MAX_NODES, RecurrentArchitecture, RecurrentNode
from search_engine.errors import ArchitectureError

FIGURE_2 = RecurrentArchitecture(  # The worked example of ENAS, figure 2, counted from 0.
    (RecurrentNode(None, "tanh"), RecurrentNode(0, "relu"), RecurrentNode(1, "relu"), RecurrentNode(0, "tanh")), (2, 3)
)
FIGURE_3 = MacroArchitecture(  # ENAS, figure 3.
    (
        MacroLayer("conv_3x3"),
        MacroLayer("sep_conv_5x5", (1,)),
        MacroLayer("max_pool_3x3", (1, 2)),
        MacroLayer("conv_5x5", (1, 3)),
    )
)
CONV, SKIP, NONE = "nor_conv_3x3", "skip_connect", "none"


@st.composite
def macros(draw):
    layers = draw(st.integers(1, 14))
    skips = [draw(st.sets(st.integers(0, index))) for index in range(layers)]
    return MacroArchitecture(
        tuple(MacroLayer(draw(st.sampled_from(MACRO_OPERATIONS)), tuple(sorted(each))) for each in skips)
    )


@st.composite
def recurrents(draw):
    count = draw(st.integers(1, 12))
    nodes = tuple(
        RecurrentNode(draw(st.integers(0, index - 1)) if index else None, draw(st.sampled_from(ACTIVATIONS)))
        for index in range(count)
    )
    loose = RecurrentArchitecture(nodes, ()).loose_ends()
    more = draw(st.sets(st.integers(0, count - 1)))
    return RecurrentArchitecture(nodes, tuple(sorted({*loose, *more})))


def bench_cells():
    edges = len(NAS_BENCH_201_EDGES)
    return st.builds(NasBench201Architecture, st.tuples(*[st.sampled_from(NAS_BENCH_201_OPERATIONS)] * edges))


@given(st.one_of(macros(), recurrents(), bench_cells()))
def test_every_kind_is_read_back_from_its_json(architecture):
    assert architecture.validated() is architecture
    assert architecture_from_json(architecture.to_json()) == architecture


@given(recurrents(), st.randoms(use_true_random=False))
def test_recurrent_cells_hash_alike_in_every_legal_order_of_their_nodes(cell, random):
    order = [0]
    while len(order) < len(cell.nodes):
        ready = [i for i, node in enumerate(cell.nodes) if i not in order and node.source in order]
        order.append(random.choice(ready))
    number = {old: new for new, old in enumerate(order)} | {None: None}
    nodes = tuple(RecurrentNode(number[cell.nodes[old].source], cell.nodes[old].activation) for old in order)
    renumbered = RecurrentArchitecture(nodes, tuple(sorted(number[index] for index in cell.averaged)))
    assert renumbered.validated().hash == cell.hash


def test_recurrent_cells_of_three_nodes_hash_differently_unless_they_are_isomorphic():
    cells = [
        RecurrentArchitecture((RecurrentNode(None, a), RecurrentNode(0, b), RecurrentNode(source, c)), (1, 2))
        for a, b, c in itertools.product(("tanh", "relu"), repeat=3)
        for source in (0, 1)
    ]
    # With both nodes on node 0, (b, c) and (c, b) are one cell: 2 x 3 of them; in a chain all 8 differ.
    assert len({cell.hash for cell in cells}) == 6 + 8


def test_what_a_recurrent_cell_averages_is_part_of_its_hash():
    assert RecurrentArchitecture(FIGURE_2.nodes, (0, 2, 3)).hash != FIGURE_2.hash
    assert FIGURE_2.loose_ends() == (2, 3)


def test_a_skip_and_an_operation_are_part_of_the_hash_of_a_macro_network():
    layers = list(FIGURE_3.layers)
    variants = {FIGURE_3.hash}
    for changed in (MacroLayer("conv_5x5", (3,)), MacroLayer("conv_5x5", (0, 1, 3)), MacroLayer("conv_3x3", (1, 3))):
        variants.add(MacroArchitecture((*layers[:3], changed)).hash)
    assert len(variants) == 4


def test_inner_nodes_of_a_bench_cell_may_change_places_only_where_none_lies_between():
    apart = NasBench201Architecture((CONV, SKIP, NONE, NONE, CONV, SKIP))
    assert apart.hash == NasBench201Architecture((SKIP, CONV, NONE, NONE, SKIP, CONV)).hash
    joined = NasBench201Architecture((CONV, SKIP, CONV, NONE, CONV, SKIP))
    assert joined.hash != NasBench201Architecture((SKIP, CONV, CONV, NONE, SKIP, CONV)).hash


def test_no_two_kinds_share_a_hash():
    cells = NasBench201Architecture((CONV,) * 6)
    assert len({cells.hash, FIGURE_2.hash, FIGURE_3.hash}) == 3


@pytest.mark.parametrize(
    ("value", "field", "message"),
    [
        ({"kind": "macro"}, "layers", "must be a list of objects with operation, skips."),
        ({"kind": "macro", "layers": [7]}, "layers.0", "must be an object with operation, skips."),
        ({"kind": "macro", "layers": []}, "layers", f"has 0 layers; must have 1 to {MAX_LAYERS}."),
        ({"kind": "macro", "layers": [{"operation": "conv_3x3", "skips": "0"}]}, "layers.0.skips",
         "must be a list of whole numbers."),
        ({"kind": "macro", "layers": [{"operation": "conv_3x3", "skips": [1]}]}, "layers.0.skips",
         "is [1]; layer 1 can join each of 0 (the stem) to 0 once."),
        ({"kind": "macro", "layers": [{"operation": ["x"], "skips": []}]}, "layers.0.operation",
         f"['x'] is unknown; must be one of {', '.join(MACRO_OPERATIONS)}."),
        ({"kind": "recurrent", "nodes": [], "averaged": []}, "nodes", f"has 0 nodes; must have 1 to {MAX_NODES}."),
        ({"kind": "recurrent", "nodes": [{"source": 0, "activation": "tanh"}], "averaged": [0]}, "nodes.0.source",
         "is 0; node 0 reads the word and the state, so null."),
        ({"kind": "recurrent", "nodes": [{"source": None, "activation": "elu"}], "averaged": [0]},
         "nodes.0.activation", "'elu' is unknown; must be one of tanh, relu, identity, sigmoid."),
        ({"kind": "recurrent", "nodes": [{"source": None, "activation": "tanh"}, {"source": 1, "activation": "tanh"}],
          "averaged": [1]}, "nodes.1.source", "is 1; node 1 can read nodes 0 to 0."),
        ({"kind": "recurrent", "nodes": [{"source": None, "activation": "tanh"}], "averaged": []},
         "averaged", "leaves out node 0, which no node reads."),
        ({"kind": "recurrent", "nodes": [{"source": None, "activation": "tanh"}], "averaged": [0, 0]},
         "averaged", "is [0, 0]; must name different nodes from 0 to 0."),
        ({"kind": "nas_bench_201"}, "operations", "must be a list of six operations."),
        ({"kind": "nas_bench_201", "operations": [CONV] * 5}, "operations", "has 5 entries; must have 6."),
        ({"kind": "nas_bench_201", "operations": [CONV] * 5 + [{}]}, "operations.5",
         "{} is unknown; must be one of none, skip_connect, nor_conv_1x1, nor_conv_3x3, avg_pool_3x3."),
    ],
)  # fmt: skip
def test_a_damaged_file_is_refused_at_its_field_with_a_sentence(value, field, message):
    with pytest.raises(ArchitectureError) as refused:
        architecture_from_json({"format": 1, **value})
    assert (refused.value.field, refused.value.message) == (field, message)
