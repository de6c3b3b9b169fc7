"""The controller: an LSTM that makes one decision after the other (NASNet, Zoph et al. 2018, section 3 and A.2).

Shapes: B architectures, D decisions of the space, K the largest number of options, H units of the LSTM.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from search_engine.spaces.base import Decision
from search_engine.strategies.controller_program import embedding_offsets


@dataclass(frozen=True, slots=True)
class Scores:
    """How probable a controller finds given decisions.

    log_probabilities: [B, D], of each decision given those before it, in nats.
    entropies: [B, D], of the full distribution each decision was drawn from, in nats.
    conditionals: [B, D, K], these distributions as log-probabilities; minus infinity where there is no such option.
    """

    log_probabilities: Tensor
    entropies: Tensor
    conditionals: Tensor

    @property
    def joint(self) -> Tensor:
        """[B], log-probabilities of whole architectures: the product of their decisions, in logarithms."""
        return self.log_probabilities.sum(dim=1)


class Controller(nn.Module):
    """One LSTM layer with one softmax per decision; what it reads is the embedding of the decision before.

    The paper does not say what the LSTM reads: here decisions of one family share an embedding table as wide as the
    LSTM, and the first decision reads a learned vector. The rows of all softmaxes are one matrix, in the order of the
    decisions. All weights start uniform in [-init_range, init_range] (A.2), drawn from the generator.
    """

    def __init__(
        self, decisions: Sequence[Decision], *, hidden_size: int, init_range: float, generator: torch.Generator
    ) -> None:
        super().__init__()
        self._sizes = [len(decision.options) for decision in decisions]
        self._head_starts = [sum(self._sizes[:index]) for index in range(len(decisions))]
        offsets, embeddings = embedding_offsets(decisions)
        self._offsets = torch.tensor(offsets)  # [D], where the embedding table of a decision's family starts.
        options = torch.arange(max(self._sizes))
        self._exists = options < torch.tensor(self._sizes)[:, None]  # [D, K]
        self._head_rows = (torch.tensor(self._head_starts)[:, None] + options) * self._exists  # [D, K]

        self.start = nn.Parameter(torch.empty(hidden_size))
        self.embeddings = nn.Parameter(torch.empty(embeddings, hidden_size))
        self.lstm = nn.LSTM(hidden_size, hidden_size, device="meta").to_empty(device="cpu")  # No global random numbers.
        self.head_weights = nn.Parameter(torch.empty(sum(self._sizes), hidden_size))
        self.head_biases = nn.Parameter(torch.empty(sum(self._sizes)))
        with torch.no_grad():
            for weights in self.parameters():
                weights.uniform_(-init_range, init_range, generator=generator)

    def draw(self, count: int, generator: torch.Generator, masks: Tensor | None = None) -> tuple[Tensor, Scores]:
        """Draw architectures: decisions [B, D] with B = count, and their scores.

        masks: [D, K], true for the options that may be drawn; None for all.
        """
        decisions = self._draw_decisions(count, generator, masks)
        # Scored by the function that re-scores them later, not by the steps above, whose LSTM may differ from the
        # fused one in the last bit: so the ratio of an unchanged policy is exactly 1. Gradients stay on, because
        # without them PyTorch may take another kernel.
        with torch.enable_grad():
            scores = self.score(decisions, masks)
        return decisions, Scores(
            scores.log_probabilities.detach(), scores.entropies.detach(), scores.conditionals.detach()
        )

    def score(self, decisions: Tensor, masks: Tensor | None = None) -> Scores:
        """Score given decisions [B, D] in one pass over the LSTM, since all it reads is known."""
        allowed = self._allowed(masks)
        before = self.embeddings[(decisions + self._offsets)[:, :-1].T]  # [D - 1, B, H]
        first = self.start.expand(1, len(decisions), -1)
        hidden, _ = self.lstm(torch.cat([first, before]))  # [D, B, H]
        biases = self.head_biases[self._head_rows][:, None, :]
        logits = torch.baddbmm(biases, hidden, self.head_weights[self._head_rows].mT)  # [D, B, K]
        conditionals = logits.masked_fill(~allowed[:, None, :], -torch.inf).log_softmax(dim=2).transpose(0, 1)
        chosen = conditionals.gather(2, decisions[:, :, None]).squeeze(2)
        # An option of probability 0 adds nothing; without the fill it would add 0 times minus infinity.
        entropies = -(conditionals.exp() * conditionals.masked_fill(~allowed, 0.0)).sum(dim=2)
        return Scores(chosen, entropies, conditionals)

    @torch.no_grad()
    def _draw_decisions(self, count: int, generator: torch.Generator, masks: Tensor | None) -> Tensor:
        """Decisions [B, D], drawn step by step: the largest of logit plus Gumbel noise is a draw from the softmax."""
        allowed = self._allowed(masks)
        noise = torch.empty(len(self._sizes), count, allowed.shape[1]).exponential_(generator=generator)
        noise = -noise.clamp_min_(torch.finfo(noise.dtype).tiny).log_()
        noise.masked_fill_(~allowed[:, None, :], -torch.inf)
        # What the LSTM makes of each embedding is the same at every step, so it is looked up: half of the work saved.
        inner, recurrent, bias, recurrent_bias = self.lstm.all_weights[0]
        read = torch.addmm(bias + recurrent_bias, torch.cat([self.start[None], self.embeddings]), inner.T)
        hidden = cell = torch.zeros(count, self.start.numel())
        previous = torch.zeros(count, dtype=torch.long)  # The row of `read`: 0 is the start, then the embeddings.
        heads = zip(
            self.head_weights.split_with_sizes(self._sizes), self.head_biases.split_with_sizes(self._sizes), strict=True
        )
        turns = zip(heads, self._sizes, self._offsets.tolist(), noise.unbind(), strict=True)
        drawn = []
        for (weights, biases), size, offset, gumbel in turns:
            gates = torch.addmm(read.index_select(0, previous), hidden, recurrent.T)
            value = gates[:, 2 * len(self.start) : 3 * len(self.start)].tanh()
            # One call for the three gates, which is quicker than three, though it spends a quarter on nothing.
            enter, forget, _, leave = gates.sigmoid_().chunk(4, dim=1)
            cell = (forget * cell).addcmul_(enter, value)
            hidden = leave * cell.tanh()
            logits = torch.addmm(biases, hidden, weights.T)
            decision = logits.add_(gumbel[:, :size]).argmax(dim=1)
            drawn.append(decision)
            previous = decision + (offset + 1)
        return torch.stack(drawn, dim=1)

    def _allowed(self, masks: Tensor | None) -> Tensor:
        """[D, K], true for options that exist and may be drawn."""
        allowed = self._exists if masks is None else self._exists & masks
        assert bool(allowed.any(dim=1).all()), "a mask leaves a decision without an option"
        return allowed
