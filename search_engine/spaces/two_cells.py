"""What the spaces of two cells have in common: a normal and a reduction cell, each decided block by block.

The decisions of the normal cell come first, then those of the reduction cell.
"""

from abc import abstractmethod
from collections.abc import Sequence

from search_engine.architectures.cell import Block, Cell, validate
from search_engine.architectures.cells import CellArchitecture
from search_engine.architectures.reading import Architecture
from search_engine.errors import ArchitectureError
from search_engine.spaces.base import Decision, Space, index_of, must_be_options

CELLS = ("normal", "reduction")


class TwoCellSpace(Space):
    """Decisions are indices of options; that of an input is the state it reads (architectures/cell.py)."""

    def __init__(self, *, blocks: int, operations: tuple[str, ...]) -> None:
        self._blocks = blocks
        self._operations = operations
        self.decisions = tuple(
            decision for cell in CELLS for index in range(blocks) for decision in self._decisions_of(cell, index)
        )

    def decode(self, decisions: Sequence[int]) -> Architecture:
        """Both cells; what leaves a cell follows from what its blocks read."""
        must_be_options(decisions, self.decisions)
        half = len(decisions) // 2
        return CellArchitecture(self._cell(decisions[:half]), self._cell(decisions[half:]))

    def encode(self, architecture: Architecture) -> tuple[int, ...]:
        """One index per decision; the order of a cell's concatenation is not part of it."""
        if not isinstance(architecture, CellArchitecture):
            raise ArchitectureError("kind", f'is {architecture.kind!r}; this space holds "cells".')
        normal = self._indices("normal", architecture.normal)
        return (*normal, *self._indices("reduction", architecture.reduction))

    @abstractmethod
    def _decisions_of(self, cell: str, index: int) -> tuple[Decision, ...]:
        """The decisions of one block: two inputs, two operations, and what else there is. index: from 0."""

    @abstractmethod
    def _combination(self, rest: Sequence[int]) -> str:
        """How a block joins its two results. rest: its decisions behind inputs and operations."""

    @abstractmethod
    def _rest(self, combination: str, field: str) -> tuple[int, ...]:
        """The decisions behind inputs and operations; raises ArchitectureError at the field that holds it."""

    @abstractmethod
    def _output(self, blocks: Sequence[Block]) -> tuple[int, ...]:
        """The states that leave a cell of these blocks, rising."""

    @property
    @abstractmethod
    def _leaving(self) -> str:
        """What leaves a cell where none reads it, in words."""

    def _inputs_and_operations(self, name: str, inputs: tuple[str, ...]) -> tuple[Decision, ...]:
        return (
            Decision(f"{name} input 1", "input", inputs),
            Decision(f"{name} input 2", "input", inputs),
            Decision(f"{name} operation 1", "operation", self._operations),
            Decision(f"{name} operation 2", "operation", self._operations),
        )

    def _cell(self, decisions: Sequence[int]) -> Cell:
        each = len(decisions) // self._blocks
        blocks = []
        for start in range(0, len(decisions), each):
            input_1, input_2, operation_1, operation_2, *rest = decisions[start : start + each]
            operations = (self._operations[operation_1], self._operations[operation_2])
            blocks.append(Block((input_1, input_2), operations, self._combination(rest)))
        return Cell(tuple(blocks), self._output(blocks))

    def _indices(self, name: str, cell: Cell) -> list[int]:
        validate(cell, name)
        if len(cell.blocks) != self._blocks:
            raise ArchitectureError(f"{name}.blocks", f"has {len(cell.blocks)} blocks; this space has {self._blocks}.")
        output = self._output(cell.blocks)
        if set(cell.concat) != set(output):
            raise ArchitectureError(
                f"{name}.concat",
                f"is {list(cell.concat)}; this space holds only {list(output)}, the {self._leaving} that none reads.",
            )
        indices: list[int] = []
        for index, block in enumerate(cell.blocks):
            field = f"{name}.blocks.{index}"
            indices.extend(block.inputs)
            indices.extend(index_of(op, self._operations, f"{field}.operations") for op in block.operations)
            indices.extend(self._rest(block.combination, f"{field}.combination"))
        return indices
