"""The space of NAS-Bench-201 (Dong and Yang 2020): one cell, six edges, one of five operations on each; 15,625 cells.

Edges are in the order of the benchmark's strings. Nodes are counted from 0, as there: 0 is the cell's input, 3 its
output.
"""

from collections.abc import Sequence

from search_engine.architectures.nas_bench_201 import (
    NAS_BENCH_201_EDGES,
    NAS_BENCH_201_OPERATIONS,
    NasBench201Architecture,
)
from search_engine.architectures.reading import Architecture
from search_engine.errors import ArchitectureError
from search_engine.spaces.base import Decision, Space, index_of, must_be_options


class NasBench201Space(Space):
    """Decisions are indices of operations, one per edge."""

    decisions = tuple(
        Decision(f"edge {source} to {target}", "operation", NAS_BENCH_201_OPERATIONS)
        for source, target in NAS_BENCH_201_EDGES
    )

    def decode(self, decisions: Sequence[int]) -> Architecture:
        """The cell of one index per edge."""
        must_be_options(decisions, self.decisions)
        return NasBench201Architecture(tuple(NAS_BENCH_201_OPERATIONS[index] for index in decisions))

    def encode(self, architecture: Architecture) -> tuple[int, ...]:
        """One index per edge."""
        if not isinstance(architecture, NasBench201Architecture):
            raise ArchitectureError("kind", f'is {architecture.kind!r}; this space holds "nas_bench_201".')
        operations = enumerate(architecture.validated().operations)
        return tuple(index_of(one, NAS_BENCH_201_OPERATIONS, f"operations.{edge}") for edge, one in operations)
