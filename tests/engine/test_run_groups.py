"""Groups of runs: the interval over seeds, and when a difference is called noise. Figures worked by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_engine import run_groups

FIGURES = st.lists(st.floats(0, 1), min_size=1, max_size=8)


def test_the_interval_of_three_runs_by_hand() -> None:
    found = run_groups.spread([1.0, 2.0, 3.0])  # Deviation 1, 2 degrees of freedom: 4.303 / sqrt(3) on both sides.
    assert (found.runs, found.mean) == (3, 2.0)
    assert (found.low, found.high) == pytest.approx((2 - 4.303 / math.sqrt(3), 2 + 4.303 / math.sqrt(3)))


def test_the_interval_of_shares_stays_among_shares() -> None:
    found = run_groups.spread([0.2, 0.9], is_share=True)
    assert (found.mean, found.low, found.high) == (pytest.approx(0.55), 0.0, 1.0)


def test_one_run_has_no_interval() -> None:
    assert run_groups.spread([0.5]) == run_groups.Spread(1, 0.5, None, None)


def test_fewer_runs_make_a_wider_interval() -> None:
    two, ten = run_groups.spread([0.0, 1.0]), run_groups.spread([0.0, 1.0] * 5)
    assert two.high is not None and ten.high is not None and two.high > ten.high + 5


def test_many_runs_go_on_from_the_table() -> None:
    found = run_groups.spread([0.0, 1.0] * 30)
    assert found.high == pytest.approx(0.5 + 2.0 * math.sqrt(0.25 * 60 / 59) / math.sqrt(60), rel=0.01)


def test_five_runs_that_are_all_better_differ() -> None:
    found = run_groups.difference([0.8, 0.81, 0.82, 0.83, 0.84], [0.7, 0.71, 0.72, 0.73, 0.74])
    assert found.least_p == pytest.approx(2 / 252)
    assert found.p == found.least_p and found.verdict == "differs"


def test_five_runs_that_lie_among_each_other_are_within_the_noise() -> None:
    found = run_groups.difference([0.70, 0.72, 0.74, 0.76, 0.78], [0.71, 0.73, 0.75, 0.77, 0.79])
    assert found.verdict == "within the noise"
    said = run_groups.sentence(found, first="A", second="B", figure="Best", by="1.00 points")
    assert said.startswith("Best: A is 1.00 points below B (p = ") and said.endswith("within the noise between seeds.")


def test_three_runs_of_each_cannot_show_anything_and_no_p_is_told() -> None:
    found = run_groups.difference([0.9, 0.91, 0.92], [0.1, 0.11, 0.12])
    assert found.least_p == pytest.approx(2 / 20) and found.p is None and found.verdict == "too few runs"
    assert "the least possible p is 0.10" in run_groups.sentence(found, first="A", second="B", figure="Best", by="80")


def test_one_run_of_each_proves_nothing_and_says_so() -> None:
    found = run_groups.difference([0.9], [0.1])
    assert found.verdict == "too few runs"
    assert "One run of each proves nothing" in run_groups.sentence(
        found, first="A", second="B", figure="Best", by="80.00 points"
    )


def test_of_one_against_twenty_the_outermost_is_one_of_twenty_one() -> None:
    assert run_groups.difference([1.0], [0.0] * 20).least_p == pytest.approx(1 / 21)


def test_where_there_are_too_many_ways_some_are_drawn() -> None:
    apart = run_groups.difference([1.0 + at / 100 for at in range(12)], [at / 100 for at in range(12)])
    assert apart.p == pytest.approx(1 / 2001)
    alike = run_groups.difference([float(at) for at in range(12)], [at + 0.1 for at in range(12)])
    assert alike.p is not None and alike.p > 0.9


@given(FIGURES, FIGURES)
def test_turning_the_groups_round_turns_the_difference_round(ours: list[float], theirs: list[float]) -> None:
    one, other = run_groups.difference(ours, theirs), run_groups.difference(theirs, ours)
    assert one.value == pytest.approx(-other.value) and one.least_p == pytest.approx(other.least_p)
    assert (one.verdict == "too few runs") == (other.verdict == "too few runs")
