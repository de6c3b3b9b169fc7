import itertools
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_engine.architectures.canonical_cell import canonical_cell
from search_engine.architectures.cell import OPERATIONS, Block, Cell, loose_ends, validate
from search_engine.architectures.cells import CellArchitecture
from search_engine.architectures.macro import MacroArchitecture, MacroLayer
from search_engine.architectures.nas_bench_201 import NasBench201Architecture
from search_engine.architectures.reading import architecture_from_json
from search_engine.architectures.recurrent import RecurrentArchitecture, RecurrentNode
from search_engine.config.space import NasnetSpaceConfig
from search_engine.errors import ArchitectureError
from search_engine.spaces.nasnet import NasnetSpace

SPACES = {blocks: NasnetSpace(NasnetSpaceConfig(blocks=blocks)) for blocks in range(1, 7)}
NOTHING = ("identity", "identity")
ONE = Cell((Block((0, 1), ("identity", "conv_1x1"), "add"),), (2,))


def cell_of(*blocks):
    return Cell(tuple(blocks), loose_ends(blocks))


def every_order(cell):
    """All cells that differ from this one in the order of blocks, in sides and in the order of the output only."""
    count = len(cell.blocks)
    for order in itertools.permutations(range(count)):
        if all(state < 2 or order.index(state - 2) < order.index(old)
               for old in order for state in cell.blocks[old].inputs):  # fmt: skip
            for swaps in itertools.product((False, True), repeat=count):
                yield reordered(cell, order, swaps)


def reordered(cell, order, swaps):
    number = {0: 0, 1: 1} | {2 + old: 2 + new for new, old in enumerate(order)}
    blocks = []
    for old, is_swapped in zip(order, swaps, strict=True):
        block = cell.blocks[old]
        inputs = tuple(number[state] for state in block.inputs)
        step = -1 if is_swapped else 1
        blocks.append(Block(inputs[::step], block.operations[::step], block.combination))
    return Cell(tuple(blocks), tuple(sorted(number[state] for state in cell.concat)))


def test_cells_of_two_blocks_hash_alike_when_and_only_when_they_are_isomorphic():
    operations, combinations = ("identity", "conv_1x1"), ("add", "concat")
    firsts, seconds = (
        [
            Block(inputs, pair, combination)
            for inputs in itertools.product(range(states), repeat=2)
            for pair in itertools.product(operations, repeat=2)
            for combination in combinations
        ]
        for states in (2, 3)
    )
    cells = [cell_of(first, second) for first, second in itertools.product(firsts, seconds)]
    assert len(cells) == 32 * 72
    classes = {cell: frozenset(every_order(cell)) for cell in cells}
    codes = {cell: json.dumps(canonical_cell(cell)) for cell in cells}
    by_class, by_code = {}, {}
    for cell in cells:
        by_class.setdefault(classes[cell], set()).add(codes[cell])
        by_code.setdefault(codes[cell], set()).add(classes[cell])
    assert all(len(found) == 1 for found in by_class.values()), "isomorphic cells have different codes"
    assert all(len(found) == 1 for found in by_code.values()), "different cells have one code"
    # By hand (unordered pairs of sides, times 2 combinations): 20 first blocks; a second block has 42, of which 20
    # read only inputs. 20 * 22 ordered pairs where the second reads the first, 20 * 21 / 2 unordered ones where not.
    assert len(by_code) == 20 * 22 + 210


@st.composite
def architectures(draw):
    space = SPACES[draw(st.integers(1, 6))]
    few = draw(st.booleans())  # Few options make symmetric cells, where canonical forms go wrong.
    sizes = [min(len(decision.options), 2 if few else 99) for decision in space.decisions]
    architecture = space.decode([draw(st.integers(0, size - 1)) for size in sizes])
    return CellArchitecture(*(_with_more_output(draw, cell) for cell in (architecture.normal, architecture.reduction)))


def _with_more_output(draw, cell):
    more = draw(st.sets(st.integers(0, 1 + len(cell.blocks)), max_size=2))
    return Cell(cell.blocks, tuple(sorted({*cell.concat, *more})))


@given(architectures(), st.data())
@settings(deadline=None)
def test_the_hash_does_not_depend_on_names_sides_and_order_of_the_output(architecture, data):
    cells = []
    for cell in (architecture.normal, architecture.reduction):
        order = _legal_order(cell, data)
        swaps = [data.draw(st.booleans()) for _ in cell.blocks]
        changed = reordered(cell, order, swaps)
        cells.append(Cell(changed.blocks, tuple(data.draw(st.permutations(changed.concat)))))
        validate(cells[-1], "cell")
    assert CellArchitecture(*cells).hash == architecture.hash


def _legal_order(cell, data):
    order = []
    while len(order) < len(cell.blocks):
        ready = [
            index
            for index, block in enumerate(cell.blocks)
            if index not in order and all(state < 2 or state - 2 in order for state in block.inputs)
        ]
        order.append(data.draw(st.sampled_from(ready)))
    return tuple(order)


@given(architectures(), st.data())
@settings(deadline=None)
def test_the_hash_tells_a_changed_operation(architecture, data):
    cell = architecture.normal
    index = data.draw(st.integers(0, len(cell.blocks) - 1))
    block = cell.blocks[index]
    unused = next(name for name in OPERATIONS if name not in {n for b in cell.blocks for n in b.operations})
    changed = Block(block.inputs, (unused, block.operations[1]), block.combination)
    blocks = (*cell.blocks[:index], changed, *cell.blocks[index + 1 :])
    assert CellArchitecture(Cell(blocks, cell.concat), architecture.reduction).hash != architecture.hash


def test_blocks_that_only_the_output_tells_apart_may_change_places():
    twins = [Block((0, 0), NOTHING, "add")] * 2
    blocks = (*twins, Block((2, 3), NOTHING, "add"))
    codes = {json.dumps(canonical_cell(Cell(blocks, concat))) for concat in [(2, 4), (3, 4)]}
    assert len(codes) == 1
    assert json.dumps(canonical_cell(Cell(blocks, (4,)))) not in codes


def test_a_ring_of_blocks_has_one_code_however_it_is_numbered_and_is_not_two_rings():
    def code(edges):
        blocks = [Block(inputs, NOTHING, "add") for inputs in [*[(0, 0)] * 5, *edges]]
        return json.dumps(canonical_cell(cell_of(*blocks)))

    ring = [(2, 3), (3, 4), (4, 5), (5, 6), (6, 2)]
    codes = {code(edges) for edges in itertools.islice(itertools.permutations(ring), 0, None, 4)}
    assert len(codes) == 1
    assert code([(2, 3), (2, 3), (4, 5), (5, 6), (6, 4)]) not in codes


def test_equal_blocks_are_not_one_block():
    block = ONE.blocks[0]
    assert CellArchitecture(cell_of(block), ONE).hash != CellArchitecture(cell_of(block, block), ONE).hash


def test_normal_and_reduction_are_not_interchangeable():
    other = cell_of(Block((0, 0), ("identity", "identity"), "add"))
    assert CellArchitecture(ONE, other).hash != CellArchitecture(other, ONE).hash


def test_an_explicit_concatenation_is_part_of_the_hash():
    joined = Cell(ONE.blocks, (1, 2))
    assert CellArchitecture(joined, ONE).hash != CellArchitecture(ONE, ONE).hash
    assert CellArchitecture(joined, ONE).with_strict_concat() == CellArchitecture(ONE, ONE)


def test_the_hash_is_the_same_in_every_process_and_version():
    expected = "7a8ecef8867bf897730759d8caba7123dc0326f4d8e2676147c5015d3e49ddd4"
    assert CellArchitecture(ONE, ONE).hash == expected


@pytest.mark.parametrize(
    ("first_row", "second_row", "most_orders"),
    [
        (9, [], 1),  # Nothing tells these blocks apart: one order is enough, of 362,880.
        (4, [(2, 3), (3, 4), (4, 5), (5, 2)], 8),  # A ring: it can be turned and mirrored.
        (6, [(2, 3), (4, 5), (6, 7)], 6),  # Three equal groups, in any order.
    ],
)
def test_the_most_symmetric_cells_are_hashed_by_few_orders(first_row, second_row, most_orders, monkeypatch):
    blocks = [Block(inputs, NOTHING, "add") for inputs in [*[(0, 0)] * first_row, *second_row]]
    orders = []
    encode = canonical_cell.__globals__["_encode_in_order"]
    monkeypatch.setitem(
        canonical_cell.__globals__, "_encode_in_order", lambda cell, order: orders.append(order) or encode(cell, order)
    )
    canonical_cell(cell_of(*blocks))
    assert 1 <= len(orders) <= most_orders


@given(architectures())
@settings(deadline=None)
def test_an_architecture_survives_json(architecture):
    text = json.dumps(architecture.to_json())
    assert architecture_from_json(json.loads(text)) == architecture


def damaged(**changes):
    value = CellArchitecture(ONE, ONE).to_json()
    block = value["normal"]["blocks"][0]
    for key, change in changes.items():
        (block if key in block else value["normal"] if key in value["normal"] else value)[key] = change
    return value


SHAPE = 'must be {"blocks": [{"inputs", "operations", "combination"}, ...], "concat": [...]}.'


@pytest.mark.parametrize(
    ("value", "field", "message"),
    [
        ([], "", "an architecture is a JSON object, not list."),
        ({}, "format", "is None; this program reads format 1."),
        (damaged(format=2), "format", "is 2; this program reads format 1."),
        (damaged(kind="graph"), "kind", "is 'graph'; must be one of cells, macro, recurrent, nas_bench_201."),
        (damaged(normal=None), "normal", SHAPE),
        (damaged(blocks=5), "normal", SHAPE),
        (damaged(blocks=[{}]), "normal", SHAPE),
        (damaged(blocks=["ab"]), "normal", SHAPE),
        (damaged(inputs=[0]), "normal", SHAPE),
        (damaged(inputs=[0, 1, 1]), "normal", SHAPE),
        (damaged(inputs=[0, True]), "normal", SHAPE),
        (damaged(inputs=[0, 1.0]), "normal", SHAPE),
        (damaged(operations=["identity", 1]), "normal", SHAPE),
        (damaged(concat=2), "normal", SHAPE),
        (damaged(concat=["2"]), "normal.concat", "must be a list of whole numbers."),
        (damaged(concat=[[2]]), "normal.concat", "must be a list of whole numbers."),
        (damaged(blocks=[]), "normal.blocks", "has 0 blocks; must have 1 to 12."),
        (damaged(inputs=[0, 2]), "normal.blocks.0.inputs", "reads state 2; block 0 can read states 0 to 1."),
        (damaged(inputs=[-1, 0]), "normal.blocks.0.inputs", "reads state -1; block 0 can read states 0 to 1."),
        (damaged(combination="mul"), "normal.blocks.0.combination", "is 'mul'; must be \"add\" or \"concat\"."),
        (damaged(combination=[1]), "normal.blocks.0.combination", "is [1]; must be \"add\" or \"concat\"."),
        (damaged(concat=[]), "normal.concat", "is []; must name different states from 0 to 2."),
        (damaged(concat=[2, 2]), "normal.concat", "is [2, 2]; must name different states from 0 to 2."),
        (damaged(concat=[3]), "normal.concat", "is [3]; must name different states from 0 to 2."),
        (damaged(concat=[1]), "normal.concat", "leaves out state 2, which no block reads."),
    ],
)  # fmt: skip
def test_a_damaged_file_is_refused_at_its_field_with_a_sentence(value, field, message):
    with pytest.raises(ArchitectureError) as refused:
        architecture_from_json(value)
    assert (refused.value.field, refused.value.message) == (field, message)


@pytest.mark.parametrize(
    ("value", "place", "field", "message"),
    [
        (CellArchitecture(ONE, ONE), (), "note",
         "is no part of an architecture of cells, which has format, kind, normal and reduction."),
        (CellArchitecture(ONE, ONE), ("normal",), "normal.note", "is no part of a cell, which has blocks and concat."),
        (CellArchitecture(ONE, ONE), ("reduction", "blocks", 0), "reduction.blocks.0.note",
         "is no part of a block, which has inputs, operations and combination."),
        (MacroArchitecture((MacroLayer("conv_3x3"),)), (), "note",
         "is no part of a macro architecture, which has format, kind and layers."),
        (MacroArchitecture((MacroLayer("conv_3x3"),)), ("layers", 0), "layers.0.note",
         "is no part of an entry of layers, which has operation and skips."),
        (RecurrentArchitecture((RecurrentNode(None, "tanh"),), (0,)), (), "note",
         "is no part of a recurrent architecture, which has format, kind, nodes and averaged."),
        (RecurrentArchitecture((RecurrentNode(None, "tanh"),), (0,)), ("nodes", 0), "nodes.0.note",
         "is no part of an entry of nodes, which has source and activation."),
        (NasBench201Architecture(("none",) * 6), (), "note",
         "is no part of an architecture of NAS-Bench-201, which has format, kind and operations."),
    ],
)  # fmt: skip
def test_a_key_that_no_architecture_has_is_refused_by_its_name(value, place, field, message):
    told = json.loads(json.dumps(value.to_json()))
    inner = told
    for key in place:
        inner = inner[key]
    inner["note"] = "mine"
    with pytest.raises(ArchitectureError) as refused:
        architecture_from_json(told)
    assert (refused.value.field, refused.value.message) == (field, message)


def test_a_misspelt_key_is_named_before_the_one_that_is_missing():
    value = CellArchitecture(ONE, ONE).to_json()
    value["normal"]["blocks"][0]["combine"] = value["normal"]["blocks"][0].pop("combination")
    with pytest.raises(ArchitectureError, match=r"normal\.blocks\.0\.combine: is no part of a block, which has inputs"):
        architecture_from_json(value)


def test_an_unknown_operation_is_refused_with_those_there_are():
    with pytest.raises(ArchitectureError, match=r"normal\.blocks\.0\.operations: 'none' is unknown; must be one of id"):
        architecture_from_json(damaged(operations=["none", "identity"]))


def test_a_cell_of_too_many_blocks_is_refused():
    blocks = [{"inputs": [0, 0], "operations": ["identity", "identity"], "combination": "add"}] * 13
    with pytest.raises(ArchitectureError, match="has 13 blocks; must have 1 to 12"):
        architecture_from_json(damaged(blocks=blocks, concat=list(range(2, 15))))
