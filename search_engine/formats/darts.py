"""The Genotype of DARTS (Liu et al. 2019): two cells, or a recurrent cell, as an expression of Python.

DARTS numbers the inputs of a cell the other way round than we do: 0 is the output of the cell before the previous one.
Blocks keep their numbers. In a recurrent cell its state 0 is a fixed tanh of word and state, our node 0.
"""

import ast
import re
from typing import cast

from search_engine.architectures.cell import Block, Cell
from search_engine.architectures.cells import CellArchitecture
from search_engine.architectures.reading import Architecture
from search_engine.architectures.recurrent import ACTIVATIONS, RecurrentArchitecture, RecurrentNode
from search_engine.errors import ArchitectureError
from search_engine.formats.base import KINDS, CannotHold, Found
from search_engine.formats.python_text import expression, value

OPERATIONS = {  # Ours, by the name in DARTS's table of operations.
    "skip_connect": "identity",
    "avg_pool_3x3": "avg_pool_3x3",
    "max_pool_3x3": "max_pool_3x3",
    "sep_conv_3x3": "sep_conv_3x3",
    "sep_conv_5x5": "sep_conv_5x5",
    "sep_conv_7x7": "sep_conv_7x7",
    "dil_conv_3x3": "dilated_sep_conv_3x3",
    "dil_conv_5x5": "dilated_sep_conv_5x5",
    "conv_7x1_1x7": "conv_7x1_1x7",
}
_NAMES = {ours: theirs for theirs, ours in OPERATIONS.items()}
CELL_FIELDS = ("normal", "normal_concat", "reduce", "reduce_concat")
RECURRENT_FIELDS = ("recurrent", "concat")
_START = re.compile(r"\bGenotype\s*\(")
_ASSIGNMENT = re.compile(r"(\w+\s*=\s*)?([\w.]+\.)?")

Edge = tuple[str, int]


def flipped(state: int) -> int:
    """A state's number in DARTS by ours, and ours by DARTS's: the two inputs change places."""
    return {0: 1, 1: 0}.get(state, state)


def read(text: str) -> Found:
    """Raises ArchitectureError at the field that is wrong."""
    fields, remarks = _fields(text)
    if set(fields) == set(RECURRENT_FIELDS):
        return Found(_recurrent(fields), remarks)
    for name in CELL_FIELDS:
        if name not in fields:
            raise ArchitectureError(name, "is missing from the Genotype.")
    if extra := [name for name in fields if name not in CELL_FIELDS]:
        raise ArchitectureError(extra[0], f"is no field of a Genotype, which has {', '.join(CELL_FIELDS)}.")
    cells = (_cell(fields, "normal"), _cell(fields, "reduce"))
    return Found(CellArchitecture(*cells).validated(), remarks)


def _fields(text: str) -> tuple[dict[str, object], tuple[str, ...]]:
    """The values inside Genotype(...), by name."""
    code = re.sub(r"#[^\n]*", "", text)
    starts = list(_START.finditer(code))
    if len(starts) != 1:
        raise ArchitectureError("", f"the text holds {len(starts)} of Genotype(...); it must hold one.")
    before = code[: starts[0].start()]
    remarks = () if _ASSIGNMENT.fullmatch(before.strip()) else ("What stands before Genotype was left out.",)
    call = expression("\n" * before.count("\n") + code[starts[0].start() :])
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        raise ArchitectureError("", "the text goes on behind Genotype(...); it must hold nothing else.")
    order = RECURRENT_FIELDS if len(call.args) == 2 and not call.keywords else CELL_FIELDS
    if len(call.args) > len(order):
        raise ArchitectureError("", f"the Genotype has {len(call.args)} values; it has {len(order)} fields.")
    given = list(zip(order, call.args, strict=False)) + [(k.arg or "**", k.value) for k in call.keywords]
    found: dict[str, object] = {}
    for name, node in given:
        if name in found:
            raise ArchitectureError(name, "is given twice.")
        found[name] = value(node, name)
    return found, remarks


def _cell(fields: dict[str, object], name: str) -> Cell:
    edges = _edges(fields[name], name)
    if len(edges) % 2:
        raise ArchitectureError(name, f"has an odd number of pairs, {len(edges)}; every node takes two.")
    blocks = []
    for index in range(len(edges) // 2):
        pair = edges[2 * index : 2 * index + 2]
        for side, (operation, state) in enumerate(pair):
            _check_edge(operation, state, node=index + 2, field=f"{name}.{2 * index + side}")
        first, second = pair
        inputs = (flipped(first[1]), flipped(second[1]))
        blocks.append(Block(inputs, (OPERATIONS[first[0]], OPERATIONS[second[0]]), "add"))
    concat = _states(fields[f"{name}_concat"], f"{name}_concat", len(blocks) + 2)
    cell = Cell(tuple(blocks), tuple(flipped(state) for state in concat))
    if missing := set(cell.loose_ends()) - set(cell.concat):
        raise ArchitectureError(f"{name}_concat", f"leaves out state {min(missing)}, which no node reads.")
    return cell


def _check_edge(operation: str, state: int, *, node: int, field: str) -> None:
    if operation == "none":
        raise ArchitectureError(field, "is 'none', which is no operation of a finished cell.")
    if operation not in OPERATIONS:
        raise ArchitectureError(field, f"{operation!r} is unknown; must be one of {', '.join(OPERATIONS)}.")
    if not 0 <= state < node:
        raise ArchitectureError(field, f"reads state {state}; node {node} can read states 0 to {node - 1}.")


def _recurrent(fields: dict[str, object]) -> RecurrentArchitecture:
    nodes = [RecurrentNode(None, "tanh")]
    for index, (activation, source) in enumerate(_edges(fields["recurrent"], "recurrent")):
        field = f"recurrent.{index}"
        if activation == "none":
            raise ArchitectureError(field, "is 'none', which is no activation of a finished cell.")
        if activation not in ACTIVATIONS:
            raise ArchitectureError(field, f"{activation!r} is unknown; must be one of {', '.join(ACTIVATIONS)}.")
        if not 0 <= source <= index:
            raise ArchitectureError(field, f"reads state {source}; it can read states 0 to {index}.")
        nodes.append(RecurrentNode(source, activation))
    averaged = _states(fields["concat"], "concat", len(nodes))
    found = RecurrentArchitecture(tuple(nodes), tuple(sorted(averaged)))
    if missing := set(found.loose_ends()) - set(averaged):
        raise ArchitectureError("concat", f"leaves out state {min(missing)}, which no node reads.")
    return found.validated()


def _edges(found: object, field: str) -> list[Edge]:
    """Pairs of a name and the number of a state."""
    if not isinstance(found, list | tuple):
        raise ArchitectureError(field, "must be a list of pairs such as ('sep_conv_3x3', 0).")
    for index, edge in enumerate(found):
        is_pair = isinstance(edge, list | tuple) and len(edge) == 2
        if not is_pair or type(edge[0]) is not str or type(edge[1]) is not int:
            raise ArchitectureError(f"{field}.{index}", "must be a pair such as ('sep_conv_3x3', 0).")
    return [cast(Edge, tuple(edge)) for edge in found]


def _states(found: object, field: str, count: int) -> list[int]:
    """Different states, each below `count`."""
    if not isinstance(found, list | tuple) or any(type(state) is not int for state in found):
        raise ArchitectureError(field, "must be a list of states, such as range(2, 6).")
    if not found or len(set(found)) != len(found) or not all(0 <= state < count for state in found):
        raise ArchitectureError(field, f"must name different states from 0 to {count - 1}.")
    return list(found)


def write(architecture: Architecture) -> str | CannotHold:
    """Python text that the released code of DARTS reads, or why there is none."""
    if isinstance(architecture, RecurrentArchitecture):
        return _recurrent_text(architecture)
    if not isinstance(architecture, CellArchitecture):
        kind = KINDS[architecture.kind]
        return CannotHold(f"A Genotype of DARTS holds two cells of blocks or a recurrent cell; this is {kind}.")
    for name, cell in (("normal", architecture.normal), ("reduction", architecture.reduction)):
        if reason := _obstacle(cell, name):
            return CannotHold(reason)
    fields = [*_cell_text("normal", architecture.normal), *_cell_text("reduce", architecture.reduction)]
    return "Genotype(\n" + "".join(fields) + ")\n"


def _obstacle(cell: Cell, name: str) -> str | None:
    """The first thing in a cell that a Genotype cannot say."""
    for index, block in enumerate(cell.blocks):
        if block.combination != "add":
            return f"DARTS adds in every block; block {index} of the {name} cell concatenates."
        for operation in block.operations:
            if operation not in _NAMES:
                return f"DARTS has no operation {operation}, which block {index} of the {name} cell uses."
    return None


def _cell_text(name: str, cell: Cell) -> list[str]:
    blocks = [
        ", ".join(repr((_NAMES[op], flipped(state))) for op, state in zip(b.operations, b.inputs, strict=True))
        for b in cell.blocks
    ]
    lines = "".join(f"        {block},\n" for block in blocks)
    concat = [flipped(state) for state in cell.concat]
    return [f"    {name}=[\n{lines}    ],\n", f"    {name}_concat={concat!r},\n"]


def _recurrent_text(architecture: RecurrentArchitecture) -> str | CannotHold:
    first, *others = architecture.nodes
    if first.activation != "tanh":
        return CannotHold(f"DARTS begins every recurrent cell with tanh; this one begins with {first.activation}.")
    lines = "".join(f"        {(node.activation, node.source)!r},\n" for node in others)
    return f"Genotype(\n    recurrent=[\n{lines}    ],\n    concat={list(architecture.averaged)!r},\n)\n"
