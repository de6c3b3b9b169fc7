import ast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_engine.architectures.cell import NASNET_OPERATIONS
from search_engine.catalogue.published import read_published
from search_engine.config.space import NasnetSpaceConfig
from search_engine.formats import darts_text
from search_engine.spaces.nasnet import NasnetSpace

SPACE = NasnetSpace(NasnetSpaceConfig(blocks=3))
PLAIN_FIELDS = ["normal", "normal_concat", "reduce", "reduce_concat"]


def read(text):
    """The fields of a Genotype, read as the expression of Python that it is."""
    call = ast.parse(text, mode="eval").body
    assert call.func.id == "Genotype" and not call.args
    return {keyword.arg: ast.literal_eval(keyword.value) for keyword in call.keywords}


def test_nasnet_a_prints_what_the_darts_code_has_as_nasnet():
    fields = read(darts_text(read_published("nasnet-a").architecture.with_strict_concat()))
    # As quark0/darts, cnn/genotypes.py, states the facts of NASNet: two edges a block.
    normal = [
        {("sep_conv_5x5", 1), ("sep_conv_3x3", 0)},
        {("sep_conv_5x5", 0), ("sep_conv_3x3", 0)},
        {("avg_pool_3x3", 1), ("skip_connect", 0)},
        {("avg_pool_3x3", 0)},
        {("sep_conv_3x3", 1), ("skip_connect", 1)},
    ]
    reduction = [
        {("sep_conv_5x5", 1), ("sep_conv_7x7", 0)},
        {("max_pool_3x3", 1), ("sep_conv_7x7", 0)},
        {("avg_pool_3x3", 1), ("sep_conv_5x5", 0)},
        {("skip_connect", 3), ("avg_pool_3x3", 2)},
        {("sep_conv_3x3", 2), ("max_pool_3x3", 1)},
    ]
    assert list(fields) == PLAIN_FIELDS
    assert _pairs(fields["normal"]) == normal
    assert _pairs(fields["reduce"]) == reduction
    assert fields["normal_concat"] == [2, 3, 4, 5, 6]
    assert fields["reduce_concat"] == [4, 5, 6]


def test_states_of_an_explicit_concatenation_are_flipped_too():
    fields = read(darts_text(read_published("nasnet-a").architecture))
    assert fields["normal_concat"] == [0, 2, 3, 4, 5, 6]


@given(st.data())
@settings(deadline=None)
def test_a_cell_is_read_back_from_its_text(data):
    indices = [data.draw(st.integers(0, len(decision.options) - 1)) for decision in SPACE.decisions]
    architecture = SPACE.decode(indices)
    fields = read(darts_text(architecture))
    for cell, name in ((architecture.normal, "normal"), (architecture.reduction, "reduce")):
        ours = {"skip_connect": "identity"}
        edges = [(ours.get(operation, operation), {0: 1, 1: 0}.get(state, state)) for operation, state in fields[name]]
        assert edges == [edge for block in cell.blocks for edge in zip(block.operations, block.inputs, strict=True)]


def test_a_concatenating_block_adds_fields_that_a_plain_reader_refuses():
    adding = SPACE.decode([0] * 30)
    assert list(read(darts_text(adding))) == PLAIN_FIELDS
    concatenating = SPACE.decode([0] * 29 + [1])
    fields = read(darts_text(concatenating))
    assert fields["normal_combinations"] == ["add", "add", "add"]
    assert fields["reduce_combinations"] == ["add", "add", "concat"]


@pytest.mark.parametrize("operation", [name for name in NASNET_OPERATIONS if name != "identity"])
def test_operations_keep_their_names(operation):
    index = NASNET_OPERATIONS.index(operation)
    fields = read(darts_text(SPACE.decode([0, 0, index, index, 0] + [0] * 25)))
    assert fields["normal"][:2] == [(operation, 1), (operation, 1)]


def test_our_dilated_convolution_is_not_called_like_the_separable_one_of_darts():
    assert "'dil_conv_3x3'" not in darts_text(SPACE.decode([0, 0, 3, 3, 0] * 6))


def _pairs(edges):
    return [set(edges[start : start + 2]) for start in range(0, len(edges), 2)]
