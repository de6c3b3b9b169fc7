"""ENAS's micro space: two cells of nodes, four decisions a node (Pham et al. 2018, section 2.4).

Within a node the order is that of drawing: input 1, input 2, operation 1, operation 2. Names count nodes from 1, for
people; the two inputs of a cell are numbered as everywhere here (architectures/cell.py), which is the other way round
than in the released code.
"""

from collections.abc import Sequence

from search_engine.architectures.cell import Block, loose_ends
from search_engine.config.space import EnasMicroSpaceConfig
from search_engine.spaces.base import Decision, index_of
from search_engine.spaces.two_cells import TwoCellSpace


class EnasMicroSpace(TwoCellSpace):
    """A node is a block that adds. What no node reads leaves a cell: nodes, and inputs where the space says so."""

    def __init__(self, config: EnasMicroSpaceConfig) -> None:
        self._unused_inputs = config.unused_inputs
        super().__init__(blocks=config.nodes, operations=config.operations)

    @property
    def _leaving(self) -> str:
        return "inputs and blocks" if self._unused_inputs else "blocks"

    def _decisions_of(self, cell: str, index: int) -> tuple[Decision, ...]:
        inputs = ("current input", "previous input", *(f"node {earlier + 1}" for earlier in range(index)))
        return self._inputs_and_operations(f"{cell} {index + 1}", inputs)

    def _combination(self, rest: Sequence[int]) -> str:
        return "add"

    def _rest(self, combination: str, field: str) -> tuple[int, ...]:
        index_of(combination, ("add",), field)
        return ()

    def _output(self, blocks: Sequence[Block]) -> tuple[int, ...]:
        read = {state for block in blocks for state in block.inputs}
        inputs = tuple(state for state in (0, 1) if state not in read) if self._unused_inputs else ()
        return (*inputs, *loose_ends(blocks))
