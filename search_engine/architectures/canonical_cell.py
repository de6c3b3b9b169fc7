"""One encoding for all isomorphic cells."""

import hashlib
import itertools
from collections.abc import Mapping
from typing import Any

from search_engine.architectures.cell import Block, Cell


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
