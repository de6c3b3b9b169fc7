import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_engine.config.step_sizes import NeverInForce, StepSizes, Total


def sizes(children, *changes, step_size=4, lookahead=0):
    found = StepSizes(children, step_size=step_size, lookahead=lookahead, changes=[Total(*each) for each in changes])
    return [found.size(step) for step in range(found.steps)]


def test_without_changes_the_last_step_takes_the_rest():
    assert sizes(10) == [4, 4, 2]
    assert sizes(8) == [4, 4]


def test_a_lower_total_makes_the_first_step_under_it_smaller_or_the_end():
    assert sizes(20, (2, 9)) == [4, 4, 1]
    assert sizes(20, (2, 8)) == [4, 4]


def test_a_higher_total_goes_on_where_the_lower_one_would_have_ended():
    assert sizes(10, (2, 15)) == [4, 4, 4, 3]
    assert sizes(10, (3, 15)) == [4, 4, 2, 4, 1]  # The small step was drawn before the change.


def test_of_two_changes_at_a_step_the_last_one_holds():
    assert sizes(20, (2, 40), (2, 12)) == [4, 4, 4]


def test_steps_that_the_old_total_kept_back_are_drawn_when_the_change_takes_effect():
    # Steps are drawn two ahead. When 2 are told, all of 10 children are drawn; the change comes with the third.
    found = StepSizes(10, step_size=4, lookahead=2, changes=[Total(5, 24)])
    assert [found.size(step) for step in range(found.steps)] == [4, 4, 2, 4, 4, 4, 2]
    assert [found.drawn_when(step) for step in range(found.steps)] == [0, 0, 0, 3, 3, 3, 4]
    assert [list(found.drawn_at(told)) for told in range(4)] == [[0, 1, 2], [1, 2], [2], [3, 4, 5]]


def test_what_is_drawn_cannot_be_taken_back():
    with pytest.raises(NeverInForce, match=r"^is 7; 8 are drawn already before it takes effect\.$"):
        sizes(20, (2, 7))


def test_a_change_behind_the_end_is_refused():
    with pytest.raises(NeverInForce, match=r"^comes too late: the search is over after 3 steps\.$"):
        sizes(10, (4, 20))


def test_changes_stand_in_the_order_of_their_steps():
    with pytest.raises(NeverInForce, match="order of their steps"):
        sizes(40, (3, 30), (2, 20))


@st.composite
def changed_searches(draw):
    """A search that is changed at random moments to totals that it can still have; all of it comes true."""
    step_size, lookahead = draw(st.integers(1, 5)), draw(st.integers(0, 3))
    children, changes = draw(st.integers(1, 40)), []
    for _ in range(draw(st.integers(0, 4))):
        found = StepSizes(children, step_size=step_size, lookahead=lookahead, changes=changes)
        first = changes[-1].from_step - lookahead if changes else 0
        if first > found.steps:
            break
        told = draw(st.integers(max(first, 0), found.steps))
        drawn = sum(found.size(step) for step in range(found.steps) if found.drawn_when(step) < told)
        changes.append(Total(told + lookahead, draw(st.integers(max(drawn, 1), 60))))
    return children, step_size, lookahead, changes


@settings(max_examples=300, deadline=None)
@given(changed_searches())
def test_the_sizes_sum_to_the_total_in_force_and_every_step_is_drawn_in_time(search):
    children, step_size, lookahead, changes = search
    found = StepSizes(children, step_size=step_size, lookahead=lookahead, changes=changes)
    each = [found.size(step) for step in range(found.steps)]
    assert sum(each) == found.children == (changes[-1].children if changes else children)
    assert all(1 <= size <= step_size for size in each)
    assert found.size(found.steps) == 0
    for step in range(found.steps):
        assert step - lookahead <= found.drawn_when(step) <= step  # Never after it is to be told.
        assert step in found.drawn_at(found.drawn_when(step))


@settings(max_examples=300, deadline=None)
@given(changed_searches())
def test_a_later_change_alters_nothing_that_was_drawn_before_it(search):
    children, step_size, lookahead, changes = search
    settings_of = {"step_size": step_size, "lookahead": lookahead}
    if not changes:
        return
    with_it = StepSizes(children, changes=changes, **settings_of)
    without = StepSizes(children, changes=changes[:-1], **settings_of)
    for told in range(max(changes[-1].from_step - lookahead, 0)):
        assert with_it.drawn_at(told) == without.drawn_at(told)
        for step in with_it.drawn_at(told):
            assert with_it.size(step) == without.size(step)
