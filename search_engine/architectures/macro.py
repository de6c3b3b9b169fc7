"""A whole network of layers with skip connections: what ENAS's macro search finds (Pham et al. 2018, section 2.3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from search_engine.architectures.form import FORMAT_VERSION, digest, only_parts, rows, whole_numbers
from search_engine.errors import ArchitectureError

MACRO_OPERATIONS = (  # ENAS, section 2.3, in the order of the released code.
    "conv_3x3",
    "sep_conv_3x3",
    "conv_5x5",
    "sep_conv_5x5",
    "avg_pool_3x3",
    "max_pool_3x3",
)
MAX_LAYERS = 64


@dataclass(frozen=True, slots=True)
class MacroLayer:
    """An operation on the output of the layer before, joined with the outputs named by `skips`.

    skips: rising; 0 is the stem, k the output of layer k, and layers count from 1 as in the paper's figures.
    """

    operation: str
    skips: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class MacroArchitecture:
    """Layers in their order; layer k, counted from 1, may join the stem and layers 1 to k - 1."""

    layers: tuple[MacroLayer, ...]
    kind: Literal["macro"] = "macro"

    def to_json(self) -> dict[str, Any]:
        layers = [{"operation": layer.operation, "skips": list(layer.skips)} for layer in self.layers]
        return {"format": FORMAT_VERSION, "kind": self.kind, "layers": layers}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "MacroArchitecture":
        """Raises ArchitectureError at the field that is wrong."""
        only_parts(value, "", "a macro architecture", ("format", "kind", "layers"))
        found = rows(value, "layers", ("operation", "skips"))
        layers = (
            MacroLayer(row["operation"], tuple(sorted(whole_numbers(row["skips"], f"layers.{index}.skips"))))
            for index, row in enumerate(found)
        )
        return cls(tuple(layers)).validated()

    def validated(self) -> "MacroArchitecture":
        """Itself, or ArchitectureError at the field that is wrong."""
        if not 1 <= len(self.layers) <= MAX_LAYERS:
            raise ArchitectureError("layers", f"has {len(self.layers)} layers; must have 1 to {MAX_LAYERS}.")
        for index, layer in enumerate(self.layers):
            if layer.operation not in MACRO_OPERATIONS:
                raise ArchitectureError(
                    f"layers.{index}.operation",
                    f"{layer.operation!r} is unknown; must be one of {', '.join(MACRO_OPERATIONS)}.",
                )
            if len(set(layer.skips)) != len(layer.skips) or any(not 0 <= skip <= index for skip in layer.skips):
                raise ArchitectureError(
                    f"layers.{index}.skips",
                    f"is {list(layer.skips)}; layer {index + 1} can join each of 0 (the stem) to {index} once.",
                )
        return self

    @property
    def hash(self) -> str:
        """The canonical hash, 64 hexadecimal digits. Layers have one order, so it is that of the layers as they are."""
        return digest([self.kind, [[layer.operation, sorted(layer.skips)] for layer in self.layers]])
