from collections.abc import Generator, Sequence
from typing import Any

import pytest

from search_engine.evaluators.base import Evaluator
from search_engine.evaluators.replaying import Replaying
from search_engine.evaluators.reusing import Reusing
from search_engine.events import ChildFinished, EpochEnded, Event
from search_engine.runner import child_finished
from search_engine.strategies.base import Evaluation, Proposal
from tests.engine.toy import ToyEvaluator, ToySpace

SPACE = ToySpace([3, 3])
A, B, C = (0, 0), (1, 2), (2, 1)


def proposal(step: int, slot: int, decisions: Sequence[int]) -> Proposal:
    return Proposal(step, slot, tuple(decisions), -1.0, SPACE.decode(decisions))


def verdict(generator: Generator[Event, None, Any]) -> Evaluation:
    """What a generator returns once all its events are taken."""
    while True:
        try:
            next(generator)
        except StopIteration as end:
            assert isinstance(end.value, Evaluation)
            return end.value


def evaluate(evaluator: Evaluator, steps: Sequence[Sequence[Sequence[int]]]) -> list[list[Evaluation]]:
    return [
        [verdict(evaluator.evaluate(proposal(step, slot, one))) for slot, one in enumerate(children)]
        for step, children in enumerate(steps)
    ]


def by_place(one: Proposal) -> float | None:
    """A reward that tells which place it was measured at."""
    return one.step + one.slot / 10


def twins(evaluations: list[list[Evaluation]]) -> list[list[tuple[int, int] | None]]:
    return [[evaluation.twin for evaluation in step] for step in evaluations]


def test_a_twin_copies_the_first_reward_and_its_figures_but_no_time() -> None:
    inner = ToyEvaluator(by_place)
    first, second = evaluate(Reusing(inner, lookahead=0), [[B, A], [C, A]])
    assert inner.evaluated == [(0, 0), (0, 1), (1, 0)]
    assert second[1] == Evaluation(1, 1, reward=0.1, twin=(0, 1), parameters=7, mult_adds=9, seconds=0.0)
    assert first[1].seconds == 1.0


def test_a_twin_in_the_same_step_copies_the_lower_slot() -> None:
    evaluations = evaluate(Reusing(ToyEvaluator(by_place), lookahead=0), [[A, B, A, A]])
    assert twins(evaluations) == [[None, None, (0, 0), (0, 0)]]


def test_a_copy_of_a_copy_names_the_child_that_was_measured() -> None:
    evaluations = evaluate(Reusing(ToyEvaluator(by_place), lookahead=0), [[A], [A], [A]])
    assert twins(evaluations) == [[None], [(0, 0)], [(0, 0)]]


@pytest.mark.parametrize(("lookahead", "expected"), [(0, (0, 0)), (1, None)])
def test_only_what_the_ask_of_the_step_could_see_is_copied(lookahead: int, expected: tuple[int, int] | None) -> None:
    evaluations = evaluate(Reusing(ToyEvaluator(by_place), lookahead=lookahead), [[A], [A], [A]])
    assert evaluations[1][0].twin == expected
    assert evaluations[2][0].twin == (0, 0)


def test_what_failed_is_not_copied() -> None:
    inner = ToyEvaluator(lambda one: None if (one.step, one.slot) == (0, 0) else 0.5)
    evaluations = evaluate(Reusing(inner, lookahead=0), [[A, A], [A]])
    assert twins(evaluations) == [[None, None], [(0, 1)]]
    assert inner.evaluated == [(0, 0), (0, 1)]


def test_a_copy_reports_no_epochs() -> None:
    evaluator = Reusing(ToyEvaluator(by_place), lookahead=0)
    assert len(list(evaluator.evaluate(proposal(0, 0, A)))) == 2
    assert list(evaluator.evaluate(proposal(0, 1, A))) == []


def test_a_resumed_search_copies_from_the_children_it_already_has() -> None:
    before = Reusing(ToyEvaluator(by_place), lookahead=0)
    evaluations = evaluate(before, [[A, B]])
    resumed = Reusing(ToyEvaluator(by_place), lookahead=0)
    for one, decisions in zip(evaluations[0], [A, B], strict=True):
        resumed.remember(SPACE.decode(decisions).hash, one)
    assert verdict(resumed.evaluate(proposal(1, 0, B))).twin == (0, 1)


def test_a_child_whose_verdict_is_known_is_not_trained_again() -> None:
    first = ToyEvaluator(by_place)
    generator = first.evaluate(proposal(0, 0, A))
    events: list[Event] = []
    while True:
        try:
            events.append(next(generator))
        except StopIteration as end:
            evaluation = end.value
            break
    unfinished = EpochEnded(step=0, slot=1, epoch=1, epochs=2, loss=1.0, learning_rate=0.1, seconds=0.5)
    past = [*events, child_finished(evaluation), unfinished]
    assert isinstance(past[2], ChildFinished)
    inner = ToyEvaluator(by_place)
    replaying = Replaying(inner, past)
    assert list(replaying.evaluate(proposal(0, 0, A))) == events
    assert verdict(replaying.evaluate(proposal(0, 0, A))) == evaluation
    assert inner.evaluated == []
    assert len(list(replaying.evaluate(proposal(0, 1, B)))) == 2
    assert inner.evaluated == [(0, 1)]
