"""The NASNet search space: two cells of blocks, five decisions a block (Zoph et al. 2018, section 3).

The decisions of the normal cell come first, then those of the reduction cell; within a block the order is input 1,
input 2, operation 1, operation 2, combination. Names of decisions and options count blocks from 1, for people.
"""

from collections.abc import Sequence

from search_engine.architectures.cell import Block, Cell, loose_ends, validate
from search_engine.architectures.cells import CellArchitecture
from search_engine.architectures.reading import Architecture
from search_engine.config.space import NasnetSpaceConfig
from search_engine.errors import ArchitectureError
from search_engine.spaces.base import Decision, Space, index_of, must_be_options

PER_BLOCK = 5
CELLS = ("normal", "reduction")


class NasnetSpace(Space):
    """Decisions are indices of options; an input's index is the number of the state it reads (architecture.py)."""

    def __init__(self, config: NasnetSpaceConfig) -> None:
        self._blocks = config.blocks
        self._operations = config.operations
        self._combinations = config.combinations
        self.decisions = tuple(
            decision for cell in CELLS for index in range(config.blocks) for decision in self._decisions_of(cell, index)
        )

    def decode(self, decisions: Sequence[int]) -> Architecture:
        """Both cells; a cell's output joins the blocks that no block reads (the paper's rule)."""
        must_be_options(decisions, self.decisions)
        half = len(decisions) // 2
        return CellArchitecture(self._cell(decisions[:half]), self._cell(decisions[half:]))

    def encode(self, architecture: Architecture) -> tuple[int, ...]:
        """One index per decision; the order of a cell's concatenation is not part of it."""
        if not isinstance(architecture, CellArchitecture):
            raise ArchitectureError("kind", f'is {architecture.kind!r}; this space holds "cells".')
        normal = self._indices("normal", architecture.normal)
        return (*normal, *self._indices("reduction", architecture.reduction))

    def _decisions_of(self, cell: str, index: int) -> tuple[Decision, ...]:
        name = f"{cell} {index + 1}"
        inputs = ("current input", "previous input", *(f"block {earlier + 1}" for earlier in range(index)))
        return (
            Decision(f"{name} input 1", "input", inputs),
            Decision(f"{name} input 2", "input", inputs),
            Decision(f"{name} operation 1", "operation", self._operations),
            Decision(f"{name} operation 2", "operation", self._operations),
            Decision(f"{name} combination", "combination", self._combinations),
        )

    def _cell(self, decisions: Sequence[int]) -> Cell:
        blocks = []
        for start in range(0, len(decisions), PER_BLOCK):
            input_1, input_2, operation_1, operation_2, combination = decisions[start : start + PER_BLOCK]
            operations = (self._operations[operation_1], self._operations[operation_2])
            blocks.append(Block((input_1, input_2), operations, self._combinations[combination]))
        return Cell(tuple(blocks), loose_ends(blocks))

    def _indices(self, name: str, cell: Cell) -> list[int]:
        validate(cell, name)
        if len(cell.blocks) != self._blocks:
            raise ArchitectureError(f"{name}.blocks", f"has {len(cell.blocks)} blocks; this space has {self._blocks}.")
        if set(cell.concat) != set(cell.loose_ends()):
            raise ArchitectureError(
                f"{name}.concat",
                f"is {list(cell.concat)}; this space holds only {list(cell.loose_ends())}, the blocks that none reads.",
            )
        indices: list[int] = []
        for index, block in enumerate(cell.blocks):
            field = f"{name}.blocks.{index}"
            indices.extend(block.inputs)
            indices.extend(index_of(op, self._operations, f"{field}.operations") for op in block.operations)
            indices.append(index_of(block.combination, self._combinations, f"{field}.combination"))
        return indices
