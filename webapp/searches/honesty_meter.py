"""The honesty meter: what the scores of shared weights say about networks that are trained from scratch.

On request some candidates of different score are trained, short and alike, and the order by score is compared with the
order by held-out accuracy or validation perplexity. The test part plays no role here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from search_engine import rank_correlation
from search_engine.config.enas_search import EnasRecurrentSearchConfig
from search_engine.config.searches import read_enas_config
from search_engine.rank_correlation import RankCorrelation
from webapp.searches.meter_trainings import (
    FEWEST,
    candidates_of,
    epochs_in_words,
    impossible,
    score_of,
    trainings_of,
)
from webapp.searches.models import Child, Event, Search, Stream, Training

SHORT_EPOCHS = 10  # Of the recipe that is offered, where the search's own is longer.

SPREAD = (
    "The networks were picked so that their scores are spread from the lowest to the highest; that makes a correlation "
    "larger than among networks picked at random."
)
SHORT = (
    "Each was trained once, {epochs}. Two trainings of one network do not agree exactly either, so even perfect scores "
    "would not reach 1; and a longer training may give another order."
)
NEVER_TESTED = {
    "accuracy": "The accuracy is that of the held-out images; test images play no role here.",
    "perplexity": "The perplexity is that of the validation part, lower is better; the test part plays no role here.",
}
LEFT_OUT = "Left out are those that were not trained to their end: {count}. If they were bad networks, that hides it."

Measured = Literal["accuracy", "perplexity"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A candidate and its training from scratch. held_out: accuracy or perplexity once finished, else None."""

    child: Child
    training: Training
    epoch: int
    epochs: int
    held_out: float | None

    @property
    def is_open(self) -> bool:
        return self.training.is_open

    @property
    def is_lost(self) -> bool:
        """It has ended without a figure."""
        return not self.is_open and self.held_out is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Meter:
    """candidates: how many different ones have a score. epochs: of the networks that are there, or that is offered.

    points: lowest score first. found: None before FEWEST networks are trained. waiting: what is missing, or "".
    """

    candidates: int
    measured: Measured
    epochs: int
    points: tuple[Point, ...]
    found: RankCorrelation | None
    sentences: tuple[str, ...]
    waiting: str

    @property
    def is_open(self) -> bool:
        return any(point.is_open for point in self.points)


def meter_of(search: Search) -> Meter:
    """How far it is. The search must be one with shared weights."""
    config = read_enas_config(search.config)
    candidates = candidates_of(search)
    trainings = trainings_of(search)
    points = _points(candidates, trainings)
    measured: Measured = "perplexity" if isinstance(config, EnasRecurrentSearchConfig) else "accuracy"
    done = [point for point in points if point.held_out is not None]
    found = _correlation(done, measured) if len(done) >= FEWEST else None
    epochs = trainings[-1].config["recipe"]["epochs"] if trainings else min(config.derived_recipe.epochs, SHORT_EPOCHS)
    return Meter(
        candidates=len(candidates),
        measured=measured,
        epochs=epochs,
        points=points,
        found=found,
        sentences=_sentences(found, measured, epochs, [point for point in points if point.is_lost]),
        waiting=impossible(search, len(candidates)) or _waiting(points),
    )


def held_out(training: Training) -> float | None:
    """The figure that networks are chosen by, of images or of a text; None before the end."""
    return training.held_out_accuracy if training.held_out_perplexity is None else training.held_out_perplexity


def _points(candidates: Sequence[Child], trainings: Sequence[Training]) -> tuple[Point, ...]:
    """The latest training of each candidate that has one."""
    latest = {training.hash: training for training in trainings}
    pairs = [(child, latest[child.hash]) for child in candidates if child.hash in latest]
    pairs.sort(key=lambda pair: (score_of(pair[0]), pair[0].slot))
    return tuple(_point(child, training) for child, training in pairs)


def _point(child: Child, training: Training) -> Point:
    epochs = training.config["recipe"]["epochs"]
    is_finished = training.state == Stream.State.FINISHED
    return Point(
        child=child,
        training=training,
        epoch=epochs if is_finished else _epochs_done(training),
        epochs=epochs,
        held_out=held_out(training) if is_finished else None,
    )


def _epochs_done(training: Training) -> int:
    last = Event.objects.filter(stream_id=training.pk, kind="epoch_ended").order_by("-number").first()
    return 0 if last is None else int(last.payload["epoch"])


def _correlation(done: Sequence[Point], measured: Measured) -> RankCorrelation:
    """More is better on both sides: a perplexity is turned round."""
    sign = -1.0 if measured == "perplexity" else 1.0
    figures = [sign * point.held_out for point in done if point.held_out is not None]
    return rank_correlation.rank_correlation([score_of(point.child) for point in done], figures)


def _sentences(
    found: RankCorrelation | None, measured: Measured, epochs: int, lost: Sequence[Point]
) -> tuple[str, ...]:  # fmt: skip
    said = () if found is None else (rank_correlation.sentence(found, measured=measured),)
    left_out = (LEFT_OUT.format(count=len(lost)),) if found is not None and lost else ()
    return (*said, *left_out, SPREAD, SHORT.format(epochs=f"for {epochs_in_words(epochs)}"), NEVER_TESTED[measured])


def _waiting(points: Sequence[Point]) -> str:
    if not points:
        return ""
    done = sum(point.held_out is not None for point in points)
    if any(point.is_open for point in points):
        first = f" The correlation is worked out from {FEWEST} on." if done < FEWEST else " So far: it still moves."
        return f"{done} of {len(points)} networks are trained.{first}"
    if done < FEWEST:
        return f"Only {done} of {len(points)} networks were trained to their end; an order takes at least {FEWEST}."
    return ""
