"""A recurrent cell in torch, between an embedding and a softmax that share their weights (ENAS, section 2.1).

Letters: T time steps, B streams, H hidden units, V words, G nodes that read the same node.
"""

from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor, nn

from search_engine.architectures.recurrent import RecurrentArchitecture

_ACTIVATIONS = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid}  # The fourth is the identity.


@dataclass(frozen=True, slots=True)
class Masks:
    """Dropout for one stretch of text: factors, 0 or 1 / kept, the same at every time step; None leaves all in.

    words [V, 1]; inputs, outputs [B, H]; nodes [B, H]: on what a node multiplies by its weights, not what it carries.
    """

    words: Tensor | None = None
    inputs: Tensor | None = None
    nodes: Tensor | None = None
    outputs: Tensor | None = None


KEEP_ALL = Masks()


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


@dataclass(frozen=True, slots=True)
class Siblings:
    """Nodes that read the same node, those of one activation side by side: one product of matrices serves them all."""

    source: int
    nodes: tuple[int, ...]
    activations: tuple[tuple[str, int], ...]  # (name, how many nodes in a row have it)


class RecurrentNetwork(nn.Module):
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
        super().__init__()
        self.architecture = architecture
        self.hidden = hidden
        self.embedding = nn.Embedding(vocabulary, hidden, _weight=torch.empty(vocabulary, hidden))
        self.nodes = nn.ModuleList(
            FirstNode(hidden) if node.source is None else Node(hidden) for node in architecture.nodes
        )
        self._siblings = siblings(architecture)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -initial_range, initial_range, generator=generator)

    def first_state(self, streams: int) -> Tensor:
        """[B, H] of zeros: nothing was read yet."""
        return self.embedding.weight.new_zeros(streams, self.hidden)

    def forward(self, words: Tensor, state: Tensor, masks: Masks = KEEP_ALL) -> tuple[Tensor, Tensor]:
        """words: [T, B]; state: [B, H]. Returns (outputs [T, B, H] before dropout, the state after the last word)."""
        first = self.nodes[0]
        assert isinstance(first, FirstNode)
        driven = self._vectors(words, masks) @ first.word  # Of all time steps at once.
        weights = [self._joined(one) for one in self._siblings]
        outputs = []
        for drive in driven:
            state = self._step(drive, state, first.state, weights, masks.nodes)
            outputs.append(state)
        return torch.stack(outputs), state

    def logits(self, outputs: Tensor, masks: Masks = KEEP_ALL) -> Tensor:
        """[T, B, H] to [T, B, V], by the embedding's own weights and no bias (Inan et al. 2017)."""
        return masked(outputs, masks.outputs) @ self.embedding.weight.T

    def _vectors(self, words: Tensor, masks: Masks) -> Tensor:
        weight = self.embedding.weight
        rows = weight if masks.words is None else weight * masks.words
        return masked(nn.functional.embedding(words, rows), masks.inputs)

    def _joined(self, group: Siblings) -> Tensor:
        """The matrices of siblings as one [H, 2 G H]: the values of all, then the gates of all."""
        matrices = torch.stack([self.nodes[index].get_parameter("weight") for index in group.nodes], 1)
        values, gates = matrices.chunk(2, 2)
        return torch.cat([values.flatten(1), gates.flatten(1)], 1)

    def _step(self, drive: Tensor, state: Tensor, matrix: Tensor, weights: list[Tensor], mask: Tensor | None) -> Tensor:
        """One word: from drive [B, 2H], its share in node 0, and the state before it to the state after it."""
        product = torch.addmm(drive, masked(state, mask), matrix)
        value, gate = product.chunk(2, 1)
        found = {0: torch.lerp(state, activated(self.architecture.nodes[0].activation, value), torch.sigmoid(gate))}
        for group, weight in zip(self._siblings, weights, strict=True):
            before = found[group.source]
            found.update(zip(group.nodes, self._highway(group, before, masked(before, mask) @ weight), strict=True))
        averaged = [found[index] for index in self.architecture.averaged]
        return torch.stack(averaged).mean(0) if len(averaged) > 1 else averaged[0]

    def _highway(self, group: Siblings, before: Tensor, product: Tensor) -> tuple[Tensor, ...]:
        """gate * activation(value) + (1 - gate) * before, of every sibling. before: [B, H]; product: [B, 2 G H]."""
        values, gates = product.view(len(before), 2, len(group.nodes), self.hidden).unbind(1)
        parts = torch.split(values, [count for _, count in group.activations], 1)
        done = [activated(name, part) for (name, _), part in zip(group.activations, parts, strict=True)]
        after = torch.lerp(before[:, None], done[0] if len(done) == 1 else torch.cat(done, 1), torch.sigmoid(gates))
        return after.unbind(1)


def siblings(architecture: RecurrentArchitecture) -> tuple[Siblings, ...]:
    """The nodes but the first by what they read, in an order in which that is known before."""
    groups = []
    for source in range(len(architecture.nodes)):
        readers = [index for index, node in enumerate(architecture.nodes) if node.source == source]
        readers.sort(key=lambda index: (architecture.nodes[index].activation, index))
        names = [architecture.nodes[index].activation for index in readers]
        counts = tuple((name, len(list(alike))) for name, alike in groupby(names))
        if readers:
            groups.append(Siblings(source, tuple(readers), counts))
    return tuple(groups)


def activated(name: str, value: Tensor) -> Tensor:
    return value if name == "identity" else _ACTIVATIONS[name](value)


def masked(value: Tensor, mask: Tensor | None) -> Tensor:
    return value if mask is None else value * mask


def draw_masks(
    network: RecurrentNetwork,
    streams: int,
    *,
    words: float,
    inputs: float,
    nodes: float,
    outputs: float,
    generator: torch.Generator,
) -> Masks:
    """Masks for a stretch. The four rates say how much is left out; a rate of 0 draws nothing."""
    vocabulary, device = network.embedding.num_embeddings, network.embedding.weight.device

    def draw(rate: float, *shape: int) -> Tensor | None:
        if rate == 0:
            return None
        return (torch.rand(shape, generator=generator) >= rate).float().div_(1 - rate).to(device)

    across = (streams, network.hidden)
    return Masks(draw(words, vocabulary, 1), draw(inputs, *across), draw(nodes, *across), draw(outputs, *across))
