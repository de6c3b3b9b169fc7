"""What a search or a training will cost, before it starts: time, memory, disk."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from search_engine import cost
from search_engine.architectures.reading import Architecture
from search_engine.config.data import DataConfig
from search_engine.config.recipe import RecipeConfig
from search_engine.config.search import SearchConfig
from search_engine.config.strategy import PpoConfig
from search_engine.config.training import TrainingConfig
from search_engine.spaces.nasnet import NasnetSpace
from search_engine.training.trained_plan import trained_plan
from search_engine.training_speed import TrainingSpeed, Work, mean_work, work_of
from webapp.searches import clock
from webapp.searches.costs import advice
from webapp.searches.costs.uniform_draws import DRAWS, Drawn, drawn_children, over_the_bounds
from webapp.searches.datasets.described import describe, memory_of_images
from webapp.searches.models import Worker

LIVE_SECONDS = 15.0  # A worker that was not seen for so long is not counted on.
FORWARD_SHARE = 1 / 3  # Of a training image's work: backward costs twice the forward pass.
CHILD_OVERHEAD, STEP_OVERHEAD = 0.2, 0.5  # Seconds: building, claiming and storing a child; learning and drawing.
FLOAT_BYTES = 4
WEIGHTS_KEPT = 3  # Weights, gradients and momentum, while a network trains.
CHECKPOINT_KEPT = 2  # Weights and momentum.
SWEEP_SECONDS = 24 * 3600.0  # Older checkpoints are removed once a day.
ROW_BYTES_CHILD, ROW_BYTES_EPOCH = 4000, 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """seconds, child_seconds: None until a worker has measured its speed. parameters, mult_adds: (low, high).

    epoch_seconds: of an epoch of shared weights with the controller phase behind it; child_seconds is None there.
    """

    children: int
    seconds: float | None
    child_seconds: float | None
    workers: int
    parameters: tuple[int, int]
    mult_adds: tuple[int, int]
    memory_bytes: int
    disk_bytes: int
    notes: list[str]
    epoch_seconds: float | None = None


def live_speeds() -> list[TrainingSpeed]:
    """Of the workers that are there and have measured theirs, one entry for each."""
    there = Worker.objects.filter(seen__gte=clock.now() - LIVE_SECONDS, is_drained=False)
    return [TrainingSpeed(*speed) for speed in there.values_list("speed", flat=True) if speed]


def search_cost(config: SearchConfig, workers: Sequence[TrainingSpeed]) -> Cost:
    """Predicted from uniform draws of the space and the workers' speeds. The data must be known and large enough."""
    drawn = drawn_children(config)
    mean = mean_work([each.work for each in drawn])
    means = [_seconds(mean, config.recipe, config.data, speed) for speed in workers]
    finals = _finals_cost(config, workers)
    seconds = _search_seconds(config, means) + (finals.seconds or 0.0) if means else None
    parameters = sorted(each.parameters for each in drawn)
    mult_adds = sorted(each.mult_adds for each in drawn)
    memory = _memory_of_most(drawn, config.recipe)
    trained = _mean([each.trained_parameters for each in drawn])
    return Cost(
        children=config.budget.children,
        seconds=seconds,
        child_seconds=_mean(means) if means else None,
        workers=len(workers),
        parameters=(_percentile(parameters, 0.01), _percentile(parameters, 0.99)),
        mult_adds=(_percentile(mult_adds, 0.01), _percentile(mult_adds, 0.99)),
        memory_bytes=max(memory, finals.memory_bytes) + memory_of_images(config.data),
        disk_bytes=_search_disk(config, trained, seconds) + finals.disk_bytes,
        notes=[
            *finals.notes,
            *advice.bounds_advice(config, over_the_bounds(config), DRAWS),
            *advice.search_advice(config, seconds, len(workers)),
        ],
    )


@dataclass(frozen=True, slots=True)
class _FinalsCost:
    """What the final round adds. seconds: None until a worker has measured its speed."""

    seconds: float | None = None
    memory_bytes: int = 0
    disk_bytes: int = 0
    notes: tuple[str, ...] = ()


def _finals_cost(config: SearchConfig, workers: Sequence[TrainingSpeed]) -> _FinalsCost:
    """The same uniform draws, in the finalists' layout; each finalist is scored after every epoch."""
    finals = config.finals
    if not finals.children:
        return _FinalsCost()
    larger = {"normal_cells": finals.normal_cells, "filters": finals.filters}
    drawn = drawn_children(config.model_copy(update={"child": config.child.model_copy(update=larger)}))
    an_epoch, mean = config.recipe.model_copy(update={"epochs": 1}), mean_work([each.work for each in drawn])
    means = [finals.epochs * _seconds(mean, an_epoch, config.data, speed) for speed in workers]
    rounds = math.ceil(finals.children / len(means)) if means else 0  # Whoever has none left waits for the others.
    seconds = rounds * len(means) / sum(1 / mean for mean in means) if means else None
    parameters = _mean([each.trained_parameters for each in drawn])
    memory = _memory_of_most(drawn, config.recipe)
    rows = finals.children * (ROW_BYTES_CHILD + finals.epochs * ROW_BYTES_EPOCH)
    files = finals.children * (_files(parameters, finals.epochs - 1, config.recipe, seconds) + FLOAT_BYTES * parameters)
    return _FinalsCost(seconds, memory, int(rows + files), (advice.final_round(finals, seconds),))


def finalist_as_children(config: SearchConfig, speed: TrainingSpeed) -> float:
    """How many times as long as a mean child a mean finalist takes on one worker; 0.0 without a final round."""
    finals, child = _finals_cost(config, [speed]).seconds, search_cost(config, [speed]).child_seconds
    return finals / config.finals.children / child if finals and child else 0.0


def with_companion(search: Cost, beside: Cost) -> Cost:
    """Of a search and its random companion together: the workers share themselves out between the two."""
    share = f"{beside.children:,} of these children are drawn by the random companion, beside the search."
    seconds = None if search.seconds is None or beside.seconds is None else search.seconds + beside.seconds
    return replace(
        search,
        children=search.children + beside.children,
        seconds=seconds,
        disk_bytes=search.disk_bytes + beside.disk_bytes,
        notes=[share, *search.notes],
    )


def training_cost(config: TrainingConfig, architecture: Architecture, workers: Sequence[TrainingSpeed]) -> Cost:
    """Of one network on one worker: the slowest, since nobody knows which will take it."""
    data = describe(config.data.name)
    trained = trained_plan(
        architecture,
        config.layout,
        config.recipe,
        image_channels=data.channels,
        image_size=config.data.image_size,
        classes=len(data.classes),
    )
    network = trained.without_auxiliary()
    parameters, mult_adds = cost.parameters(network), cost.mult_adds(network)
    trained_parameters, work = cost.parameters(trained), work_of(trained)
    epochs = config.recipe.epochs
    seconds = max((_seconds(work, config.recipe, config.data, speed) for speed in workers), default=None)
    return Cost(
        children=1,
        seconds=seconds,
        child_seconds=seconds,
        workers=len(workers),
        parameters=(parameters, parameters),
        mult_adds=(mult_adds, mult_adds),
        memory_bytes=_memory(trained_parameters, work, config.recipe) + memory_of_images(config.data),
        disk_bytes=_files(trained_parameters, epochs, config.recipe, seconds) + epochs * ROW_BYTES_EPOCH,
        notes=advice.training_advice(config, seconds),
    )


def _search_seconds(config: SearchConfig, means: Sequence[float]) -> float:
    """means: seconds of a mean child on each worker. Without lookahead, workers wait at the end of a step."""
    steps, size = math.ceil(config.budget.children / config.strategy.step_size), config.strategy.step_size
    together = sum(1 / mean for mean in means)  # Children per second.
    if config.strategy.lookahead > 0:
        return config.budget.children / together + steps * STEP_OVERHEAD
    rounds = math.ceil(size / len(means)) * len(means) / size  # How much longer than without waiting.
    return config.budget.children / together * rounds + steps * STEP_OVERHEAD


def _seconds(work: Work, recipe: RecipeConfig, data: DataConfig, speed: TrainingSpeed) -> float:
    """One network: its training epochs, then forward passes for batch-norm statistics and over the held-out images."""
    forward = recipe.reestimate_batches * recipe.batch_size + data.held_out_examples
    images = recipe.epochs * data.train_examples + FORWARD_SHARE * forward
    return speed.seconds(work, images=images, batch_size=recipe.batch_size) + CHILD_OVERHEAD


def _memory_of_most(drawn: Sequence[Drawn], recipe: RecipeConfig) -> int:
    """Bytes that ninety-nine of a hundred do not exceed."""
    return _percentile(sorted(_memory(each.trained_parameters, each.work, recipe) for each in drawn), 0.99)


def _memory(parameters: int, work: Work, recipe: RecipeConfig) -> int:
    kept = int(recipe.batch_size * work.bytes)
    return kept + (WEIGHTS_KEPT + _more_copies(recipe)) * FLOAT_BYTES * parameters


def _more_copies(recipe: RecipeConfig) -> int:
    """What is as large as the weights beside momentum: RMSProp's mean squares, and averaged weights."""
    return (recipe.optimizer == "rmsprop") + (recipe.weight_average > 0)


def _search_disk(config: SearchConfig, parameters: float, seconds: float | None) -> int:
    epochs = config.recipe.epochs
    rows = config.budget.children * (ROW_BYTES_CHILD + epochs * ROW_BYTES_EPOCH)
    steps = math.ceil(config.budget.children / config.strategy.step_size)
    files = steps * _strategy_bytes(config) * kept_share(seconds)
    return int(rows + files + config.budget.children * _files(parameters, epochs - 1, config.recipe, seconds))


def _files(parameters: float, epochs: int, recipe: RecipeConfig, seconds: float | None) -> int:
    """Checkpoints after epochs, as far as they are there at one time."""
    return int(epochs * (CHECKPOINT_KEPT + _more_copies(recipe)) * FLOAT_BYTES * parameters * kept_share(seconds))


def kept_share(seconds: float | None) -> float:
    """Which part of all checkpoints is there at one time: the daily sweep removes older ones."""
    return 1.0 if seconds is None else min(1.0, SWEEP_SECONDS / max(seconds, 1.0))


def _strategy_bytes(config: SearchConfig) -> float:
    """The controller's weights with Adam's two moments: an LSTM of H units, and a softmax per decision (A.2)."""
    if not isinstance(config.strategy, PpoConfig):
        return 0.0
    hidden = config.strategy.hidden_size
    options = sum(len(decision.options) for decision in NasnetSpace(config.space).decisions)
    return 3.0 * FLOAT_BYTES * (8 * hidden * (hidden + 1) + 2 * options * (hidden + 1))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _percentile(ordered: Sequence[int], share: float) -> int:
    return ordered[round(share * (len(ordered) - 1))]
