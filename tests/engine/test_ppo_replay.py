"""What PPO with a memory does beside PPO: it draws nothing twice and replays its best."""

import torch

from search_engine.config.changes import Change
from search_engine.config.strategy import PpoConfig, PpoReplayConfig
from search_engine.strategies.base import Evaluation, Strategy
from search_engine.strategies.memory import Memory
from search_engine.strategies.ppo import Ppo
from search_engine.strategies.ppo_replay import PpoReplay
from tests.engine.toy import ToySpace, share_of

SIZES = [3, 4, 2, 3]


def replaying(children: int = 60, changes: tuple[Change, ...] = (), **settings: float) -> PpoReplay:
    config = PpoReplayConfig(**{"step_size": 6, "hidden_size": 8, "learning_rate": 0.02} | settings)  # type: ignore[arg-type]
    return PpoReplay(ToySpace(SIZES), config, children=children, seed=1, changes=changes)


def tell(strategy: Strategy, reward: float | None = None) -> list[tuple[int, ...]]:
    proposals, share = strategy.ask(), share_of((2, 3, 1, 2))
    rewards = [share(one) if reward is None else reward for one in proposals]
    strategy.tell([Evaluation(one.step, one.slot, each) for one, each in zip(proposals, rewards, strict=True)])
    return [one.decisions for one in proposals]


def test_nothing_is_drawn_twice_while_there_is_something_new() -> None:
    strategy = replaying()
    drawn = [one for _ in range(5) for one in tell(strategy)]
    assert len(set(drawn)) == 30
    plain = Ppo(ToySpace(SIZES), PpoConfig(step_size=6, hidden_size=8), children=60, seed=1)
    assert len({one for _ in range(5) for one in tell(plain)}) < 30


def test_when_all_is_drawn_it_goes_on_with_what_was() -> None:
    strategy = replaying(children=90)
    drawn = []
    while not strategy.is_finished:
        drawn += tell(strategy)
    assert len(drawn) == 90 and len(set(drawn)) <= 72


def test_without_a_replay_it_learns_what_ppo_learns_from_the_same_children() -> None:
    settings = {"step_size": 6, "hidden_size": 8, "learning_rate": 0.02, "entropy_weight": 0.01}
    ours = replaying(replay_weight=0, baseline_decay=0.95, normalise_advantages=False, entropy_weight=0.01)
    theirs = Ppo(ToySpace(SIZES), PpoConfig(**settings), children=60, seed=1)  # type: ignore[arg-type]
    assert ours.ask() == theirs.ask()  # All different, so none was drawn anew.
    tell(ours), tell(theirs)
    for name, weights in theirs.state_dict()[0].items():
        assert torch.equal(ours.state_dict()[0][name], weights), name


def test_the_replay_makes_the_best_more_probable_than_the_step_alone_would() -> None:
    def probability(weight: float) -> float:
        strategy = replaying(replay_weight=weight, replayed=1)
        for _ in range(4):
            tell(strategy, reward=0.5)  # No advantage, so nothing to learn from the step; the first is the best.
        (best,) = strategy.state_dict()[1]["memory"]["best"]
        shown = strategy.pending()[0].policy
        return sum(shown[index][option] for index, option in enumerate(best[0]))

    assert probability(1.0) > probability(0.0) + 0.1


def test_the_best_are_different_ones_in_the_order_of_their_rewards_and_the_older_of_equals() -> None:
    memory = Memory(2)
    memory.note_rewards([((0, 0), 0.1), ((1, 0), 0.3), ((0, 1), 0.3), ((1, 0), 0.2)])
    assert memory.best == (((1, 0), 0.3), ((0, 1), 0.3))
    memory.note_rewards([((1, 1), 0.3), ((0, 1), 0.5)])
    assert memory.best == (((0, 1), 0.5), ((1, 0), 0.3))


def test_what_is_banned_is_not_replayed() -> None:
    memory = Memory(3)
    memory.note_rewards([((0, 0), 0.1), ((1, 0), 0.3), ((0, 1), 0.2)])
    assert memory.best_without(((1,), ())) == [(0, 1), (0, 0)] and len(memory.best_without(())) == 3
    options = ToySpace(SIZES).decisions[1].options
    strategy = replaying(changes=(Change(from_step=2, bans={"operation 1": options[1:]}),))
    drawn = [tell(strategy) for _ in range(6)]
    assert {decisions[1] for step in drawn[2:] for decisions in step} == {0}
    assert all(weights.isfinite().all() for weights in strategy.state_dict()[0].values())


def test_a_step_without_any_reward_teaches_nothing() -> None:
    strategy = replaying()
    before = strategy.state_dict()[0]
    proposals = strategy.ask()
    strategy.tell([Evaluation(one.step, one.slot, None) for one in proposals])
    assert all(torch.equal(weights, strategy.state_dict()[0][name]) for name, weights in before.items())
    assert strategy.state_dict()[1]["memory"]["best"] == []
