from collections.abc import Callable

import pytest

from search_engine.config.changes import Change
from search_engine.config.strategy import LocalSearchConfig
from search_engine.strategies.base import Evaluation
from search_engine.strategies.local_search import LocalSearch, neighbourhood, neighbours
from tests.engine.toy import ToySpace

SIZES = [3, 4, 2]  # 24 architectures; each has 2 + 3 + 1 neighbours.
Decisions = tuple[int, ...]


def local_search(
    step_size: int = 1, lookahead: int = 0, changes: tuple[Change, ...] = (), children: int = 24, seed: int = 3
) -> LocalSearch:
    config = LocalSearchConfig(step_size=step_size, lookahead=lookahead)
    return LocalSearch(ToySpace(SIZES), config, children=children, seed=seed, changes=changes)


def step(strategy: LocalSearch, reward: Callable[[Decisions], float | None]) -> list[Decisions]:
    proposals = strategy.ask()
    strategy.tell([Evaluation(one.step, one.slot, reward(one.decisions)) for one in proposals])
    return [one.decisions for one in proposals]


def distance(one: Decisions, other: Decisions) -> int:
    return sum(a != b for a, b in zip(one, other, strict=True))


def test_neighbours_differ_in_one_decision() -> None:
    found = neighbours((0, 1, 1), [range(size) for size in SIZES])
    assert found == [(1, 1, 1), (2, 1, 1), (0, 0, 1), (0, 2, 1), (0, 3, 1), (0, 1, 0)]


def test_under_bans_a_neighbour_holds_no_banned_option() -> None:
    assert neighbours((0, 1, 1), [[1, 2], range(4), range(2)]) == [(1, 1, 1), (2, 1, 1)]
    assert neighbours((0, 1, 1), [[1, 2], [0], range(2)]) == []


def test_how_often_each_option_stands_in_the_neighbours() -> None:
    left = [range(size) for size in SIZES]
    found = neighbours((0, 1, 1), left)
    for index, row in enumerate(neighbourhood((0, 1, 1), left, SIZES)):
        assert row == [sum(one[index] == option for one in found) / 6 for option in range(SIZES[index])]
    assert neighbourhood((0, 1, 1), [[1, 2], range(4), [1]], SIZES) == [[0, 0.5, 0.5], [0.2, 0.4, 0.2, 0.2], [0, 1]]


def test_no_option_that_may_be_drawn_is_shown_as_banned() -> None:
    strategy = local_search(step_size=2)
    for _ in range(4):
        step(strategy, lambda decisions: float(sum(decisions)))
        assert all(probability > 0 for options in strategy.pending()[0].policy for probability in options)


def test_it_climbs_from_the_best_so_far_and_moves_at_the_first_better_one() -> None:
    strategy = local_search()
    (best,) = step(strategy, sum)
    while sum(best) < 6:
        (tried,) = step(strategy, sum)
        assert distance(best, tried) == 1
        best = max(best, tried, key=sum)
    assert best == (2, 3, 1)


@pytest.mark.parametrize("lookahead", [0, 1])
@pytest.mark.parametrize("step_size", [1, 4])
def test_it_starts_again_where_no_neighbour_is_better_and_tries_nothing_twice(step_size: int, lookahead: int) -> None:
    strategy = local_search(step_size, lookahead)
    drawn = []
    while not strategy.is_finished:
        drawn += step(
            strategy, lambda decisions: 0.5
        )  # Flat: the first is the best, and its neighbours come to an end.
    assert len(set(drawn)) == 24
    ends_of_first_climb = drawn[step_size * (1 + lookahead) :][:6]
    assert any(distance(drawn[0], one) == 1 for one in ends_of_first_climb)
    assert any(distance(drawn[0], one) > 1 for one in drawn[step_size:])


def test_the_first_climb_ends_after_all_six_neighbours() -> None:
    strategy = local_search()
    drawn = [one for _ in range(8) for one in step(strategy, lambda decisions: 0.5)]
    assert [distance(drawn[0], one) for one in drawn[1:7]] == [1] * 6 and distance(drawn[0], drawn[7]) > 1


def test_of_a_step_the_best_is_what_is_climbed_from() -> None:
    strategy = local_search(step_size=2)
    first = step(strategy, lambda decisions: sum(decisions) + decisions[0] / 10)
    best = max(first, key=lambda decisions: sum(decisions) + decisions[0] / 10)
    assert strategy.state_dict()[1]["best"][0] == list(best)
    assert [distance(best, one.decisions) for one in strategy.ask()] == [1, 1]


def test_lost_children_are_not_tried_again_and_a_wholly_lost_step_moves_nothing() -> None:
    strategy = local_search()
    drawn = [one for _ in range(24) for one in step(strategy, lambda decisions: None)]
    assert strategy.state_dict()[1]["best"] is None and len(set(drawn)) == 24


def test_a_ban_that_takes_what_the_climb_stands_on_ends_it() -> None:
    options = ToySpace(SIZES).decisions[1].options
    strategy = local_search(changes=(Change(from_step=3, bans={"operation 1": options[1:]}),), seed=2)
    drawn = [one for _ in range(7) for one in step(strategy, lambda decisions: 10 * decisions[1] + decisions[0])]
    assert {decisions[1] for decisions in drawn[3:]} == {0} and len(set(drawn)) == 7


def test_when_everything_was_tried_what_was_drawn_before_comes_again() -> None:
    strategy = local_search(step_size=10, children=40)
    drawn = []
    while not strategy.is_finished:
        drawn += step(strategy, lambda decisions: float(sum(decisions)))
    assert len(drawn) == 40 and len(set(drawn)) == 24
