"""The NASNet search space: two cells of blocks, five decisions a block (Zoph et al. 2018, section 3).

Within a block the order is input 1, input 2, operation 1, operation 2, combination. Names of decisions and options
count blocks from 1, for people.
"""

from collections.abc import Sequence

from search_engine.architectures.cell import Block, loose_ends
from search_engine.config.space import NasnetSpaceConfig
from search_engine.spaces.base import Decision, index_of
from search_engine.spaces.two_cells import TwoCellSpace


class NasnetSpace(TwoCellSpace):
    """A block decides how it combines, too. What no block reads leaves a cell: blocks alone (the paper's rule)."""

    _leaving = "blocks"

    def __init__(self, config: NasnetSpaceConfig) -> None:
        self._combinations = config.combinations
        super().__init__(blocks=config.blocks, operations=config.operations)

    def _decisions_of(self, cell: str, index: int) -> tuple[Decision, ...]:
        name = f"{cell} {index + 1}"
        inputs = ("current input", "previous input", *(f"block {earlier + 1}" for earlier in range(index)))
        combination = Decision(f"{name} combination", "combination", self._combinations)
        return (*self._inputs_and_operations(name, inputs), combination)

    def _combination(self, rest: Sequence[int]) -> str:
        return self._combinations[rest[0]]

    def _rest(self, combination: str, field: str) -> tuple[int, ...]:
        return (index_of(combination, self._combinations, field),)

    def _output(self, blocks: Sequence[Block]) -> tuple[int, ...]:
        return loose_ends(blocks)
