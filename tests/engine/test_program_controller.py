"""The controllers of ENAS against the fact sheet's numbers, and against loops written out step by step."""

import math

import pytest
import torch
from torch.testing import assert_close

from search_engine.config.controller import (
    MacroControllerConfig,
    MicroControllerConfig,
    RecurrentControllerConfig,
)
from search_engine.config.controller_presets import released
from search_engine.config.space import EnasMacroSpaceConfig, EnasMicroSpaceConfig, EnasRecurrentSpaceConfig
from search_engine.spaces.build import build_space
from search_engine.strategies.controller import Controller
from search_engine.strategies.controller_program import program_of, softmax_chain
from search_engine.strategies.program_controller import ProgramController
from search_engine.strategies.reinforce import drawn_entropies
from tests.engine.toy import nasnet_decisions

MICRO, MACRO, RECURRENT = EnasMicroSpaceConfig(), EnasMacroSpaceConfig(), EnasRecurrentSpaceConfig()
KINDS = [
    pytest.param(MICRO, MicroControllerConfig(), id="micro"),
    pytest.param(MACRO, MacroControllerConfig(), id="macro"),
    pytest.param(RECURRENT, RecurrentControllerConfig(), id="recurrent"),
]
SMALL = [
    pytest.param(EnasMicroSpaceConfig(nodes=2), MicroControllerConfig(temperature=2.0), id="micro"),
    pytest.param(EnasMacroSpaceConfig(layers=4), MacroControllerConfig(temperature=2.0), id="macro"),
    pytest.param(EnasRecurrentSpaceConfig(nodes=4), RecurrentControllerConfig(), id="recurrent"),
]


def generator(seed=1):
    return torch.Generator().manual_seed(seed)


def controller(space, config, *, hidden=8, init_range=0.5, seed=1):
    program = program_of(build_space(space).decisions, config)
    return ProgramController(program, hidden_size=hidden, init_range=init_range, generator=generator(seed))


def undecided(space, config):
    """As at the start, with weights so small that they do not count."""
    policy = controller(space, config, hidden=64, init_range=1e-6)
    return policy.draw(3, generator())[1]


def places(space, family):
    return [index for index, decision in enumerate(build_space(space).decisions) if decision.family == family]


@pytest.mark.parametrize(
    ("space", "count"),
    [
        (MICRO, 41_733),
        (MACRO, 41_856),
        (RECURRENT, 101_000),
        (EnasRecurrentSpaceConfig(activations=("tanh", "relu")), 100_600),
    ],
)
def test_released_controllers_have_the_released_number_of_weights(space, count):
    preset = released(space.kind)
    policy = controller(space, preset.controller, hidden=preset.strategy.hidden_size)
    assert sum(weights.numel() for weights in policy.parameters()) == count


@pytest.mark.parametrize(("space", "config"), KINDS)
def test_all_weights_start_within_the_range_but_the_learned_biases(space, config):
    for name, weights in controller(space, config, hidden=64, init_range=0.1).named_parameters():
        if name == "head_biases":
            assert weights.tolist() == [0, 0, 0, 0, 0]
        else:
            assert 0.05 < weights.abs().max() <= 0.1


@pytest.mark.parametrize("bias", ["fixed", "released"])
def test_the_cells_of_a_micro_search_start_with_the_probabilities_of_the_fact_sheet(bias):
    scores = undecided(MICRO, MicroControllerConfig(operation_bias=bias))
    operations = places(MICRO, "operation")
    for cell, probabilities, nats in (
        (operations[:10], [0.3153, 0.3153, 0.1232, 0.1232, 0.1232], 1.5016),
        (operations[10:], [0.2543, 0.2543, 0.1638, 0.1638, 0.1638], 1.5854),
    ):
        for place in cell:
            assert scores.conditionals[0, place, :5].exp().tolist() == pytest.approx(probabilities, abs=5e-5)
            assert scores.entropies[0, place].item() == pytest.approx(nats, abs=5e-5)
    assert scores.entropies.sum(dim=1).tolist() == [pytest.approx(57.19, abs=5e-3)] * 3


def test_without_the_bias_a_micro_search_starts_undecided():
    scores = undecided(MICRO, MicroControllerConfig(operation_bias="off"))
    assert scores.entropies.sum(dim=1).tolist() == [pytest.approx(58.51, abs=5e-3)] * 3


@pytest.mark.parametrize("bias", ["fixed", "released"])
def test_the_bias_goes_with_the_names_of_the_operations_that_are_left(bias):
    few = EnasMicroSpaceConfig(nodes=1, operations=("sep_conv_5x5", "identity"))
    scores = undecided(few, MicroControllerConfig(operation_bias=bias))
    gap = 0.44 * (math.tanh(10) - math.tanh(0)) + 0.5
    assert scores.conditionals[0, 2, 0].exp().item() == pytest.approx(1 / (1 + math.exp(-gap)), abs=1e-5)


def test_a_macro_search_starts_with_the_entropy_of_uniform_draws():
    scores = undecided(MACRO, MacroControllerConfig())
    assert scores.entropies.sum(dim=1).tolist() == [pytest.approx(67.249, abs=5e-4)] * 3
    # What the released code adds up in place of it.
    assert drawn_entropies(scores).sum(dim=1).tolist() == [pytest.approx(26.457, abs=5e-4)] * 3


def test_no_macro_choice_leaves_the_bounds_of_its_tanh():
    policy = controller(MACRO, MacroControllerConfig(), hidden=16, init_range=60.0)
    _, scores = policy.draw(200, generator())
    skips = scores.conditionals[:, places(MACRO, "skip"), 1].exp()
    assert skips.min().item() == pytest.approx(0.0474, abs=5e-5)
    assert skips.max().item() == pytest.approx(0.9526, abs=5e-5)
    operations = scores.conditionals[:, places(MACRO, "operation")].exp().max()
    assert 0.5 < operations.item() <= 0.8007


def test_near_nodes_are_preferred_by_the_square_of_their_distance():
    scores = undecided(RECURRENT, RecurrentControllerConfig())
    for place, wanted in zip(
        places(RECURRENT, "source")[1:4],
        ([0.3775, 0.6225], [0.141, 0.3243, 0.5347], [0.042, 0.135, 0.3107, 0.5122]),
        strict=True,
    ):
        found = scores.conditionals[0, place, : len(wanted)].exp().tolist()
        assert found == pytest.approx(wanted, abs=1e-4)
    scores = undecided(RECURRENT, RecurrentControllerConfig(locality=False))
    uniform = 12 * math.log(4) + math.log(math.factorial(11))
    assert scores.entropies.sum(dim=1).tolist() == [pytest.approx(uniform, abs=1e-3)] * 3


@pytest.mark.parametrize(("space", "config"), KINDS)
def test_rescoring_an_unchanged_policy_gives_a_ratio_of_exactly_one(space, config):
    policy = controller(space, config, hidden=64)
    for count in (1, 3, 20):
        decisions, scores = policy.draw(count, generator(count))
        again = policy.score(decisions)
        assert torch.equal((again.joint - scores.joint).exp(), torch.ones(count))
        assert torch.equal(again.entropies, scores.entropies)


@pytest.mark.parametrize(("space", "config"), SMALL)
def test_every_decision_has_a_distribution_over_its_options_with_its_entropy(space, config):
    decisions, scores = controller(space, config).draw(7, generator(3))
    for index, decision in enumerate(build_space(space).decisions):
        size = len(decision.options)
        options = scores.conditionals[:, index]
        assert_close(options.exp().sum(dim=1), torch.ones(7))
        assert torch.isneginf(options[:, size:]).all()
        chosen = options.gather(1, decisions[:, index : index + 1]).squeeze(1)
        assert torch.equal(chosen, scores.log_probabilities[:, index])
        by_hand = -(options[:, :size].exp() * options[:, :size]).sum(dim=1)
        assert_close(scores.entropies[:, index], by_hand)


@pytest.mark.parametrize(("space", "config"), SMALL)
def test_draws_follow_the_distribution_they_are_scored_with(space, config):
    decisions, scores = controller(space, config, init_range=1.0).draw(20_000, generator(6))
    expected = scores.conditionals.exp().mean(dim=0)
    for index, decision in enumerate(build_space(space).decisions):
        size = len(decision.options)
        shares = torch.bincount(decisions[:, index], minlength=size) / 20_000
        assert_close(shares, expected[index, :size], atol=0.015, rtol=0)  # Four standard errors.


@pytest.mark.parametrize(("bias", "can_learn"), [("fixed", True), ("off", True), ("released", False)])
def test_the_released_bias_leaves_no_gradient_to_tell_convolutions_of_two_sizes_apart(bias, can_learn):
    policy = controller(MICRO, MicroControllerConfig(operation_bias=bias), hidden=64, init_range=0.1)
    decisions, _ = policy.draw(20, generator())
    policy.score(decisions).joint.sum().backward()
    assert policy.head_biases.grad is not None and policy.head_weights.grad is not None
    for gradient in (policy.head_biases.grad, policy.head_weights.grad):
        assert bool(gradient[:2].any()) == can_learn and gradient[2:].any()
    if bias == "released":
        assert policy.head_biases.tolist() == [10, 10, 0, 0, 0]


@pytest.mark.parametrize(("space", "config"), SMALL)
def test_every_weight_gets_a_gradient(space, config):
    policy = controller(space, config)
    decisions, _ = policy.draw(6, generator())
    scores = policy.score(decisions)
    (scores.joint.mean() + scores.entropies.mean()).backward()
    for name, weights in policy.named_parameters():
        assert weights.grad is not None and weights.grad.isfinite().all(), name
        assert weights.grad.abs().max() > 0, name


def test_equal_generators_draw_equal_architectures_and_the_global_one_is_not_touched():
    before = torch.get_rng_state()
    policy = controller(MACRO, MacroControllerConfig())
    assert torch.equal(policy.draw(9, generator(7))[0], policy.draw(9, generator(7))[0])
    assert not torch.equal(policy.draw(9, generator(7))[0], policy.draw(9, generator(8))[0])
    assert torch.equal(torch.get_rng_state(), before)


def test_the_program_of_nasnet_scores_like_the_controller_that_searches_with_it():
    decisions = nasnet_decisions(2)
    fast = Controller(decisions, hidden_size=8, init_range=0.5, generator=generator())
    slow = ProgramController(softmax_chain(decisions), hidden_size=8, init_range=0.5, generator=generator())
    weights = fast.state_dict()
    for name in ("lstm.bias_ih_l0", "lstm.bias_hh_l0"):
        weights[name].zero_()  # The program's LSTM has none.
    renamed = {name.replace("_l0", ""): value for name, value in weights.items() if "bias_" not in name}
    slow.load_state_dict(renamed)
    drawn, _ = fast.draw(5, generator(2))
    assert_close(slow.score(drawn).conditionals, fast.score(drawn).conditionals)


# The loops of the released code, written out with what stands in the controller, for one architecture.


class ByHand:
    def __init__(self, policy, config):
        self.weights = dict(policy.named_parameters())
        self.policy, self.config = policy, config
        self.h = self.c = torch.zeros(1, policy.start.numel())
        self.logs = []

    def step(self, read):
        self.h, self.c = self.policy.lstm(read.reshape(1, -1), (self.h, self.c))

    def bound(self, scores, constant):
        return constant * torch.tanh(scores / self.config.temperature)

    def attention(self, anchors):
        """anchors: what the LSTM gave where they were stored."""
        w = self.weights
        return torch.cat([
            torch.tanh(anchor @ w["anchor_weights"].T + self.h @ w["query_weights"].T) @ w["attention_vector"]
            for anchor in anchors
        ])  # fmt: skip

    def choose(self, logits):
        self.logs.append(logits.flatten().log_softmax(dim=0))


def check(policy, by_hand, decisions):
    found = policy.score(decisions).conditionals[0]
    assert len(found) == len(by_hand.logs)
    for one, log in zip(found, by_hand.logs, strict=True):
        assert_close(one[: len(log)], log)


def test_a_macro_controller_reads_the_mean_of_what_it_joined():
    config = MacroControllerConfig(temperature=2.0)
    policy = controller(EnasMacroSpaceConfig(layers=4), config)
    decisions, _ = policy.draw(1, generator(4))
    left = iter(decisions[0].tolist())
    hand, anchors, read = ByHand(policy, config), [], policy.start
    for layer in range(4):
        hand.step(read)
        hand.choose(hand.bound(hand.h @ policy.head_weights.T, 1.5))
        hand.step(policy.embeddings[next(left)])
        read = policy.start
        if layer:
            for score in hand.bound(hand.attention(anchors), 1.5):
                hand.choose(torch.stack([-score, score]))
            chosen = [anchor for anchor in anchors if next(left)]
            read = sum(chosen, torch.zeros(1, 8)) / (1 + len(chosen))
        anchors.append(hand.h)
    check(policy, hand, decisions)


def test_a_recurrent_controller_reads_the_node_it_pointed_at_divided_by_its_distance():
    config = RecurrentControllerConfig()
    policy = controller(EnasRecurrentSpaceConfig(nodes=4), config)
    decisions, _ = policy.draw(1, generator(5))
    left = iter(decisions[0].tolist())
    hand, anchors, read = ByHand(policy, config), [], policy.start
    for node in range(4):
        if node:
            hand.step(read)
            distances = torch.tensor([float(node - earlier) for earlier in range(node)])
            hand.choose(hand.bound(hand.attention(anchors), 2.25) - distances**2 / 6)
            source = next(left)
            read = anchors[source] / (0.1 + node - source)
        hand.step(read)
        hand.choose(hand.bound(hand.h @ policy.head_weights.T, 2.25))
        anchors.append(hand.h)
        read = policy.embeddings[next(left)]
    check(policy, hand, decisions)


def test_a_micro_controller_runs_twice_and_goes_on_from_its_own_state():
    config = MicroControllerConfig(temperature=2.0, operation_bias="released")
    policy = controller(EnasMicroSpaceConfig(nodes=2), config)
    with torch.no_grad():
        policy.head_biases.copy_(torch.tensor([0.3, -0.2, 0.1, 0.4, -0.5]))  # As after some learning.
    decisions, _ = policy.draw(1, generator(6))
    left = iter(decisions[0].tolist())
    hand = ByHand(policy, config)
    fixed = torch.tensor([0.25, 0.25, -0.25, -0.25, -0.25])
    for cell in ("normal", "reduction"):
        pointed_at, values = [], []
        for _ in range(2):
            hand.step(policy.start)
            pointed_at.append(hand.h)
            values.append(torch.zeros(1, 8))
        for _ in range(2):
            read = policy.start
            for _ in range(2):
                hand.step(read)
                hand.choose(hand.bound(hand.attention(pointed_at), 1.1))
                read = values[next(left)]
            for _ in range(2):
                hand.step(read)
                scores = hand.bound(hand.h @ policy.head_weights.T + policy.head_biases, 1.1 / 2.5)
                hand.choose(scores + fixed if cell == "normal" else scores)
                read = policy.embeddings[next(left)]
            hand.step(read)
            pointed_at.append(hand.h)
            values.append(hand.h)
    check(policy, hand, decisions)
