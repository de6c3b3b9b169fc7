"""Weights that image networks share: what a minibatch changes and what not, and that nothing depends on when."""

import pytest
import torch

from search_engine.config.data import DataConfig
from search_engine.config.deriving import DerivingConfig
from search_engine.config.enas_search import EnasMacroSearchConfig, EnasMicroSearchConfig
from search_engine.config.phases import ControllerPhaseConfig
from search_engine.config.shared_recipe import SharedRecipeConfig
from search_engine.config.space import EnasMacroSpaceConfig, EnasMicroSpaceConfig
from search_engine.config.supernet import MacroSupernetConfig, MicroSupernetConfig
from search_engine.data.batches import prepare
from search_engine.errors import CheckpointError
from search_engine.seeds import derive
from search_engine.spaces.build import build_space
from search_engine.training.shared_images import SharedImages

CPU = torch.device("cpu")
RECIPE = SharedRecipeConfig(epochs=2, batch_size=32, first_period=2, weight_decay=0.01)
PARTS = {
    "data": DataConfig(image_size=12, train_examples=100, held_out_examples=50),
    "phases": ControllerPhaseConfig(rounds=2, score_batch=20),
    "deriving": DerivingConfig(candidates=3),
    "shared": RECIPE,
    "derived_recipe": {"epochs": 1},
}
MICRO = EnasMicroSearchConfig.model_validate(
    PARTS
    | {
        "space": EnasMicroSpaceConfig(nodes=2),
        "supernet": MicroSupernetConfig(normal_cells=1, reductions=1, filters=4),
        "derived": {"normal_cells": 1, "reductions": 1, "filters": 4, "skeleton": "enas"},
    }
)
MACRO = EnasMacroSearchConfig.model_validate(
    PARTS | {"space": EnasMacroSpaceConfig(layers=3), "supernet": MacroSupernetConfig(filters=4)}
)
BOTH = pytest.mark.parametrize("config", [MICRO, MACRO], ids=["micro", "macro"])


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return prepare(MICRO.data, seed=1, folder=tmp_path_factory.mktemp("data"), device=CPU)


def with_shared(config, **changes):
    return config.model_copy(update={"shared": config.shared.model_copy(update=changes)})


def architectures(config, count):
    space = build_space(config.space)
    sizes = [len(decision.options) for decision in space.decisions]
    return [
        space.decode([derive(7, "test", number, index) % size for index, size in enumerate(sizes)])
        for number in range(count)
    ]


def trained(weights, config, *, epoch=0, first=0):
    return list(weights.train(epoch, first, architectures(config, weights.minibatches(epoch))))


def copied(weights):
    return {name: tensor.detach().clone() for name, tensor in weights.tensors().items()}


def differing(before, after):
    return {name for name in after if name not in before or not torch.equal(before[name], after[name])}


@BOTH
def test_a_minibatch_changes_the_weights_of_its_path_and_nothing_else(config, data):
    weights = SharedImages(config, data=data, device=CPU)
    (architecture, *_), before = architectures(config, 4), copied(weights)
    next(weights.train(0, 0, architectures(config, 4)))
    after = weights.tensors()
    path = {name for name, _ in weights.supernet.parameters_of(architecture)}
    assert differing(before, {name: after[name] for name in before}) == path
    assert {name for name in after if name.startswith("momentum/")} == {f"momentum/{name}" for name in path}
    assert len(path) < len(before)


@BOTH
def test_what_was_used_once_rests_while_others_learn(config, data):
    """Neither decay nor its old momentum moves a weight that a later minibatch does not use."""
    weights, drawn = SharedImages(config, data=data, device=CPU), architectures(config, 4)
    steps = weights.train(0, 0, drawn)
    next(steps)
    before = copied(weights)
    next(steps)
    used = {name for name, _ in weights.supernet.parameters_of(drawn[1])}
    resting = {name for name, _ in weights.supernet.parameters_of(drawn[0])} - used
    assert resting
    assert not differing(before, weights.tensors()) & (resting | {f"momentum/{name}" for name in resting})


@BOTH
def test_an_epoch_that_is_left_goes_on_to_the_same_bits(config, data):
    whole = SharedImages(config, data=data, device=CPU)
    expected = trained(whole, config)
    first = SharedImages(config, data=data, device=CPU)
    steps = first.train(0, 0, architectures(config, 4))
    begun = [next(steps), next(steps)]
    second = SharedImages(config, data=data, device=CPU)
    second.restore(copied(first))
    assert begun + trained(second, config, first=2) == expected
    assert not differing(whole.tensors(), second.tensors())
    assert set(whole.tensors()) == set(second.tensors())


@BOTH
def test_weights_of_another_search_are_refused(config, data):
    other = SharedImages(MACRO if config is MICRO else MICRO, data=data, device=CPU)
    with pytest.raises(CheckpointError, match="belong to another search"):
        SharedImages(config, data=data, device=CPU).restore(other.tensors())


@BOTH
def test_scores_change_nothing_and_are_the_same_whenever_they_are_asked_for(config, data):
    weights = SharedImages(config, data=data, device=CPU)
    trained(weights, config)
    one, other = architectures(config, 2)
    before = copied(weights)
    scores = [weights.score(one, minibatch) for minibatch in range(4)]
    weights.score(other, 9)
    assert [weights.score(one, minibatch) for minibatch in (3, 2, 1, 0)] == scores[::-1]
    assert not differing(before, weights.tensors())
    assert all(score.reward == score.accuracy and score.nats is None for score in scores)


def test_held_out_minibatches_of_a_pass_share_no_image_and_each_pass_is_shuffled_anew(data):
    weights = SharedImages(MICRO, data=data, device=CPU)
    first, second, third = (weights.held_out_indices(number).tolist() for number in range(3))
    assert len(first) == len(second) == len(third) == 20
    assert not set(first) & set(second)  # 50 images make two minibatches of 20; the third begins the next pass.
    assert third != first and set(third) & (set(first) | set(second))
    assert weights.held_out_indices(2).tolist() == third


def test_the_learning_rate_restarts_between_epochs(data):
    config = with_shared(MICRO, learning_rate=0.05, lowest_learning_rate=0.001, first_period=10)
    weights = SharedImages(config, data=data, device=CPU)
    drawn = architectures(config, 4)
    rates = [next(weights.train(epoch, 3, drawn)).learning_rate for epoch in (0, 5, 9, 10)]
    assert rates == pytest.approx([0.05, 0.0255, 0.002199, 0.05], abs=1e-6)


def test_a_smaller_clip_makes_a_smaller_step(data):
    moved = []
    for clip in (1000.0, 0.001):
        weights = SharedImages(with_shared(MICRO, gradient_clip=clip, weight_decay=0.0), data=data, device=CPU)
        before = copied(weights)
        next(weights.train(0, 0, architectures(MICRO, 4)))
        after = weights.tensors()
        moved.append(sum(float((after[name] - before[name]).norm()) for name in before))
    assert moved[1] < moved[0] / 10


def test_the_auxiliary_head_learns(tmp_path):
    config = EnasMicroSearchConfig.model_validate(
        MICRO.model_dump()
        | {
            "supernet": {"normal_cells": 1, "reductions": 2, "filters": 4},
            "data": MICRO.data.model_copy(update={"image_size": 20}),
            "shared": RECIPE.model_copy(update={"auxiliary_weight": 0.4}),
        }
    )
    parts = prepare(config.data, seed=1, folder=tmp_path, device=CPU)
    weights = SharedImages(config, data=parts, device=CPU)
    before = copied(weights)
    trained(weights, config)
    head = {name for name in before if name.startswith("auxiliary")}
    assert head and head <= differing(before, weights.tensors())


def test_weights_that_diverge_say_so(data):
    config = with_shared(MICRO, learning_rate=10.0, gradient_clip=1000.0)
    weights = SharedImages(config, data=data, device=CPU)
    with torch.no_grad():
        for parameter in weights.supernet.parameters():
            parameter.fill_(float("nan"))
    assert next(weights.train(0, 0, architectures(config, 4))).loss is None


@BOTH
def test_without_momentum_there_is_nothing_to_look_ahead_along(config, data):
    """Nesterov's step with a momentum of 0 is the plain one; PyTorch refuses to say so."""
    steps, states = [], []
    for nesterov in (True, False):
        weights = SharedImages(with_shared(config, momentum=0.0, nesterov=nesterov), data=data, device=CPU)
        steps.append(trained(weights, config))
        states.append(copied(weights))
    assert steps[0] == steps[1] and not differing(*states)
    assert not any(name.startswith("momentum/") for name in states[0])


@BOTH
def test_logits_that_are_no_numbers_guess_nothing_right(config, data):
    weights = SharedImages(config, data=data, device=CPU)
    with torch.no_grad():
        dict(weights.supernet.named_parameters())["head.linear.weight"].fill_(float("nan"))
    score = weights.score(architectures(config, 1)[0], 0)
    assert (score.reward, score.accuracy) == (0.0, 0.0)


@BOTH
def test_shared_weights_learn(config, data):
    config = with_shared(config, learning_rate=0.1, first_period=50, augment=False, weight_decay=0.0)
    weights = SharedImages(config, data=data, device=CPU)
    losses = [[step.loss for step in trained(weights, config, epoch=epoch)] for epoch in range(12)]
    assert sum(losses[-1]) < 0.8 * sum(losses[0])
    assert weights.progress == 12 * 4
