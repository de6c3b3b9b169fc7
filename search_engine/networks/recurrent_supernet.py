"""All recurrent cells of a space on one set of weights, of which a forward pass touches the cell's own (ENAS, 2.1).

Letters: T time steps, B streams, H hidden units.
"""

from collections import OrderedDict
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from search_engine.architectures.recurrent import RecurrentArchitecture
from search_engine.config.space import EnasRecurrentSpaceConfig
from search_engine.config.supernet_text import RecurrentSupernetConfig
from search_engine.errors import ArchitectureError
from search_engine.networks.language_network import KEEP_ALL, LanguageNetwork, Masks
from search_engine.networks.recurrent_cell import Cell, CellNorms, CellWeights
from search_engine.recurrent_plan import EMBEDDING, recurrent_supernet_tensors, supernet_matrices

_MATRICES, _NORMS = "nodes.", "norms."  # Prefixes of names.


class RecurrentSupernet(LanguageNetwork):
    """A parameter for each matrix that cells share. What a cell does not use gets no gradient, not one of zeros."""

    def __init__(
        self,
        space: EnasRecurrentSpaceConfig,
        supernet: RecurrentSupernetConfig,
        *,
        vocabulary: int,
        generator: torch.Generator,
        initial_range: float = 0.05,
    ) -> None:
        """Weights are drawn uniformly between -initial_range and initial_range, in the order of the plan's names.

        Batch norm starts as the identity on what it normalised.
        """
        super().__init__(vocabulary=vocabulary, hidden=supernet.hidden)
        self.supernet = supernet
        shapes = recurrent_supernet_tensors(space, supernet, vocabulary=vocabulary)
        self.nodes = _parameters(shapes, _MATRICES)
        self.norms = _parameters(shapes, _NORMS)
        for parameter in (self.embedding.weight, *self.nodes.values()):
            nn.init.uniform_(parameter, -initial_range, initial_range, generator=generator)
        for name, parameter in self.norms.items():
            nn.init.constant_(parameter, 1.0 if name.endswith("scale") else 0.0)

    def forward(
        self, architecture: RecurrentArchitecture, words: Tensor, state: Tensor, masks: Masks = KEEP_ALL
    ) -> tuple[Tensor, Tensor]:
        """words: [T, B]; state: [B, H]. Returns (outputs [T, B, H] before dropout, the state after the last word)."""
        word, before, *others = (self.nodes[name] for name in self._matrices_of(architecture))
        driven = self.vectors(words, masks) @ word  # Of all time steps at once.
        weights = CellWeights(before, others)
        return Cell(architecture, weights, self.cell_norms(), self.supernet.bound).read(driven, state, masks.nodes)

    def parameters_of(self, architecture: RecurrentArchitecture) -> tuple[tuple[str, nn.Parameter], ...]:
        """What a cell uses, by name: all that a step under it may change."""
        matrices = [(_MATRICES + name, self.nodes[name]) for name in self._matrices_of(architecture)]
        norms = [(_NORMS + name, parameter) for name, parameter in self.norms.items()]
        return ((f"{EMBEDDING}.weight", self.embedding.weight), *matrices, *norms)

    def _matrices_of(self, architecture: RecurrentArchitecture) -> list[str]:
        """Names of the matrices of a cell: of word and state in node 0, then one of every other node."""
        names = [
            name.removeprefix(_MATRICES)
            for index, node in enumerate(architecture.nodes)
            for name in supernet_matrices(self.supernet, index, node.source, node.activation)
        ]
        for name in names:
            if name not in self.nodes:
                raise ArchitectureError("nodes", f"needs the weights {name}, which the search does not share.")
        return names

    def cell_norms(self) -> CellNorms | None:
        """Batch norm of every cell, or None where it is off."""
        if not self.norms:
            return None
        norms = dict(self.norms.items())
        return CellNorms(
            self.supernet.batch_norm_epsilon,
            norms["output_scale"],
            norms["output_shift"],
            norms.get("node_scale"),
            norms.get("node_shift"),
        )


def _parameters(shapes: Mapping[str, tuple[int, ...]], prefix: str) -> nn.ParameterDict:
    """Memory as it came, for every tensor whose name starts so, in order."""
    chosen = ((name.removeprefix(prefix), shape) for name, shape in shapes.items() if name.startswith(prefix))
    return nn.ParameterDict(OrderedDict((name, nn.Parameter(torch.empty(shape))) for name, shape in chosen))
