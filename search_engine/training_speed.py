"""How long training steps take on a device, told from sums over a network's plan."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from search_engine import cost
from search_engine.network_plan import NetworkPlan


@dataclass(frozen=True, slots=True)
class Work:
    """What a network makes a device do. layers: calls of a forward pass. mult_adds, bytes: of one image; bytes are
    those that training keeps for the backward pass, and stand for all that is moved through memory.
    """

    layers: float
    mult_adds: float
    bytes: float


class TrainingSpeed(NamedTuple):
    """Seconds of a training step, backward pass and optimizer in it: for each layer, and for each mult-add and each
    kept byte of each image of the batch.

    Small networks wait for calls, narrow ones for memory, wide ones for arithmetic: with one figure for all three,
    networks of four filters took four times as long as told, and networks of thirteen narrow cells twice as long.
    """

    layer: float
    mult_add: float
    byte: float

    def seconds(self, work: Work, *, images: float, batch_size: int) -> float:
        """Of training on so many images; fractions of a batch count as fractions of a step."""
        an_image = self.layer * work.layers / batch_size + self.mult_add * work.mult_adds + self.byte * work.bytes
        return images * an_image


@dataclass(frozen=True, slots=True)
class Measured:
    """A network whose training step, with so many images, took so many seconds."""

    work: Work
    batch_size: int
    seconds: float


def work_of(plan: NetworkPlan) -> Work:
    return Work(len(plan.layers), cost.mult_adds(plan), cost.activation_bytes(plan, 1))


def mean_work(works: Sequence[Work]) -> Work:
    """As time is linear in work, the mean of the times is the time of this."""
    sums = (sum(getattr(work, name) for work in works) for name in ("layers", "mult_adds", "bytes"))
    return Work(*(each / len(works) for each in sums))


def fitted(measured: Sequence[Measured]) -> TrainingSpeed:
    """The speed that tells these times with the least relative errors, squared, and says of nothing that it takes less
    than no time.

    measured: at least one. Of all choices of which figures are above 0 the best one: what nonnegative least squares
    finds (Lawson and Hanson 1974, chapter 23), tried out, as there are seven choices.
    """
    rows = np.array([_terms(each) for each in measured]) / np.array([[each.seconds] for each in measured])
    best, least = TrainingSpeed(0.0, 0.0, 0.0), float("inf")
    for chosen in (list(each) for count in (3, 2, 1) for each in itertools.combinations(range(3), count)):
        figures = np.zeros(3)
        figures[chosen] = np.linalg.lstsq(rows[:, chosen], np.ones(len(measured)), rcond=None)[0]
        error = float(((rows @ figures - 1.0) ** 2).sum())
        if (figures >= 0).all() and error < least:
            best, least = TrainingSpeed(*map(float, figures)), error
    return best


def _terms(one: Measured) -> tuple[float, float, float]:
    return one.work.layers, one.batch_size * one.work.mult_adds, one.batch_size * one.work.bytes
