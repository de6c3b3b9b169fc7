"""The training of one network: a generator of epochs that can be left after any of them and gone on with to the bit."""

import math
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from search_engine.config.recipe import RecipeConfig
from search_engine.data.parts import Batch, Part
from search_engine.errors import CheckpointError
from search_engine.networks.plan_network import Dropped, PlanNetwork
from search_engine.seeds import Seeds
from search_engine.training.drop_path import Dropping
from search_engine.training.recipe import build_optimizer, learning_rate_at
from search_engine.training.scoring import accuracy, reestimate_statistics
from search_engine.training.weight_average import WeightAverage

DIVERGED = "diverged"
OUT_OF_MEMORY = "out of memory"

T = TypeVar("T")
# Prefixes of names in a checkpoint: of the optimizer's tensors, by PyTorch's name for them, and of averaged weights.
_OPTIMIZER = {"momentum_buffer": "momentum/", "mean_square": "mean_square/"}
_AVERAGE = "average/"
_MEMORY_WORDS = ("out of memory", "not enough memory", "can't allocate memory", "could not create a memory")


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """What an epoch brought.

    epoch: counted from 1. loss: mean over the epoch's batches, in nats, without decay, as the recipe trains: with
    smoothed labels and the auxiliary head's part. accuracy: on the held-out part,
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
    """A network with the state of its optimizer, the average of its weights, and what it has behind it."""

    def __init__(self, network: PlanNetwork, recipe: RecipeConfig) -> None:
        self.network = network
        self.recipe = recipe
        self.parameters = list(network.parameters())
        self.optimizer = build_optimizer(network, recipe)
        self.dropping = Dropping(network.plan, recipe)
        self.average = WeightAverage(network, recipe.weight_average) if recipe.weight_average else None
        self.progress = Progress()

    def as_scored(self) -> AbstractContextManager[None]:
        """Within, the network has the weights that are scored and kept: the averages, where the recipe wants them."""
        return nullcontext() if self.average is None else self.average.in_place()

    def trained_network(self) -> dict[str, Tensor]:
        """The network as it is used after training, by the names of its plan: without the auxiliary head."""
        used = self.network.plan.without_auxiliary()
        with self.as_scored():
            state = self.network.state_dict()
        return {name: state[name] for name in state if name in used.parameter_shapes() | used.buffer_shapes()}

    def tensors(self) -> dict[str, Tensor]:
        """Everything that the next epoch depends on, by name: weights, statistics, the optimizer's state, averages."""
        optimizer = {
            prefix + name: self.optimizer.state[parameter][key]
            for name, parameter in self.network.named_parameters()
            for key, prefix in _OPTIMIZER.items()
            if self.optimizer.state[parameter].get(key) is not None
        }
        averages = {} if self.average is None else self.average.tensors()
        return self.network.state_dict() | optimizer | {_AVERAGE + name: each for name, each in averages.items()}

    def restore(self, tensors: Mapping[str, Tensor], progress: Progress) -> None:
        """Go on from what `tensors` gave. Raises CheckpointError when it belongs to another network."""
        prefixes = (*_OPTIMIZER.values(), _AVERAGE)
        weights = {name: tensor for name, tensor in tensors.items() if not name.startswith(prefixes)}
        try:
            self.network.load_state_dict(weights)
            if self.average is not None:
                self.average.restore(_without_prefix(tensors, _AVERAGE))
        except (RuntimeError, KeyError) as error:
            raise CheckpointError("", "the weights belong to another network.") from error
        for key, prefix in _OPTIMIZER.items():
            saved = _without_prefix(tensors, prefix)
            for name, parameter in self.network.named_parameters():
                if name in saved:
                    state = torch.empty_like(parameter).copy_(saved[name])  # In the memory order of the weight.
                    self.optimizer.state[parameter][key] = state.detach()
        self.progress = progress


def _without_prefix(tensors: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


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
    steps = recipe.epochs * batches
    total = torch.zeros((), device=part.device)  # Read once an epoch: asking every step would wait for it.
    learning_rate = 0.0
    trainee.network.train()
    for number, (images, labels) in enumerate(_batches_of_epoch(part, recipe, epoch, seeds)):
        step = epoch * batches + number
        learning_rate = learning_rate_at(step, steps, recipe)
        for group in trainee.optimizer.param_groups:
            group["lr"] = learning_rate
        dropped = trainee.dropping.draw(
            seeds, epoch, number, done=step / steps, images=len(images), device=images.device
        )
        total += training_step(trainee, images, labels, dropped)
        if trainee.average is not None:
            trainee.average.update(step + 1)
    return float(total) / batches, learning_rate


def _batches_of_epoch(part: Part, recipe: RecipeConfig, epoch: int, seeds: Seeds) -> Iterator[Batch]:
    return part.shuffled(
        recipe.batch_size,
        order_seed=seeds.of("order", epoch),
        augment_seed=seeds.of("augment", epoch) if recipe.augment else None,
        cutout=recipe.cutout,
        cutout_seed=seeds.of("cutout", epoch),
    )


def training_step(trainee: Trainee, images: Tensor, labels: Tensor, dropped: Dropped | None = None) -> Tensor:
    """Forward, backward, clip, step; returns the loss without reading it, NaN where the gradient was not finite."""
    loss = _loss(trainee, images, labels, dropped)
    loss.backward()  # type: ignore[no-untyped-call]  # PyTorch's.
    norm = nn.utils.clip_grad_norm_(trainee.parameters, trainee.recipe.gradient_clip, foreach=True)
    trainee.optimizer.step()
    for parameter in trainee.parameters:
        parameter.grad = None
    return loss.detach() + 0.0 * norm  # A gradient that is not finite ruins the weights, whatever the loss still is.


def _loss(trainee: Trainee, images: Tensor, labels: Tensor, dropped: Dropped | None) -> Tensor:
    """Cross-entropy in nats at 32 bits, with the recipe's part of the auxiliary head's."""
    recipe = trainee.recipe
    with torch.autocast(images.device.type, torch.bfloat16, enabled=recipe.precision == "bfloat16"):
        logits, auxiliary = trainee.network.both_logits(images, dropped)

    def cross_entropy(logits: Tensor) -> Tensor:
        return nn.functional.cross_entropy(logits.float(), labels, label_smoothing=recipe.label_smoothing)

    loss = cross_entropy(logits)
    return loss if auxiliary is None else loss + recipe.auxiliary_weight * cross_entropy(auxiliary)


def _score(trainee: Trainee, train_part: Part, held_out: Part, seeds: Seeds) -> float:
    recipe = trainee.recipe
    with trainee.as_scored():
        if recipe.reestimate_batches:
            reestimate_statistics(
                trainee.network,
                train_part,
                batches=recipe.reestimate_batches,
                batch_size=recipe.batch_size,
                order_seed=seeds.of("reestimate", trainee.progress.epochs_done),
            )
        return accuracy(trainee.network, held_out)
