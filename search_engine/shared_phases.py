"""Where a half of a step stands: sums that go on to the bit, and the event that they end as."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from search_engine.events import ArchitectureScored
from search_engine.strategies.base import Proposal, Update
from search_engine.training.shared_weights import Score, TrainedMinibatch

STRETCHES = 40  # Points of a phase's curve at most.


@dataclass(frozen=True, slots=True)
class EpochPosition:
    """How far a shared epoch is. loss, guessed_right: sums over the minibatches so far; seconds: of computing."""

    minibatches: int = 0
    loss: float = 0.0
    guessed_right: float | None = None
    learning_rate: float = 0.0
    seconds: float = 0.0

    def after(self, trained: TrainedMinibatch, seconds: float) -> "EpochPosition":
        """The position behind a minibatch whose loss is finite."""
        assert trained.loss is not None
        return EpochPosition(
            minibatches=self.minibatches + 1,
            loss=self.loss + trained.loss,
            guessed_right=_plus(self.guessed_right, trained.guessed_right),
            learning_rate=trained.learning_rate,
            seconds=self.seconds + seconds,
        )

    def to_json(self) -> dict[str, Any]:
        """`EpochPosition(**value)` reads it back."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class PhasePosition:
    """How far a controller phase is.

    curve: (sum of rewards, how many) by stretch. loss, divergence: sums over the rounds; accuracy, nats: over the
    scores, nats None from the first score without a finite one. best: the best score so far, as JSON.
    """

    rounds: int = 0
    curve: tuple[tuple[float, int], ...] = ()
    baseline: float | None = None
    loss: float | None = None
    divergence: float | None = None
    accuracy: float | None = None
    nats: float | None = 0.0
    best: dict[str, Any] | None = None
    seconds: float = 0.0

    def after(
        self, proposals: tuple[Proposal, ...], scores: list[Score], update: Update, *, rounds: int, seconds: float
    ) -> "PhasePosition":
        """The position behind a round. rounds: of the whole phase."""
        return PhasePosition(
            rounds=self.rounds + 1,
            curve=self._longer_curve(scores, rounds),
            baseline=update.baseline,
            loss=_plus(self.loss, update.loss),
            divergence=_plus(self.divergence, update.divergence),
            accuracy=_summed(self.accuracy, [score.accuracy for score in scores]),
            nats=None if self.nats is None or any(score.nats is None for score in scores) else
            self.nats + math.fsum(score.nats for score in scores if score.nats is not None),
            best=self._better(proposals, scores),
            seconds=self.seconds + seconds,
        )  # fmt: skip

    @property
    def scores(self) -> int:
        return sum(count for _, count in self.curve)

    @property
    def mean_reward(self) -> float:
        return math.fsum(total for total, _ in self.curve) / self.scores

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> "PhasePosition":
        return cls(**value | {"curve": tuple((total, count) for total, count in value["curve"])})

    def _longer_curve(self, scores: list[Score], rounds: int) -> tuple[tuple[float, int], ...]:
        stretch = self.rounds * min(STRETCHES, rounds) // rounds
        total, count = self.curve[stretch] if stretch < len(self.curve) else (0.0, 0)
        total += math.fsum(score.reward for score in scores)
        return (*self.curve[:stretch], (total, count + len(scores)))

    def _better(self, proposals: tuple[Proposal, ...], scores: list[Score]) -> dict[str, Any] | None:
        """The better of the best so far and the best of a round; the first among equals."""
        best = self.best
        for proposal, score in zip(proposals, scores, strict=True):
            if best is None or score.reward > best["reward"]:
                best = scored(proposal, score).model_dump(mode="json")
        return best


def scored(proposal: Proposal, score: Score) -> ArchitectureScored:
    """The form in which events show an architecture with its score."""
    architecture = proposal.architecture
    return ArchitectureScored(architecture=architecture.to_json(), hash=architecture.hash, reward=score.reward)


def perplexity_of_nats(nats: float | None) -> float | None:
    """e to the mean nats of a word; None where that is no number of 64 bits. There is no cap."""
    if nats is None:
        return None
    try:
        return math.exp(nats)
    except OverflowError:
        return None


def _plus(before: float | None, more: float | None) -> float | None:
    return before if more is None else (before or 0.0) + more


def _summed(before: float | None, more: list[float | None]) -> float | None:
    found = [each for each in more if each is not None]
    return before if not found else (before or 0.0) + math.fsum(found)
