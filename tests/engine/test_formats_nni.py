import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_engine.architectures.cell import Block, Cell, loose_ends
from search_engine.architectures.cells import CellArchitecture
from search_engine.catalogue.published import read_published
from search_engine.errors import ArchitectureError
from search_engine.formats import nni
from search_engine.formats.base import CannotHold

# The facts of NNI 3's hub for "darts-v2": (operation, input) of the two sides of nodes 2 to 5.
DARTS_V2 = {
    "normal": "sep_conv_3x3 0 sep_conv_3x3 1 sep_conv_3x3 0 sep_conv_3x3 1 sep_conv_3x3 1 skip_connect 0 "
    "skip_connect 0 dil_conv_3x3 2",
    "reduce": "max_pool_3x3 0 max_pool_3x3 1 skip_connect 2 max_pool_3x3 1 max_pool_3x3 0 skip_connect 2 "
    "skip_connect 2 max_pool_3x3 1",
}


def dictionary(cells=DARTS_V2):
    found = {}
    for name, words in cells.items():
        words = words.split()
        for place in range(len(words) // 2):
            node, side = 2 + place // 2, place % 2
            found[f"{name}/op_{node}_{side}"] = words[2 * place]
            found[f"{name}/input_{node}_{side}"] = [int(words[2 * place + 1])]
    return found


@st.composite
def architectures(draw):
    nodes = draw(st.integers(1, 7))
    cells = []
    for _ in range(2):
        blocks = []
        for index in range(nodes):
            state, operation = st.integers(0, index + 1), st.sampled_from(list(nni.OPERATIONS.values()))
            blocks.append(Block((draw(state), draw(state)), (draw(operation), draw(operation)), "add"))
        concat = range(2, 2 + nodes) if nodes == 4 else loose_ends(blocks)
        cells.append(Cell(tuple(blocks), tuple(concat)))
    return CellArchitecture(*cells)


@given(architectures())
@settings(deadline=None)
def test_everything_that_a_dictionary_holds_comes_back_to_the_letter(architecture):
    assert nni.read(nni.write(architecture.validated())).architecture == architecture


@pytest.mark.parametrize("as_text", [json.dumps, repr, lambda found: json.dumps(found, indent=1)])
def test_the_dictionary_of_nnis_hub_is_darts_v2(as_text):
    found = nni.read(as_text(dictionary()))
    assert found.architecture == read_published("darts-v2").architecture
    assert found.remarks[0].startswith(
        "NNI's dictionary does not say what leaves a cell: with four nodes it is read as "
    )
    assert json.loads(nni.write(found.architecture)) == dictionary()


def test_inputs_may_stand_without_their_brackets_and_sizes_of_the_network_are_left_out():
    plain = {key: value[0] if isinstance(value, list) else value for key, value in dictionary().items()}
    found = nni.read(repr({"width": 32, "depth": 8} | plain))
    assert found.architecture == read_published("darts-v2").architecture
    assert found.remarks[:2] == (
        "width belongs to the network and not to its cells, so it was left out.",
        "depth belongs to the network and not to its cells, so it was left out.",
    )


def test_what_leaves_a_cell_can_be_chosen():
    loose = nni.read(json.dumps(dictionary() | {"merge_op": "loose_end"}))
    assert loose.remarks == ()
    assert loose.architecture == read_published("darts-v2").architecture.with_strict_concat()
    five = {name: words + " skip_connect 2 skip_connect 3" for name, words in DARTS_V2.items()}
    assert nni.read(json.dumps(dictionary(five))).architecture.normal.concat == (4, 5, 6)
    assert nni.read(json.dumps(dictionary(five) | {"merge_op": "all"})).architecture.normal.concat == (2, 3, 4, 5, 6)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"normal/op_3_1": None}, "normal/op_3_1: is missing."),
        ({"reduce/input_5_0": None}, "reduce/input_5_0: is missing."),
        ({"normal/op_2_0": "conv_3x1_1x3"}, "normal/op_2_0: 'conv_3x1_1x3' is unknown; must be one of skip_connect, "),
        ({"normal/input_2_0": [2]}, r"normal/input_2_0: is 2; must be one state from 0 to 1."),
        ({"normal/input_2_0": [0, 1]}, r"normal/input_2_0: is \[0, 1\]; must be one state from 0 to 1."),
        ({"normal/op_999_0": "skip_connect"}, "normal/op_6_0: is missing."),
        ({"normal/what": 1}, 'normal/what: is no key of a cell, such as "normal/op_2_0"'),
        ({"merge_op": "some"}, 'merge_op: is \'some\'; must be "all" or "loose_end".'),
    ],
)
def test_a_mistake_in_a_dictionary_is_named_with_its_key(changes, message):
    found = {key: value for key, value in (dictionary() | changes).items() if value is not None}
    with pytest.raises(ArchitectureError, match=message):
        nni.read(json.dumps(found))


def test_a_key_that_is_given_twice_is_refused():
    text = json.dumps(dictionary())
    with pytest.raises(ArchitectureError, match="normal/op_2_0: is given twice."):
        nni.read(text[:-1] + ', "normal/op_2_0": "skip_connect"}')


def test_what_a_dictionary_cannot_hold_is_named():
    assert nni.write(read_published("nasnet-a").architecture) == CannotHold(
        "NNI does not write down what leaves a cell: with 5 nodes its spaces let out the nodes that no node reads, "
        "states [2, 3, 4, 5, 6]; the normal cell lets out [1, 2, 3, 4, 5, 6]."
    )
    one = Cell((Block((0, 1), ("identity", "identity"), "add"),), (2,))
    two = Cell((*one.blocks, Block((0, 2), ("identity", "identity"), "add")), (3,))
    assert nni.write(CellArchitecture(one, two)) == CannotHold(
        "In NNI both cells have equally many nodes; these have 1 and 2."
    )
    plain = Cell((Block((0, 1), ("identity", "dilated_conv_3x3"), "add"),), (2,))
    assert nni.write(CellArchitecture(one, plain)) == CannotHold(
        "NNI has no operation dilated_conv_3x3, which block 0 of the reduction cell uses."
    )
