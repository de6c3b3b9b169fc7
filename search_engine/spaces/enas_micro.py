"""ENAS's micro space: two cells of nodes, four decisions a node (Pham et al. 2018, section 2.4).

The decisions of the normal cell come first, then those of the reduction cell; within a node the order is that of
drawing: input 1, input 2, operation 1, operation 2. Names count nodes from 1, for people; the two inputs of a cell are
numbered as everywhere here (architectures/cell.py), which is the other way round than in the released code.
"""

from collections.abc import Sequence

from search_engine.architectures.cell import Block, Cell, loose_ends, validate
from search_engine.architectures.cells import CellArchitecture
from search_engine.architectures.reading import Architecture
from search_engine.config.space import EnasMicroSpaceConfig
from search_engine.errors import ArchitectureError
from search_engine.spaces.base import Decision, Space, index_of, must_be_options

PER_NODE = 4
CELLS = ("normal", "reduction")


class EnasMicroSpace(Space):
    """Decisions are indices of options; an input's index is the number of the state it reads. A node is a block."""

    def __init__(self, config: EnasMicroSpaceConfig) -> None:
        self._nodes = config.nodes
        self._operations = config.operations
        self._unused_inputs = config.unused_inputs
        self.decisions = tuple(
            decision for cell in CELLS for index in range(config.nodes) for decision in self._decisions_of(cell, index)
        )

    def decode(self, decisions: Sequence[int]) -> Architecture:
        """Both cells; a cell's output joins what no node reads: nodes, and inputs where the space says so."""
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
        inputs = ("current input", "previous input", *(f"node {earlier + 1}" for earlier in range(index)))
        return (
            Decision(f"{name} input 1", "input", inputs),
            Decision(f"{name} input 2", "input", inputs),
            Decision(f"{name} operation 1", "operation", self._operations),
            Decision(f"{name} operation 2", "operation", self._operations),
        )

    def _cell(self, decisions: Sequence[int]) -> Cell:
        blocks = []
        for start in range(0, len(decisions), PER_NODE):
            input_1, input_2, operation_1, operation_2 = decisions[start : start + PER_NODE]
            operations = (self._operations[operation_1], self._operations[operation_2])
            blocks.append(Block((input_1, input_2), operations, "add"))
        return Cell(tuple(blocks), self._output(blocks))

    def _output(self, blocks: Sequence[Block]) -> tuple[int, ...]:
        """The states that leave a cell, rising."""
        read = {state for block in blocks for state in block.inputs}
        inputs = tuple(state for state in (0, 1) if state not in read) if self._unused_inputs else ()
        return (*inputs, *loose_ends(blocks))

    def _indices(self, name: str, cell: Cell) -> list[int]:
        validate(cell, name)
        if len(cell.blocks) != self._nodes:
            raise ArchitectureError(f"{name}.blocks", f"has {len(cell.blocks)} blocks; this space has {self._nodes}.")
        output = self._output(cell.blocks)
        if set(cell.concat) != set(output):
            inputs = "inputs and blocks" if self._unused_inputs else "blocks"
            raise ArchitectureError(
                f"{name}.concat",
                f"is {list(cell.concat)}; this space holds only {list(output)}, the {inputs} that none reads.",
            )
        indices: list[int] = []
        for index, block in enumerate(cell.blocks):
            field = f"{name}.blocks.{index}"
            index_of(block.combination, ("add",), f"{field}.combination")
            indices.extend(block.inputs)
            indices.extend(index_of(op, self._operations, f"{field}.operations") for op in block.operations)
        return indices
