"""What a search with shared weights will cost, before it starts: its phases, one after another, then the trainings."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from search_engine import cost
from search_engine.architectures.reading import Architecture
from search_engine.architectures.recurrent import RecurrentArchitecture
from search_engine.config.enas_search import EnasMacroSearchConfig, EnasMicroSearchConfig, EnasRecurrentSearchConfig
from search_engine.config.language import LanguageTrainingConfig
from search_engine.config.search import SearchConfig
from search_engine.config.searches import AnyEnasSearchConfig, AnySearchConfig
from search_engine.config.space import EnasMacroSpaceConfig, EnasMicroSpaceConfig, EnasRecurrentSpaceConfig
from search_engine.config.trainings import AnyTrainingConfig
from search_engine.network_plan import NetworkPlan
from search_engine.recurrent_plan import recurrent_parameters, recurrent_supernet_tensors
from search_engine.spaces.build import build_space
from search_engine.supernet_plan import image_supernet_layers, path_plan
from search_engine.training_speed import TrainingSpeed, mean_work, work_of
from webapp.searches.costs.advice import length
from webapp.searches.costs.estimate import (
    CHECKPOINT_KEPT,
    FLOAT_BYTES,
    FORWARD_SHARE,
    ROW_BYTES_CHILD,
    ROW_BYTES_EPOCH,
    WEIGHTS_KEPT,
    Cost,
    search_cost,
    training_cost,
)
from webapp.searches.costs.text_estimate import (
    GUESS_COPIES,
    NODE_COPIES,
    STEP_SECONDS,
    text_training_cost,
    token_seconds,
)
from webapp.searches.datasets.described import describe, memory_of_images
from webapp.searches.datasets.texts import text_of

DRAWS = 12  # Uniform draws from the space, always the same ones.
ROUND_SECONDS = 0.02  # The controller draws and learns.
MINIBATCH_SECONDS = 0.004  # Each has another network, which is put together first.
FILES_KEPT = 5  # The weights and the checkpoint that goes on from them, each with the one before it, and a new one.

SpaceConfig = EnasMicroSpaceConfig | EnasMacroSpaceConfig | EnasRecurrentSpaceConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shared:
    """Of the shared weights on one worker: seconds of an epoch, of a controller phase, and of scoring candidates."""

    epoch: float
    phase: float
    derive: float


def cost_of_search(config: AnySearchConfig, workers: Sequence[TrainingSpeed]) -> Cost:
    """Of a search of any method. Its data must be known and large enough."""
    return search_cost(config, workers) if isinstance(config, SearchConfig) else shared_cost(config, workers)


def shared_cost(config: AnyEnasSearchConfig, workers: Sequence[TrainingSpeed]) -> Cost:
    """Predicted from uniform draws of the space and the workers' speeds. The data must be known."""
    drawn = _drawn(config.space)
    trainings = [_training(config, architecture, workers) for architecture in drawn]
    parts = [_seconds(config, drawn, speed) for speed in workers]
    # One worker at a time, and nobody knows which: the slowest is told.
    slowest = max(parts, key=lambda part: part.epoch + part.phase, default=None)
    train = config.deriving.train
    rounds = math.ceil(train / len(workers)) if workers else 0
    seconds = None
    if slowest is not None:
        last = max((each.seconds or 0.0 for each in trainings), default=0.0)
        seconds = config.epochs * (slowest.epoch + slowest.phase) + slowest.derive + rounds * last
    weights, activations = _sizes(config, drawn)
    memory = FLOAT_BYTES * WEIGHTS_KEPT * weights + activations
    rows = config.deriving.candidates * ROW_BYTES_CHILD + 2 * config.epochs * ROW_BYTES_EPOCH
    files = FILES_KEPT * CHECKPOINT_KEPT * FLOAT_BYTES * weights
    return Cost(
        children=config.deriving.candidates,
        seconds=seconds,
        child_seconds=None,
        epoch_seconds=None if slowest is None else slowest.epoch + slowest.phase,
        workers=len(workers),
        parameters=_range([each.parameters[0] for each in trainings]),
        mult_adds=_range([each.mult_adds[0] for each in trainings]),
        memory_bytes=max(memory, *(each.memory_bytes for each in trainings)) if train else memory,
        disk_bytes=rows + files + train * max(each.disk_bytes for each in trainings),
        notes=[note for note in (_phases_told(slowest), length(seconds), _waiting(len(workers), train)) if note],
    )


@lru_cache(maxsize=16)
def _drawn(config: SpaceConfig) -> tuple[Architecture, ...]:
    space = build_space(config)
    generator = random.Random(0)  # A fixed sample: an estimate that changes without a reason is not believed.
    return tuple(
        space.decode([generator.randrange(len(decision.options)) for decision in space.decisions]) for _ in range(DRAWS)
    )


def _training(config: AnyEnasSearchConfig, architecture: Architecture, workers: Sequence[TrainingSpeed]) -> Cost:
    """Of one derived network, trained from scratch."""
    return cost_of_training(config.final_training(architecture.to_json(), ""), architecture, workers)


def cost_of_training(training: AnyTrainingConfig, architecture: Architecture, workers: Sequence[TrainingSpeed]) -> Cost:
    """Of any network that is trained for keeps. The data must be known."""
    if isinstance(training, LanguageTrainingConfig):
        return text_training_cost(training, architecture, workers)
    return training_cost(training, architecture, workers)


def _seconds(config: AnyEnasSearchConfig, drawn: Sequence[Architecture], speed: TrainingSpeed) -> _Shared:
    if isinstance(config, EnasRecurrentSearchConfig):
        return _seconds_on_text(config, drawn, speed)
    return _seconds_on_images(config, drawn, speed)


def _seconds_on_images(
    config: EnasMicroSearchConfig | EnasMacroSearchConfig, drawn: Sequence[Architecture], speed: TrainingSpeed
) -> _Shared:
    """Every minibatch computes one path."""
    with_head = bool(config.shared.auxiliary_weight)
    trained = mean_work([work_of(_path(config, each, auxiliary=with_head)) for each in drawn])
    scored = mean_work([work_of(_path(config, each)) for each in drawn])
    images, batch_size, score_batch = config.data.train_examples, config.shared.batch_size, config.phases.score_batch
    a_pass = FORWARD_SHARE * speed.seconds(scored, images=score_batch, batch_size=score_batch)
    score = a_pass + MINIBATCH_SECONDS
    an_epoch = speed.seconds(trained, images=images, batch_size=batch_size)
    return _Shared(
        epoch=an_epoch + math.ceil(images / batch_size) * MINIBATCH_SECONDS,
        phase=config.phases.rounds * (config.strategy.step_size * score + ROUND_SECONDS),
        derive=config.deriving.candidates * score,
    )


def _seconds_on_text(config: EnasRecurrentSearchConfig, drawn: Sequence[Architecture], speed: TrainingSpeed) -> _Shared:
    """As a training on text reads (see `text_estimate`)."""
    shared, phases = config.shared, config.phases
    vocabulary, tokens = _vocabulary(config), text_of(config.data).train_tokens
    if shared.minibatches:
        tokens = shared.minibatches * shared.batch_size * shared.bptt
    work = _mean([token_seconds(_parameters(config, each), vocabulary, speed) for each in drawn])
    step = config.space.nodes * STEP_SECONDS
    score = phases.score_batch * shared.bptt * FORWARD_SHARE * work + shared.bptt * step
    return _Shared(
        epoch=tokens * (work + step / FORWARD_SHARE / shared.batch_size),
        phase=phases.rounds * (config.strategy.step_size * score + ROUND_SECONDS),
        derive=config.deriving.candidates * score,
    )


def _sizes(config: AnyEnasSearchConfig, drawn: Sequence[Architecture]) -> tuple[int, int]:
    """Numbers in the shared weights, and bytes of what backpropagation keeps of one minibatch."""
    if isinstance(config, EnasRecurrentSearchConfig):
        vocabulary = _vocabulary(config)
        tensors = recurrent_supernet_tensors(config.space, config.supernet, vocabulary=vocabulary)
        places = config.shared.batch_size * config.shared.bptt
        kept = places * (GUESS_COPIES * vocabulary + NODE_COPIES * config.space.nodes * config.supernet.hidden)
        return sum(math.prod(shape) for shape in tensors.values()), FLOAT_BYTES * kept
    data, with_head = describe(config.data.name), bool(config.shared.auxiliary_weight)
    layers = image_supernet_layers(
        config.space, config.supernet, image_channels=data.channels, image_size=config.data.image_size,
        classes=len(data.classes), auxiliary=with_head,
    )  # fmt: skip
    weights = sum(math.prod(shape) for layer in layers for shape in layer.parameter_shapes().values())
    paths = [_path(config, each, auxiliary=with_head) for each in drawn]
    activations = max(cost.activation_bytes(path, config.shared.batch_size) for path in paths)
    return weights, activations + memory_of_images(config.data)


def _phases_told(shared: _Shared | None) -> str:
    if shared is None:
        return ""
    share = shared.phase / (shared.epoch + shared.phase)
    return f"Of each epoch, the shared weights take {1 - share:.0%} of the time and the controller {share:.0%}."


def _waiting(workers: int, train: int) -> str:
    """One search keeps one worker busy."""
    if workers < 2:
        return ""
    return (
        f"Shared weights learn on one worker at a time; {workers - 1} of {workers} are free for other work meanwhile."
    )


def _path(
    config: EnasMicroSearchConfig | EnasMacroSearchConfig, architecture: Architecture, *, auxiliary: bool = False
) -> NetworkPlan:
    data = describe(config.data.name)
    return path_plan(
        architecture,
        config.supernet,
        image_channels=data.channels,
        image_size=config.data.image_size,
        classes=len(data.classes),
        auxiliary=auxiliary,
    )


def _vocabulary(config: EnasRecurrentSearchConfig) -> int:
    return text_of(config.data).vocabulary


def _parameters(config: EnasRecurrentSearchConfig, architecture: Architecture) -> int:
    """Weights that one cell uses."""
    assert isinstance(architecture, RecurrentArchitecture)
    return recurrent_parameters(architecture, hidden=config.supernet.hidden, vocabulary=_vocabulary(config))


def _range(values: Sequence[int]) -> tuple[int, int]:
    return min(values), max(values)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
