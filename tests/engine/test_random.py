import pytest

from search_engine.config.strategy import RandomConfig
from search_engine.strategies.random import Random
from tests.engine.toy import ToySpace, nasnet_decisions


class NasnetShaped(ToySpace):
    def __init__(self) -> None:
        super().__init__([len(decision.options) for decision in nasnet_decisions()])


def test_every_nasnet_architecture_has_the_uniform_log_probability() -> None:
    strategy = Random(NasnetShaped(), RandomConfig(step_size=3), children=3, seed=1)
    assert [proposal.log_probability for proposal in strategy.ask()] == [pytest.approx(-84.5475, abs=5e-5)] * 3
    assert sum(strategy.pending()[0].entropies) == pytest.approx(84.5475, abs=5e-5)


def test_the_policy_shown_is_uniform() -> None:
    strategy = Random(ToySpace([2, 4]), RandomConfig(step_size=3), children=3, seed=1)
    assert strategy.pending()[0].policy == ((0.5, 0.5), (0.25, 0.25, 0.25, 0.25))


def test_every_option_is_drawn_about_equally_often() -> None:
    strategy = Random(ToySpace([2, 13]), RandomConfig(step_size=1000), children=1000, seed=5)
    drawn = [proposal.decisions for proposal in strategy.ask()]
    for index, size in enumerate([2, 13]):
        counts = [sum(decisions[index] == option for decisions in drawn) for option in range(size)]
        expected = 1000 / size
        chi_square = sum((count - expected) ** 2 / expected for count in counts)
        assert chi_square < 33  # Beyond the 99.9th percentile of 12 degrees of freedom.


def test_the_draws_of_a_seed_stay_the_same_for_ever() -> None:
    strategy = Random(ToySpace([2, 3, 5, 13]), RandomConfig(step_size=3), children=3, seed=1)
    assert [proposal.decisions for proposal in strategy.ask()] == GOLDEN


# SHA-256 of "1:ask:0:slot:index" cut to 63 bits, modulo the options; computed apart from this program.
GOLDEN = [(0, 0, 4, 5), (0, 2, 0, 10), (0, 0, 3, 2)]
