"""A cell of blocks: what NASNet, AmoebaNet, ENAS (micro) and DARTS search for.

States of a cell are numbered as in the released NASNet code: 0 is the output of the previous cell
(h_i), 1 the output of the cell before it (h_{i-1}), 2 and up are the blocks in order."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from search_engine.architectures.form import only_parts
from search_engine.errors import ArchitectureError

NASNET_OPERATIONS = (  # NASNet (Zoph et al. 2018), section 3, in the order of its table.
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


DARTS_OPERATIONS = (  # What DARTS (Liu et al. 2019) adds, with its own names where they say what is meant.
    "dilated_sep_conv_3x3",
    "dilated_sep_conv_5x5",
    "conv_7x1_1x7",  # As 1x7 and 7x1 convolutions with neither ReLU nor batch norm between them.
)
ENAS_OPERATIONS = (  # ENAS (Pham et al. 2018), section 2.4, in the order of the released code.
    "sep_conv_3x3",
    "sep_conv_5x5",
    "avg_pool_3x3",
    "max_pool_3x3",
    "identity",
)
OPERATIONS = NASNET_OPERATIONS + DARTS_OPERATIONS  # Everything that a block may do with an input.
COMBINATIONS = ("add", "concat")


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


def cell_to_json(cell: Cell) -> dict[str, Any]:
    blocks = [
        {"inputs": list(b.inputs), "operations": list(b.operations), "combination": b.combination} for b in cell.blocks
    ]
    return {"blocks": blocks, "concat": list(cell.concat)}


def cell_from_json(value: Any, name: str) -> Cell:
    """Raises ArchitectureError at the field that is wrong. name: the field that holds the cell."""
    _check_parts(value, name)
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


def _check_parts(value: Any, name: str) -> None:
    if not isinstance(value, Mapping):
        return  # What it must be is said by who reads it.
    only_parts(value, name, "a cell", ("blocks", "concat"))
    blocks = value.get("blocks")
    for index, block in enumerate(blocks if isinstance(blocks, list) else ()):
        if isinstance(block, Mapping):
            only_parts(block, f"{name}.blocks.{index}", "a block", ("inputs", "operations", "combination"))


def _pair(value: Any, kind: type[T]) -> tuple[T, T]:
    first, second = value
    if type(first) is not kind or type(second) is not kind:
        raise TypeError(f"{value!r} is not a pair of {kind.__name__}")
    return first, second
