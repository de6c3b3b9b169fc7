"""A cell of NAS-Bench-201 (Dong and Yang 2020): four nodes, an operation on the way from each to every later one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from search_engine.architectures.form import FORMAT_VERSION, digest, only_parts
from search_engine.errors import ArchitectureError

NAS_BENCH_201_OPERATIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
# (from, to), in the order of the benchmark's strings; node 0 is the cell's input, node 3 its output.
NAS_BENCH_201_EDGES = ((0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3))


@dataclass(frozen=True, slots=True)
class NasBench201Architecture:
    """The operation on each of the six edges; a node is the sum of what comes in."""

    operations: tuple[str, ...]
    kind: Literal["nas_bench_201"] = "nas_bench_201"

    def to_json(self) -> dict[str, Any]:
        return {"format": FORMAT_VERSION, "kind": self.kind, "operations": list(self.operations)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "NasBench201Architecture":
        """Raises ArchitectureError at the field that is wrong."""
        only_parts(value, "", "an architecture of NAS-Bench-201", ("format", "kind", "operations"))
        operations = value.get("operations")
        if not isinstance(operations, list):
            raise ArchitectureError("operations", "must be a list of six operations.")
        return cls(tuple(operations)).validated()

    def validated(self) -> "NasBench201Architecture":
        """Itself, or ArchitectureError at the field that is wrong."""
        edges = len(NAS_BENCH_201_EDGES)
        if len(self.operations) != edges:
            raise ArchitectureError("operations", f"has {len(self.operations)} entries; must have {edges}.")
        for index, operation in enumerate(self.operations):
            if operation not in NAS_BENCH_201_OPERATIONS:
                known = ", ".join(NAS_BENCH_201_OPERATIONS)
                raise ArchitectureError(f"operations.{index}", f"{operation!r} is unknown; must be one of {known}.")
        return self

    @property
    def hash(self) -> str:
        """The canonical hash: alike for isomorphic cells, 64 hexadecimal digits."""
        first, second, between, output, first_out, second_out = self.operations
        encodings = [list(self.operations)]
        if between == "none":  # Only then can the two inner nodes change places.
            encodings.append([second, first, between, output, second_out, first_out])
        return digest([self.kind, min(encodings)])
