"""Two cells of blocks under edits: operations, inputs and combinations of blocks, what leaves a cell, blocks that come
and go."""

from collections.abc import Iterator
from dataclasses import replace

from search_engine.architectures.cell import COMBINATIONS, MAX_BLOCKS, OPERATIONS, Block, Cell, loose_ends
from search_engine.architectures.cells import CellArchitecture
from search_engine.drawing.palette import SHORT_NAMES
from search_engine.editing.edit import ADD, REMOVE, Edit, Menu, Option, leaving, number_at, one_of

NEW_BLOCK = Block((0, 1), ("identity", "identity"), "add")  # What a block does until it is changed.
SIDES = ("first", "second")


def labels(architecture: CellArchitecture) -> dict[str, str]:
    """What each part of the picture is, by the place that it stands for."""
    return dict(_labels("normal", architecture.normal)) | dict(_labels("reduction", architecture.reduction))


def beside(place: str) -> tuple[str, ...]:
    """The places that are changed together with one, nearest first, as its part of the picture offers them."""
    cell, *rest = place.split(".")
    if rest[:1] == ["concat"]:
        return (place, f"{cell}.blocks")
    if len(rest) == 4 and rest[2] == "operations":
        return (place, f"{cell}.blocks.{rest[1]}.inputs.{rest[3]}")
    if len(rest) == 3 and rest[2] == "combination":
        return (place, f"{cell}.blocks.{rest[1]}")
    return (place,)


def menu(architecture: CellArchitecture, place: str) -> Menu | None:
    """All that is thinkable at a place; None where there is no such place."""
    name, *rest = place.split(".")
    if name not in ("normal", "reduction"):
        return None
    cell = _cell(architecture, name)
    if rest == ["concat"]:
        return Menu(place, "What leaves the cell", _concat_options(cell), takes_several=True)
    if rest == ["blocks"]:
        return Menu(place, "Blocks", (_adding(cell),), is_command=True)
    number = number_at(rest, 1)
    if rest[:1] != ["blocks"] or number is None or number >= len(cell.blocks):
        return None
    return _block_menu(cell, place, number, rest[2:])


def edited(architecture: CellArchitecture, edit: Edit) -> CellArchitecture:
    """The architecture behind an edit that its menu allows."""
    name, *rest = edit.place.split(".")
    cell = _cell(architecture, name)
    if rest == ["concat"]:
        state = int(edit.choice)
        concat = tuple(s for s in cell.concat if s != state) if state in cell.concat else (*cell.concat, state)
        changed = Cell(cell.blocks, tuple(sorted(concat)))
    elif rest == ["blocks"]:
        changed = _with_blocks(cell, (*cell.blocks, NEW_BLOCK))
    elif edit.choice == REMOVE:
        changed = _without(cell, int(rest[1]))
    else:
        number = int(rest[1])
        block = _changed_block(cell.blocks[number], rest[2:], edit.choice)
        changed = _with_blocks(cell, (*cell.blocks[:number], block, *cell.blocks[number + 1 :]))
    normal, reduction = (changed, architecture.reduction) if name == "normal" else (architecture.normal, changed)
    return CellArchitecture(normal, reduction).validated()


def state_name(state: int) -> str:
    return ("current input", "previous input")[state] if state < 2 else f"block {state - 1}"


def cell_title(name: str) -> str:
    return f"{name.capitalize()} cell"


def _cell(architecture: CellArchitecture, name: str) -> Cell:
    return architecture.normal if name == "normal" else architecture.reduction


def _labels(name: str, cell: Cell) -> Iterator[tuple[str, str]]:
    for index, block in enumerate(cell.blocks):
        place, title = f"{name}.blocks.{index}", f"{cell_title(name)}, block {index + 1}"
        for side in (0, 1):
            what = f"{SHORT_NAMES[block.operations[side]]} of {state_name(block.inputs[side])}"
            yield f"{place}.operations.{side}", f"{title}, {SIDES[side]} operation: {what}"
            yield f"{place}.inputs.{side}", f"{title}, {SIDES[side]} input: {state_name(block.inputs[side])}"
        yield f"{place}.combination", f"{title}, combination: {block.combination}"
    yield f"{name}.concat", f"{cell_title(name)}, output: {', '.join(state_name(state) for state in cell.concat)}"


def _block_menu(cell: Cell, place: str, number: int, rest: list[str]) -> Menu | None:
    block, title = cell.blocks[number], f"Block {number + 1}"
    match rest:
        case []:
            return Menu(place, title, (_removal(cell, number),), is_command=True)
        case ["combination"]:
            return Menu(place, f"{title}: combination", one_of(COMBINATIONS, block.combination))
        case ["operations", ("0" | "1") as side]:
            options = one_of(OPERATIONS, block.operations[int(side)], SHORT_NAMES)
            return Menu(place, f"{title}: {SIDES[int(side)]} operation", options)
        case ["inputs", ("0" | "1") as side]:
            options = _input_options(cell, number, block.inputs[int(side)])
            return Menu(place, f"{title}: {SIDES[int(side)]} input", options)
        case _:
            return None


def _input_options(cell: Cell, number: int, chosen: int) -> tuple[Option, ...]:
    """Every state of the cell; only those before the block may be read, so that data never runs in a circle."""
    found = []
    for state in range(2 + len(cell.blocks)):
        refusal = ""
        if state == 2 + number:
            refusal = "A block cannot read itself."
        elif state > 2 + number:
            refusal = f"Block {state - 1} comes after block {number + 1}; a block reads only what comes before it."
        found.append(Option(str(state), state_name(state).capitalize(), state == chosen, refusal))
    return tuple(found)


def _concat_options(cell: Cell) -> tuple[Option, ...]:
    loose = cell.loose_ends()
    found = []
    for state in range(2 + len(cell.blocks)):
        refusal = ""
        if state in loose:
            refusal = f"No block reads block {state - 1}, so it has to leave the cell."
        elif cell.concat == (state,):
            refusal = "Something has to leave the cell."
        found.append(Option(str(state), state_name(state).capitalize(), state in cell.concat, refusal))
    return tuple(found)


def _adding(cell: Cell) -> Option:
    refusal = f"A cell has at most {MAX_BLOCKS} blocks." if len(cell.blocks) == MAX_BLOCKS else ""
    return Option(ADD, "Add a block", refusal=refusal)


def _removal(cell: Cell, number: int) -> Option:
    reader = next((index for index, block in enumerate(cell.blocks) if 2 + number in block.inputs), None)
    refusal = "It is the only block of its cell." if len(cell.blocks) == 1 else ""
    if reader is not None:
        refusal = f"Block {reader + 1} reads it; let that read something else first."
    return Option(REMOVE, f"Remove block {number + 1}", refusal=refusal)


def _changed_block(block: Block, rest: list[str], choice: str) -> Block:
    if rest == ["combination"]:
        return replace(block, combination=choice)
    side = int(rest[1])
    if rest[0] == "operations":
        first, second = block.operations
        return replace(block, operations=(choice, second) if side == 0 else (first, choice))
    one, other = block.inputs
    return replace(block, inputs=(int(choice), other) if side == 0 else (one, int(choice)))


def _with_blocks(cell: Cell, blocks: tuple[Block, ...]) -> Cell:
    return Cell(blocks, leaving(cell.concat, cell.loose_ends(), loose_ends(blocks)))


def _without(cell: Cell, number: int) -> Cell:
    """The cell without a block that nobody reads; the blocks behind it move up by one."""
    gone = 2 + number

    def moved(state: int) -> int:
        return state - (state > gone)

    blocks = tuple(
        replace(block, inputs=(moved(block.inputs[0]), moved(block.inputs[1])))
        for index, block in enumerate(cell.blocks)
        if index != number
    )
    concat = tuple(moved(state) for state in cell.concat if state != gone)
    loose = tuple(moved(state) for state in cell.loose_ends() if state != gone)
    return Cell(blocks, leaving(concat, loose, loose_ends(blocks)))
