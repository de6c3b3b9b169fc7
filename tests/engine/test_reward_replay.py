"""Replays on a pool of trained children: costs and choices worked by hand."""

import numpy as np
import pytest

from benchmarks.reward_replay import Pool, by_reward, correlations, halving, median_stopping, read_pool, with_prior


def pool(*curves: list[float], prior: list[float] | None = None, length: list[float] | None = None) -> Pool:
    """Twelve epochs; the truth is the end of the curve. All take equally long, unless their lengths are given."""
    curve = np.array([each + [each[-1]] * (12 - len(each)) for each in curves])
    cheap = {"whole training": curve[:, -1], "first epoch": curve[:, 0]}
    costs = {"whole training": 1.0, "first epoch": 1 / 12}
    if prior is not None:
        cheap["prior"], costs["prior"] = np.array(prior), 0.0
    return Pool(curve, curve[:, -1], np.ones(len(curve)) if length is None else np.array(length), cheap, costs)


def test_a_cheaper_reward_sees_more_children_for_the_same_budget() -> None:
    children = pool([0.1, 0.5], [0.3, 0.4], [0.2, 0.9])
    assert by_reward("whole training")(children, 2) == 0
    assert by_reward("first epoch")(children, 0.25) == 1
    assert by_reward("whole training")(children, 4) is None  # It would be unfair to count children that are not there.


def test_a_prior_chooses_whom_to_train() -> None:
    children = pool([0.9], [0.2], [0.3], [0.4], prior=[1.0, 2.0, 3.0, 9.0])
    assert with_prior("prior")(children, 1) == 3
    assert with_prior("prior")(children, 2) is None
    assert with_prior("prior", 2)(children, 2) == 3  # The second and the fourth are trained.
    assert with_prior("prior", 2)(children, 1) == 1


def test_halving_spends_its_budget_and_lets_the_best_of_each_rung_go_on() -> None:
    # Nine at one epoch, three up to 3 and one up to 12: 9 + 3 x 2 + 1 x 9 = 24 epochs, two whole trainings.
    curves = [[0.1 * place] for place in range(9)]
    curves[0] = [0.85, 0.1]  # Third of the first rung, and falls behind at the second.
    chosen = halving((1, 3, 12), 3)
    assert chosen(pool(*curves), 2) == 8
    assert chosen(pool(*curves[:8]), 2) is None


def test_who_is_under_the_median_is_stopped_and_the_saved_epochs_train_another() -> None:
    good, bad, best = [0.5], [0.1], [0.9]
    children = pool(*[good] * 5, bad, best, good)  # 5 x 12 + 2 + 12 epochs, and 12 that no budget here reaches.
    assert median_stopping(children, 74 / 12) == 6
    assert median_stopping(children, 73 / 12) == 0
    assert median_stopping(children, 8) is None


def test_every_child_costs_its_own_time() -> None:
    slow, long = [0.9], [3.0, 1.0, 1.0, 1.0]
    assert by_reward("whole training")(pool([0.1], [0.2], slow, [0.3], length=long), 4) == 1
    assert (
        with_prior("prior")(pool(slow, *[[0.1]] * 3, [0.8], *[[0.1]] * 3, prior=[9, 1, 1, 1] * 2, length=long * 2), 5)
        == 0
    )
    assert (
        with_prior("prior")(pool([0.2], *[[0.1]] * 3, slow, *[[0.1]] * 3, prior=[9, 1, 1, 1] * 2, length=long * 2), 5)
        == 0
    )
    # Stopped after 2 of 12 epochs of three times the length: half a training.
    children = pool(*[[0.5]] * 5, [0.1], slow, [0.5], length=[1.0] * 5 + [3.0, 1.0, 1.0])
    assert median_stopping(children, 6.5) == 6 and median_stopping(children, 6.4) == 0
    # Of two that begin, the slow one costs three epochs of the first rung and, going on, 33 more.
    two = pool([0.1], slow, [0.05], length=[1.0, 3.0, 1.0])
    assert halving((1, 12), 2)(two, 37 / 12) == 1 and halving((1, 12), 2)(two, 36 / 12) == 0


def test_ranks_are_correlated_as_spearman_does_with_ties() -> None:
    children = pool([0.1, 0.2], [0.1, 0.3], [0.4, 0.4], [0.3, 0.5])
    value, low, high = correlations(children, np.random.default_rng(0))["whole training"]
    assert value == pytest.approx(1.0) and low <= value
    # Ranks 0.5, 0.5, 3, 2 against 0, 1, 2, 3.
    assert correlations(children, np.random.default_rng(0))["first epoch"][0] == pytest.approx(3.5 / (4.5 * 5) ** 0.5)


def test_the_committed_pool_can_be_read_and_every_child_has_a_whole_curve() -> None:
    found = read_pool()
    assert found.curve.shape == (len(found.truth), 12) and set(found.costs) == set(found.cheap)
    assert ((found.curve > 0) & (found.curve < 1)).all() and ((found.truth > 0) & (found.truth < 1)).all()
