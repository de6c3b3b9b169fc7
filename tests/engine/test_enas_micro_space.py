import math

import pytest

from search_engine.architectures.cell import Block, Cell
from search_engine.architectures.cells import CellArchitecture
from search_engine.catalogue.published import read_published
from search_engine.config.reading import read_config
from search_engine.config.space import EnasMicroSpaceConfig
from search_engine.errors import ArchitectureError, ConfigError
from search_engine.spaces.enas_micro import EnasMicroSpace

SPACE = EnasMicroSpace(EnasMicroSpaceConfig())
CURRENT, PREVIOUS = 0, 1  # ENAS counts them the other way round.


def test_five_nodes_make_forty_decisions_in_the_order_of_drawing():
    sizes = [len(decision.options) for decision in SPACE.decisions]
    assert sizes == 2 * [size for node in range(5) for size in (node + 2, node + 2, 5, 5)]
    assert [decision.name for decision in SPACE.decisions[8:12]] == [
        "normal 3 input 1", "normal 3 input 2", "normal 3 operation 1", "normal 3 operation 2",
    ]  # fmt: skip
    assert SPACE.decisions[8].options == ("current input", "previous input", "node 1", "node 2")
    assert SPACE.decisions[20].name == "reduction 1 input 1"


def test_a_cell_can_be_chosen_in_as_many_ways_as_counted_by_hand():
    assert math.prod(len(decision.options) for decision in SPACE.decisions[:20]) == 5_062_500_000_000


def test_the_cell_of_figure_5_has_one_loose_end():
    # Node 3 of the figure is sep5(h2) + id(h2), node 4 avg(h3) + sep3(h1); h1 is the previous input, h2 the current.
    space = EnasMicroSpace(EnasMicroSpaceConfig(nodes=2))
    names = space.decisions[2].options
    sep3, sep5, average, identity = (
        names.index(name) for name in ("sep_conv_3x3", "sep_conv_5x5", "avg_pool_3x3", "identity")
    )
    cell = (CURRENT, CURRENT, sep5, identity, 2, PREVIOUS, average, sep3)
    decoded = space.decode(cell + cell)
    assert decoded.normal == decoded.reduction
    assert decoded.normal.blocks == (
        Block((0, 0), ("sep_conv_5x5", "identity"), "add"),
        Block((2, 1), ("avg_pool_3x3", "sep_conv_3x3"), "add"),
    )
    assert decoded.normal.concat == (3,)


def test_an_input_that_no_node_reads_is_a_loose_end_where_the_space_says_so():
    chain = (0, 0, 4, 4, 2, 2, 4, 4)
    for unused_inputs, output in ((True, (1, 3)), (False, (3,))):
        space = EnasMicroSpace(EnasMicroSpaceConfig(nodes=2, unused_inputs=unused_inputs))
        assert space.decode(chain + chain).normal.concat == output


def test_the_released_cells_encode_as_the_string_of_their_script_says():
    released = read_published("enas-micro-released").architecture
    # Node 2 of the string: 0 2 0 0, which is the average of ENAS's input 0 and a 3x3 separable convolution of it.
    assert SPACE.encode(released)[:4] == (PREVIOUS, PREVIOUS, 2, 0)
    assert SPACE.decode(SPACE.encode(released)) == released


def test_a_concatenation_of_anything_else_is_refused_at_its_field():
    block = Block((0, 0), ("identity", "identity"), "add")
    wide, narrow = Cell((block,), (1, 2)), Cell((block,), (2,))
    space = EnasMicroSpace(EnasMicroSpaceConfig(nodes=1))
    assert space.encode(CellArchitecture(wide, wide)) == (0, 0, 4, 4) * 2
    with pytest.raises(ArchitectureError) as refused:
        space.encode(CellArchitecture(wide, narrow))
    assert str(refused.value) == (
        "reduction.concat: is [2]; this space holds only [1, 2], the inputs and blocks that none reads."
    )
    without = EnasMicroSpace(EnasMicroSpaceConfig(nodes=1, unused_inputs=False))
    assert without.encode(CellArchitecture(narrow, narrow)) == (0, 0, 4, 4) * 2
    with pytest.raises(ArchitectureError, match=r"normal\.concat: is \[1, 2\]"):
        without.encode(CellArchitecture(wide, narrow))


def test_what_the_space_does_not_hold_is_refused_at_its_field():
    space = EnasMicroSpace(EnasMicroSpaceConfig(nodes=1, operations=("identity",)))
    good = Cell((Block((0, 1), ("identity", "identity"), "add"),), (2,))
    for field, block in (
        ("normal.blocks.0.operations", Block((0, 1), ("identity", "sep_conv_3x3"), "add")),
        ("normal.blocks.0.combination", Block((0, 1), ("identity", "identity"), "concat")),
    ):
        with pytest.raises(ArchitectureError) as refused:
            space.encode(CellArchitecture(Cell((block,), (2,)), good))
        assert refused.value.field == field
    with pytest.raises(ArchitectureError, match=r"reduction\.blocks: has 2 blocks; this space has 1\."):
        space.encode(CellArchitecture(good, Cell((*good.blocks, *good.blocks), (2, 3))))


def test_operations_are_kept_in_one_order_and_unknown_ones_refused():
    assert EnasMicroSpaceConfig(operations=("identity", "sep_conv_3x3")).operations == ("sep_conv_3x3", "identity")
    with pytest.raises(ConfigError, match="'conv_3x3' is unknown"):
        read_config(EnasMicroSpaceConfig, {"operations": ["conv_3x3"]})
