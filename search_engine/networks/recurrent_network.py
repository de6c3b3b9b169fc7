"""One recurrent cell in torch, between an embedding and a softmax that share their weights (ENAS, section 2.1).

Letters: T time steps, B streams, H hidden units.
"""

import torch
from torch import Tensor, nn

from search_engine.architectures.recurrent import RecurrentArchitecture
from search_engine.networks.language_network import KEEP_ALL, LanguageNetwork, Masks
from search_engine.networks.recurrent_cell import Cell, CellWeights


class FirstNode(nn.Module):
    """Node 0 reads word and state: two matrices [H, 2H], the first H columns for the value, the others for the gate."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.word = nn.Parameter(torch.empty(hidden, 2 * hidden))
        self.state = nn.Parameter(torch.empty(hidden, 2 * hidden))


class Node(nn.Module):
    """Every other node reads one earlier node: one matrix [H, 2H], columns as in node 0."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(hidden, 2 * hidden))


class RecurrentNetwork(LanguageNetwork):
    """Words in, the cell's outputs out; `logits` guesses the words that follow."""

    def __init__(
        self,
        architecture: RecurrentArchitecture,
        *,
        vocabulary: int,
        hidden: int,
        generator: torch.Generator,
        initial_range: float = 0.05,
    ) -> None:
        """Weights are drawn uniformly between -initial_range and initial_range, in the order of their names."""
        super().__init__(vocabulary=vocabulary, hidden=hidden)
        self.architecture = architecture
        self.nodes = nn.ModuleList(
            FirstNode(hidden) if node.source is None else Node(hidden) for node in architecture.nodes
        )
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -initial_range, initial_range, generator=generator)

    def forward(self, words: Tensor, state: Tensor, masks: Masks = KEEP_ALL) -> tuple[Tensor, Tensor]:
        """words: [T, B]; state: [B, H]. Returns (outputs [T, B, H] before dropout, the state after the last word)."""
        first, *others = self.nodes
        assert isinstance(first, FirstNode)
        driven = self.vectors(words, masks) @ first.word  # Of all time steps at once.
        weights = CellWeights(first.state, [node.get_parameter("weight") for node in others])
        return Cell(self.architecture, weights).read(driven, state, masks.nodes)
