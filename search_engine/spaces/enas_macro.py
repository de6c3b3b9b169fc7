"""ENAS's macro space: a network of layers, each with an operation and skips (Pham et al. 2018, section 2.3).

A layer's operation comes first, then one decision for every output that it may join, in their order. Names count
layers from 1, as the paper's figures do. Which outputs these are is the space's indexing: layers 1 to k - 1 of layer k
(figure), or the stem and layers 1 to k - 2 (released).
"""

from collections.abc import Sequence

from search_engine.architectures.macro import MacroArchitecture, MacroLayer
from search_engine.architectures.reading import Architecture
from search_engine.config.space import EnasMacroSpaceConfig
from search_engine.errors import ArchitectureError
from search_engine.spaces.base import Decision, Space, index_of, must_be_options

SKIP = ("no", "yes")


class EnasMacroSpace(Space):
    """Decisions are indices of options; a skip is 1 where the layer joins that output."""

    def __init__(self, config: EnasMacroSpaceConfig) -> None:
        self._layers = config.layers
        self._operations = config.operations
        self._first_output = 1 if config.indexing == "figure" else 0
        self.decisions = tuple(decision for index in range(config.layers) for decision in self._decisions_of(index))

    def decode(self, decisions: Sequence[int]) -> Architecture:
        """The network of one index per decision."""
        must_be_options(decisions, self.decisions)
        layers, at = [], 0
        for index in range(self._layers):
            bits = decisions[at + 1 : at + 1 + index]
            skips = tuple(output for output, bit in zip(self._outputs(index), bits, strict=True) if bit)
            layers.append(MacroLayer(self._operations[decisions[at]], skips))
            at += 1 + index
        return MacroArchitecture(tuple(layers))

    def encode(self, architecture: Architecture) -> tuple[int, ...]:
        """One index per decision. Raises ArchitectureError also at a skip that the indexing does not reach."""
        if not isinstance(architecture, MacroArchitecture):
            raise ArchitectureError("kind", f'is {architecture.kind!r}; this space holds "macro".')
        architecture.validated()
        if len(architecture.layers) != self._layers:
            raise ArchitectureError("layers", f"has {len(architecture.layers)} layers; this space has {self._layers}.")
        indices: list[int] = []
        for index, layer in enumerate(architecture.layers):
            outputs = self._outputs(index)
            for skip in layer.skips:
                if skip not in outputs:
                    reach = f"{outputs[0]} to {outputs[-1]}" if outputs else "none"
                    raise ArchitectureError(
                        f"layers.{index}.skips", f"joins {skip}; in this space layer {index + 1} can join {reach}."
                    )
            indices.append(index_of(layer.operation, self._operations, f"layers.{index}.operation"))
            indices.extend(int(output in layer.skips) for output in outputs)
        return tuple(indices)

    def _outputs(self, index: int) -> range:
        """Which outputs the layer of an index, from 0, may join; 0 is the stem's."""
        return range(self._first_output, self._first_output + index)

    def _decisions_of(self, index: int) -> tuple[Decision, ...]:
        name = f"layer {index + 1}"
        skips = (
            Decision(f"{name} skip from {f'layer {output}' if output else 'stem'}", "skip", SKIP)
            for output in self._outputs(index)
        )
        return (Decision(f"{name} operation", "operation", self._operations), *skips)
