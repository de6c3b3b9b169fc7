"""The comparison with random search: by hand, and by its properties."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_engine.comparison import (
    LEVEL,
    Difference,
    band,
    difference,
    late_steps,
    sentence,
    thinned,
)

rewards = st.lists(st.integers(0, 1000).map(lambda share: share / 1000), min_size=1, max_size=60)


def found(late: float, random: float, p: float) -> Difference:
    return Difference(20, 60, late, random, late - random - 0.01, late - random + 0.01, p)


def test_the_expected_best_of_two_out_of_three_by_hand() -> None:
    one, two, three = band([0.3, 0.1, 0.2], [1, 2, 3])
    assert one.expected == pytest.approx(0.2)
    assert two.expected == pytest.approx((0.2 + 0.3 + 0.3) / 3)  # The subsets {1, 2}, {1, 3}, {2, 3}.
    assert three.expected == pytest.approx(0.3)


def test_the_interval_of_the_best_by_hand() -> None:
    pool = [index / 100 for index in range(1, 101)]
    one, fifty = band(pool, [1, 50])
    assert (one.low, one.high) == (0.03, 0.98)  # The first ranks i with i / 100 >= 0.025 and >= 0.975.
    # 0.92 ** 50 = 0.015 and 0.93 ** 50 = 0.027; 0.99 ** 50 = 0.605, so that only the best reaches 0.975.
    assert (fifty.low, fifty.high) == (0.93, 1.0)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=7))
def test_the_expected_best_is_the_mean_over_all_subsets(pool: list[float]) -> None:
    for point in band(pool, range(1, len(pool) + 1)):
        bests = [max(subset) for subset in itertools.combinations(pool, point.n)]
        assert point.expected == pytest.approx(sum(bests) / len(bests))


@given(rewards)
def test_the_band_never_falls_and_its_edges_are_in_order(pool: list[float]) -> None:
    points = band(pool, range(1, len(pool) + 1))
    for before, after in itertools.pairwise(points):
        assert after.expected >= before.expected - 1e-9
        assert after.low >= before.low and after.high >= before.high
    assert all(min(pool) <= point.low <= point.high <= max(pool) for point in points)
    assert points[-1].expected == pytest.approx(max(pool))


def test_a_band_of_a_large_pool_stays_finite_and_in_range() -> None:
    pool = np.random.default_rng(1).random(20_000)
    points = band(list(pool), thinned(20_000, 200))
    assert len(points) == 200 and points[0].n == 1 and points[-1].n == 20_000
    # The expected best of n uniform numbers is n / (n + 1).
    assert all(abs(point.expected - point.n / (point.n + 1)) < 0.02 for point in points)


def test_more_than_the_pool_holds_is_refused() -> None:
    with pytest.raises(ValueError, match="n is 3; must be from 1 to the size of the pool, 2"):
        band([0.1, 0.2], [3])


@pytest.mark.parametrize(("complete", "late"), [(0, 0), (1, 0), (2, 2), (7, 2), (12, 3), (14, 3), (16, 4)])
def test_the_last_quarter_and_at_least_two_steps_are_late(complete: int, late: int) -> None:
    assert late_steps(complete) == late


@given(st.integers(1, 5000), st.integers(2, 200))
def test_thinning_keeps_both_ends_in_order(most: int, limit: int) -> None:
    kept = thinned(most, limit)
    assert kept[0] == 1 and kept[-1] == most and len(kept) <= limit
    assert list(kept) == sorted(set(kept))


def test_a_small_permutation_test_by_hand() -> None:
    """Of the 6 ways to choose two of 1, 1, 0, 0, the observed one and its mirror differ by 1: a third of all."""
    result = difference([1.0, 1.0], [0.0, 0.0])
    assert result.value == 1.0
    assert result.p == pytest.approx(1 / 3, abs=0.04)
    assert (result.low, result.high) == (1.0, 1.0)


def test_equal_samples_give_a_p_value_of_one() -> None:
    sample = [0.61, 0.64, 0.7, 0.72, 0.66]
    result = difference(sample, sample)
    assert result.value == 0 and result.p == 1.0
    assert result.low < 0 < result.high


@pytest.mark.parametrize("seed", range(5))
def test_shifted_samples_give_a_small_p_value_with_the_right_sign(seed: int) -> None:
    pool = np.random.default_rng(seed).normal(0.68, 0.02, 60)
    result = difference(list(pool[:30] + 0.05), list(pool[30:]), seed=seed)
    assert result.p < 0.005 and result.low > 0 and result.verdict == "ahead"


def test_the_same_seed_gives_the_same_figures() -> None:
    samples = [0.1, 0.5, 0.3, 0.2], [0.4, 0.2, 0.6]
    assert difference(*samples, seed=3) == difference(*samples, seed=3)


def test_on_pure_noise_the_false_alarms_are_about_the_level() -> None:
    alarms = 0
    for seed in range(200):
        generator = np.random.default_rng(seed)
        result = difference(list(generator.normal(0.7, 0.02, 20)), list(generator.normal(0.7, 0.02, 60)), seed=seed)
        alarms += result.p <= LEVEL
    assert 3 <= alarms <= 19  # Binomial(200, 0.05) lies there in more than 99 of 100 cases.


@pytest.mark.parametrize(
    ("result", "verdict", "words"),
    [
        (found(0.71, 0.68, 0.0005), "ahead", "The controller is ahead of random search"),
        (found(0.69, 0.68, 0.2), "undecided", "may be chance"),
        (found(0.66, 0.68, 0.01), "not ahead", "Random search is as good or better"),
        (found(0.68, 0.68, 1.0), "not ahead", "Random search is as good"),
    ],
)
def test_each_verdict_has_its_sentence(result: Difference, verdict: str, words: str) -> None:
    assert result.verdict == verdict
    said = sentence(result, random_runs=1, is_over=True)
    assert words in said and "one run of the controller, against one run of random search" in said
    assert "So far" not in said and "So far" in sentence(result, random_runs=3, is_over=False)


def test_a_sentence_carries_its_figures() -> None:
    said = sentence(found(0.7125, 0.68, 0.0005), random_runs=2, is_over=True)
    assert "3.2 points more" in said and "20 late children against 60 random ones" in said
    assert "95 % interval +2.2 to +4.2, p = 0.0005" in said and "against 2 runs" in said


def test_a_difference_of_weighed_rewards_is_a_number_and_no_points() -> None:
    said = sentence(found(0.7125, 0.68, 0.0005), random_runs=2, is_over=True, weighs_cost=True)
    assert "0.0325 more" in said and "points" not in said
    assert "95 % interval +0.0225 to +0.0425, p" in said
