"""Edits: every legal one gives an architecture that plans, counts and draws; every other one says why not."""

from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_engine.architectures.cell import MAX_BLOCKS, Block, Cell, loose_ends
from search_engine.architectures.cells import CellArchitecture
from search_engine.architectures.macro import MACRO_OPERATIONS, MacroArchitecture, MacroLayer
from search_engine.architectures.nas_bench_201 import NAS_BENCH_201_OPERATIONS, NasBench201Architecture
from search_engine.architectures.reading import architecture_from_json
from search_engine.architectures.recurrent import RecurrentArchitecture, RecurrentNode
from search_engine.catalogue.published import published_names, read_published
from search_engine.config.layout import layout_of_kind
from search_engine.cost import parameters
from search_engine.drawing.svg import architecture_svg, pictures
from search_engine.editing.changes import changes
from search_engine.editing.edit import Edit, Refusal
from search_engine.editing.editor import MOST_EDITS, edited, labels, menu, menus, replayed
from search_engine.network_plan import plan
from search_engine.recurrent_plan import recurrent_costs

CHAIN = Cell(  # Block 2 reads block 1; block 3 reads no block.
    (
        Block((0, 1), ("sep_conv_3x3", "identity"), "add"),
        Block((2, 0), ("max_pool_3x3", "sep_conv_5x5"), "add"),
        Block((1, 1), ("identity", "avg_pool_3x3"), "add"),
    ),
    (3, 4),
)
CELLS = CellArchitecture(CHAIN, CHAIN)
MACRO = MacroArchitecture((MacroLayer("conv_3x3"), MacroLayer("sep_conv_5x5", (1,)), MacroLayer("max_pool_3x3")))
RECURRENT = RecurrentArchitecture(
    (RecurrentNode(None, "tanh"), RecurrentNode(0, "relu"), RecurrentNode(1, "relu"), RecurrentNode(0, "tanh")), (2, 3)
)
BENCH = NasBench201Architecture(("nor_conv_3x3", "none", "skip_connect", "none", "nor_conv_1x1", "avg_pool_3x3"))
EXAMPLES = [CELLS, MACRO, RECURRENT, BENCH] + [read_published(name).architecture for name in published_names()]


def made(architecture, *edits):
    found = replayed(architecture, [Edit(*edit.rsplit(":", 1)) for edit in edits])
    assert found.refusal is None, found.refusal
    return found.architecture


def refusal(architecture, place, choice):
    found = edited(architecture, Edit(place, choice))
    assert isinstance(found, Refusal)
    return found.sentence


def every_option(architecture):
    """All menus that the parts of its picture lead to."""
    found = {each.place: each for place in labels(architecture) for each in menus(architecture, place)}
    return [(each, option) for each in found.values() for option in each.options]


def counted(architecture):
    if isinstance(architecture, RecurrentArchitecture):
        return sum(row.parameters for row in recurrent_costs(architecture, hidden=8, vocabulary=10))
    layout = layout_of_kind(architecture.kind)
    return parameters(plan(architecture, layout, image_channels=3, image_size=32, classes=10, auxiliary=False))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_is_edited_plans_counts_draws_and_is_itself_in_json(data):
    original = data.draw(st.sampled_from(EXAMPLES))
    architecture, edits = original, []
    for _ in range(data.draw(st.integers(1, 4))):
        legal = [(each, option) for each, option in every_option(architecture) if not option.refusal]
        each, option = data.draw(st.sampled_from(legal))
        edits.append(Edit(each.place, option.choice))
        architecture = edited(architecture, edits[-1])
        assert architecture == architecture.validated()
    assert counted(architecture) >= 0
    assert architecture_from_json(architecture.to_json()).hash == architecture.hash
    ElementTree.fromstring(architecture_svg(architecture))
    assert replayed(original, edits).architecture == architecture
    told = changes(original, architecture, edits)
    assert (architecture == original) <= (told == ()) and (told == ()) <= (architecture.hash == original.hash)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_what_a_menu_refuses_is_refused_and_what_it_allows_is_made(data):
    architecture = data.draw(st.sampled_from(EXAMPLES))
    each, option = data.draw(st.sampled_from(every_option(architecture)))
    found = edited(architecture, Edit(each.place, option.choice))
    assert isinstance(found, Refusal) == bool(option.refusal)
    if not isinstance(found, Refusal) and not each.takes_several and not each.is_command:
        chosen = [other.choice for other in menu(found, each.place).options if other.is_chosen]
        assert chosen == [option.choice]
        back = edited(found, Edit(each.place, next(other.choice for other in each.options if other.is_chosen)))
        differing = {change.place.rsplit(".", 1)[-1] for change in changes(architecture, back, [])}
        assert back.hash == architecture.hash or differing <= {"concat", "averaged"}  # Where more than loose ends left.


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_old_choice_brings_the_old_hash_back_where_only_loose_ends_leave_a_cell(data):
    architecture = data.draw(st.sampled_from([CELLS, MACRO, RECURRENT, BENCH]))
    values = [each for each, _ in every_option(architecture) if not each.takes_several and not each.is_command]
    each = data.draw(st.sampled_from(values))
    option = data.draw(st.sampled_from([option for option in each.options if not option.refusal]))
    old = next(other.choice for other in each.options if other.is_chosen)
    assert made(architecture, f"{each.place}:{option.choice}", f"{each.place}:{old}").hash == architecture.hash


@pytest.mark.parametrize("architecture", EXAMPLES, ids=lambda each: each.kind)
def test_every_label_is_a_part_of_the_picture_and_every_part_has_a_menu(architecture):
    named = labels(architecture)
    drawn = "".join(piece.svg for piece in pictures(architecture, named).values())
    found = {node.get("data-place") for piece in pictures(architecture, named).values()
             for node in ElementTree.fromstring(piece.svg).iter() if node.get("data-place")}  # fmt: skip
    assert found <= set(named)
    unseen = set(named) - found  # A layer that joins nothing has no bar; its operation's part offers the joins.
    assert all(place.endswith(".skips") for place in unseen)
    assert all(menus(architecture, place) for place in found)
    assert "data-place" not in architecture_svg(architecture) and "data-place" in drawn


def test_an_operation_is_changed_by_hand():
    after = made(CELLS, "normal.blocks.1.operations.0:conv_1x1")
    assert after.normal.blocks[1].operations == ("conv_1x1", "sep_conv_5x5")
    assert after.reduction == CELLS.reduction and after.normal.concat == (3, 4)
    assert made(after, "normal.blocks.1.operations.0:max_pool_3x3").hash == CELLS.hash


def test_a_block_that_nobody_reads_any_more_leaves_the_cell_and_one_that_is_read_again_does_not():
    after = made(CELLS, "normal.blocks.1.inputs.0:1")
    assert after.normal.concat == (2, 3, 4)  # Block 1 is read by nobody now.
    assert made(after, "normal.blocks.1.inputs.0:2") == CELLS
    told = [change.sentence for change in changes(CELLS, after, [Edit("normal.blocks.1.inputs.0", "1")])]
    assert told == [
        "Normal cell, block 2: first input previous input instead of block 1.",
        "Normal cell: block 1 now leaves it.",
    ]


def test_where_more_than_the_loose_ends_leave_the_cell_all_of_it_still_does():
    wide = CellArchitecture(Cell(CHAIN.blocks, (2, 3, 4)), CHAIN)
    assert made(wide, "normal.blocks.2.inputs.0:3").normal.concat == (2, 3, 4)


def test_a_block_reads_only_what_comes_before_it():
    place = "normal.blocks.1.inputs.0"
    assert refusal(CELLS, place, "3") == "A block cannot read itself."
    assert refusal(CELLS, place, "4") == "Block 3 comes after block 2; a block reads only what comes before it."
    assert [option.choice for option in menu(CELLS, place).options if not option.refusal] == ["0", "1", "2"]


def test_what_nobody_reads_has_to_leave_the_cell_and_something_always_does():
    assert refusal(CELLS, "normal.concat", "4") == "No block reads block 3, so it has to leave the cell."
    assert made(CELLS, "normal.concat:2").normal.concat == (2, 3, 4)
    assert made(CELLS, "normal.concat:0").normal.concat == (0, 3, 4)


def test_a_block_is_added_and_leaves_the_cell_and_one_that_nobody_reads_is_removed():
    more = made(CELLS, "normal.blocks:add")
    assert len(more.normal.blocks) == 4 and more.normal.concat == (3, 4, 5)
    assert made(more, "normal.blocks.3:remove") == CELLS
    fewer = made(CELLS, "normal.blocks.2:remove")
    assert fewer.normal.blocks == CHAIN.blocks[:2] and fewer.normal.concat == (3,)
    assert refusal(CELLS, "normal.blocks.0", "remove") == "Block 2 reads it; let that read something else first."


def test_blocks_behind_a_removed_one_move_up_with_what_reads_them():
    cell = Cell((CHAIN.blocks[2], CHAIN.blocks[0], Block((3, 0), ("identity", "identity"), "add")), (2, 4))
    edits = [Edit("normal.blocks.0", "remove")]
    after = replayed(CellArchitecture(cell, CHAIN), edits).architecture
    assert after.normal == Cell((CHAIN.blocks[0], Block((2, 0), ("identity", "identity"), "add")), (3,))
    told = [change.sentence for change in changes(CellArchitecture(cell, CHAIN), after, edits)]
    assert told == ["Normal cell: the block that was block 1 is gone."]


def test_a_cell_has_at_most_so_many_blocks_and_at_least_one():
    full = made(CELLS, *["normal.blocks:add"] * (MAX_BLOCKS - 3))
    assert refusal(full, "normal.blocks", "add") == f"A cell has at most {MAX_BLOCKS} blocks."
    one = CellArchitecture(Cell(CHAIN.blocks[:1], (2,)), CHAIN)
    assert refusal(one, "normal.blocks.0", "remove") == "It is the only block of its cell."
    assert loose_ends(full.normal.blocks) == (3, *range(4, 2 + MAX_BLOCKS))


def test_a_layer_changes_its_operation_and_what_it_joins():
    after = made(MACRO, "layers.2.operation:conv_5x5", "layers.2.skips:0", "layers.2.skips:2", "layers.1.skips:1")
    assert after.layers == (MACRO.layers[0], MacroLayer("sep_conv_5x5"), MacroLayer("conv_5x5", (0, 2)))
    assert refusal(MACRO, "layers.1.skips", "2") == "There is no such place or choice in this architecture."
    assert [change.sentence for change in changes(MACRO, after, [])] == [
        "Layer 2 joins nothing instead of layer 1.",
        "Layer 3: operation conv 5x5 instead of max 3x3.",
        "Layer 3 joins stem, layer 2 instead of nothing.",
    ]


def test_a_node_changes_its_activation_and_its_source_and_the_mean_follows():
    after = made(RECURRENT, "nodes.3.source:2", "nodes.1.activation:sigmoid")
    assert after.nodes[3].source == 2 and after.averaged == (3,)
    assert made(after, "nodes.3.source:0", "nodes.1.activation:relu") == RECURRENT
    assert made(RECURRENT, "averaged:1").averaged == (1, 2, 3)
    assert refusal(RECURRENT, "averaged", "3") == "No node reads node 3, so it has to be part of the mean."
    assert refusal(RECURRENT, "nodes.1.source", "2").startswith("Node 2 comes after node 1;")
    assert menu(RECURRENT, "nodes.0.source") is None


def test_an_edge_of_the_benchmark_takes_any_of_its_five_operations():
    for operation in NAS_BENCH_201_OPERATIONS:
        assert made(BENCH, f"operations.1:{operation}").operations[1] == operation
    told = changes(BENCH, made(BENCH, "operations.1:nor_conv_1x1"), [])
    assert [change.sentence for change in told] == ["From input to node 2: conv 1x1 instead of none."]


@pytest.mark.parametrize("architecture", [CELLS, MACRO, RECURRENT, BENCH], ids=lambda each: each.kind)
@pytest.mark.parametrize("place", ["", "x", "normal", "normal.blocks.99", "normal.blocks.x", "normal.blocks.1.inputs.7",
                                   "layers.9.operation", "layers.1", "nodes.-1.source", "operations.6", "averaged.1",
                                   "operations.²", "normal.concat.0", "nodes.1.x", "layers.0.x"])  # fmt: skip
def test_a_place_that_is_not_there_is_refused(architecture, place):
    assert refusal(architecture, place, "0") == "There is no such place or choice in this architecture."


def test_edits_stop_at_the_first_that_is_refused_and_at_the_most_that_an_address_holds():
    edits = [Edit("normal.blocks.0.combination", "concat"), Edit("normal.blocks.0.inputs.0", "2"), Edit("x", "y")]
    found = replayed(CELLS, edits)
    assert found.made == tuple(edits[:1]) and found.refusal == Refusal("A block cannot read itself.")
    many = replayed(CELLS, edits[:1] * (MOST_EDITS + 1))
    assert len(many.made) == MOST_EDITS and "Keep this one" in many.refusal.sentence


def test_an_operation_of_a_layer_is_one_of_the_papers():
    assert [option.choice for option in menu(MACRO, "layers.0.operation").options] == list(MACRO_OPERATIONS)
