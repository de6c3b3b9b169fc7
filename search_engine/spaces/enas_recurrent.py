"""ENAS's recurrent space: a cell of nodes, each with a source and an activation (Pham et al. 2018, section 2.1).

The first node decides its activation alone; every other its source, then its activation, as in the paper and its first
code. Names count nodes from 1, for people.
"""

from collections.abc import Sequence

from search_engine.architectures.reading import Architecture
from search_engine.architectures.recurrent import RecurrentArchitecture, RecurrentNode
from search_engine.config.space import EnasRecurrentSpaceConfig
from search_engine.errors import ArchitectureError
from search_engine.spaces.base import Decision, Space, index_of, must_be_options


class EnasRecurrentSpace(Space):
    """Decisions are indices of options; a source's index is the number, from 0, of the node it reads."""

    def __init__(self, config: EnasRecurrentSpaceConfig) -> None:
        self._nodes = config.nodes
        self._activations = config.activations
        self.decisions = tuple(decision for index in range(config.nodes) for decision in self._decisions_of(index))

    def decode(self, decisions: Sequence[int]) -> Architecture:
        """The cell; its output is the mean of the nodes that no node reads (the paper's rule)."""
        must_be_options(decisions, self.decisions)
        nodes = [RecurrentNode(None, self._activations[decisions[0]])]
        for at in range(1, len(decisions), 2):
            nodes.append(RecurrentNode(decisions[at], self._activations[decisions[at + 1]]))
        averaged = RecurrentArchitecture(tuple(nodes), ()).loose_ends()
        return RecurrentArchitecture(tuple(nodes), averaged)

    def encode(self, architecture: Architecture) -> tuple[int, ...]:
        """One index per decision. Raises ArchitectureError also where more than the loose ends are averaged."""
        if not isinstance(architecture, RecurrentArchitecture):
            raise ArchitectureError("kind", f'is {architecture.kind!r}; this space holds "recurrent".')
        architecture.validated()
        if len(architecture.nodes) != self._nodes:
            raise ArchitectureError("nodes", f"has {len(architecture.nodes)} nodes; this space has {self._nodes}.")
        if set(architecture.averaged) != set(architecture.loose_ends()):
            raise ArchitectureError(
                "averaged",
                f"is {list(architecture.averaged)}; this space holds only {list(architecture.loose_ends())}, the nodes "
                "that none reads.",
            )
        indices: list[int] = []
        for index, node in enumerate(architecture.nodes):
            if node.source is not None:
                indices.append(node.source)
            indices.append(index_of(node.activation, self._activations, f"nodes.{index}.activation"))
        return tuple(indices)

    def _decisions_of(self, index: int) -> tuple[Decision, ...]:
        name = f"node {index + 1}"
        activation = Decision(f"{name} activation", "activation", self._activations)
        if index == 0:
            return (activation,)
        return (Decision(f"{name} source", "source", tuple(f"node {other + 1}" for other in range(index))), activation)
