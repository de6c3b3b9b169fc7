"""What pulls the rate of skips to a wanted one (ENAS, Pham et al. 2018, section 3.2, and released code)."""

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from search_engine.config.controller import MacroControllerConfig
from search_engine.strategies.controller import Scores
from search_engine.strategies.controller_program import Bits


def skip_penalty(scores: Scores, skips: Sequence[Bits], config: MacroControllerConfig) -> Tensor:
    """Divergence of each skip's probability from the wanted one in nats, summed over the skips of a layer.

    Mean over layers that have any, and over architectures; without its weight. Released: of the logistic function of a
    score, where the two options have minus and plus that score, so that skips are drawn with that of twice as much.
    A skip of which one option is banned is not the controller's to decide: it counts as one that diverges by nothing.
    """
    total = torch.zeros(len(scores.conditionals))
    for bits in skips:
        logs = scores.conditionals[:, bits.first_decision : bits.first_decision + bits.count, :2]  # [B, C, 2]
        is_open = logs.isfinite().all(dim=2, keepdim=True)
        if not is_open.all():
            logs = logs.masked_fill(~is_open, 0.0)  # Minus infinity would become "not a number" in the gradient.
        if config.skip_penalty == "released":
            half = (logs[:, :, 1] - logs[:, :, 0]) / 2  # The score of "yes".
            logs = logsigmoid(torch.stack([-half, half], dim=2))
        wanted = torch.tensor([1 - config.skip_prior, config.skip_prior]).log()
        divergence = logs.exp() * (logs - wanted)
        total = total + divergence.masked_fill(~is_open, 0.0).sum(dim=(1, 2))
    return (total / len(skips)).mean()
