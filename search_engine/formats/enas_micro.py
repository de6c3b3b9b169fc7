"""ENAS's micro strings: four numbers a node, index_1 op_1 index_2 op_2, the normal cell before the reduction cell.

Input 0 of a node is the output of the cell before the previous one, input 1 that of the previous cell. In the released
code exactly the states that nothing reads leave a cell, inputs too, so no string says what does. Nor does it say in
which order: read back, they rise.
"""

from search_engine.architectures.cell import ENAS_OPERATIONS, MAX_BLOCKS, Block, Cell
from search_engine.architectures.cells import CellArchitecture
from search_engine.errors import ArchitectureError
from search_engine.formats.base import CannotHold, Found

OPERATIONS = ENAS_OPERATIONS


def fits(length: int) -> bool:
    return length > 0 and length % 8 == 0 and length <= 8 * MAX_BLOCKS


def read(numbers: list[int]) -> Found:
    half = len(numbers) // 2
    normal, reduction = _cell(numbers, 0, half), _cell(numbers, half, len(numbers))
    remarks = []
    if any(state < 2 for cell in (normal, reduction) for state in cell.concat):
        remarks.append("An input that no node reads leaves its cell too, as in the released code.")
    return Found(CellArchitecture(normal, reduction).validated(), tuple(remarks))


def _cell(numbers: list[int], start: int, end: int) -> Cell:
    blocks: list[Block] = []
    for at in range(start, end, 4):
        states = 2 + len(blocks)
        for place in (at, at + 2):
            if numbers[place] >= states:
                raise _wrong(numbers, place, f"node {states} can read 0 to {states - 1}")
            if numbers[place + 1] >= len(OPERATIONS):
                raise _wrong(numbers, place + 1, f"an operation is 0 to {len(OPERATIONS) - 1}")
        first, first_operation, second, second_operation = numbers[at : at + 4]
        operations = (OPERATIONS[first_operation], OPERATIONS[second_operation])
        blocks.append(Block((_flipped(first), _flipped(second)), operations, "add"))
    return Cell(tuple(blocks), _unread(blocks))


def _wrong(numbers: list[int], place: int, rule: str) -> ArchitectureError:
    return ArchitectureError("", f"number {place + 1} is {numbers[place]}, where {rule}.")


def _flipped(state: int) -> int:
    """ENAS numbers the two inputs the other way round than we do."""
    return {0: 1, 1: 0}.get(state, state)


def _unread(blocks: list[Block] | tuple[Block, ...]) -> tuple[int, ...]:
    """The states that no block reads, the two inputs among them."""
    read_states = {state for block in blocks for state in block.inputs}
    return tuple(state for state in range(2 + len(blocks)) if state not in read_states)


def write(architecture: CellArchitecture) -> str | CannotHold:
    """One line for each cell."""
    cells = (("normal", architecture.normal), ("reduction", architecture.reduction))
    for name, cell in cells:
        if reason := _obstacle(cell, name):
            return CannotHold(reason)
    sizes = [len(cell.blocks) for _, cell in cells]
    if sizes[0] != sizes[1]:
        return CannotHold(f"In ENAS both cells have equally many nodes; these have {sizes[0]} and {sizes[1]}.")
    return "".join(" ".join(_node(block) for block in cell.blocks) + "\n" for _, cell in cells)


def _node(block: Block) -> str:
    sides = zip(block.inputs, block.operations, strict=True)
    return " ".join(f"{_flipped(state)} {OPERATIONS.index(operation)}" for state, operation in sides)


def _obstacle(cell: Cell, name: str) -> str | None:
    """The first thing in a cell that a micro string cannot say."""
    for index, block in enumerate(cell.blocks):
        if block.combination != "add":
            return f"ENAS adds in every node; block {index} of the {name} cell concatenates."
        for operation in block.operations:
            if operation not in OPERATIONS:
                return f"ENAS has no operation {operation}, which block {index} of the {name} cell uses."
    unread = _unread(cell.blocks)
    if set(cell.concat) != set(unread):
        return (
            f"In ENAS exactly the states that nothing reads leave a cell, here {list(unread)}; "
            f"the {name} cell lets out {sorted(cell.concat)}."
        )
    return None
