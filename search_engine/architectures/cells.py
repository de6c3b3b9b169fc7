"""Two cells of blocks, from which a network of any size is stacked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from search_engine.architectures.canonical_cell import canonical_cell
from search_engine.architectures.cell import Cell, cell_from_json, cell_to_json, validate
from search_engine.architectures.form import FORMAT_VERSION, digest, only_parts


@dataclass(frozen=True, slots=True)
class CellArchitecture:
    """A normal cell, which keeps height and width, and a reduction cell, which halves them."""

    normal: Cell
    reduction: Cell
    kind: Literal["cells"] = "cells"

    def to_json(self) -> dict[str, Any]:
        cells = {"normal": cell_to_json(self.normal), "reduction": cell_to_json(self.reduction)}
        return {"format": FORMAT_VERSION, "kind": self.kind, **cells}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "CellArchitecture":
        """Raises ArchitectureError at the field that is wrong."""
        only_parts(value, "", "an architecture of cells", ("format", "kind", "normal", "reduction"))
        return cls(cell_from_json(value.get("normal"), "normal"), cell_from_json(value.get("reduction"), "reduction"))

    def validated(self) -> "CellArchitecture":
        """Itself, or ArchitectureError at the field that is wrong."""
        validate(self.normal, "normal")
        validate(self.reduction, "reduction")
        return self

    def with_strict_concat(self) -> "CellArchitecture":
        """The same blocks with the paper's rule: exactly the blocks that no block reads leave the cell."""
        normal, reduction = (Cell(cell.blocks, cell.loose_ends()) for cell in (self.normal, self.reduction))
        return CellArchitecture(normal, reduction)

    @property
    def hash(self) -> str:
        """The canonical hash: alike for isomorphic architectures, 64 hexadecimal digits."""
        return digest([canonical_cell(self.normal), canonical_cell(self.reduction)])
