"""Which candidates the honesty meter trains from scratch, and how: picked by score, short and alike."""

import uuid
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from django.db import transaction
from django.db.models import Count

from search_engine import rank_correlation
from search_engine.architectures.reading import architecture_from_json
from search_engine.config.language import LanguageRecipeConfig, LanguageTrainingConfig
from search_engine.config.reading import read_config
from search_engine.config.recipe import RecipeConfig
from search_engine.config.searches import AnyEnasSearchConfig, read_enas_config
from search_engine.config.trainings import AnyTrainingConfig
from search_engine.errors import UserError
from webapp.searches import lifecycle, planner
from webapp.searches.costs.estimate import live_speeds, training_cost
from webapp.searches.costs.text_estimate import text_training_cost
from webapp.searches.models import Child, Search, Stream, Training
from webapp.searches.start import training_figures

FEWEST, MOST, USUAL = 3, 20, 6  # Networks.
LONGEST_EPOCHS = 2000
LONGEST_NAME = 80

NO_CANDIDATES = "There are no candidates yet: they are drawn and scored when the last epoch is over."
NEVER_ANY = "There are no candidates: the search ended before they were drawn and scored."
TOO_FEW = "Only {count} different candidates have a score; an order takes at least {fewest}."


def ask(search: Search, *, networks: int, epochs: int) -> None:
    """Have so many networks trained for so many epochs each. Those that are there count; asking again does no more.

    Raises UserError where that cannot be.
    """
    config = read_enas_config(search.config)
    while True:
        wanted = _wanted(search, networks, epochs)
        planned = [(child, meter_config(config, child, epochs, search.name)) for child in wanted]
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
    for training in trainings_of(search):
        if training.is_open:
            with suppress(lifecycle.CommandRefused):  # It ended in this moment.
                lifecycle.stop(training.pk)


def cost(search: Search, *, networks: int, epochs: int) -> tuple[int, float | None]:
    """How many networks would start, and how long they take on the workers that are there, None where none has a speed.

    Raises UserError as `ask` does.
    """
    config = read_enas_config(search.config)
    speeds = live_speeds()
    wanted = _wanted(search, networks, epochs)
    if not speeds:
        return len(wanted), None
    each = [_seconds(meter_config(config, child, epochs, search.name), speeds) for child in wanted]
    return len(wanted), sum(seconds for seconds in each if seconds is not None) / len(speeds)


def candidates_of(search: Search) -> list[Child]:
    """Those with a score, each architecture once."""
    scored = Child.objects.filter(search=search, reward__isnull=False, reason="").order_by("step", "slot")
    once: dict[str, Child] = {}
    for child in scored:
        once.setdefault(child.hash, child)
    return list(once.values())


def trainings_of(search: Search, epochs: int | None = None) -> list[Training]:
    """Of the meter, oldest first: those of one recipe. epochs: of that recipe; None for the one asked for last."""
    trainings = list(Training.objects.filter(child__search=search, for_meter=True).order_by("created", "pk"))
    if trainings and epochs is None:
        epochs = trainings[-1].config["recipe"]["epochs"]
    return [training for training in trainings if training.config["recipe"]["epochs"] == epochs]


def metered_in_words(searches: Sequence[Search]) -> dict[uuid.UUID, str]:
    """What is in training for the meters of these, in words, for those that have such. One question in all."""
    there = Training.objects.filter(child__search__in=searches, for_meter=True, state__in=Stream.OPEN)
    counts = there.order_by().values_list("child__search").annotate(Count("pk"))
    return {pk: f"{count} of its honesty meter in training" for pk, count in counts}


def _wanted(search: Search, networks: int, epochs: int) -> list[Child]:
    """The candidates that are still to be trained, so that there are so many."""
    candidates = candidates_of(search)
    if reason := impossible(search, len(candidates)):
        raise UserError("", reason)
    there = trainings_of(search)
    if there and there[-1].config["recipe"]["epochs"] != epochs:
        if any(training.is_open for training in there):
            now = epochs_in_words(there[-1].config["recipe"]["epochs"])
            raise UserError("epochs", f"is {epochs}; networks of {now} are still in training: wait, or stop them.")
        there = trainings_of(search, epochs)
    alive = {training.hash for training in there if training.is_open or training.state == Stream.State.FINISHED}
    # One that failed would fail again, one that was stopped need not.
    failed = {training.hash for training in there if training.state == Stream.State.FAILED} - alive
    if networks > (most := len(candidates) - len(failed)):
        but = f", without {len(failed)} that failed" if failed else ""
        raise UserError("networks", f"is {networks}; there are {most} different candidates with a score{but}.")
    taken = [place for place, child in enumerate(candidates) if child.hash in alive | failed]
    scores = [score_of(child) for child in candidates]
    return [candidates[place] for place in rank_correlation.spread(scores, networks - len(alive), taken)]


def impossible(search: Search, candidates: int) -> str:
    """Why nothing can be asked for, a sentence; "" where something can."""
    if not candidates:
        return NO_CANDIDATES if search.is_open else NEVER_ANY
    return TOO_FEW.format(count=candidates, fewest=FEWEST) if candidates < FEWEST else ""


def meter_config(config: AnyEnasSearchConfig, child: Child, epochs: int, search: str) -> AnyTrainingConfig:
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


def _seconds(config: AnyTrainingConfig, speeds: Any) -> float | None:
    architecture = architecture_from_json(config.architecture)
    if isinstance(config, LanguageTrainingConfig):
        return text_training_cost(config, architecture, speeds).seconds
    return training_cost(config, architecture, speeds).seconds


def score_of(child: Child) -> float:
    """Of a candidate that has one."""
    assert child.reward is not None
    return child.reward


def epochs_in_words(count: int) -> str:
    return "1 epoch" if count == 1 else f"{count} epochs"
