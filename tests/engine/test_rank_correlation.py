"""Rank correlation by hand, by what is known of normal variables, and by its properties."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_engine.rank_correlation import (
    RankCorrelation,
    chance,
    interval,
    rank_correlation,
    ranks,
    sentence,
    spearman,
    spread,
)

figures = st.lists(st.integers(0, 30).map(lambda share: share / 30), min_size=3, max_size=12)


def test_ranks_by_hand_and_equal_values_share_theirs() -> None:
    assert list(ranks([0.3, 0.1, 0.2])) == [3, 1, 2]
    assert list(ranks([5.0, 1.0, 5.0, 9.0, 5.0])) == [3, 1, 3, 5, 3]


def test_the_correlation_of_five_by_hand() -> None:
    # Ranks 1 2 3 4 5 against 2 1 4 3 5: squared distances 1 + 1 + 1 + 1 + 0, so 1 - 6 * 4 / (5 * 24).
    assert spearman([0.1, 0.2, 0.3, 0.4, 0.5], [20, 10, 40, 30, 50]) == pytest.approx(0.8)
    # With a tie: ranks 1 2.5 2.5 4 and 1 2 3 4. Pearson: (2.25 + .0 + .0 + 2.25) / sqrt(4.5 * 5) = 4.5 / 4.7434.
    assert spearman([1, 2, 2, 3], [1, 2, 3, 4]) == pytest.approx(4.5 / math.sqrt(22.5))


def test_where_all_of_one_side_are_equal_there_is_no_order() -> None:
    assert spearman([0.5, 0.5, 0.5], [1, 2, 3]) is None
    found = rank_correlation([1, 2, 3], [0.5, 0.5, 0.5])
    assert (found.value, found.low, found.high, found.p, found.verdict) == (None, None, None, 1.0, "no order")
    assert sentence(found, measured="accuracy") == (
        "These 3 networks have no order: all of them have the same score, or the same accuracy."
    )


def test_a_random_order_of_three_is_perfect_once_in_six() -> None:
    assert chance([1, 2, 3], [10, 20, 30]) == (pytest.approx(1 / 6), True)
    # Of the six orders of three, 1 has correlation 1, 2 have 1/2, 2 have -1/2 and 1 has -1.
    assert chance([1, 2, 3], [20, 10, 30]) == (pytest.approx(3 / 6), True)
    assert chance([1, 2, 3], [30, 20, 10]) == (1.0, True)


def test_of_many_networks_orders_are_drawn_and_none_is_called_impossible() -> None:
    p, is_exact = chance(range(12), range(12))
    assert not is_exact and p == pytest.approx(1 / 4001)
    p, _ = chance(range(9), [3, 1, 4, 0, 5, 8, 2, 6, 7])
    assert 0.02 < p < 0.06  # r = 1 - 6 * 44 / 720 = .633; tables give .60 at the one-sided 5 % and .70 at 2.5 %.


def test_the_interval_of_two_is_what_sheppard_gives() -> None:
    # Two pairs of normal variables with correlation r stand in the same order with probability 1/2 + asin(r) / pi.
    edge = math.sin(-0.475 * math.pi)  # Where that is .025.
    expected = 6 / math.pi * math.asin(edge / 2)
    low, high = interval(1.0, 2)
    assert low == pytest.approx(expected, abs=0.003) and high == 1.0
    assert interval(-1.0, 2) == (-1.0, pytest.approx(-expected, abs=0.003))


def test_the_interval_excludes_none_just_where_a_perfect_order_is_rare_enough() -> None:
    # Without relation n networks stand in perfect order once in n!: 1 in 24 is not rare enough, 1 in 120 is.
    assert interval(1.0, 4)[0] < 0 < interval(1.0, 5)[0]


def test_the_interval_is_wide_for_few_and_narrows() -> None:
    widths = [high - low for low, high in (interval(0.6, count) for count in (3, 6, 12, 20))]
    assert widths == sorted(widths, reverse=True)
    assert widths[1] > 1.2 and widths[3] < 0.7
    low, high = interval(0.0, 20)
    assert low == pytest.approx(-0.444, abs=0.02) and high == pytest.approx(0.444, abs=0.02)  # Tables: .447 at 5 %.


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    r, count, tries = 0.6, 8, 300
    truth = 6 / math.pi * math.asin(r / 2)
    generator = np.random.default_rng(5)
    hits = 0
    for _ in range(tries):
        first = generator.standard_normal(count)
        second = r * first + math.sqrt(1 - r * r) * generator.standard_normal(count)
        value = spearman(first, second)
        assert value is not None
        low, high = interval(value, count)
        hits += low <= truth <= high
    assert hits >= 0.93 * tries


@settings(max_examples=15, deadline=None)
@given(figures, st.randoms(use_true_random=False))
def test_whatever_the_figures_the_interval_holds_the_value_and_turns_with_it(first, random) -> None:  # type: ignore[no-untyped-def]
    second = random.sample(first, len(first))
    found = rank_correlation(first, second)
    if found.value is None:
        assert len(set(first)) == 1
        return
    assert found.low is not None and found.high is not None
    assert -1 <= found.low <= found.value + 0.03 and found.value - 0.03 <= found.high <= 1
    assert 0 < found.p <= 1
    turned = rank_correlation(first, [-each for each in second])
    assert turned.value == pytest.approx(-found.value)
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))


def test_an_interval_that_ends_near_nought_turns_with_its_value_too() -> None:
    low, high = interval(0.6711711711711712, 9)  # Its lower end is where no correlation is the one in question.
    assert interval(-0.6711711711711712, 9) == pytest.approx((-high, -low))


def test_the_spread_is_even_by_rank_with_both_ends() -> None:
    scores = [0.5, 0.9, 0.1, 0.7, 0.3]
    assert spread(scores, 3) == (2, 0, 1)
    assert spread(scores, 5) == (2, 4, 0, 3, 1)
    assert spread(scores, 9) == (2, 4, 0, 3, 1)
    assert spread(scores, 1) == (0,)  # The middle one.
    assert spread(scores, 0) == spread(scores, -2) == spread([], 3) == ()


def test_the_spread_takes_different_values_first_and_equal_ones_only_when_there_are_no_others() -> None:
    scores = [0.5, 0.5, 0.5, 0.6, 0.4]
    assert spread(scores, 3) == (4, 0, 3)
    assert spread(scores, 4) == (4, 0, 2, 3)
    assert spread(scores, 2, taken=(0,)) == (4, 3)  # .5 was taken.
    assert set(spread(scores, 5, taken=(0,))) == {1, 2, 3, 4}


@given(figures, st.integers(0, 20), st.data())
def test_the_spread_gives_no_place_twice_and_none_that_was_taken(scores: list[float], count: int, data) -> None:  # type: ignore[no-untyped-def]
    taken = data.draw(st.sets(st.integers(0, len(scores) - 1)))
    chosen = spread(scores, count, taken)
    assert len(set(chosen)) == len(chosen) == min(count, len(scores) - len(taken))
    assert not set(chosen) & taken


def test_the_sentence_says_how_little_six_networks_tell() -> None:
    found = rank_correlation([1, 2, 3, 4, 5, 6], [2, 1, 3, 5, 4, 6])  # 1 - 6 * 4 / 210 = .886.
    assert found.verdict == "agrees"
    text = sentence(found, measured="accuracy")
    assert text.startswith("Shared scores say something") and "rank correlation +0.89" in text
    assert "With 6 networks the interval is wide." in text
    unclear = rank_correlation([1, 2, 3, 4, 5, 6], [3, 1, 2, 6, 5, 4])
    text = sentence(unclear, measured="perplexity")
    assert unclear.verdict == "unclear" and text.startswith("These networks leave open whether")
    assert "−" in text  # The interval goes below 0.
    against = rank_correlation(range(6), range(6, 0, -1))
    assert against.verdict == "disagrees" and "mislead" in sentence(against, measured="accuracy")


def test_rare_orders_are_told_in_thousandths() -> None:
    found = RankCorrelation(20, 0.9, 0.75, 0.98, 0.0002, is_exact=False)
    text = sentence(found, measured="accuracy")
    assert "in 1 of 1,000 cases" in text and "wide" not in text
