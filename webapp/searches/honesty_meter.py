"""The honesty meter: what the scores of shared weights say about networks that are trained from scratch.

On request some candidates of different score are trained, short and alike, and the order by score is compared with the
order by held-out accuracy or validation perplexity. The test part plays no role here.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

from django.db import transaction

from search_engine import rank_correlation
from search_engine.architectures.reading import architecture_from_json
from search_engine.config.enas_search import EnasRecurrentSearchConfig
from search_engine.config.language import LanguageRecipeConfig, LanguageTrainingConfig
from search_engine.config.reading import read_config
from search_engine.config.recipe import RecipeConfig
from search_engine.config.searches import AnyEnasSearchConfig, read_enas_config
from search_engine.config.trainings import AnyTrainingConfig
from search_engine.errors import UserError
from search_engine.rank_correlation import RankCorrelation
from webapp.searches import lifecycle, planner
from webapp.searches.costs.estimate import live_rates, training_cost
from webapp.searches.costs.text_estimate import text_training_cost
from webapp.searches.models import Child, Event, Search, Stream, Training
from webapp.searches.start import training_figures

FEWEST, MOST, USUAL = 3, 20, 6  # Networks.
LONGEST_EPOCHS = 2000
SHORT_EPOCHS = 10  # Of the recipe that is offered, where the search's own is longer.
LONGEST_NAME = 80

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
NO_CANDIDATES = "There are no candidates yet: they are drawn and scored when the last epoch is over."
NEVER_ANY = "There are no candidates: the search ended before they were drawn and scored."
TOO_FEW = "Only {count} different candidates have a score; an order takes at least {fewest}."

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
    candidates = _candidates(search)
    trainings = _trainings(search)
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
        sentences=_sentences(found, measured, epochs),
        waiting=_impossible(search, len(candidates)) or _waiting(points),
    )


def ask(search: Search, *, networks: int, epochs: int) -> None:
    """Have so many networks trained for so many epochs each. Those that are there count; asking again does no more.

    Raises UserError where that cannot be.
    """
    config = read_enas_config(search.config)
    while True:
        wanted = _wanted(search, networks, epochs)
        planned = [(child, _meter_config(config, child, epochs, search.name)) for child in wanted]
        figures = [training_figures(training) for _, training in planned]  # Takes a moment: before any lock.
        with transaction.atomic():
            locked = planner.locked_search(search.pk)
            if _wanted(locked, networks, epochs) != wanted:
                continue  # Somebody else asked meanwhile.
            for (child, training), shown in zip(planned, figures, strict=True):
                lifecycle.start_training(
                    search.owner, training, **shown, child=child, group=locked.group, priority=locked.priority,
                    for_meter=True,
                )  # fmt: skip
            return


def stop(search: Search) -> None:
    """Stop what is still in training for the meter."""
    for training in _trainings(search):
        if training.is_open:
            with suppress(lifecycle.CommandRefused):  # It ended in this moment.
                lifecycle.stop(training.pk)


def cost(search: Search, *, networks: int, epochs: int) -> tuple[int, float | None]:
    """How many networks would start, and how long they take on the workers that are there, None where none has a speed.

    Raises UserError as `ask` does.
    """
    config = read_enas_config(search.config)
    rates = live_rates()
    wanted = _wanted(search, networks, epochs)
    if not rates:
        return len(wanted), None
    each = [_seconds(_meter_config(config, child, epochs, search.name), rates) for child in wanted]
    return len(wanted), sum(seconds for seconds in each if seconds is not None) / len(rates)


def _seconds(config: AnyTrainingConfig, rates: Any) -> float | None:
    architecture = architecture_from_json(config.architecture)
    if isinstance(config, LanguageTrainingConfig):
        return text_training_cost(config, architecture, rates).seconds
    return training_cost(config, architecture, rates).seconds


def _wanted(search: Search, networks: int, epochs: int) -> list[Child]:
    """The candidates that are still to be trained, so that there are so many."""
    candidates = _candidates(search)
    if reason := _impossible(search, len(candidates)):
        raise UserError("", reason)
    if networks > len(candidates):
        raise UserError("networks", f"is {networks}; only {len(candidates)} different candidates have a score.")
    there = _trainings(search)
    if there and there[-1].config["recipe"]["epochs"] != epochs:
        if any(training.is_open for training in there):
            now = _epochs(there[-1].config["recipe"]["epochs"])
            raise UserError("epochs", f"is {epochs}; networks of {now} are still in training: wait, or stop them.")
        there = _trainings(search, epochs)
    alive = [training for training in there if training.is_open or training.state == Stream.State.FINISHED]
    # One that failed would fail again, one that was stopped need not.
    used = {training.hash for training in there if training in alive or training.state == Stream.State.FAILED}
    taken = [place for place, child in enumerate(candidates) if child.hash in used]
    scores = [_score(child) for child in candidates]
    return [candidates[place] for place in rank_correlation.spread(scores, networks - len(alive), taken)]


def _impossible(search: Search, candidates: int) -> str:
    """Why nothing can be asked for, a sentence; "" where something can."""
    if not candidates:
        return NO_CANDIDATES if search.is_open else NEVER_ANY
    return TOO_FEW.format(count=candidates, fewest=FEWEST) if candidates < FEWEST else ""


def _meter_config(config: AnyEnasSearchConfig, child: Child, epochs: int, search: str) -> AnyTrainingConfig:
    """As the search trains its best, but shorter: where the rate starts high again, one period is all there is.

    Raises ConfigError where so few epochs make no recipe.
    """
    name = f"Meter of {search or 'a search'}: candidate {child.step}.{child.slot}"
    whole = config.final_training(child.architecture, name[:LONGEST_NAME])
    changes: dict[str, Any] = {"epochs": epochs}
    if isinstance(whole.recipe, RecipeConfig) and whole.recipe.schedule == "restarts":
        changes["first_period"] = epochs
    if isinstance(whole.recipe, LanguageRecipeConfig):
        changes["test_batch"] = whole.recipe.scoring_batch  # Nobody looks at that figure here: it may be quick.
    shorter = whole.model_copy(update={"recipe": whole.recipe.model_copy(update=changes)})
    return read_config(type(whole), shorter.model_dump(mode="json"))


def _candidates(search: Search) -> list[Child]:
    """Those with a score, each architecture once."""
    scored = Child.objects.filter(search=search, reward__isnull=False, reason="").order_by("step", "slot")
    once: dict[str, Child] = {}
    for child in scored:
        once.setdefault(child.hash, child)
    return list(once.values())


def _trainings(search: Search, epochs: int | None = None) -> list[Training]:
    """Of the meter, oldest first: those of one recipe. epochs: of that recipe; None for the one asked for last."""
    trainings = list(Training.objects.filter(child__search=search, for_meter=True).order_by("created", "pk"))
    if trainings and epochs is None:
        epochs = trainings[-1].config["recipe"]["epochs"]
    return [training for training in trainings if training.config["recipe"]["epochs"] == epochs]


def _points(candidates: Sequence[Child], trainings: Sequence[Training]) -> tuple[Point, ...]:
    """The latest training of each candidate that has one."""
    latest = {training.hash: training for training in trainings}
    pairs = [(child, latest[child.hash]) for child in candidates if child.hash in latest]
    pairs.sort(key=lambda pair: (_score(pair[0]), pair[0].slot))
    return tuple(_point(child, training) for child, training in pairs)


def _point(child: Child, training: Training) -> Point:
    epochs = training.config["recipe"]["epochs"]
    is_finished = training.state == Stream.State.FINISHED
    figure = training.held_out_accuracy if training.held_out_perplexity is None else training.held_out_perplexity
    return Point(
        child=child,
        training=training,
        epoch=epochs if is_finished else _epochs_done(training),
        epochs=epochs,
        held_out=figure if is_finished else None,
    )


def _epochs_done(training: Training) -> int:
    last = Event.objects.filter(stream_id=training.pk, kind="epoch_ended").order_by("-number").first()
    return 0 if last is None else int(last.payload["epoch"])


def _correlation(done: Sequence[Point], measured: Measured) -> RankCorrelation:
    """More is better on both sides: a perplexity is turned round."""
    sign = -1.0 if measured == "perplexity" else 1.0
    figures = [sign * point.held_out for point in done if point.held_out is not None]
    return rank_correlation.rank_correlation([_score(point.child) for point in done], figures)


def _score(child: Child) -> float:
    assert child.reward is not None
    return child.reward


def _sentences(found: RankCorrelation | None, measured: Measured, epochs: int) -> tuple[str, ...]:
    said = () if found is None else (rank_correlation.sentence(found, measured=measured),)
    return (*said, SPREAD, SHORT.format(epochs=f"for {_epochs(epochs)}"), NEVER_TESTED[measured])


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


def _epochs(count: int) -> str:
    return "1 epoch" if count == 1 else f"{count} epochs"
