"""A recurrent cell: what ENAS and DARTS search for on text (Pham et al. 2018, section 2.1)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from search_engine.architectures.form import FORMAT_VERSION, digest, only_parts, rows, whole_numbers
from search_engine.errors import ArchitectureError

ACTIVATIONS = ("tanh", "relu", "identity", "sigmoid")  # ENAS, section 2.1, in the order of its released code.
MAX_NODES = 32


@dataclass(frozen=True, slots=True)
class RecurrentNode:
    """An activation on what an earlier node computed.

    source: its number; None for node 0, which reads word and state.
    """

    source: int | None
    activation: str


@dataclass(frozen=True, slots=True)
class RecurrentArchitecture:
    """Nodes, counted from 0, each in highway form; `averaged` names, rising, those whose mean is the cell's output.

    The papers average the loose ends, which no node reads; DARTS averages every node but the first.
    """

    nodes: tuple[RecurrentNode, ...]
    averaged: tuple[int, ...]
    kind: Literal["recurrent"] = "recurrent"

    def loose_ends(self) -> tuple[int, ...]:
        """Nodes that no node reads."""
        read = {node.source for node in self.nodes}
        return tuple(index for index in range(len(self.nodes)) if index not in read)

    def to_json(self) -> dict[str, Any]:
        nodes = [{"source": node.source, "activation": node.activation} for node in self.nodes]
        return {"format": FORMAT_VERSION, "kind": self.kind, "nodes": nodes, "averaged": list(self.averaged)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "RecurrentArchitecture":
        """Raises ArchitectureError at the field that is wrong."""
        only_parts(value, "", "a recurrent architecture", ("format", "kind", "nodes", "averaged"))
        found = rows(value, "nodes", ("source", "activation"))
        nodes = tuple(RecurrentNode(row["source"], row["activation"]) for row in found)
        return cls(nodes, tuple(sorted(whole_numbers(value.get("averaged"), "averaged")))).validated()

    def validated(self) -> "RecurrentArchitecture":
        """Itself, or ArchitectureError at the field that is wrong."""
        if not 1 <= len(self.nodes) <= MAX_NODES:
            raise ArchitectureError("nodes", f"has {len(self.nodes)} nodes; must have 1 to {MAX_NODES}.")
        for index, node in enumerate(self.nodes):
            _check_node(node, index)
        nodes = range(len(self.nodes))
        if len(set(self.averaged)) != len(self.averaged) or any(index not in nodes for index in self.averaged):
            raise ArchitectureError(
                "averaged", f"is {list(self.averaged)}; must name different nodes from 0 to {nodes[-1]}."
            )
        missing = set(self.loose_ends()) - set(self.averaged)
        if missing:
            raise ArchitectureError("averaged", f"leaves out node {min(missing)}, which no node reads.")
        return self

    @property
    def hash(self) -> str:
        """The canonical hash: alike for isomorphic cells, 64 hexadecimal digits."""
        return digest([self.kind, self._encode(0)])

    def _encode(self, index: int) -> list[Any]:
        """A node with all that stands on it. Every node reads one other, so a cell is a tree and needs no search."""
        above = sorted(self._encode(other) for other, node in enumerate(self.nodes) if node.source == index)
        return [self.nodes[index].activation, index in self.averaged, above]


def _check_node(node: RecurrentNode, index: int) -> None:
    if node.activation not in ACTIVATIONS:
        raise ArchitectureError(
            f"nodes.{index}.activation", f"{node.activation!r} is unknown; must be one of {', '.join(ACTIVATIONS)}."
        )
    if index == 0 and node.source is not None:
        raise ArchitectureError("nodes.0.source", f"is {node.source!r}; node 0 reads the word and the state, so null.")
    if index > 0 and (type(node.source) is not int or not 0 <= node.source < index):
        raise ArchitectureError(
            f"nodes.{index}.source", f"is {node.source!r}; node {index} can read nodes 0 to {index - 1}."
        )
