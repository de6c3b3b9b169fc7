import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_engine.architectures.cell import Block, Cell
from search_engine.architectures.cells import CellArchitecture
from search_engine.architectures.macro import MACRO_OPERATIONS, MacroArchitecture, MacroLayer
from search_engine.architectures.recurrent import ACTIVATIONS, RecurrentArchitecture, RecurrentNode
from search_engine.catalogue.published import read_published
from search_engine.errors import ArchitectureError
from search_engine.formats import enas, enas_micro
from search_engine.formats.base import CannotHold

MICRO = (
    "0 2 0 0 0 4 0 1 0 4 1 1 1 0 0 1 0 2 1 1 1 0 1 0 0 3 0 2 1 1 3 1 1 0 0 4 0 3 1 1"  # scripts/cifar10_micro_final.sh
)
RECURRENT = "0 0 0 1 1 2 1 2 0 2 0 5 1 1 0 6 1 8 1 8 1 8 1"  # The paper, figure 6.
ENAS_LM = "0 2 1 0 2 1 2 2 4 0 5 0 3 2 6 2"  # enas_lm, README.
OPERATIONS = {"conv3": "conv_3x3", "sep3": "sep_conv_3x3", "conv5": "conv_5x5", "sep5": "sep_conv_5x5"}
MACRO_FACTS = """1 conv3 []  2 sep5 []  3 conv3 [0]  4 conv5 [2]  5 conv5 []  6 sep5 [0,1,3]
7 conv5 [5]  8 conv5 [1,2,4,5,6]  9 sep3 [1,2,3,5,7]  10 conv3 []  11 conv5 [5]  12 conv3 [0,3,4,9,10]
13 conv5 [1,7,9,10]  14 sep3 [2,6,7,8,10,12]  15 conv3 [0,1,3,5,11]  16 conv5 [2,10,12,14]
17 conv5 [1,5,8,9,10,11,14]  18 conv5 [4,6,8,11,13,16]  19 sep5 [1,2,4,10,12,14]  20 sep5 [1,2,12,13,18]
21 conv3 [0,3,5,6,10,16,17]  22 sep5 [1,3,4,7,9,10,12,13,15,18]  23 conv3 [0,2,4,13,15,18]
24 conv3 [0,1,5,6,7,9,13,15,18,19]"""  # The released network, layer by layer: stem 0, layer j.
MACRO = tuple(
    MacroLayer(OPERATIONS[operation], tuple(map(int, re.findall(r"\d+", skips))))
    for operation, skips in re.findall(r"\d+ (\w+) (\[[\d,]*\])", MACRO_FACTS)
)
MACRO_STRING = " ".join(
    " ".join([str(MACRO_OPERATIONS.index(layer.operation)), *(str(int(bit in layer.skips)) for bit in range(index))])
    for index, layer in enumerate(MACRO)
)


@st.composite
def micro_cells(draw, nodes):
    blocks = []
    for index in range(nodes):
        state, operation = st.integers(0, index + 1), st.sampled_from(enas_micro.OPERATIONS)
        blocks.append(Block((draw(state), draw(state)), (draw(operation), draw(operation)), "add"))
    read_states = {state for block in blocks for state in block.inputs}
    return Cell(tuple(blocks), tuple(state for state in range(nodes + 2) if state not in read_states))


@st.composite
def macro_networks(draw):
    layers = []
    for index in range(draw(st.integers(1, 12))):
        skips = draw(st.sets(st.integers(0, index - 1))) if index else ()
        layers.append(MacroLayer(draw(st.sampled_from(MACRO_OPERATIONS)), tuple(sorted(skips))))
    return MacroArchitecture(tuple(layers))


@st.composite
def recurrent_cells(draw):
    nodes = [RecurrentNode(None, draw(st.sampled_from(ACTIVATIONS)))]
    for index in range(draw(st.integers(0, 12))):
        nodes.append(RecurrentNode(draw(st.integers(0, index)), draw(st.sampled_from(ACTIVATIONS))))
    return RecurrentArchitecture(tuple(nodes), RecurrentArchitecture(tuple(nodes), ()).loose_ends())


@st.composite
def pairs_of_micro_cells(draw):
    nodes = draw(st.integers(1, 7))
    return CellArchitecture(draw(micro_cells(nodes)), draw(micro_cells(nodes)))


@given(pairs_of_micro_cells() | macro_networks() | recurrent_cells())
@settings(deadline=None)
def test_everything_that_a_string_holds_comes_back_to_the_letter(architecture):
    assert enas.read(enas.write(architecture.validated())).architecture == architecture


def test_the_released_macro_network_is_the_one_of_the_facts():
    assert len(MACRO_STRING.split()) == 300 and sum(len(layer.skips) for layer in MACRO) == 98
    found = enas.read(MACRO_STRING)
    assert found.architecture.layers == MACRO
    assert found.architecture == read_published("enas-macro-released").architecture
    assert found.remarks[1].startswith("Skip bits are counted as in the released code, from the stem; begin the text ")


def test_a_string_is_read_out_of_the_script_that_puts_it_together():
    rows = ['fixed_arc="0"', 'fixed_arc="$fixed_arc 3 0"', 'fixed_arc="$fixed_arc 0 1 0"']
    assert enas.is_meant("\n".join(rows))
    assert enas.read("\n".join(rows)).architecture == enas.read("0  3 0  0 1 0").architecture
    assert enas.read("[[0], [3, 0], [0, 1, 0]]").architecture == enas.read("0  3 0  0 1 0").architecture


def test_the_papers_figure_counts_skips_from_layer_1():
    def skips(text):
        return [layer.skips for layer in enas.read(text).architecture.layers]

    assert skips("0  3 1  0 1 0") == [(), (0,), (0,)]
    assert skips("macro-figure: 0  3 1  0 1 0") == [(), (1,), (1,)]


def test_the_released_micro_cells_are_those_of_the_facts():
    architecture = enas.read(MICRO).architecture
    # n2 0:avg+0:sep3, in ENAS's numbers, where 0 is our state 1.
    assert architecture.normal.blocks[0] == Block((1, 1), ("avg_pool_3x3", "sep_conv_3x3"), "add")
    assert architecture.reduction.blocks[2] == Block((0, 3), ("sep_conv_5x5", "sep_conv_5x5"), "add")
    assert (architecture.normal.concat, architecture.reduction.concat) == ((2, 3, 4, 5, 6), (2, 4, 5, 6))
    assert enas.read(MICRO).remarks == ("The text is read as an ENAS micro string.",)
    assert enas.write(architecture).split() == MICRO.split()


def test_an_input_that_nothing_reads_leaves_its_cell_too():
    found = enas.read("0 0 0 0  1 0 1 0")
    assert (found.architecture.normal.concat, found.architecture.reduction.concat) == ((0, 2), (1, 2))
    assert "An input that no node reads leaves its cell too, as in the released code." in found.remarks
    strict = found.architecture.with_strict_concat()
    assert enas.write(strict) == CannotHold(
        "In ENAS exactly the states that nothing reads leave a cell, here [0, 2]; the normal cell lets out [2]."
    )


@pytest.mark.parametrize(
    ("text", "nodes"), [(RECURRENT, "12 nodes"), (RECURRENT[:-4], "11 nodes"), ("recurrent:\n0", "1 node")]
)
def test_a_recurrent_string_tells_its_nodes_since_a_shorter_one_is_a_cell_too(text, nodes):
    assert f"The cell has {nodes}; a string that was cut short is a smaller cell." in enas.read(text).remarks


def test_the_papers_recurrent_string_is_its_cell():
    cell = enas.read(RECURRENT).architecture
    activations = ["tanh", "tanh", "relu", "relu", "tanh", "tanh", "relu", "tanh", "relu", "relu", "relu", "relu"]
    sources = [None, 0, 1, 2, 2, 2, 5, 1, 6, 8, 8, 8]
    assert cell.nodes == tuple(map(RecurrentNode, sources, activations))
    assert cell.averaged == (3, 4, 7, 9, 10, 11)


def test_the_string_of_enas_lm_has_a_first_node_of_its_own_and_another_order_of_activations():
    cell = enas.read(ENAS_LM).architecture
    activations = ["tanh", "sigmoid", "tanh", "relu", "sigmoid", "tanh", "tanh", "sigmoid", "sigmoid"]
    assert cell.nodes == tuple(map(RecurrentNode, [None, 0, 1, 2, 2, 4, 5, 3, 6], activations))
    assert cell.averaged == (7, 8)


def test_numbers_with_two_meanings_name_both_and_a_first_line_chooses():
    text = "0 0 0  0 0 0"  # Three layers, or three nodes behind a fixed one.
    found = enas.read(text)
    assert found.architecture.kind == "macro"
    also = "These numbers are also a recurrent string of enas_lm: begin the text with enas_lm: for that reading."
    assert also in found.remarks
    assert enas.read(f"enas_lm:\n{text}").architecture.kind == "recurrent"
    assert enas.read(f"macro: {text}").architecture == found.architecture


def test_a_cell_whose_numbers_would_mean_something_else_is_written_with_a_first_line():
    lone = RecurrentArchitecture((RecurrentNode(None, "relu"),), (0,))
    assert enas.write(lone) == "recurrent:\n1\n"
    assert enas.read(enas.write(lone)).architecture == lone


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (MICRO.replace("0 4 1 1 1", "0 5 1 1 1", 1), "as an ENAS micro string, number 10 is 5, where an operation is"),
        (MICRO.replace("0 2", "2 2", 1), "number 1 is 2, where node 2 can read 0 to 1"),
        (MICRO[:-2], "39 numbers are no whole ENAS string: .* a micro string has 8 for every node of its two cells"),
        (MACRO_STRING.replace("3 0", "3 2", 1), "number 3 is 2, where a skip of layer 2 is 0 or 1"),
        ("6", "number 1 is 6, where the operation of layer 1 is 0 to 5"),
        ("micro: " + MACRO_STRING, "300 numbers are not an ENAS micro string"),
        ("recurrent: 0 1 0", "number 2 is 1, where node 1 can read 0 to 0"),
        ("recurrent: 0 0 4", "number 3 is 4, where an activation is 0 to 3"),
        ("micro: " + MICRO.replace(" ", "x"), "an ENAS string holds whole numbers and nothing else."),
        ("nano: 1", "begins with 'nano:'; an ENAS string can begin with micro:, macro:, recurrent:, enas_lm:, "),
        ("9" * 50_000, "is larger than any number in an ENAS string."),
        ("0 " * 40_000, "40000 numbers are no ENAS string: a micro string has 8"),
    ],
    ids=lambda value: value[:40],
)  # fmt: skip
def test_a_mistake_in_a_string_is_named_with_the_number(text, message):
    with pytest.raises(ArchitectureError, match=message):
        enas.read(text)


def test_what_a_string_cannot_hold_is_named():
    cell = Cell((Block((0, 1), ("sep_conv_7x7", "identity"), "add"),), (2,))
    assert enas.write(CellArchitecture(cell, cell)) == CannotHold(
        "ENAS has no operation sep_conv_7x7, which block 0 of the normal cell uses."
    )
    assert enas.write(read_published("enas-macro-paper").architecture) == CannotHold(
        "In the strings of ENAS's released code no layer joins the output right before it; layer 5 joins layer 4."
    )
