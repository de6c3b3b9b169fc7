"""A recurrent cell run through time, whoever holds its weights (ENAS, section 2.1).

Letters: T time steps, B streams, H hidden units, N nodes, G nodes that read the same node.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

import torch
from torch import Tensor, nn

from search_engine.architectures.recurrent import RecurrentArchitecture

_ACTIVATIONS = {"tanh": torch.tanh, "relu": torch.relu, "sigmoid": torch.sigmoid}  # The fourth is the identity.


@dataclass(frozen=True, slots=True)
class CellWeights:
    """Matrices [H, 2H]: the first H columns for the value, the others for the gate.

    state: what node 0 multiplies the state by; its product with the word comes from outside. nodes: of node 1, 2, ...
    """

    state: Tensor
    nodes: Sequence[Tensor]


@dataclass(frozen=True, slots=True)
class CellNorms:
    """Batch norm with the statistics of the batch [B] at each time step, never with running ones.

    output_scale, output_shift: [H], on the mean that is the cell's output. node_scale, node_shift: [N, 2H], on what
    each node computes before its activation and gate; None leaves that as it is.
    """

    epsilon: float
    output_scale: Tensor
    output_shift: Tensor
    node_scale: Tensor | None = None
    node_shift: Tensor | None = None

    def of_output(self, output: Tensor) -> Tensor:
        return _normed(output, self.output_scale, self.output_shift, self.epsilon)

    def for_nodes(self, nodes: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Scale and shift [2 G H] for what these nodes compute: the values of all, then the gates of all."""
        assert self.node_scale is not None and self.node_shift is not None
        chosen = list(nodes)
        return _values_then_gates(self.node_scale[chosen]), _values_then_gates(self.node_shift[chosen])


class Cell:
    """An architecture with weights. Made for one stretch of text: it holds the weights joined as products want them."""

    def __init__(
        self,
        architecture: RecurrentArchitecture,
        weights: CellWeights,
        norms: CellNorms | None = None,
        largest_state: float = 0.0,
    ) -> None:
        """largest_state: each stream's state is scaled down to this Euclidean norm after each word; 0 leaves it."""
        self._activation = architecture.nodes[0].activation
        self._averaged = architecture.averaged
        self._state_weight = weights.state
        self._norms = norms
        self._largest_state = largest_state
        self._groups = siblings(architecture)
        self._joined = [
            _values_then_gates(torch.stack([weights.nodes[index - 1] for index in group.nodes], 1))
            for group in self._groups
        ]
        self._node_norms: dict[tuple[int, ...], tuple[Tensor, Tensor]] = {}  # By what is normed together.
        if norms is not None and norms.node_scale is not None:
            self._node_norms = {nodes: norms.for_nodes(nodes) for nodes in ((0,), *(g.nodes for g in self._groups))}

    def read(self, driven: Tensor, state: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """driven: [T, B, 2H], the words' share in node 0; state: [B, H]; mask: [B, H], factors on what a node
        multiplies by its weights, not on what it carries. Returns (outputs [T, B, H], the state after the last word).
        """
        outputs = []
        for drive in driven:
            state = self._step(drive, state, mask)
            outputs.append(state)
        return torch.stack(outputs), state

    def _step(self, drive: Tensor, state: Tensor, mask: Tensor | None) -> Tensor:
        """One word: from drive [B, 2H] and the state before it to the state after it."""
        product = self._normed((0,), torch.addmm(drive, masked(state, mask), self._state_weight))
        value, gate = product.chunk(2, 1)
        found = {0: torch.lerp(state, activated(self._activation, value), torch.sigmoid(gate))}
        for group, weight in zip(self._groups, self._joined, strict=True):
            before = found[group.source]
            product = self._normed(group.nodes, masked(before, mask) @ weight)
            found.update(zip(group.nodes, _highway(group, before, product), strict=True))
        averaged = [found[index] for index in self._averaged]
        output = torch.stack(averaged).mean(0) if len(averaged) > 1 else averaged[0]
        if self._norms is not None:
            output = self._norms.of_output(output)
        if self._largest_state:
            norms = torch.linalg.vector_norm(output, dim=1, keepdim=True)
            output = output * (self._largest_state / norms.clamp(min=self._largest_state))
        return output

    def _normed(self, nodes: tuple[int, ...], product: Tensor) -> Tensor:
        if self._norms is None or not self._node_norms:
            return product
        return _normed(product, *self._node_norms[nodes], self._norms.epsilon)


@dataclass(frozen=True, slots=True)
class Siblings:
    """Nodes that read the same node, those of one activation side by side: one product of matrices serves them all."""

    source: int
    nodes: tuple[int, ...]
    activations: tuple[tuple[str, int], ...]  # (name, how many nodes in a row have it)


@lru_cache(maxsize=256)
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


def _highway(group: Siblings, before: Tensor, product: Tensor) -> tuple[Tensor, ...]:
    """gate * activation(value) + (1 - gate) * before, of every sibling. before: [B, H]; product: [B, 2 G H]."""
    values, gates = product.view(len(before), 2, len(group.nodes), before.shape[1]).unbind(1)
    parts = torch.split(values, [count for _, count in group.activations], 1)
    done = [activated(name, part) for (name, _), part in zip(group.activations, parts, strict=True)]
    after = torch.lerp(before[:, None], done[0] if len(done) == 1 else torch.cat(done, 1), torch.sigmoid(gates))
    return after.unbind(1)


def _values_then_gates(nodes: Tensor) -> Tensor:
    """[..., G, 2H] of several nodes as [..., 2 G H]: the values of all, then the gates of all."""
    values, gates = nodes.chunk(2, -1)
    return torch.cat([values.flatten(-2), gates.flatten(-2)], -1)


def _normed(value: Tensor, scale: Tensor, shift: Tensor, epsilon: float) -> Tensor:
    return nn.functional.batch_norm(value, None, None, scale, shift, training=True, eps=epsilon)
