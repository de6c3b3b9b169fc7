import itertools
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_engine.architectures.cell import Block, Cell
from search_engine.architectures.cells import CellArchitecture
from search_engine.catalogue.published import read_published
from search_engine.config.space import NasnetSpaceConfig
from search_engine.errors import ArchitectureError
from search_engine.spaces.nasnet import NasnetSpace

SPACES = {blocks: NasnetSpace(NasnetSpaceConfig(blocks=blocks)) for blocks in range(1, 7)}


@st.composite
def decisions(draw):
    space = SPACES[draw(st.integers(1, 6))]
    return space, tuple(draw(st.integers(0, len(decision.options) - 1)) for decision in space.decisions)


def test_five_blocks_make_fifty_decisions_with_the_sizes_of_the_paper():
    sizes = [len(decision.options) for decision in SPACES[5].decisions]
    assert sizes == 2 * [size for block in range(5) for size in (block + 2, block + 2, 13, 13, 2)]


def test_a_uniform_architecture_has_the_log_probability_of_the_paper():
    log_probability = -sum(math.log(len(decision.options)) for decision in SPACES[5].decisions)
    assert log_probability == pytest.approx(-84.5475, abs=5e-5)


def test_a_cell_of_five_blocks_can_be_chosen_in_as_many_ways_as_computed_by_hand():
    half = SPACES[5].decisions[:25]
    assert math.prod(len(decision.options) for decision in half) == 2_286_906_949_584_691_200


def test_decisions_are_named_for_people_and_share_families():
    third_block = SPACES[5].decisions[10:15]
    assert [decision.name for decision in third_block] == [
        "normal 3 input 1", "normal 3 input 2", "normal 3 operation 1", "normal 3 operation 2", "normal 3 combination",
    ]  # fmt: skip
    assert third_block[0].options == ("current input", "previous input", "block 1", "block 2")
    assert [decision.family for decision in third_block] == ["input", "input", "operation", "operation", "combination"]
    assert SPACES[5].decisions[25].name == "reduction 1 input 1"


@given(decisions())
@settings(deadline=None)
def test_every_decision_list_decodes_and_encodes_back(drawn):
    space, indices = drawn
    architecture = space.decode(indices)
    assert space.encode(architecture) == indices
    assert set(architecture.normal.concat) == set(architecture.normal.loose_ends())


@given(decisions(), st.integers(-2, 20), st.data())
@settings(deadline=None)
def test_an_index_is_taken_when_and_only_when_it_is_an_option(drawn, index, data):
    space, indices = drawn
    place = data.draw(st.integers(0, len(indices) - 1))
    changed = [*indices[:place], index, *indices[place + 1 :]]
    if 0 <= index < len(space.decisions[place].options):
        space.decode(changed)
    else:
        with pytest.raises(ArchitectureError) as refused:
            space.decode(changed)
        assert refused.value.field == f"decisions.{place}"


def test_an_input_that_comes_later_is_refused_with_a_sentence():
    with pytest.raises(ArchitectureError) as refused:
        SPACES[1].decode([0, 2, 0, 0, 0, 0, 0, 0, 0, 0])
    assert str(refused.value) == "decisions.1: is 2; must be a whole number from 0 to 1 (normal 1 input 2)."


@pytest.mark.parametrize("index", [True, 1.0, "1", None])
def test_only_whole_numbers_are_decisions(index):
    with pytest.raises(ArchitectureError, match=r"decisions\.0"):
        SPACES[1].decode([index, 0, 0, 0, 0, 0, 0, 0, 0, 0])


@pytest.mark.parametrize("count", [0, 9, 11])
def test_a_list_of_another_length_is_refused(count):
    with pytest.raises(ArchitectureError, match=f"has {count} entries; must have 10"):
        SPACES[1].decode([0] * count)


def test_nasnet_a_encodes_to_fifty_decisions_with_strict_concatenation():
    released = read_published("nasnet-a").architecture
    strict = released.with_strict_concat()
    assert strict.normal.concat == (2, 3, 4, 5, 6)
    assert strict.reduction.concat == (4, 5, 6)
    indices = SPACES[5].encode(strict)
    assert len(indices) == 50
    assert SPACES[5].decode(indices) == strict


def test_a_concatenation_of_more_than_the_loose_ends_is_refused():
    with pytest.raises(ArchitectureError) as refused:
        SPACES[5].encode(read_published("nasnet-a").architecture)
    assert str(refused.value) == (
        "normal.concat: is [1, 2, 3, 4, 5, 6]; this space holds only [2, 3, 4, 5, 6], the blocks that none reads."
    )


def test_an_architecture_that_the_space_does_not_hold_is_refused_at_its_field():
    space = NasnetSpace(NasnetSpaceConfig(blocks=1, operations=("identity",), combinations=("add",)))
    good = Cell((Block((0, 1), ("identity", "identity"), "add"),), (2,))
    assert space.encode(CellArchitecture(good, good)) == (0, 1, 0, 0, 0, 0, 1, 0, 0, 0)
    for field, block in (
        ("normal.blocks.0.inputs", Block((0, 2), ("identity", "identity"), "add")),
        ("normal.blocks.0.operations", Block((0, 1), ("identity", "conv_1x1"), "add")),
        ("normal.blocks.0.combination", Block((0, 1), ("identity", "identity"), "concat")),
    ):
        with pytest.raises(ArchitectureError) as refused:
            space.encode(CellArchitecture(Cell((block,), (2,)), good))
        assert refused.value.field == field
    with pytest.raises(ArchitectureError, match=r"reduction\.blocks: has 2 blocks; this space has 1\."):
        space.encode(CellArchitecture(good, Cell((*good.blocks, *good.blocks), (2, 3))))


def test_options_left_out_shrink_the_vocabulary():
    space = NasnetSpace(NasnetSpaceConfig(blocks=1, operations=("sep_conv_3x3", "identity"), combinations=("concat",)))
    assert [len(decision.options) for decision in space.decisions] == [2, 2, 2, 2, 1] * 2
    decoded = {space.decode(indices).hash for indices in itertools.product(*_options(space))}
    # Per cell: 4 (input, operation) pairs on two sides without order, so 4 * 5 / 2 = 10.
    assert len(decoded) == 100


def _options(space):
    return [range(len(decision.options)) for decision in space.decisions]
