"""A controller that executes a program: softmaxes, pointers at earlier nodes and skip bits from one LSTM.

Shapes: B architectures, D decisions of the space, K the largest number of options, H units, N anchors. The LSTM has no
biases (ENAS, released code); attention is v tanh(W1 anchor + W2 output), and its scores and those of softmaxes are
c tanh(score / T).
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import pad

from search_engine.strategies.controller import Scores
from search_engine.strategies.controller_program import (
    Bits,
    ChosenAnchor,
    ChosenSum,
    Embedding,
    Pointer,
    Program,
    Softmax,
    Start,
)

Choose = Callable[[int, Tensor], Tensor]  # (first decision, [B, C, k] scores) -> [B, C] indices of options.


class ProgramController(nn.Module):
    """Weights start uniform in [-init_range, init_range], drawn from the generator; learned biases as programmed."""

    def __init__(self, program: Program, *, hidden_size: int, init_range: float, generator: torch.Generator) -> None:
        super().__init__()
        self.program = program
        self._exists = torch.arange(max(program.sizes)) < torch.tensor(program.sizes)[:, None]  # [D, K]
        self._vectors: dict[tuple[float, ...], Tensor] = {}

        self.start = nn.Parameter(torch.empty(hidden_size))
        self.embeddings = nn.Parameter(torch.empty(program.embeddings, hidden_size))
        self.lstm = nn.LSTMCell(hidden_size, hidden_size, bias=False, device="meta").to_empty(device="cpu")
        self.head_weights = nn.Parameter(torch.empty(program.heads, hidden_size))
        if program.has_attention:
            self.anchor_weights = nn.Parameter(torch.empty(hidden_size, hidden_size))
            self.query_weights = nn.Parameter(torch.empty(hidden_size, hidden_size))
            self.attention_vector = nn.Parameter(torch.empty(hidden_size))
        with torch.no_grad():
            for weights in self.parameters():
                weights.uniform_(-init_range, init_range, generator=generator)
        self.head_biases: nn.Parameter | None = None
        if program.first_biases is not None:
            self.head_biases = nn.Parameter(torch.tensor(program.first_biases))

    def draw(self, count: int, generator: torch.Generator, masks: Tensor | None = None) -> tuple[Tensor, Scores]:
        """Draw architectures: decisions [B, D] with B = count, and their scores.

        masks: [D, K], true for the options that may be drawn; None for all.
        """
        noise = torch.empty(count, *self._exists.shape).exponential_(generator=generator)
        noise = -noise.clamp_min_(torch.finfo(noise.dtype).tiny).log_()

        def choose(first: int, scores: Tensor) -> Tensor:
            # The largest of score plus Gumbel noise is a draw from the softmax.
            _, choices, options = scores.shape
            return (scores.detach() + noise[:, first : first + choices, :options]).argmax(dim=2)

        # Gradients stay on, because without them PyTorch may take another kernel: so the same decisions are scored
        # later to the same bits, and the ratio of an unchanged policy is exactly 1.
        with torch.enable_grad():
            decisions, scores = self._run(count, choose, masks)
        return decisions, Scores(
            scores.log_probabilities.detach(), scores.entropies.detach(), scores.conditionals.detach()
        )

    def score(self, decisions: Tensor, masks: Tensor | None = None) -> Scores:
        """Score given decisions [B, D]. masks: as they were drawn."""
        _, scores = self._run(len(decisions), lambda first, found: decisions[:, first : first + found.shape[1]], masks)
        return scores

    def _run(self, count: int, choose: Choose, masks: Tensor | None) -> tuple[Tensor, Scores]:
        """All turns in order, with decisions as `choose` makes them."""
        hidden = cell = torch.zeros(count, self.start.numel())
        anchors: list[Tensor] = []  # N times [B, H], as they are read.
        keys: list[Tensor] = []  # The same as they are pointed at.
        chosen: list[Tensor] = []  # D times [B].
        found: list[Tensor] = []  # Scores, padded to K options.
        for turn in self.program.turns:
            hidden, cell = self.lstm(self._read(turn.reads, count, chosen, anchors), (hidden, cell))
            if turn.chooses is not None:
                scores = self._scores(turn.chooses, hidden, keys)
                if masks is not None:
                    allowed = masks[len(chosen) : len(chosen) + scores.shape[1], : scores.shape[2]]
                    scores = scores.masked_fill(~allowed, -torch.inf)
                chosen.extend(choose(len(chosen), scores).unbind(dim=1))
                found.append(pad(scores, (0, self._exists.shape[1] - scores.shape[2]), value=-torch.inf))
            if turn.keeps:
                anchors.append(torch.zeros_like(hidden) if turn.as_zero else hidden)
                if self.program.has_attention:
                    keys.append(hidden @ self.anchor_weights.T)
        decisions = torch.stack(chosen, dim=1)
        allowed = self._exists if masks is None else self._exists & masks
        assert bool(allowed.any(dim=1).all()), "a mask leaves a decision without an option"
        return decisions, self._rated(torch.cat(found, dim=1), decisions, allowed)

    def _read(
        self,
        reads: Start | Embedding | ChosenAnchor | ChosenSum,
        count: int,
        chosen: list[Tensor],
        anchors: list[Tensor],
    ) -> Tensor:
        """[B, H], what the LSTM reads."""
        match reads:
            case Start():
                return self.start.expand(count, -1)
            case Embedding(decision, first_row):
                return self.embeddings[first_row + chosen[decision]]
            case ChosenAnchor(decision, first, divisors):
                index = chosen[decision]
                candidates = torch.stack(anchors[first : first + len(divisors)])
                return candidates[index, torch.arange(count)] / self._vector(divisors)[index, None]
            case ChosenSum(first_decision, bits):
                are_set = torch.stack(chosen[first_decision : first_decision + bits], dim=1).to(self.start.dtype)
                total = torch.bmm(are_set[:, None, :], torch.stack(anchors[:bits], dim=1)).squeeze(1)
                return total / (1 + are_set.sum(dim=1, keepdim=True))

    def _scores(self, chooses: Softmax | Pointer | Bits, hidden: Tensor, keys: list[Tensor]) -> Tensor:
        """[B, C, k], scores of C choices among k options each."""
        match chooses:
            case Softmax(_, first_row, fixed, tanh_constant):
                rows = slice(first_row, first_row + len(fixed))
                scores = hidden @ self.head_weights[rows].T
                if self.head_biases is not None:
                    scores = scores + self.head_biases[rows]
                return (self._bounded(scores, tanh_constant) + self._vector(fixed))[:, None, :]
            case Pointer(_, first, fixed, tanh_constant):
                scores = self._attention(hidden, keys[first : first + len(fixed)])
                return (self._bounded(scores, tanh_constant) + self._vector(fixed))[:, None, :]
            case Bits(_, count, tanh_constant):
                yes = self._bounded(self._attention(hidden, keys[:count]), tanh_constant)
                return torch.stack([-yes, yes], dim=2)

    def _attention(self, hidden: Tensor, keys: list[Tensor]) -> Tensor:
        """[B, N], how each anchor is rated by what the LSTM just computed."""
        query = hidden @ self.query_weights.T
        return (torch.stack(keys, dim=1) + query[:, None, :]).tanh() @ self.attention_vector

    def _bounded(self, scores: Tensor, tanh_constant: float) -> Tensor:
        scores = scores / self.program.temperature
        return tanh_constant * scores.tanh() if tanh_constant else scores

    def _vector(self, values: tuple[float, ...]) -> Tensor:
        """The same numbers as a tensor, made once."""
        if values not in self._vectors:
            self._vectors[values] = torch.tensor(values)
        return self._vectors[values]

    def _rated(self, scores: Tensor, decisions: Tensor, allowed: Tensor) -> Scores:
        """scores: [B, D, K], minus infinity where there is no such option or it is banned; allowed: [D, K]."""
        conditionals = scores.log_softmax(dim=2)
        chosen = conditionals.gather(2, decisions[:, :, None]).squeeze(2)
        # An option of probability 0 adds nothing; without the fill it would add 0 times minus infinity.
        entropies = -(conditionals.exp() * conditionals.masked_fill(~allowed, 0.0)).sum(dim=2)
        return Scores(chosen, entropies, conditionals)
