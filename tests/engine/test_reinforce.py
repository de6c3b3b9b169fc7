import math

import pytest
import torch

from search_engine.config.controller import MacroControllerConfig, MicroControllerConfig, RecurrentControllerConfig
from search_engine.config.space import EnasMacroSpaceConfig, EnasMicroSpaceConfig, EnasRecurrentSpaceConfig
from search_engine.config.strategy import PpoConfig, ReinforceConfig
from search_engine.spaces.build import build_space
from search_engine.strategies.base import Evaluation
from search_engine.strategies.ppo import Ppo
from search_engine.strategies.reinforce import Reinforce
from search_engine.strategies.reward_baseline import BaselineOfEach
from tests.engine.toy import ToySpace

MACRO = build_space(EnasMacroSpaceConfig(layers=4))


def small(seed=1, children=400, **settings):
    config = ReinforceConfig(**({"step_size": 4, "hidden_size": 8} | settings))
    return Reinforce(ToySpace([3, 4]), config, children=children, seed=seed)


def tell(strategy, rewards):
    proposals = strategy.ask()
    return strategy.tell([Evaluation(p.step, p.slot, reward) for p, reward in zip(proposals, rewards, strict=True)])


def weights_of(strategy):
    return {name: tensor for name, tensor in strategy.state_dict()[0].items() if name.startswith("controller.")}


def run(strategy, reward, steps):
    """Tell that many steps; returns the entropy of the last step that was drawn."""
    for _ in range(steps):
        tell(strategy, [reward(proposal) for proposal in strategy.ask()])
    return sum(strategy.pending()[0].entropies)


def test_a_round_moves_the_weights_as_worked_by_hand():
    one, again = small(entropy_weight=0.01), small(entropy_weight=0.01)
    update = tell(one, [0.0, 1.0, 0.5, None])
    decisions = torch.tensor([proposal.decisions for proposal in again.ask()])
    scores = again._controller.score(decisions)
    advantages = torch.tensor([-0.5, 0.5, 0.0])  # Against the mean of the first round.
    loss = -(advantages * scores.joint[:3]).sum() / 3 - 0.01 * scores.entropies.sum() / 4
    loss.backward()
    torch.nn.utils.clip_grad_norm_(again._controller.parameters(), 5.0)
    again._optimizer.step()
    assert update.loss == pytest.approx(loss.item())
    for name, tensor in weights_of(again).items():
        torch.testing.assert_close(weights_of(one)[name], tensor)
    old = torch.tensor([proposal.log_probability for proposal in again.ask()])[:3]
    assert update.divergence == pytest.approx((old - again._controller.score(decisions).joint[:3]).mean().item())
    assert (update.mean_reward, update.baseline, update.clipped) == (0.5, 0.5, None)


def test_a_round_that_was_lost_altogether_changes_nothing():
    strategy = small()
    before = strategy.state_dict()[0]
    update = tell(strategy, [None] * 4)
    assert (update.mean_reward, update.loss, update.divergence, update.baseline) == (None, None, None, None)
    assert all(torch.equal(before[name], after) for name, after in strategy.state_dict()[0].items())
    assert strategy.ask()[0].step == 1


def test_the_released_baseline_starts_at_zero_and_moves_before_it_is_compared():
    baseline = BaselineOfEach(0.99)
    assert baseline.value == 0
    # After a reward of 1 it is .01, so that the first advantage is .99; after one of .5 it is .0149.
    assert baseline.advantages([1.0, 0.5], normalise=False) == [pytest.approx(0.99), pytest.approx(0.4851)]
    assert baseline.value == pytest.approx(0.0149)
    again = BaselineOfEach(0.99)
    again.load_json(baseline.to_json())
    assert again.advantages([0.0], normalise=False) == [pytest.approx(-0.0149 * 0.99)]


@pytest.mark.parametrize("bonus", ["reward", "reward-drawn"])
def test_the_entropy_can_be_part_of_the_reward(bonus):
    strategy = small(entropy_bonus=bonus, entropy_weight=0.1)
    scores = strategy._controller.score(torch.tensor([proposal.decisions for proposal in strategy.ask()]))
    if bonus == "reward":
        logs = torch.cat([scores.conditionals[:, 0, :3], scores.conditionals[:, 1, :4]], dim=1)  # Every option's.
    else:
        logs = scores.log_probabilities  # Those of the options that were drawn.
    bonuses = -(logs.exp() * logs).sum(dim=1)
    update = tell(strategy, [0.5, 0.5, 0.5, 0.5])
    assert update.mean_reward == 0.5
    assert update.baseline == pytest.approx(0.5 + 0.1 * bonuses.mean().item(), abs=1e-6)


def test_the_gradient_is_clipped_and_zero_clips_nothing():
    steps = {}
    for clip in (0.0, 1e-6, 1e3):
        strategy = small(gradient_clip=clip)
        strategy._optimizer = torch.optim.SGD(strategy._controller.parameters(), lr=1.0)  # Moves by its gradient.
        before = weights_of(strategy)
        tell(strategy, [0.0, 1.0, 0.0, 1.0])
        after = weights_of(strategy)
        steps[clip] = math.sqrt(sum(float(((after[name] - before[name]) ** 2).sum()) for name in before))
    assert steps[0.0] == steps[1e3] > 1e-3
    assert steps[1e-6] == pytest.approx(1e-6, rel=0.1)


@pytest.mark.parametrize("rule", ["round", "architecture"])
def test_a_constant_reward_keeps_the_policy_undecided(rule):
    strategy = small(baseline_rule=rule, learning_rate=0.01, entropy_weight=0.001, baseline_decay=0.9)
    assert run(strategy, lambda proposal: 0.5, 60) > 0.97 * (math.log(3) + math.log(4))


@pytest.mark.parametrize("rule", ["round", "architecture"])
def test_a_reward_for_one_operation_makes_the_policy_choose_it(rule):
    strategy = small(baseline_rule=rule, learning_rate=0.02, baseline_decay=0.9)
    run(strategy, lambda proposal: float(proposal.decisions[0] == 0), 60)
    assert strategy.pending()[0].policy[0][0] > 0.95
    assert strategy.pending()[0].entropies[1] > 0.7 * math.log(4)  # What brings nothing stays open.


def test_entropy_in_the_loss_holds_the_policy_up():
    def entropy(weight):
        strategy = small(entropy_weight=weight, learning_rate=0.02, baseline_decay=0.9)
        return run(strategy, lambda proposal: float(proposal.decisions[0] == 0), 60)

    assert entropy(2.0) > entropy(0.0) + 0.3


@pytest.mark.parametrize(
    ("kind", "penalty", "rate"),
    [("reinforce", "probability", 0.4), ("reinforce", "released", 0.308), ("ppo", "probability", 0.4)],
)
def test_the_skip_penalty_drives_the_rate_of_skips_to_the_documented_value(kind, penalty, rate):
    controller = MacroControllerConfig(skip_penalty=penalty)
    sizes = {"step_size": 10, "hidden_size": 16, "learning_rate": 0.01, "entropy_weight": 0.0}
    if kind == "ppo":
        strategy = Ppo(MACRO, PpoConfig(**sizes), controller, children=2000, seed=1)
    else:
        strategy = Reinforce(MACRO, ReinforceConfig(**sizes), controller, children=2000, seed=1)
    run(strategy, lambda proposal: 0.5, 60)
    drawn = strategy.sample(200, purpose="test", number=0)
    skips = [options[1] for options, one in zip(drawn.policy, MACRO.decisions, strict=True) if one.family == "skip"]
    assert sum(skips) / len(skips) == pytest.approx(rate, abs=0.01)


@pytest.mark.parametrize(
    ("space", "controller"),
    [
        (EnasMicroSpaceConfig(nodes=2), MicroControllerConfig()),
        (EnasMacroSpaceConfig(layers=4), MacroControllerConfig(skip_weight=0.0)),
        (EnasRecurrentSpaceConfig(nodes=4), RecurrentControllerConfig(tanh_constant=2.5)),
    ],
)
def test_each_controller_learns_what_is_rewarded(space, controller):
    config = ReinforceConfig(step_size=10, hidden_size=16, learning_rate=0.02, baseline_decay=0.9)
    built = build_space(space)
    strategy = Reinforce(built, config, controller, children=2000, seed=1)
    last = len(built.decisions) - 1

    def share():
        return strategy.sample(100, purpose="test", number=0).policy[last][1]

    before = share()
    run(strategy, lambda proposal: float(proposal.decisions[last] == 1), 60)
    assert share() > before + 0.1


def test_a_gradient_that_is_not_finite_is_our_bug():
    strategy = small()
    with torch.no_grad():
        strategy._controller.start.fill_(float("nan"))
    with pytest.raises(AssertionError, match="gradient is nan in step 0"):
        tell(strategy, [0.0, 1.0, 0.5, 0.5])
