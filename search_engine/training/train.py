"""The training of one network: a generator of epochs that can be left after any of them and gone on with to the bit."""

import math
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from search_engine.config.recipe import RecipeConfig
from search_engine.data.batches import Part
from search_engine.errors import CheckpointError
from search_engine.networks.plan_network import PlanNetwork
from search_engine.seeds import derive
from search_engine.training.recipe import build_optimizer, learning_rate_at
from search_engine.training.scoring import accuracy, reestimate_statistics

DIVERGED = "diverged"
OUT_OF_MEMORY = "out of memory"
AUXILIARY_WEIGHT = 0.4  # Of the auxiliary head's loss: NASNet, A.7 and the released code.

T = TypeVar("T")
_MOMENTUM = "momentum/"  # Prefix of the momentum buffers in a checkpoint.
_MEMORY_WORDS = ("out of memory", "not enough memory", "can't allocate memory", "could not create a memory")


@dataclass(frozen=True, slots=True)
class Seeds:
    """Where the randomness of one training comes from: the seed of the search or training, and the place in it."""

    seed: int
    place: tuple[int, ...] = ()

    def of(self, purpose: str, *more: int) -> int:
        return derive(self.seed, purpose, *self.place, *more)


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """What an epoch brought.

    epoch: counted from 1. loss: mean over the epoch's batches, in nats, without decay. accuracy: on the held-out part,
    None where it was not measured. learning_rate: of the last step. seconds: of this epoch, with its scoring.
    """

    epoch: int
    loss: float
    accuracy: float | None
    learning_rate: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a training is. accuracy: as last measured on the held-out part; seconds: of all epochs together."""

    epochs_done: int = 0
    accuracy: float | None = None
    seconds: float = 0.0

    def to_json(self) -> dict[str, Any]:
        """`Progress(**value)` reads it back."""
        return asdict(self)


class Trainee:
    """A network with the momentum of its optimizer and what it has behind it."""

    def __init__(self, network: PlanNetwork, recipe: RecipeConfig) -> None:
        self.network = network
        self.recipe = recipe
        self.parameters = list(network.parameters())
        self.optimizer = build_optimizer(network, recipe)
        self.progress = Progress()

    def tensors(self) -> dict[str, Tensor]:
        """Everything that the next epoch depends on, by name: weights, statistics, momentum."""
        momenta = {
            _MOMENTUM + name: self.optimizer.state[parameter]["momentum_buffer"]
            for name, parameter in self.network.named_parameters()
            if self.optimizer.state[parameter].get("momentum_buffer") is not None
        }
        return self.network.state_dict() | momenta

    def restore(self, tensors: Mapping[str, Tensor], progress: Progress) -> None:
        """Go on from what `tensors` gave. Raises CheckpointError when it belongs to another network."""
        weights = {name: tensor for name, tensor in tensors.items() if not name.startswith(_MOMENTUM)}
        try:
            self.network.load_state_dict(weights)
        except RuntimeError as error:
            raise CheckpointError("", "the weights belong to another network.") from error
        for name, parameter in self.network.named_parameters():
            if (momentum := tensors.get(_MOMENTUM + name)) is not None:
                buffer = torch.empty_like(parameter).copy_(momentum)  # In the memory order of the weight.
                self.optimizer.state[parameter]["momentum_buffer"] = buffer.detach()
        self.progress = progress


def train(
    trainee: Trainee, train_part: Part, held_out: Part, *, seeds: Seeds, score_every_epoch: bool
) -> Generator[EpochRecord, None, str | None]:
    """Train to the last epoch of the recipe, yielding a record after each, and return why it failed, or None.

    Failures that are to be expected are values: DIVERGED (loss or gradient not finite), OUT_OF_MEMORY. The held-out
    part is scored after the last epoch, or after each. At every yield `trainee.tensors()` is a checkpoint.
    """
    while (epochs_done := trainee.progress.epochs_done) < trainee.recipe.epochs:
        is_scored = score_every_epoch or epochs_done + 1 == trainee.recipe.epochs
        record = unless_out_of_memory(
            lambda is_scored=is_scored: _one_epoch(trainee, train_part, held_out, seeds, is_scored)  # type: ignore[misc]
        )
        if isinstance(record, str):
            return record
        trainee.progress = Progress(record.epoch, record.accuracy, trainee.progress.seconds + record.seconds)
        yield record
    return None


def unless_out_of_memory(compute: Callable[[], T]) -> T | str:
    """What `compute` returns, or OUT_OF_MEMORY when memory did not suffice. Other errors are bugs and pass."""
    try:
        return compute()
    except (RuntimeError, MemoryError) as error:
        text = str(error).lower()
        if isinstance(error, torch.OutOfMemoryError | MemoryError) or any(word in text for word in _MEMORY_WORDS):
            return OUT_OF_MEMORY
        raise


def _one_epoch(trainee: Trainee, train_part: Part, held_out: Part, seeds: Seeds, is_scored: bool) -> EpochRecord | str:
    """Train for one epoch and, if wanted, score the held-out part. Returns DIVERGED where a number is not finite."""
    started = time.monotonic()
    loss, learning_rate = _train_one_epoch(trainee, train_part, seeds)
    if not math.isfinite(loss):
        return DIVERGED
    scored = _score(trainee, train_part, held_out, seeds) if is_scored else None
    return EpochRecord(trainee.progress.epochs_done + 1, loss, scored, learning_rate, time.monotonic() - started)


def _train_one_epoch(trainee: Trainee, part: Part, seeds: Seeds) -> tuple[float, float]:
    """One pass over the part: (mean loss, last learning rate). The loss is not finite if a gradient was not."""
    recipe, epoch = trainee.recipe, trainee.progress.epochs_done
    batches = -(-len(part) // recipe.batch_size)
    total = torch.zeros((), device=part.images.device)  # Read once an epoch: asking every step would wait for it.
    learning_rate = 0.0
    trainee.network.train()
    shuffled = part.shuffled(
        recipe.batch_size,
        order_seed=seeds.of("order", epoch),
        augment_seed=seeds.of("augment", epoch) if recipe.augment else None,
    )
    for number, (images, labels) in enumerate(shuffled):
        learning_rate = learning_rate_at(epoch * batches + number, recipe.epochs * batches, recipe)
        for group in trainee.optimizer.param_groups:
            group["lr"] = learning_rate
        total += training_step(trainee, images, labels)
    return float(total) / batches, learning_rate


def training_step(trainee: Trainee, images: Tensor, labels: Tensor) -> Tensor:
    """Forward, backward, clip, step; returns the loss without reading it, NaN where the gradient was not finite."""
    loss = _loss(trainee.network, images, labels)
    loss.backward()  # type: ignore[no-untyped-call]
    norm = nn.utils.clip_grad_norm_(trainee.parameters, trainee.recipe.gradient_clip, foreach=True)
    trainee.optimizer.step()
    for parameter in trainee.parameters:
        parameter.grad = None
    return loss.detach() + 0.0 * norm  # A gradient that is not finite ruins the weights, whatever the loss still is.


def _loss(network: PlanNetwork, images: Tensor, labels: Tensor) -> Tensor:
    logits, auxiliary = network.both_logits(images)
    loss = nn.functional.cross_entropy(logits, labels)
    if auxiliary is not None:
        loss = loss + AUXILIARY_WEIGHT * nn.functional.cross_entropy(auxiliary, labels)
    return loss


def _score(trainee: Trainee, train_part: Part, held_out: Part, seeds: Seeds) -> float:
    recipe = trainee.recipe
    if recipe.reestimate_batches:
        reestimate_statistics(
            trainee.network,
            train_part,
            batches=recipe.reestimate_batches,
            batch_size=recipe.batch_size,
            order_seed=seeds.of("reestimate", trainee.progress.epochs_done),
        )
    return accuracy(trainee.network, held_out)
