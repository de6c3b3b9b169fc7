import math
from collections.abc import Sequence

import pytest
import torch

from search_engine.config.space import NasnetSpaceConfig
from search_engine.config.strategy import PpoConfig, RandomConfig
from search_engine.seeds import derive
from search_engine.spaces.nasnet import NasnetSpace
from search_engine.strategies.base import Evaluation, Strategy, Update
from search_engine.strategies.controller import Controller
from search_engine.strategies.ppo import Ppo, ppo_loss
from search_engine.strategies.random import Random
from search_engine.strategies.reward_baseline import RewardBaseline
from tests.engine.toy import ToySpace, share_of


def logs(*probabilities: float) -> torch.Tensor:
    return torch.tensor(probabilities, dtype=torch.float64).log()


def small(seed: int = 1, children: int = 40, **settings: float) -> Ppo:
    config = PpoConfig(step_size=4, hidden_size=8, **settings)  # type: ignore[arg-type]
    return Ppo(ToySpace([3, 4]), config, children=children, seed=seed)


def tell(strategy: Strategy, rewards: Sequence[float | None]) -> Update:
    proposals = strategy.ask()
    return strategy.tell([Evaluation(p.step, p.slot, reward) for p, reward in zip(proposals, rewards, strict=True)])


def weights_of(strategy: Ppo) -> dict[str, torch.Tensor]:
    return {name: tensor for name, tensor in strategy.state_dict()[0].items() if name.startswith("controller.")}


def test_the_loss_of_two_decisions_is_the_one_worked_on_paper() -> None:
    # Each joint probability is a product of two decisions. Ratios: .5 x .75 / (.5 x .5) = 1.5, clipped to 1.2 as the
    # child was good; .25 x .5 / (.5 x .5) = .5, held at .8 as it was bad; .55 x .5 / (.5 x .5) = 1.1, inside.
    old = logs(0.5, 0.5, 0.5) + logs(0.5, 0.5, 0.5)
    new = logs(0.5, 0.25, 0.55) + logs(0.75, 0.5, 0.5)
    advantages = torch.tensor([1.0, -1.0, 0.5], dtype=torch.float64)
    entropies = torch.tensor([1.0, 1.2, 1.4], dtype=torch.float64)
    loss, clipped = ppo_loss(new, old, advantages, entropies, clip=0.2, entropy_weight=0.01)
    assert loss.item() == pytest.approx(-(1.2 - 0.8 + 0.55) / 3 - 0.01 * 1.2)
    assert clipped == pytest.approx(2 / 3)


def test_a_clipped_child_gives_no_gradient_but_a_wrong_move_is_still_undone() -> None:
    old = logs(0.25, 0.25)
    new = logs(0.375, 0.375).requires_grad_()
    advantages = torch.tensor([1.0, -1.0], dtype=torch.float64)
    loss, _ = ppo_loss(new, old, advantages, torch.zeros(2), clip=0.2, entropy_weight=0.0)
    loss.backward()  # type: ignore[no-untyped-call]
    # The good child went far enough; the bad one became more probable, so it is pushed back: d(ratio)/d(log) = 1.5.
    assert new.grad is not None
    assert new.grad.tolist() == [0.0, pytest.approx(1.5 / 2)]


def test_the_baseline_moves_by_a_twentieth_of_the_distance() -> None:
    baseline = RewardBaseline(0.95)
    assert baseline.advantages([0.25, 0.75], normalise=False) == [-0.25, 0.25]
    assert baseline.value == 0.5
    assert baseline.advantages([1.0], normalise=False) == [0.5]  # Against the mean before this step.
    assert baseline.value == pytest.approx(0.525)


def test_normalised_advantages_are_divided_by_their_running_deviation() -> None:
    baseline = RewardBaseline(0.5)
    # First step: advantages -.25 and .25, mean square .0625. Second: .5, so .5 x .0625 + .5 x .25 = .15625.
    assert baseline.advantages([0.25, 0.75], normalise=True) == [-1.0, 1.0]
    assert baseline.advantages([1.0], normalise=True) == [pytest.approx(0.5 / math.sqrt(0.15625))]


def test_equal_rewards_give_advantages_of_zero_and_divide_by_nothing() -> None:
    assert RewardBaseline(0.9).advantages([0.5, 0.5], normalise=True) == [0.0, 0.0]


def test_the_first_loss_is_the_entropy_bonus_alone() -> None:
    # Ratios are exactly 1 and the advantages of the first step sum to 0, so the surrogate vanishes.
    strategy = small(epochs=1, entropy_weight=0.5)
    entropy = sum(strategy.pending()[0].entropies)
    update = tell(strategy, [0.0, 1.0, 0.0, 1.0])
    assert update.loss == pytest.approx(-0.5 * entropy, abs=1e-5)
    assert update.clipped == 0.0
    assert update.mean_reward == update.baseline == 0.5


def test_the_shown_policy_is_the_mean_of_the_draws_to_the_last_bit() -> None:
    # It is part of the state: summed in another order it would change the fingerprints of searches that began before.
    space, config = NasnetSpace(NasnetSpaceConfig(blocks=2)), PpoConfig(step_size=5)
    shown = Ppo(space, config, children=5, seed=1).pending()[0].policy
    generator = torch.Generator().manual_seed(derive(1, "controller"))
    controller = Controller(space.decisions, hidden_size=100, init_range=0.1, generator=generator)
    _, scores = controller.draw(5, torch.Generator().manual_seed(derive(1, "ask", 0)))
    means = scores.conditionals.exp().mean(dim=0).tolist()
    sizes = [len(decision.options) for decision in space.decisions]
    assert shown == tuple(tuple(row[:size]) for row, size in zip(means, sizes, strict=True))


def test_what_earned_more_becomes_more_probable() -> None:
    strategy = small(learning_rate=0.01, epochs=10)
    before = strategy.ask()
    decisions = torch.tensor([proposal.decisions for proposal in before])
    rewards = [float(proposal.decisions == before[0].decisions) for proposal in before]
    assert 0 < sum(rewards) < 4
    tell(strategy, rewards)
    after = strategy._controller.score(decisions).joint.tolist()
    for proposal, reward, log_probability in zip(before, rewards, after, strict=True):
        assert (log_probability > proposal.log_probability) == (reward == 1)


def test_a_lost_child_stays_out_of_gradient_and_baseline() -> None:
    three = small()
    update = tell(three, [0.0, 1.0, 0.5, None])
    assert update.mean_reward == update.baseline == 0.5
    # By hand: one pass over the three children that count, with their advantages.
    again = small()
    decisions = torch.tensor([proposal.decisions for proposal in again.ask()])
    controller, optimizer = again._controller, again._optimizer
    for _ in range(4):
        scores = controller.score(decisions)
        old = torch.tensor([proposal.log_probability for proposal in again.ask()])
        ratios = (scores.joint - old).exp()[:3]
        advantages = torch.tensor([-0.5, 0.5, 0.0])
        gains = torch.minimum(ratios * advantages, ratios.clamp(0.8, 1.2) * advantages)
        loss = -(gains.sum() / 3) - 0.00001 * (scores.entropies.sum(dim=1)[:3].sum() / 3)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(controller.parameters(), 1.0)
        optimizer.step()
    for name, tensor in weights_of(again).items():
        torch.testing.assert_close(weights_of(three)[name], tensor)


def test_an_infeasible_child_counts_with_its_stated_reward() -> None:
    strategy = small()
    evaluations = [Evaluation(0, slot, 0.8) for slot in range(3)] + [Evaluation(0, 3, 0.0, reason="diverged")]
    assert strategy.tell(evaluations).mean_reward == pytest.approx(0.6)


def test_a_step_that_was_lost_altogether_changes_nothing() -> None:
    strategy = small()
    tell(strategy, [0.0, 1.0, 0.5, 0.5])
    before, baseline = strategy.state_dict()[0], 0.5
    update = tell(strategy, [None] * 4)
    assert (update.mean_reward, update.loss, update.divergence, update.clipped) == (None, None, None, None)
    assert update.baseline == baseline
    after = strategy.state_dict()[0]
    assert all(torch.equal(before[name], after[name]) for name in before) and before.keys() == after.keys()
    assert strategy.ask()[0].step == 2


def test_a_gradient_that_is_not_finite_is_our_bug() -> None:
    strategy = small()
    with torch.no_grad():
        strategy._controller.start.fill_(float("nan"))
    with pytest.raises(AssertionError, match="gradient is nan in step 0"):
        tell(strategy, [0.0, 1.0, 0.5, 0.5])


def test_adam_and_its_moments_are_part_of_the_state() -> None:
    strategy = small()
    assert not any(name.startswith("adam.") for name in strategy.state_dict()[0])
    tell(strategy, [0.0, 1.0, 0.5, 0.5])
    tensors = strategy.state_dict()[0]
    assert tensors["adam.lstm.weight_hh_l0.step"].item() == 4  # Epochs.
    assert tensors["adam.lstm.weight_hh_l0.exp_avg_sq"].shape == (32, 8)


def last_mean(strategy: Strategy, target: Sequence[int]) -> tuple[float, float]:
    """(mean reward of the last five steps, best reward) of a search for a planted optimum."""
    reward = share_of(target)
    means, best = [], 0.0
    while not strategy.is_finished:
        rewards = [reward(proposal) for proposal in strategy.ask()]
        best = max(best, *rewards)
        mean = tell(strategy, rewards).mean_reward
        assert mean is not None
        means.append(mean)
    return sum(means[-5:]) / 5, best


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_controller_finds_a_planted_optimum_and_random_search_does_not(seed: int) -> None:
    space, target = ToySpace([6] * 10), (3, 1, 4, 1, 5, 2, 0, 5, 3, 5)
    config = PpoConfig(step_size=20, learning_rate=0.006, hidden_size=32)
    learned, best = last_mean(Ppo(space, config, children=1200, seed=seed), target)
    uniform, best_by_luck = last_mean(Random(space, RandomConfig(step_size=20), children=1200, seed=seed), target)
    assert uniform < 0.25 and best_by_luck < 1  # One in six by chance; all ten in one of 60 million.
    assert learned > 0.95 and best == 1
