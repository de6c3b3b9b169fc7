import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from search_engine.schedule import (
    Choose,
    Copy,
    Evaluate,
    Keep,
    Known,
    KnownChild,
    KnownFinals,
    Learn,
    MeasuredChild,
    Retrain,
    best_children,
    due,
    twin_of,
)

WAITING = KnownChild("a")
MEASURED = KnownChild("a", is_final=True, is_measured=True)
FAILED = KnownChild("a", is_final=True)


def known(children, *, told=0, steps=9, lookahead=0, reuse=True):
    """children: by step, those of a step in the order of their slots."""
    by_slot = {step: dict(enumerate(each)) for step, each in children.items()}
    return Known(steps_told=told, steps=steps, lookahead=lookahead, reuse=reuse, children=by_slot)


def other(child, architecture_hash):
    return replace(child, hash=architecture_hash)


def test_a_new_search_first_draws():
    assert due(known({}, told=-1)) == (Learn(-1),)


def test_a_search_told_all_its_steps_is_finished():
    assert due(known({2: (MEASURED,)}, told=3, steps=3)) == ()


def test_every_child_of_a_step_can_be_trained_at_once():
    step = (WAITING, other(WAITING, "b"), other(WAITING, "c"))
    assert due(known({0: step})) == (Evaluate(0, 0), Evaluate(0, 1), Evaluate(0, 2))


def test_the_strategy_learns_when_the_last_child_of_its_step_is_decided():
    assert due(known({0: (MEASURED, other(WAITING, "b"))})) == (Evaluate(0, 1),)
    assert due(known({0: (MEASURED, other(FAILED, "b"))})) == (Learn(0),)


def test_learning_comes_before_the_children_of_steps_drawn_ahead():
    children = {0: (MEASURED,), 1: (other(WAITING, "b"),)}
    assert due(known(children, lookahead=1)) == (Learn(0), Evaluate(1, 0))


def test_a_step_drawn_ahead_is_not_learned_before_its_turn():
    children = {0: (WAITING,), 1: (other(MEASURED, "b"),)}
    assert due(known(children, lookahead=1)) == (Evaluate(0, 0),)


def test_steps_that_were_told_give_no_work():
    children = {0: (WAITING,), 1: (other(WAITING, "b"),)}
    assert due(known(children, told=1)) == (Evaluate(1, 0),)


def test_without_reuse_twins_are_trained():
    children = {0: (MEASURED,), 1: (WAITING, WAITING)}
    assert due(known(children, told=1, reuse=False)) == (Evaluate(1, 0), Evaluate(1, 1))


def test_a_twin_of_a_told_step_is_copied():
    assert due(known({0: (MEASURED,), 1: (WAITING,)}, told=1)) == (Copy(1, 0, (0, 0)),)


def test_a_twin_in_the_same_step_waits_for_the_first():
    assert due(known({0: (WAITING, WAITING)})) == (Evaluate(0, 0),)
    assert due(known({0: (MEASURED, WAITING)})) == (Copy(0, 1, (0, 0)),)


def test_when_the_first_twin_fails_the_next_is_trained_and_the_rest_wait_for_it():
    assert due(known({0: (FAILED, WAITING, WAITING)})) == (Evaluate(0, 1),)


def test_a_failed_or_copied_child_of_an_earlier_step_is_no_twin():
    assert due(known({0: (FAILED,), 1: (WAITING,)}, told=1)) == (Evaluate(1, 0),)


def test_the_first_measured_twin_is_the_one():
    children = {0: (other(MEASURED, "b"), MEASURED), 1: (MEASURED,), 2: (MEASURED, WAITING)}
    assert twin_of(known(children, told=2), 2, 1) == (0, 1)


@pytest.mark.parametrize(("lookahead", "twin"), [(0, (1, 0)), (1, (0, 0)), (2, None)])
def test_a_step_copies_only_from_steps_that_its_ask_could_see(lookahead, twin):
    children = {0: (MEASURED if lookahead else other(MEASURED, "b"),), 1: (MEASURED,), 2: (WAITING,)}
    assert twin_of(known(children, told=2, lookahead=lookahead), 2, 0) == twin


@st.composite
def searches(draw):
    """(hashes of the children of each step, what fails, lookahead)."""
    size, steps = draw(st.integers(1, 4)), draw(st.integers(1, 5))
    hashes = [[draw(st.sampled_from("abcd")) for _ in range(size)] for _ in range(steps)]
    failing = draw(st.sets(st.tuples(st.integers(0, steps - 1), st.integers(0, size - 1)), max_size=4))
    return hashes, failing, draw(st.integers(0, 3))


@given(searches(), st.integers(0, 2**32), st.integers(0, 2**32))
@settings(deadline=None)
def test_who_finishes_first_never_changes_what_becomes_of_a_child(search, one_order, other_order):
    assert _played(*search, random.Random(one_order)) == _played(*search, random.Random(other_order))


def _played(hashes, failing, lookahead, rng):
    """Do due work in a random order to the end; what became of each child and the order of learning.

    Every other slot is free, as some are behind a shorter last step.
    """
    told, children, verdicts, learned = -1, {}, {}, []
    while work := due(Known(told, len(hashes), lookahead, True, children)):
        task = rng.choice(work)
        if isinstance(task, Learn):
            told = task.step + 1
            learned.append(task.step)
            # Step k is drawn when step k - 1 - lookahead has been told.
            for step in range(min(len(hashes), told + lookahead + 1)):
                children.setdefault(step, {2 * slot: KnownChild(text) for slot, text in enumerate(hashes[step])})
            continue
        is_measured = isinstance(task, Evaluate) and (task.step, task.slot // 2) not in failing
        step = children[task.step]
        assert not step[task.slot].is_final
        step[task.slot] = replace(step[task.slot], is_final=True, is_measured=is_measured)
        verdicts[task.step, task.slot] = task if isinstance(task, Copy) else is_measured
    assert len(verdicts) == sum(map(len, hashes))
    assert learned == list(range(-1, len(hashes)))
    return verdicts


@given(searches(), st.integers(0, 2**32))
@settings(deadline=None)
def test_a_copy_is_always_of_a_measured_child_with_the_same_hash(search, order):
    hashes, failing, lookahead = search
    for verdict in _played(hashes, failing, lookahead, random.Random(order)).values():
        if isinstance(verdict, Copy):
            step, slot = verdict.twin
            assert hashes[step][slot // 2] == hashes[verdict.step][verdict.slot // 2]
            assert (step, slot // 2) not in failing
            assert (step, slot) < (verdict.step, verdict.slot)
            assert step == verdict.step or step < verdict.step - lookahead


def at_the_end(finals):
    return due(replace(known({2: (MEASURED,)}, told=3, steps=3), finals=finals))


def test_behind_the_last_step_finalists_are_chosen_trained_and_one_is_kept():
    assert at_the_end(KnownFinals()) == (Choose(),)
    assert at_the_end(KnownFinals((False, True, False))) == (Retrain(1), Retrain(3))
    assert at_the_end(KnownFinals((True, True, True))) == (Keep(),)
    assert at_the_end(KnownFinals((True, True, True), is_kept=True)) == ()


def test_where_no_child_was_measured_the_final_round_ends_at_once():
    assert at_the_end(KnownFinals(())) == (Keep(),)


def test_the_final_round_waits_for_the_last_step():
    unfinished = replace(known({2: (WAITING,)}, told=2, steps=3), finals=KnownFinals())
    assert due(unfinished) == (Evaluate(2, 0),)


def test_finalists_are_different_best_first_and_of_equal_ones_who_was_drawn_first():
    children = [
        MeasuredChild(0.5, 0, 0, "a"), MeasuredChild(0.9, 0, 1, "b"), MeasuredChild(0.7, 1, 0, "a"),
        MeasuredChild(0.9, 1, 1, "b"), MeasuredChild(0.7, 0, 2, "c"), MeasuredChild(0.1, 2, 0, "d"),
    ]  # fmt: skip
    chosen = best_children(children, 3)
    assert [(child.step, child.slot) for child in chosen] == [(0, 1), (0, 2), (1, 0)]
    assert best_children(children, 0) == ()


@given(st.lists(st.builds(MeasuredChild, st.sampled_from((0.1, 0.2)), st.integers(0, 3), st.integers(0, 3),
                          st.sampled_from("abcd")), unique_by=lambda child: (child.step, child.slot)),
       st.integers(0, 5), st.randoms())  # fmt: skip
def test_the_choice_does_not_depend_on_the_order_in_which_children_came(children, count, chance):
    chosen = best_children(children, count)
    shuffled = sorted(children, key=lambda child: chance.random())
    assert best_children(shuffled, count) == chosen
    assert len(chosen) == min(count, len({child.hash for child in children}))
    rest = [child for child in children if child.hash not in {each.hash for each in chosen}]
    assert all(child.reward <= each.reward for child in rest for each in chosen)
