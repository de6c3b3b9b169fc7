"""What edits changed in the end: places of the edited architecture and of the original, each with a sentence.

Blocks that come and go renumber those behind them, so a block is compared with the one that it was.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from search_engine.architectures.cell import Cell
from search_engine.architectures.cells import CellArchitecture
from search_engine.architectures.macro import MacroArchitecture
from search_engine.architectures.nas_bench_201 import NasBench201Architecture
from search_engine.architectures.reading import Architecture
from search_engine.architectures.recurrent import RecurrentArchitecture
from search_engine.drawing.palette import SHORT_NAMES
from search_engine.editing.cells import SIDES, cell_title, state_name
from search_engine.editing.edit import ADD, REMOVE, Edit
from search_engine.editing.macro import joined_names
from search_engine.editing.nas_bench_201 import edge_title


@dataclass(frozen=True, slots=True)
class Change:
    """place: in the edited architecture, "" for what is gone; was: in the original, "" for what is new."""

    place: str
    was: str
    sentence: str


def changes(original: Architecture, architecture: Architecture, edits: Sequence[Edit]) -> tuple[Change, ...]:
    """In the order of the parts. edits: those that made one out of the other."""
    match original, architecture:
        case CellArchitecture(), CellArchitecture():
            found = [*_cell("normal", original.normal, architecture.normal, edits)]
            return (*found, *_cell("reduction", original.reduction, architecture.reduction, edits))
        case MacroArchitecture(), MacroArchitecture():
            return tuple(_macro(original, architecture))
        case RecurrentArchitecture(), RecurrentArchitecture():
            return tuple(_recurrent(original, architecture))
        case NasBench201Architecture(), NasBench201Architecture():
            return tuple(_nas_bench_201(original, architecture))
        case _:
            raise AssertionError("edits keep the kind")


def blocks_before(count: int, name: str, edits: Sequence[Edit]) -> list[int | None]:
    """The number in the original of each block of the cell `name`, which had `count`; None for one that is new."""
    before: list[int | None] = [*range(count)]
    for edit in edits:
        if edit.place == f"{name}.blocks" and edit.choice == ADD:
            before.append(None)
        elif edit.place.startswith(f"{name}.blocks.") and edit.choice == REMOVE:
            del before[int(edit.place.rsplit(".", 1)[1])]
    return before


def _cell(name: str, was: Cell, cell: Cell, edits: Sequence[Edit]) -> Iterator[Change]:
    before = blocks_before(len(was.blocks), name, edits)
    old_state = {0: 0, 1: 1} | {2 + new: 2 + old for new, old in enumerate(before) if old is not None}
    for new, old in enumerate(before):
        place = f"{name}.blocks.{new}"
        title = f"{cell_title(name)}, block {new + 1}"
        if old is None:
            yield Change(place, "", f"{title} is new.")
            continue
        there, block, old_place = was.blocks[old], cell.blocks[new], f"{name}.blocks.{old}"
        for side in (0, 1):
            if block.operations[side] != there.operations[side]:
                names = [SHORT_NAMES[each.operations[side]] for each in (block, there)]
                at = f".operations.{side}"
                yield Change(place + at, old_place + at, f"{title}: {_instead(SIDES[side] + ' operation', *names)}")
            if old_state.get(block.inputs[side]) != there.inputs[side]:
                names = [state_name(each.inputs[side]) for each in (block, there)]
                at = f".inputs.{side}"
                yield Change(place + at, old_place + at, f"{title}: {_instead(SIDES[side] + ' input', *names)}")
        if block.combination != there.combination:
            sentence = _instead("combination", block.combination, there.combination)
            yield Change(f"{place}.combination", f"{old_place}.combination", f"{title}: {sentence}")
    for old in range(len(was.blocks)):
        if old not in before:
            yield Change("", f"{name}.blocks.{old}", f"{cell_title(name)}: the block that was block {old + 1} is gone.")
    yield from _concat(name, was, cell, old_state)


def _concat(name: str, was: Cell, cell: Cell, old_state: dict[int, int]) -> Iterator[Change]:
    """old_state: the number in the original of every state that was there."""
    left = set(was.concat)
    came = [state_name(state) for state in cell.concat if old_state.get(state) not in left]
    now = {old_state[state] for state in cell.concat if state in old_state}
    gone = [state_name(state) for state in was.concat if state not in now and state in old_state.values()]
    if came or gone:
        told = [f"{', '.join(came)} now leave{'s' if len(came) == 1 else ''} it"] if came else []
        told += [f"what was {', '.join(gone)} no longer does"] if gone and came else []
        told += [f"what was {', '.join(gone)} no longer leaves it"] if gone and not came else []
        yield Change(f"{name}.concat", f"{name}.concat", f"{cell_title(name)}: {'; '.join(told)}.")


def _macro(was: MacroArchitecture, now: MacroArchitecture) -> Iterator[Change]:
    for index, (there, layer) in enumerate(zip(was.layers, now.layers, strict=True)):
        if layer.operation != there.operation:
            place, names = f"layers.{index}.operation", (SHORT_NAMES[layer.operation], SHORT_NAMES[there.operation])
            yield Change(place, place, f"Layer {index + 1}: {_instead('operation', *names)}")
        if layer.skips != there.skips:
            place, names = f"layers.{index}.skips", (joined_names(layer.skips), joined_names(there.skips))
            yield Change(place, place, f"Layer {index + 1} {_instead('joins', *names)}")


def _recurrent(was: RecurrentArchitecture, now: RecurrentArchitecture) -> Iterator[Change]:
    for index, (there, node) in enumerate(zip(was.nodes, now.nodes, strict=True)):
        if node.activation != there.activation:
            place = f"nodes.{index}.activation"
            yield Change(place, place, f"Node {index}: {_instead('activation', node.activation, there.activation)}")
        if node.source != there.source:
            place = f"nodes.{index}.source"
            yield Change(
                place, place, f"Node {index} {_instead('reads', f'node {node.source}', f'node {there.source}')}"
            )
    if now.averaged != was.averaged:
        lists = [", ".join(f"node {node}" for node in each.averaged) for each in (now, was)]
        yield Change("averaged", "averaged", f"Output: {_instead('mean of', *lists)}")


def _nas_bench_201(was: NasBench201Architecture, now: NasBench201Architecture) -> Iterator[Change]:
    for index, (there, operation) in enumerate(zip(was.operations, now.operations, strict=True)):
        if operation != there:
            sentence = f"{edge_title(index)}: {_instead('', SHORT_NAMES[operation], SHORT_NAMES[there])}"
            yield Change(f"operations.{index}", f"operations.{index}", sentence)


def _instead(what: str, now: str, was: str) -> str:
    return f"{what} {now} instead of {was}.".lstrip()
