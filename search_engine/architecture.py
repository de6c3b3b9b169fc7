"""Architectures as values: immutable, comparable, with one JSON form and one canonical hash.

States of a cell are numbered as in the released NASNet code: 0 is the output of the previous cell
(h_i), 1 the output of the cell before it (h_{i-1}), 2 and up are the blocks in order.
"""

import hashlib
import itertools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from search_engine.errors import ArchitectureError

OPERATIONS = (  # NASNet (Zoph et al. 2018), section 3, in the order of its table.
    "identity",
    "conv_1x3_3x1",
    "conv_1x7_7x1",
    "dilated_conv_3x3",
    "avg_pool_3x3",
    "max_pool_3x3",
    "max_pool_5x5",
    "max_pool_7x7",
    "conv_1x1",
    "conv_3x3",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "sep_conv_7x7",
)
COMBINATIONS = ("add", "concat")
FORMAT_VERSION = 1
MAX_BLOCKS = 12  # More would let a hostile file make the canonical hash slow; the papers' cells have five.

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Block:
    """Two inputs, an operation on each, and how the results are combined."""

    inputs: tuple[int, int]
    operations: tuple[str, str]
    combination: str


@dataclass(frozen=True, slots=True)
class Cell:
    """Blocks in an order in which each reads only what came before, and the states that leave the cell."""

    blocks: tuple[Block, ...]
    concat: tuple[int, ...]

    def loose_ends(self) -> tuple[int, ...]:
        """Blocks that no block reads: what leaves the cell by the paper's rule (NASNet, section 3)."""
        return loose_ends(self.blocks)


def loose_ends(blocks: Iterable[Block]) -> tuple[int, ...]:
    blocks = tuple(blocks)
    used = {state for block in blocks for state in block.inputs}
    return tuple(state for state in range(2, 2 + len(blocks)) if state not in used)


@dataclass(frozen=True, slots=True)
class CellArchitecture:
    """A normal cell, which keeps height and width, and a reduction cell, which halves them."""

    normal: Cell
    reduction: Cell
    kind: Literal["cells"] = "cells"

    def to_json(self) -> dict[str, Any]:
        cells = {"normal": _cell_to_json(self.normal), "reduction": _cell_to_json(self.reduction)}
        return {"format": FORMAT_VERSION, "kind": self.kind, **cells}

    def with_strict_concat(self) -> "CellArchitecture":
        """The same blocks with the paper's rule: exactly the blocks that no block reads leave the cell."""
        normal, reduction = (Cell(cell.blocks, cell.loose_ends()) for cell in (self.normal, self.reduction))
        return CellArchitecture(normal, reduction)

    @property
    def hash(self) -> str:
        """The canonical hash: alike for isomorphic architectures, 64 hexadecimal digits."""
        canonical = [canonical_cell(self.normal), canonical_cell(self.reduction)]
        return hashlib.sha256(json.dumps(canonical, separators=(",", ":")).encode()).hexdigest()


Architecture = CellArchitecture


def architecture_from_json(value: Any) -> Architecture:
    """Read the JSON form. Raises ArchitectureError at the field that is wrong."""
    if not isinstance(value, Mapping):
        raise ArchitectureError("", f"an architecture is a JSON object, not {type(value).__name__}.")
    if value.get("format") != FORMAT_VERSION:
        raise ArchitectureError("format", f"is {value.get('format')!r}; this program reads format {FORMAT_VERSION}.")
    if value.get("kind") != "cells":
        raise ArchitectureError("kind", f'is {value.get("kind")!r}; must be "cells".')
    return CellArchitecture(
        normal=_cell_from_json(value.get("normal"), "normal"),
        reduction=_cell_from_json(value.get("reduction"), "reduction"),
    )


def validate(cell: Cell, name: str) -> Cell:
    """The cell itself, or ArchitectureError naming what is wrong: `name` is the field that holds the cell."""
    if not 1 <= len(cell.blocks) <= MAX_BLOCKS:
        raise ArchitectureError(f"{name}.blocks", f"has {len(cell.blocks)} blocks; must have 1 to {MAX_BLOCKS}.")
    for index, block in enumerate(cell.blocks):
        field = f"{name}.blocks.{index}"
        for state in block.inputs:
            if not 0 <= state < index + 2:
                raise ArchitectureError(
                    f"{field}.inputs", f"reads state {state}; block {index} can read states 0 to {index + 1}."
                )
        for operation in block.operations:
            if operation not in OPERATIONS:
                raise ArchitectureError(
                    f"{field}.operations", f"{operation!r} is unknown; must be one of {', '.join(OPERATIONS)}."
                )
        if block.combination not in COMBINATIONS:
            raise ArchitectureError(f"{field}.combination", f'is {block.combination!r}; must be "add" or "concat".')
    states = range(2 + len(cell.blocks))
    if not cell.concat or len(set(cell.concat)) != len(cell.concat) or any(s not in states for s in cell.concat):
        raise ArchitectureError(
            f"{name}.concat", f"is {list(cell.concat)}; must name different states from 0 to {states[-1]}."
        )
    missing = set(cell.loose_ends()) - set(cell.concat)
    if missing:
        raise ArchitectureError(f"{name}.concat", f"leaves out state {min(missing)}, which no block reads.")
    return cell


def canonical_cell(cell: Cell) -> list[Any]:
    """The smallest encoding of the cell over every legal order of its blocks.

    Depth, what a block computes and who reads it sort most blocks; only orders within ties are tried, so the cost
    stays near that of one encoding. Merging equal blocks would be wrong: they have weights of their own.
    """
    keys = _block_keys(cell)
    ranked = sorted(range(len(cell.blocks)), key=lambda index: keys[index])
    orders: list[list[int]] = [[]]
    for _, tie in itertools.groupby(ranked, key=lambda index: keys[index]):
        orders = _extend(cell, orders, list(tie))
    return min(_encode_in_order(cell, order) for order in orders)


def _extend(cell: Cell, orders: list[list[int]], tie: list[int]) -> list[list[int]]:
    """Every order with the tied blocks behind it, as far as these encode smallest there."""
    if len(tie) == 1 and len(orders) == 1:
        return [orders[0] + tie]
    found: list[tuple[list[Any], list[int]]] = []
    for order in orders:
        number = _numbers(order)
        rows = sorted((_encode_block(cell.blocks[index], number), _readers(cell, index), index) for index in tie)
        equal_rows = [list(group) for _, group in itertools.groupby(rows, key=lambda row: row[0])]
        tails = itertools.product(*(_different_orders(group) for group in equal_rows))
        encoded = [row[0] for row in rows]
        found.extend((encoded, order + [index for part in tail for index in part]) for tail in tails)
    smallest = min(encoded for encoded, _ in found)
    return [order for encoded, order in found if encoded == smallest]


def _different_orders(rows: list[tuple[Any, Any, int]]) -> list[list[int]]:
    """Orders of blocks that encode alike; two blocks with the same readers too are not told apart."""
    if not rows:
        return [[]]
    found = []
    for place, (_, readers, index) in enumerate(rows):
        if place == 0 or readers != rows[place - 1][1]:
            found += [[index, *rest] for rest in _different_orders(rows[:place] + rows[place + 1 :])]
    return found


def _readers(cell: Cell, index: int) -> list[tuple[int, str]]:
    """Who reads a block, and through which operation."""
    return sorted(
        (reader, operation)
        for reader, block in enumerate(cell.blocks)
        for state, operation in zip(block.inputs, block.operations, strict=True)
        if state == 2 + index
    )


def _block_keys(cell: Cell) -> list[tuple[int, str]]:
    """A key per block that no renumbering changes: its depth, then a digest of what it computes and who reads it.

    Depth comes first, so sorting by key keeps every block behind those that it reads.
    """
    depths = [0, 0]
    below = ["0", "1"]  # What a state computes, from the inputs up.
    for block in cell.blocks:
        depths.append(1 + max(depths[state] for state in block.inputs))
        sides = sorted(_digest(below[s], op) for s, op in zip(block.inputs, block.operations, strict=True))
        below.append(_digest(*sides, block.combination))
    above = [""] * len(below)  # Who reads a state, from the output down.
    for state in reversed(range(2, len(below))):
        readers = [
            _digest(above[2 + index], below[2 + index], operation)
            for index, block in enumerate(cell.blocks)
            for source, operation in zip(block.inputs, block.operations, strict=True)
            if source == state
        ]
        above[state] = _digest(*sorted(readers), str(state in cell.concat))
    return [(depths[s], _digest(below[s], above[s])) for s in range(2, len(below))]


def _encode_in_order(cell: Cell, order: list[int]) -> list[Any]:
    """The cell with block order[0] first, order[1] second, ...; sides of a block and the output sorted."""
    number = _numbers(order)
    blocks = [_encode_block(cell.blocks[old], number) for old in order]
    return [blocks, sorted(number[state] for state in cell.concat)]


def _numbers(order: list[int]) -> dict[int, int]:
    """The new number of every state that the order holds, by its old one."""
    return {0: 0, 1: 1} | {2 + old: 2 + new for new, old in enumerate(order)}


def _encode_block(block: Block, number: Mapping[int, int]) -> list[Any]:
    sides = sorted([number[s], op] for s, op in zip(block.inputs, block.operations, strict=True))
    return [*sides, block.combination]


def _digest(*parts: str) -> str:
    return hashlib.sha256("|".join(parts).encode()).hexdigest()


def _cell_to_json(cell: Cell) -> dict[str, Any]:
    blocks = [
        {"inputs": list(b.inputs), "operations": list(b.operations), "combination": b.combination} for b in cell.blocks
    ]
    return {"blocks": blocks, "concat": list(cell.concat)}


def _cell_from_json(value: Any, name: str) -> Cell:
    try:
        blocks = tuple(
            Block(
                inputs=_pair(block["inputs"], int),
                operations=_pair(block["operations"], str),
                combination=block["combination"],
            )
            for block in value["blocks"]
        )
        concat = tuple(value["concat"])
    except (KeyError, TypeError, ValueError) as error:
        raise ArchitectureError(
            name, 'must be {"blocks": [{"inputs", "operations", "combination"}, ...], "concat": [...]}.'
        ) from error
    if any(type(state) is not int for state in concat):
        raise ArchitectureError(f"{name}.concat", "must be a list of whole numbers.")
    return validate(Cell(blocks, concat), name)


def _pair(value: Any, kind: type[T]) -> tuple[T, T]:
    first, second = value
    if type(first) is not kind or type(second) is not kind:
        raise TypeError(f"{value!r} is not a pair of {kind.__name__}")
    return first, second
