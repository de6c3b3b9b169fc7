import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_engine.architectures.cell import COMBINATIONS, OPERATIONS, Block, Cell, loose_ends
from search_engine.architectures.cells import CellArchitecture
from search_engine.architectures.recurrent import ACTIVATIONS, RecurrentArchitecture, RecurrentNode
from search_engine.catalogue.published import read_published
from search_engine.errors import ArchitectureError
from search_engine.formats import darts
from search_engine.formats.base import CannotHold

ONE_NODE = "[('sep_conv_3x3', 0), ('skip_connect', 1)]"
SMALL = f"Genotype(normal={ONE_NODE}, normal_concat=[2], reduce={ONE_NODE}, reduce_concat=[2])"
ARCHITECTURE = darts.read(SMALL).architecture


HELD = tuple(darts.OPERATIONS.values())


@st.composite
def cells(draw, operations=HELD, combinations=("add",)):
    blocks = []
    for index in range(draw(st.integers(1, 5))):
        state, operation = st.integers(0, index + 1), st.sampled_from(operations)
        pairs = (draw(state), draw(state)), (draw(operation), draw(operation))
        blocks.append(Block(*pairs, draw(st.sampled_from(combinations))))
    more = draw(st.sets(st.integers(0, len(blocks) + 1)))
    return Cell(tuple(blocks), tuple(draw(st.permutations(sorted({*loose_ends(blocks), *more})))))


@st.composite
def recurrent_cells(draw):
    nodes = [RecurrentNode(None, "tanh")]
    for index in range(draw(st.integers(0, 11))):
        nodes.append(RecurrentNode(draw(st.integers(0, index)), draw(st.sampled_from(ACTIVATIONS))))
    ends = RecurrentArchitecture(tuple(nodes), ()).loose_ends()
    more = draw(st.sets(st.integers(0, len(nodes) - 1)))
    return RecurrentArchitecture(tuple(nodes), tuple(sorted({*ends, *more}))).validated()


@given(cells(), cells())
@settings(deadline=None)
def test_every_cell_that_a_genotype_holds_comes_back_to_the_letter(normal, reduction):
    architecture = CellArchitecture(normal, reduction).validated()
    assert darts.read(darts.write(architecture)).architecture == architecture


@given(recurrent_cells())
def test_every_recurrent_cell_that_a_genotype_holds_comes_back(architecture):
    assert darts.read(darts.write(architecture)).architecture == architecture


@given(cells(OPERATIONS, COMBINATIONS), cells(OPERATIONS, COMBINATIONS))
@settings(deadline=None)
def test_a_cell_is_written_whole_or_not_at_all(normal, reduction):
    architecture = CellArchitecture(normal, reduction)
    text = darts.write(architecture)
    known = set(darts.OPERATIONS.values())
    blocks = normal.blocks + reduction.blocks
    is_held = all(block.combination == "add" and known.issuperset(block.operations) for block in blocks)
    assert is_held == isinstance(text, str)
    assert not is_held or darts.read(text).architecture == architecture


def test_the_two_inputs_change_their_numbers():
    assert ARCHITECTURE.normal == Cell((Block((1, 0), ("sep_conv_3x3", "identity"), "add"),), (2,))


def test_nasnet_a_with_the_papers_concatenation_is_what_the_code_of_darts_lists():
    # The facts of quark0/darts, cnn/genotypes.py, NASNet.
    text = """NASNet = Genotype(
      normal = [
        ('sep_conv_5x5', 1), ('sep_conv_3x3', 0),  ('sep_conv_5x5', 0), ('sep_conv_3x3', 0),
        ('avg_pool_3x3', 1), ('skip_connect', 0),  ('avg_pool_3x3', 0), ('avg_pool_3x3', 0),
        ('sep_conv_3x3', 1), ('skip_connect', 1),
      ],
      normal_concat = [2, 3, 4, 5, 6],
      reduce = [
        ('sep_conv_5x5', 1), ('sep_conv_7x7', 0),  ('max_pool_3x3', 1), ('sep_conv_7x7', 0),
        ('avg_pool_3x3', 1), ('sep_conv_5x5', 0),  ('skip_connect', 3), ('avg_pool_3x3', 2),
        ('sep_conv_3x3', 2), ('max_pool_3x3', 1),
      ],
      reduce_concat = [4, 5, 6],
    )"""
    assert darts.read(text).architecture == read_published("nasnet-a").architecture.with_strict_concat()


def test_the_recurrent_enas_cell_of_the_code_of_darts_is_the_papers():
    text = """ENAS = Genotype(recurrent = [('tanh', 0), ('tanh', 1), ('relu', 1), ('tanh', 3), ('tanh', 3), ('relu', 3),
        ('relu', 4), ('relu', 7), ('relu', 8), ('relu', 8), ('relu', 8)], concat = [2, 5, 6, 9, 10, 11])"""
    assert darts.read(text).architecture.hash == read_published("enas-recurrent-paper").architecture.hash


@pytest.mark.parametrize(
    "text",
    [
        f"DARTS = {SMALL}",
        f"genotypes.{SMALL}\n",
        f"# a comment with Genotype(\nbest = genotypes.{SMALL}  # and another",
        SMALL.replace("[2]", "range(2, 3)"),
        SMALL.replace("[2]", "(2,)").replace("=[", "=(").replace("], ", "), ").replace("(", "(\n "),
        SMALL.replace("normal=", "").replace("normal_concat=", "").replace("reduce=", "").replace("reduce_concat=", ""),
        SMALL.replace("'", '"'),
    ],
)
def test_a_genotype_is_read_however_it_stands_in_a_program(text):
    assert darts.read(text).architecture == ARCHITECTURE
    assert darts.read(text).remarks == ()


def test_what_stands_before_the_genotype_of_a_log_is_left_out_with_a_remark():
    found = darts.read(f"07/11 09:22:31 PM genotype = {SMALL}")
    assert found.architecture == ARCHITECTURE
    assert found.remarks == ("What stands before Genotype was left out.",)
    assert darts.read(" " * 80_000 + "x\n" + SMALL).remarks == found.remarks  # In one pass, however much it is.


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SMALL.replace("sep_conv_3x3", "none", 1), "normal.0: is 'none', which is no operation of a finished cell."),
        (SMALL.replace("sep_conv_3x3", "sep_conv_9x9"), "normal.0: 'sep_conv_9x9' is unknown; must be one of skip_con"),
        (SMALL.replace("'skip_connect', 1", "'skip_connect', 2"), "normal.1: reads state 2; node 2 can read states 0 "),
        (SMALL.replace("[2]", "[0]"), "normal_concat: leaves out state 2, which no node reads."),
        (SMALL.replace("[2]", "[2, 2]"), "normal_concat: must name different states from 0 to 2."),
        (SMALL.replace("[2]", "range(2, 10**9)"), "normal_concat|holds '\\*\\*"),
        (SMALL.replace("[2]", "range(999999999)"), "normal_concat: has a range of 999999999 numbers"),
        (SMALL.replace("[2]", "range(2, 3, 0)"), "normal_concat: has a range"),
        (SMALL.replace("[2]", "concat"), "normal_concat: line 1 holds something other than names, numbers and lists."),
        (SMALL.replace(", ('skip_connect', 1)", ""), "normal: has an odd number of pairs, 1; every node takes two."),
        (SMALL.replace(f"normal={ONE_NODE}", "normal=[]"), "normal_concat|normal.blocks"),
        (SMALL.replace("reduce_concat=[2]", "steps=4"), "reduce_concat: is missing from the Genotype."),
        (SMALL[:-1] + ", steps=4)", "steps: is no field of a Genotype, which has normal, normal_concat, reduce, reduc"),
        (SMALL[:-1] + ", normal=[])", "normal: is given twice."),
        (SMALL + SMALL, "the text holds 2 of Genotype"),
        (SMALL + " + 1", "line 1 holds '\\+', which an architecture cannot hold."),
        (SMALL + "\u2003", "line 1 holds '\\\\u2003', which an architecture cannot hold."),
        (SMALL + "(1)", "the text goes on behind Genotype"),
        (SMALL.replace("'skip_connect', 1", "'skip_connect'"), "normal.1: must be a pair such as"),
        (SMALL.replace("'skip_connect', 1", "'skip_connect', True"), "normal: line 1 holds something other than"),
        (SMALL.replace("'skip_connect'", "f'{exit()}'"), "line 1 holds "),
        (SMALL[:60], "the text ends inside the \\( that line 1 opens."),
        (SMALL[:40], "the text ends inside the name \"'\" on line 1."),
        ("Genotype(" + "(" * 30_000, "nested too deeply"),
        ("Genotype(" + "not " * 20_000 + "1)", "nested too deeply"),
        ("Genotype(1)" + "()" * 40_000, "nested too deeply"),
        ("Genotype(recurrent=[('relu', 0), ('tanh', 2)], concat=[1, 2])", "recurrent.1: reads state 2; it can read st"),
        ("Genotype(recurrent=[('none', 0)], concat=[1])", "recurrent.0: is 'none', which is no activation of a finish"),
        ("Genotype(recurrent=[('relu', 0), ('tanh', 1)], concat=[1])", "concat: leaves out state 2, which no node re"),
        ("Genotype(recurrent=[('elu', 0)], concat=[1])", "recurrent.0: 'elu' is unknown; must be one of tanh, relu"),
    ],
    ids=lambda value: value[:40],
)  # fmt: skip
def test_a_mistake_in_a_genotype_is_named_where_it_is(text, message):
    with pytest.raises(ArchitectureError, match=message):
        darts.read(text)


def test_what_darts_cannot_hold_is_named():
    concatenating = CellArchitecture(
        Cell((Block((0, 1), ("identity", "identity"), "concat"),), (2,)), ARCHITECTURE.normal
    )
    assert darts.write(concatenating) == CannotHold(
        "DARTS adds in every block; block 0 of the normal cell concatenates."
    )
    plain = Cell((Block((0, 1), ("identity", "dilated_conv_3x3"), "add"),), (2,))
    # DARTS's dil_conv_3x3 is separable; the dilated convolution of NASNet is not, so it never takes that name.
    assert darts.write(CellArchitecture(ARCHITECTURE.normal, plain)) == CannotHold(
        "DARTS has no operation dilated_conv_3x3, which block 0 of the reduction cell uses."
    )
    sigmoid_first = RecurrentArchitecture((RecurrentNode(None, "sigmoid"),), (0,))
    assert darts.write(sigmoid_first) == CannotHold(
        "DARTS begins every recurrent cell with tanh; this one begins with sigmoid."
    )
