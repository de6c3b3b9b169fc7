"""The importance of decisions: shares by hand, and what the test says of signal and of noise."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_engine.importance import FEWEST, LEVEL, PERMUTATIONS, importance


def test_shares_of_the_variance_by_hand() -> None:
    # Ten times the four children (0, 0) .1, (0, 1) .3, (1, 0) .5, (1, 1) .7: the mean is .4 and the variance .05. The
    # options of the first decision have means .2 and .6, of variance .04; of the second .3 and .5, of variance .01.
    found = importance([(0, 0), (0, 1), (1, 0), (1, 1)] * 10, [0.1, 0.3, 0.5, 0.7] * 10)
    assert found is not None
    assert [each.share for each in found] == pytest.approx([0.8, 0.2], abs=1e-6)
    assert [each.by_chance for each in found] == pytest.approx([1 / 39, 1 / 39])
    assert found[0].p == 1 / (PERMUTATIONS + 1) and not found[0].may_be_chance


def test_three_options_of_unequal_size_by_hand() -> None:
    # 10 children with 1, 10 with 1 and 20 with 0: mean .5, variance .25, and the options explain all of it. Another
    # decision takes option 5 for every child, and explains nothing.
    found = importance([(0, 5)] * 10 + [(1, 5)] * 10 + [(2, 5)] * 20, [1.0] * 20 + [0.0] * 20)
    assert found is not None
    assert found[0].share == pytest.approx(1.0) and found[0].by_chance == pytest.approx(2 / 39)
    assert (found[1].share, found[1].by_chance, found[1].p) == (pytest.approx(0.0, abs=1e-9), 0.0, 1.0)


def test_few_children_and_equal_rewards_say_nothing() -> None:
    assert importance([], []) is None
    assert importance([(0,), (1,)] * ((FEWEST - 2) // 2), [0.1, 0.2] * ((FEWEST - 2) // 2)) is None
    assert importance([(0,), (1,)] * FEWEST, [0.3] * 2 * FEWEST) is None


def test_of_searches_in_which_nothing_matters_one_in_twenty_shows_something() -> None:
    draw = np.random.default_rng(5)
    false = 0
    for _ in range(100):
        found = importance(draw.integers(0, 4, (40, 12)), draw.normal(size=40).tolist())
        assert found is not None
        false += any(each.p <= LEVEL for each in found)
    assert false <= 12  # Of 100 with a chance of 0.05 each: above 12 once in a thousand times.


def test_one_decision_that_matters_is_found_among_many_that_do_not() -> None:
    draw = np.random.default_rng(6)
    taken = draw.integers(0, 5, (200, 30))
    found = importance(taken, (0.02 * taken[:, 17] + draw.normal(scale=0.03, size=200)).tolist())
    assert found is not None
    assert [place for place, each in enumerate(found) if not each.may_be_chance] == [17]
    assert max(range(30), key=lambda place: found[place].share) == 17


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_shares_do_not_change_with_scale_shift_or_the_names_of_options(data: st.DataObject) -> None:
    draw = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    taken, rewards = draw.integers(0, 3, (FEWEST, 4)), draw.normal(size=FEWEST)
    shift, scale = data.draw(st.floats(-2, 2)), data.draw(st.floats(0.1, 5))
    found, again = importance(taken, rewards.tolist()), importance(7 - taken, (shift - scale * rewards).tolist())
    assert found is not None and again is not None
    assert [each.share for each in found] == pytest.approx([each.share for each in again], abs=1e-4)
    assert all(0 <= each.share <= 1 and 0 < each.p <= 1 for each in found)
