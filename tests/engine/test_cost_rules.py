"""Bounds and cost in the reward: by hand, by properties, and as a configuration refuses what cannot be."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_engine import cost
from search_engine.config.bounds import BoundsConfig
from search_engine.config.objective import ObjectiveConfig
from search_engine.config.reading import read_config
from search_engine.config.search import SearchConfig
from search_engine.cost_rules import bound_errors, costed_plan, over_a_count, over_the_latency, shaped_reward
from search_engine.errors import ConfigError
from search_engine.events import Latency
from search_engine.spaces.nasnet import NasnetSpace

SOFT = ObjectiveConfig(cost="latency", target=80)
HARD = ObjectiveConfig(cost="latency", target=80, weighing="hard")
SMALL = {"space": {"blocks": 2}, "child": {"normal_cells": 1, "filters": 4}, "data": {"image_size": 12}}
accuracies = st.floats(0, 1)
costs = st.floats(0.1, 1e12)


def latency(ms):
    return Latency(ms=ms, batch=1, repeats=21, warm_up=5, device="cpu, 1 thread")


def test_the_soft_reward_of_mnasnet_is_the_one_worked_by_hand():
    """0.75 x (160 / 80)^-0.07 = 0.75 x 0.952638 = 0.714479; at half the target 0.75 x 1.049717 = 0.787287."""
    assert shaped_reward(SOFT, 0.75, 160) == pytest.approx(0.714479, abs=1e-6)
    assert shaped_reward(SOFT, 0.75, 40) == pytest.approx(0.787287, abs=1e-6)
    assert shaped_reward(SOFT, 0.75, 80) == 0.75


def test_twice_the_latency_for_5_percent_more_accuracy_earns_the_same_with_the_soft_exponents():
    """What MnasNet chose -0.07 for: a and 1.05 a with twice the latency should be rewarded alike."""
    assert shaped_reward(SOFT, 0.7 * 1.05, 160) == pytest.approx(shaped_reward(SOFT, 0.7, 80), rel=0.001)


def test_the_hard_reward_is_the_accuracy_up_to_the_target_and_falls_in_proportion_behind_it():
    assert [shaped_reward(HARD, 0.75, found) for found in (1, 40, 80)] == [0.75, 0.75, 0.75]
    assert shaped_reward(HARD, 0.75, 160) == 0.375
    assert shaped_reward(HARD, 0.75, 320) == 0.1875


def test_own_exponents_hold_only_where_they_are_chosen():
    own = {"alpha": -0.5, "beta": -2.0}
    assert ObjectiveConfig(cost="latency", target=80, weighing="own", **own).exponents == (-0.5, -2.0)
    assert ObjectiveConfig(cost="latency", target=80, **own).exponents == (-0.07, -0.07)
    chosen = ObjectiveConfig(cost="latency", target=80, weighing="own", **own)
    assert shaped_reward(chosen, 0.5, 20) == 1.0  # (1/4)^-0.5 = 2
    assert shaped_reward(chosen, 0.5, 160) == 0.125  # 2^-2 = 1/4


@given(accuracies, costs, costs, st.sampled_from(["soft", "hard"]))
def test_a_cheaper_network_of_equal_accuracy_is_never_rewarded_less(accuracy, one, other, weighing):
    objective = ObjectiveConfig(cost="parameters", target=1e6, weighing=weighing)
    cheap, dear = sorted((one, other))
    assert shaped_reward(objective, accuracy, cheap) >= shaped_reward(objective, accuracy, dear) >= 0


def test_a_network_that_costs_nothing_has_a_reward():
    assert shaped_reward(SOFT, 0.5, 0.0) == pytest.approx(0.5 * 1e-6**-0.07)


def test_exactly_at_a_bound_is_within_and_one_more_is_over():
    bounds = BoundsConfig(parameters=1000, mult_adds=5000)
    assert over_a_count(bounds, 1000, 5000) is None
    assert over_a_count(bounds, 1001, 5000).bound == "parameters"
    assert over_a_count(bounds, 1000, 5001).bound == "mult_adds"
    found = over_a_count(bounds, 1234, 9999)
    assert found.reason == "over the bound: the network has 1,234 parameters, at most 1,000 were allowed"


def test_no_bound_holds_nothing_back():
    assert over_a_count(BoundsConfig(), 10**12, 10**15) is None
    assert over_the_latency(BoundsConfig(), latency(1e9)) is None


def test_a_latency_over_its_bound_says_how_it_was_measured():
    bounds = BoundsConfig(latency_ms=2, network="target")
    assert over_the_latency(bounds, latency(2.0)) is None
    found = over_the_latency(bounds, latency(2.5))
    assert (found.bound, found.reason) == (
        "latency",
        "over the bound: the target network takes 2.5 ms (batch 1, cpu, 1 thread, median of 21), "
        "at most 2 ms were allowed",
    )


def test_a_latency_a_hair_over_its_bound_is_not_told_as_the_bound_itself():
    found = over_the_latency(BoundsConfig(latency_ms=0.75), latency(0.7501))
    assert "takes 0.7501 ms (" in found.reason and found.reason.endswith("at most 0.75 ms were allowed")


def test_the_target_network_is_the_same_cells_in_its_own_layout():
    bounds = {"network": "target", "target_normal_cells": 2, "target_filters": 8, "target_image_size": 16}
    config = read_config(SearchConfig, SMALL | {"bounds": bounds})
    space = NasnetSpace(config.space)
    architecture = space.decode([0] * len(space.decisions))
    network = costed_plan(config, architecture, image_channels=1, classes=10)
    same = read_config(SearchConfig, SMALL | {"child": {"normal_cells": 2, "filters": 8}, "data": {"image_size": 16}})
    assert network == costed_plan(same, architecture, image_channels=1, classes=10)


def test_a_bound_that_stem_and_head_alone_break_is_refused_at_its_field():
    """The stem is a 3x3 convolution of 1 to 12 channels (108) with batch norm (24); the head is a linear layer of the
    last width, 4 filters doubled twice, to 10 classes: 16 x 10 + 10 = 170. In all 302."""
    config = read_config(SearchConfig, SMALL | {"bounds": {"parameters": 301}})
    [error] = bound_errors(config, image_channels=1, classes=10)
    assert (error.field, error.message) == (
        "bounds.parameters", "is 301; no network can meet it, because stem and head alone have 302."
    )  # fmt: skip
    config = read_config(SearchConfig, SMALL | {"bounds": {"parameters": 302}})
    assert bound_errors(config, image_channels=1, classes=10) == []


@settings(max_examples=50)
@given(st.data())
def test_no_architecture_is_below_what_the_check_calls_impossible(data):
    config = read_config(SearchConfig, SMALL)
    options = [len(decision.options) for decision in NasnetSpace(config.space).decisions]
    decisions = data.draw(st.tuples(*(st.integers(0, count - 1) for count in options)))
    network = costed_plan(config, NasnetSpace(config.space).decode(decisions), image_channels=1, classes=10)
    parameters, mult_adds = cost.parameters(network), cost.mult_adds(network)
    bounds = {"parameters": parameters, "mult_adds": mult_adds}
    allowed = read_config(SearchConfig, SMALL | {"bounds": bounds})
    assert bound_errors(allowed, image_channels=1, classes=10) == []


@pytest.mark.parametrize(
    ("given_parts", "field", "message"),
    [
        ({"objective": {"cost": "latency"}}, "objective.target", "is 0; where cost is weighed it must be more than 0."),
        (
            {"bounds": {"network": "target", "target_skeleton": "imagenet", "target_filters": 6,
                        "target_image_size": 224}},
            "bounds.target_filters", "is 6; with the ImageNet skeleton it must be a multiple of 4.",
        ),
        (
            {"bounds": {"network": "target", "target_skeleton": "imagenet", "target_image_size": 32}},
            "bounds.target_image_size", "is 32; to be halved 5 times it must be at least 35.",
        ),
    ],
)  # fmt: skip
def test_a_configuration_that_cannot_be_is_refused_at_its_field(given_parts, field, message):
    with pytest.raises(ConfigError) as refused:
        read_config(SearchConfig, SMALL | given_parts)
    assert (refused.value.field, refused.value.message) == (field, message)


def test_a_stored_configuration_without_bounds_reads_as_one_that_bounds_nothing():
    stored = SearchConfig().model_dump(mode="json")
    del stored["bounds"], stored["objective"]
    config = read_config(SearchConfig, stored)
    assert not config.bounds.any and not config.weighs_cost and not config.measures_latency
