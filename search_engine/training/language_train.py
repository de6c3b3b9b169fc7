"""The training of a recurrent network on text: a generator of epochs, to be left and gone on with to the bit.

A network begins each epoch with an empty state, so between epochs there is nothing but weights.
Letters: T time steps, B streams, H hidden units.
"""

import copy
import math
import time
from collections.abc import Generator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from search_engine.config.language import LanguageRecipeConfig
from search_engine.data.token_streams import IGNORED, TokenPart
from search_engine.errors import CheckpointError
from search_engine.networks.recurrent_network import RecurrentNetwork
from search_engine.seeds import Seeds
from search_engine.training.language_recipe import (
    averages_in,
    learning_rate_in,
    lengths_of_stretches,
    masks_of,
    penalties,
)
from search_engine.training.train import DIVERGED, unless_out_of_memory

_AVERAGE = "average/"  # Prefix of averaged weights in a checkpoint.
_SCORED_AT_ONCE = 4096  # Words guessed at once while scoring: bounds the memory of the softmax.


@dataclass(frozen=True, slots=True)
class LanguageEpoch:
    """What an epoch brought.

    epoch: counted from 1. loss: mean over the words read, in nats, without penalties. perplexity: on the validation
    part. learning_rate: of the epoch, for a stretch of the usual length. seconds: of this epoch, with its scoring.
    """

    epoch: int
    loss: float
    perplexity: float
    learning_rate: float
    seconds: float


@dataclass(frozen=True, slots=True)
class LanguageProgress:
    """How far a training is. losses: on the validation part after each epoch, in nats; averaged: steps in the mean."""

    losses: tuple[float, ...] = ()
    averaged: int = 0
    seconds: float = 0.0

    @property
    def epochs_done(self) -> int:
        return len(self.losses)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> "LanguageProgress":
        return cls(tuple(value["losses"]), value["averaged"], value["seconds"])


class LanguageTrainee:
    """A network, the mean of its weights once averaging has begun, and what it has behind it."""

    def __init__(self, network: RecurrentNetwork, recipe: LanguageRecipeConfig) -> None:
        self.network = network
        self.recipe = recipe
        self.parameters = list(network.parameters())
        self.optimizer = torch.optim.SGD(
            self.parameters, lr=recipe.learning_rate, weight_decay=recipe.weight_decay, fused=True
        )
        self.average: RecurrentNetwork | None = None
        self.averaged = 0
        self.progress = LanguageProgress()

    @property
    def scored(self) -> RecurrentNetwork:
        """The network that counts: with averaged weights once there are some."""
        return self.network if self.average is None else self.average

    def begin_average(self) -> None:
        self.average = copy.deepcopy(self.network)
        self.averaged = 0

    @torch.no_grad()
    def add_to_average(self) -> None:
        """The mean over all steps since averaging began (Polyak and Juditsky 1992)."""
        if self.average is not None:
            self.averaged += 1
            for mean, parameter in zip(self.average.parameters(), self.parameters, strict=True):
                mean.lerp_(parameter, 1 / self.averaged)

    def tensors(self) -> dict[str, Tensor]:
        """Everything that the next epoch depends on, by name."""
        averages = {} if self.average is None else self.average.state_dict()
        return self.network.state_dict() | {_AVERAGE + name: tensor for name, tensor in averages.items()}

    def restore(self, tensors: Mapping[str, Tensor], progress: LanguageProgress) -> None:
        """Go on from what `tensors` gave. Raises CheckpointError when it belongs to another network."""
        try:
            averages = {n.removeprefix(_AVERAGE): tensor for n, tensor in tensors.items() if n.startswith(_AVERAGE)}
            self.network.load_state_dict({n: tensor for n, tensor in tensors.items() if not n.startswith(_AVERAGE)})
            if averages:
                self.begin_average()
                assert self.average is not None
                self.average.load_state_dict(averages)
        except RuntimeError as error:
            raise CheckpointError("", "the weights belong to another network.") from error
        self.averaged, self.progress = progress.averaged, progress


def train_on_text(
    trainee: LanguageTrainee, train_part: TokenPart, valid_part: TokenPart, *, seeds: Seeds
) -> Generator[LanguageEpoch, None, str | None]:
    """Train to the last epoch, yielding a record after each, and return why it failed, or None.

    Failures that are to be expected are values: DIVERGED (a loss, gradient or perplexity is not finite),
    OUT_OF_MEMORY. At every yield `trainee.tensors()` is a checkpoint.
    """
    while trainee.progress.epochs_done < trainee.recipe.epochs:
        record = unless_out_of_memory(lambda: _one_epoch(trainee, train_part, valid_part, seeds))
        if isinstance(record, str):
            return record
        yield record
    return None


def _one_epoch(
    trainee: LanguageTrainee, train_part: TokenPart, valid_part: TokenPart, seeds: Seeds
) -> LanguageEpoch | str:
    started = time.monotonic()
    recipe, progress = trainee.recipe, trainee.progress
    epoch = progress.epochs_done + 1
    if trainee.average is None and averages_in(epoch, progress.losses, recipe):
        trainee.begin_average()
    loss = _read_once(trainee, train_part, epoch, seeds)
    if not math.isfinite(loss):
        return DIVERGED
    nats = nats_per_token(trainee.scored, valid_part, recipe.scoring_batch)
    perplexity = perplexity_of(nats)
    if not math.isfinite(perplexity):
        return DIVERGED
    seconds = time.monotonic() - started
    trainee.progress = LanguageProgress((*progress.losses, nats), trainee.averaged, progress.seconds + seconds)
    return LanguageEpoch(epoch, loss, perplexity, learning_rate_in(epoch, recipe), seconds)


def _read_once(trainee: LanguageTrainee, part: TokenPart, epoch: int, seeds: Seeds) -> float:
    """Read the part once, stretch by stretch; the mean loss of a word, not finite if a gradient was not."""
    recipe, network = trainee.recipe, trainee.network
    steps = part.steps(recipe.batch_size)
    lengths = lengths_of_stretches(steps, recipe, seed=seeds.of("lengths", epoch))
    state = network.first_state(recipe.batch_size)
    total = torch.zeros((), device=state.device)  # Read once an epoch: asking every step would wait for it.
    for number, (words, targets) in enumerate(part.stretches(recipe.batch_size, lengths)):
        share = len(words) / recipe.bptt if recipe.random_length else 1.0
        trainee.optimizer.param_groups[0]["lr"] = learning_rate_in(epoch, recipe) * share
        loss, state = _step(trainee, words, targets, state, seeds.of("masks", epoch, number))
        total += loss * len(words)
    return float(total) / steps


def _step(
    trainee: LanguageTrainee, words: Tensor, targets: Tensor, state: Tensor, mask_seed: int
) -> tuple[Tensor, Tensor]:
    """One stretch [T, B]: forward, backward, clip, step.

    Returns the loss in nats a word, NaN where the gradient was not finite, and the state after the stretch, through
    which no gradient flows back.
    """
    network, recipe = trainee.network, trainee.recipe
    masks = masks_of(network, recipe, seed=mask_seed)
    outputs, after = network(words, state, masks)
    loss = nn.functional.cross_entropy(network.logits(outputs, masks).flatten(0, 1), targets.flatten())
    (loss + penalties(outputs, masks.outputs, recipe)).backward()  # type: ignore[no-untyped-call]  # PyTorch's.
    norm = nn.utils.clip_grad_norm_(trainee.parameters, recipe.gradient_clip, foreach=True)
    trainee.optimizer.step()
    trainee.optimizer.zero_grad(set_to_none=True)
    trainee.add_to_average()
    return loss.detach() + 0.0 * norm, after.detach()


@torch.no_grad()
def nats_per_token(network: RecurrentNetwork, part: TokenPart, streams: int) -> float:
    """The mean loss of every token of a part but the first, in nats; the state is carried through each stream.

    No loss is cut off, however large: ENAS' first figures came from a test that capped each at 10 nats.
    """
    streams = min(streams, len(part) - 1)
    state = network.first_state(streams)
    total = torch.zeros((), dtype=torch.float64, device=state.device)
    for words, targets in part.scored(streams, max(1, _SCORED_AT_ONCE // streams)):
        outputs, state = network(words, state)
        logits = network.logits(outputs).flatten(0, 1)
        total += nn.functional.cross_entropy(logits, targets.flatten(), reduction="sum", ignore_index=IGNORED)
    return float(total) / (len(part) - 1)


def perplexity_of(nats: float) -> float:
    """e to the mean loss; infinite where that is no number any more."""
    return math.exp(nats) if nats < 709 else math.inf
