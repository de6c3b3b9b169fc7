"""What stands around a recurrent cell: an embedding, and a softmax that has the embedding's weights; dropout masks.

Letters: T time steps, B streams, H hidden units, V words.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from search_engine.networks.recurrent_cell import masked


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


class LanguageNetwork(nn.Module):
    """The embedding, looked up on the way in and multiplied by on the way out. What is between is for those below."""

    def __init__(self, *, vocabulary: int, hidden: int) -> None:
        """The weights are memory as it came, and to be drawn."""
        super().__init__()
        self.hidden = hidden
        self.embedding = nn.Embedding(vocabulary, hidden, _weight=torch.empty(vocabulary, hidden))

    def first_state(self, streams: int) -> Tensor:
        """[B, H] of zeros: nothing was read yet."""
        return self.embedding.weight.new_zeros(streams, self.hidden)

    def vectors(self, words: Tensor, masks: Masks = KEEP_ALL) -> Tensor:
        """[T, B] to [T, B, H]."""
        weight = self.embedding.weight
        rows = weight if masks.words is None else weight * masks.words
        return masked(nn.functional.embedding(words, rows), masks.inputs)

    def logits(self, outputs: Tensor, masks: Masks = KEEP_ALL) -> Tensor:
        """[T, B, H] to [T, B, V], by the embedding's own weights and no bias (Inan et al. 2017)."""
        return masked(outputs, masks.outputs) @ self.embedding.weight.T


def draw_masks(
    network: LanguageNetwork,
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
