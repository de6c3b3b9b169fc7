"""Weights that all architectures of a space share, behind one interface: on images and on text."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from search_engine.architectures.reading import Architecture


@dataclass(frozen=True, slots=True)
class TrainedMinibatch:
    """What a training minibatch brought.

    number: in its epoch, from 0. loss: mean in nats over its images or words, without decay and auxiliary part; None
    where it, or the gradient, was not finite: then the weights are ruined and whoever drives stops with "diverged".
    guessed_right: part of its images whose class was named, in [0, 1]; None on text.
    """

    number: int
    loss: float | None
    guessed_right: float | None
    learning_rate: float


@dataclass(frozen=True, slots=True)
class Score:
    """What the shared weights give an architecture on one validation minibatch.

    reward: what the strategy is told: the accuracy, or scale / perplexity. accuracy: in [0, 1], None on text.
    nats: mean per word, so that perplexity is e^nats; None on images, and where it is not finite (the reward is 0).
    """

    reward: float
    accuracy: float | None
    nats: float | None


class SharedWeights(ABC):
    """Weights that all architectures of a space share, with their optimizer and data (ENAS, section 2.2).

    A step computes the sampled path alone. Everything random is drawn from (seed, purpose, epoch, minibatch), so that
    an epoch can be left at any minibatch and gone on with to the bit.
    """

    @abstractmethod
    def minibatches(self, epoch: int) -> int:
        """How many there are in a shared epoch; epochs count from 0."""

    @abstractmethod
    def train(self, epoch: int, first: int, architectures: Sequence[Architecture]) -> Iterator[TrainedMinibatch]:
        """Train minibatches first, first + 1, ... to the epoch's end.

        architectures: of all minibatches of the epoch; minibatch n is trained under architectures[n]. At every yield
        `tensors` is a checkpoint.
        """

    @abstractmethod
    def score(self, architecture: Architecture, minibatch: int) -> Score:
        """Look at a validation minibatch, with no gradient and without changing anything.

        minibatch: any whole number from 0; the validation part is gone through again and again, in an order that the
        seed reshuffles at each pass.
        """

    @abstractmethod
    def tensors(self) -> dict[str, Tensor]:
        """Everything that the next minibatch depends on: weights, moments of what was ever used, carried state."""

    @abstractmethod
    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Go on from what `tensors` gave. Raises CheckpointError when it belongs to other weights."""

    @property
    @abstractmethod
    def progress(self) -> int:
        """Grows with every minibatch trained or scored: that it stands still means that the process hangs."""
