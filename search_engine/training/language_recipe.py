"""What a recipe for text stands for: learning rates, lengths of stretches, dropout, when averaging begins."""

import torch
from torch import Tensor

from search_engine.config.language import LanguageRecipeConfig, ReadingConfig
from search_engine.networks.language_network import LanguageNetwork, Masks, draw_masks

_SHORT_CHANCE = 0.05  # Of a stretch that is meant to be half as long: the authors' second release.
_DEVIATION = 5.0  # Of a stretch's length, in words; the same source.
_SHORTEST, _LONGER = 5, 20  # Limits of a random length: at least so many words, at most so many more than meant.


def learning_rate_in(epoch: int, recipe: ReadingConfig) -> float:
    """The learning rate of an epoch, counted from 1: constant at first, then multiplied by the decay every epoch."""
    return recipe.learning_rate * recipe.decay ** max(0, epoch - recipe.decay_from + 1)


def lengths_of_stretches(steps: int, recipe: ReadingConfig, *, seed: int) -> list[int]:
    """Lengths, in words, that add up to `steps`; the last is what remains."""
    generator = torch.Generator().manual_seed(seed)
    lengths: list[int] = []
    left = steps
    while left > 0:
        lengths.append(min(left, _length(recipe, generator)))
        left -= lengths[-1]
    return lengths


def _length(recipe: ReadingConfig, generator: torch.Generator) -> int:
    if not recipe.random_length:
        return recipe.bptt
    is_short, deviation = float(torch.rand((), generator=generator)), float(torch.randn((), generator=generator))
    meant = recipe.bptt / 2 if is_short < _SHORT_CHANCE else recipe.bptt
    return max(_SHORTEST, min(recipe.bptt + _LONGER, int(meant + _DEVIATION * deviation)))


def masks_of(network: LanguageNetwork, recipe: ReadingConfig, *, seed: int) -> Masks:
    """The dropout of one stretch."""
    return draw_masks(
        network,
        recipe.batch_size,
        words=recipe.drop_words,
        inputs=recipe.drop_inputs,
        nodes=recipe.drop_nodes,
        outputs=recipe.drop_outputs,
        generator=torch.Generator().manual_seed(seed),
    )


def penalties(outputs: Tensor, mask: Tensor | None, recipe: ReadingConfig) -> Tensor:
    """On large outputs, after dropout, and on fast changes, before it (Merity et al. 2018). outputs: [T, B, H]."""
    penalty = outputs.new_zeros(())
    if recipe.activation_penalty:
        kept = outputs if mask is None else outputs * mask
        penalty = penalty + recipe.activation_penalty * kept.square().mean()
    if recipe.slowness_penalty and len(outputs) > 1:
        penalty = penalty + recipe.slowness_penalty * (outputs[1:] - outputs[:-1]).square().mean()
    return penalty


def averages_in(epoch: int, losses: tuple[float, ...], recipe: LanguageRecipeConfig) -> bool:
    """Whether the weights of this epoch, counted from 1, are the first to be averaged.

    losses: on the validation part, after each epoch before. Stalled means: the last is no better than the best of all
    but the last `averaging_patience` (non-monotonically triggered averaging, Merity et al. 2018).
    """
    if recipe.averaging == "from_epoch":
        return epoch >= recipe.averaging_from
    before = losses[: -recipe.averaging_patience]
    return recipe.averaging == "when_stalled" and bool(before) and losses[-1] > min(before)
