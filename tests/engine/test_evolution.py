import math
from collections import Counter
from itertools import product

import pytest

from search_engine.config.changes import Change
from search_engine.config.strategy import EvolutionConfig
from search_engine.strategies.base import Evaluation
from search_engine.strategies.evolution import Evolution, Mutations, tournament_chances
from tests.engine.toy import ToySpace

SIZES = [3, 4, 2]


def evolution(changes: tuple[Change, ...] = (), **settings: int) -> Evolution:
    config = EvolutionConfig(**{"step_size": 1, "population_size": 3, "sample_size": 2} | settings)
    return Evolution(ToySpace(SIZES), config, children=60, seed=4, changes=changes)


def told(strategy: Evolution, reward: float | None) -> tuple[int, ...]:
    (proposal,) = strategy.ask()
    strategy.tell([Evaluation(proposal.step, 0, reward)])
    return proposal.decisions


def test_the_oldest_dies_and_lost_children_were_never_there() -> None:
    strategy = evolution()
    first = [told(strategy, reward) for reward in (0.1, None, 0.2, 0.3, 0.05)]
    members = strategy.state_dict()[1]["population"]
    assert members == [[list(first[place]), reward] for place, reward in ((2, 0.2), (3, 0.3), (4, 0.05))]


def test_a_child_differs_from_a_parent_in_one_decision_once_the_population_is_full() -> None:
    strategy = evolution()
    assert all(
        math.isclose(one, math.log(size)) for one, size in zip(strategy.pending()[0].entropies, SIZES, strict=True)
    )
    for place in range(30):
        parents = [decisions for decisions, _ in strategy.state_dict()[1]["population"]]
        (proposal,) = strategy.ask()
        if len(parents) == 3:
            apart = [sum(a != b for a, b in zip(parent, proposal.decisions, strict=True)) for parent in parents]
            assert 1 in apart
        told(strategy, (place * 7 % 10) / 10)


def test_the_winner_of_a_tournament_is_the_best_of_so_many_draws() -> None:
    wins = Counter(min(entrants) for entrants in product(range(4), repeat=3))
    assert tournament_chances(4, 3) == pytest.approx([wins[rank] / 4**3 for rank in range(4)])


@pytest.mark.parametrize("left", [[[0, 1, 2], [0, 1, 2, 3], [0, 1]], [[1, 2], [0, 3], [1]], [[2], [1], [0]]])
def test_the_stated_distribution_is_that_of_the_children(left: list[list[int]]) -> None:
    parents, chances = [(0, 1, 1), (2, 1, 0), (2, 3, 1)], [0.5, 0.3, 0.2]
    mutations = Mutations(parents, chances, left)
    found: Counter[tuple[int, ...]] = Counter()
    for (parent, chance), repairs in product(enumerate(chances), product(*left)):
        for draw in range(36):  # Runs through every choice of a decision and of an option equally often.
            found[mutations.child(parent, repairs, draw)] += chance / 36 / math.prod(map(len, left))
    assert sum(found.values()) == pytest.approx(1)
    for child, probability in found.items():
        assert math.exp(mutations.log_probability(child)) == pytest.approx(probability)
        assert all(option in options for option, options in zip(child, left, strict=True))
    for index, options in enumerate(mutations.policy(SIZES)):
        for option, probability in enumerate(options):
            assert probability == pytest.approx(sum(p for child, p in found.items() if child[index] == option))


def test_what_is_banned_on_the_way_is_drawn_no_more_though_parents_hold_it() -> None:
    kept = ToySpace(SIZES).decisions[1].options[0]
    bans = {"operation 1": tuple(option for option in ToySpace(SIZES).decisions[1].options if option != kept)}
    strategy = evolution((Change(from_step=10, bans=bans),))
    drawn = [told(strategy, (place * 7 % 10) / 10) for place in range(30)]
    assert {decisions[1] for decisions in drawn[10:]} == {0} and {decisions[1] for decisions in drawn[:10]} != {0}


def test_a_planted_optimum_is_found() -> None:
    strategy = evolution(population_size=10, sample_size=3)
    found = [told_by_share(strategy) for _ in range(60)]
    assert max(found) == 1.0


def told_by_share(strategy: Evolution) -> float:
    (proposal,) = strategy.ask()
    reward = sum(a == b for a, b in zip(proposal.decisions, (2, 3, 1), strict=True)) / 3
    strategy.tell([Evaluation(proposal.step, 0, reward)])
    return reward
