"""The dictionary from which NNI 3 rebuilds a cell of its hub: {"normal/op_2_0": name, "normal/input_2_0": [0], ...}.

Its inputs are numbered as in DARTS. It does not say what leaves a cell: that is a property of the space in NNI's hub
that it belongs to. DARTS's space has four nodes and lets all of them out; those of NASNet, AmoebaNet and ENAS have five
and let out what no node reads. PNAS's has five and lets all out: for it, a key "merge_op": "all" chooses that here.
Nor does it say in which order they are joined: read back, they rise.
"""

import json
import re

from search_engine.architectures.cell import Block, Cell, loose_ends
from search_engine.architectures.cells import CellArchitecture
from search_engine.architectures.reading import Architecture
from search_engine.errors import ArchitectureError
from search_engine.formats.base import KINDS, CannotHold, Found
from search_engine.formats.darts import OPERATIONS as DARTS_OPERATIONS
from search_engine.formats.darts import flipped
from search_engine.formats.python_text import expression, value

# Ours, by the name in NNI's table. Its conv_3x1_1x3 has no batch norm between its halves, as the operation of the
# NASNet paper has, and its dil_sep_conv_3x3 is separable and applied twice; we have neither.
OPERATIONS = DARTS_OPERATIONS | {
    name: name for name in ("conv_1x1", "conv_3x3", "max_pool_5x5", "max_pool_7x7")
}  # fmt: skip
_NAMES = {ours: theirs for theirs, ours in OPERATIONS.items()}
_KEY = re.compile(r"(normal|reduce)/(op|input)_(\d{1,3})_([01])", re.ASCII)
_SIZES = ("width", "depth")  # Of the network; NNI puts them into the same dictionary.
_DARTS_NODES = 4
_CELLS = (("normal", "normal"), ("reduce", "reduction"))  # NNI's names and ours.

Slots = dict[tuple[str, str, int, int], object]


def is_meant(text: str) -> bool:
    return _KEY.search(text) is not None


def read(text: str) -> Found:
    """Raises ArchitectureError at the key that is wrong. Written as JSON or as Python."""
    found = value(expression(text), "")
    if not isinstance(found, dict):
        raise ArchitectureError("", 'the text must be a dictionary with keys such as "normal/op_2_0".')
    merge = found.pop("merge_op", None)
    if merge not in (None, "all", "loose_end"):
        raise ArchitectureError("merge_op", f'is {merge!r}; must be "all" or "loose_end".')
    slots, remarks = _slots(found)
    cells = [_cell(slots, name) for name, _ in _CELLS]
    if merge is None:
        remarks.append(_assumption(len(cells[0])))
    lets_all_out = merge == "all" or (merge is None and len(cells[0]) == _DARTS_NODES)
    normal, reduction = (Cell(blocks, _concat(blocks, lets_all_out)) for blocks in cells)
    return Found(CellArchitecture(normal, reduction).validated(), tuple(remarks))


def _slots(found: dict[str, object]) -> tuple[Slots, list[str]]:
    slots: Slots = {}
    for key, one in found.items():
        match = _KEY.fullmatch(key)
        if match is not None:
            slots[match[1], match[2], int(match[3]), int(match[4])] = one
        elif key not in _SIZES:
            raise ArchitectureError(key[:80], 'is no key of a cell, such as "normal/op_2_0" or "normal/input_2_0".')
    left_out = [name for name in _SIZES if name in found]
    return slots, [f"{name} belongs to the network and not to its cells, so it was left out." for name in left_out]


def _assumption(nodes: int) -> str:
    if nodes == _DARTS_NODES:
        return (
            "NNI's dictionary does not say what leaves a cell: with four nodes it is read as DARTS's space, "
            'where all nodes do; add "merge_op": "loose_end" for those that no node reads.'
        )
    return (
        "NNI's dictionary does not say what leaves a cell: it is read as in NNI's spaces of NASNet, AmoebaNet and "
        'ENAS, the nodes that no node reads; add "merge_op": "all" for all of them, as in its space of PNAS.'
    )


def _cell(slots: Slots, name: str) -> tuple[Block, ...]:
    last = max((node for cell, _, node, _ in slots if cell == name), default=1)
    if last < 2:
        raise ArchitectureError(f"{name}/op_2_0", "is missing.")
    return tuple(_block(slots, name, node) for node in range(2, last + 1))


def _block(slots: Slots, name: str, node: int) -> Block:
    operations, inputs = [], []
    for side in (0, 1):
        for part in ("op", "input"):
            if (name, part, node, side) not in slots:
                raise ArchitectureError(f"{name}/{part}_{node}_{side}", "is missing.")
        operation = slots[name, "op", node, side]
        if not isinstance(operation, str) or operation not in OPERATIONS:
            known = ", ".join(OPERATIONS)
            raise ArchitectureError(f"{name}/op_{node}_{side}", f"{operation!r} is unknown; must be one of {known}.")
        operations.append(OPERATIONS[operation])
        inputs.append(_input(slots[name, "input", node, side], f"{name}/input_{node}_{side}", node))
    return Block((inputs[0], inputs[1]), (operations[0], operations[1]), "add")


def _input(found: object, field: str, node: int) -> int:
    """Our number of the state that is read: NNI writes a list of one."""
    if isinstance(found, list | tuple) and len(found) == 1:
        found = found[0]
    if type(found) is not int or not 0 <= found < node:
        raise ArchitectureError(field, f"is {found!r}; must be one state from 0 to {node - 1}.")
    return flipped(found)


def _concat(blocks: tuple[Block, ...], lets_all_out: bool) -> tuple[int, ...]:
    return tuple(range(2, 2 + len(blocks))) if lets_all_out else loose_ends(blocks)


def write(architecture: Architecture) -> str | CannotHold:
    """The dictionary as JSON, or why there is none."""
    if not isinstance(architecture, CellArchitecture):
        return CannotHold(f"A dictionary of NNI holds two cells of blocks; this is {KINDS[architecture.kind]}.")
    cells = (architecture.normal, architecture.reduction)
    if len(cells[0].blocks) != len(cells[1].blocks):
        sizes = " and ".join(str(len(cell.blocks)) for cell in cells)
        return CannotHold(f"In NNI both cells have equally many nodes; these have {sizes}.")
    for (_, name), cell in zip(_CELLS, cells, strict=True):
        if reason := _obstacle(cell, name):
            return CannotHold(reason)
    lines: dict[str, object] = {}
    for (theirs, _), cell in zip(_CELLS, cells, strict=True):
        for node, block in enumerate(cell.blocks, start=2):
            for side in (0, 1):
                lines[f"{theirs}/op_{node}_{side}"] = _NAMES[block.operations[side]]
                lines[f"{theirs}/input_{node}_{side}"] = [flipped(block.inputs[side])]
    return "{\n" + ",\n".join(f"  {json.dumps(key)}: {json.dumps(one)}" for key, one in lines.items()) + "\n}\n"


def _obstacle(cell: Cell, name: str) -> str | None:
    """The first thing in a cell that NNI cannot say."""
    for index, block in enumerate(cell.blocks):
        if block.combination != "add":
            return f"NNI adds in every node; block {index} of the {name} cell concatenates."
        for operation in block.operations:
            if operation not in _NAMES:
                return f"NNI has no operation {operation}, which block {index} of the {name} cell uses."
    expected = _concat(cell.blocks, lets_all_out=len(cell.blocks) == _DARTS_NODES)
    if set(cell.concat) != set(expected):
        which = "all nodes" if len(cell.blocks) == _DARTS_NODES else "the nodes that no node reads"
        return (
            f"NNI does not write down what leaves a cell: with {len(cell.blocks)} nodes its spaces let out {which}, "
            f"states {list(expected)}; the {name} cell lets out {sorted(cell.concat)}."
        )
    return None
