"""Many workers in virtual time (benchmarks/simulated_cluster.py): how they are counted, and that nobody idles."""

import logging

import pytest

from benchmarks.simulated_cluster import Span, simulated, told


def test_time_in_training_is_counted_to_the_last_child_that_begins_and_to_the_end() -> None:
    # Two workers from 0 to 10. "a" trains for 8, "b" for 8; until the last child begins, at 6, it is 6 and 4.
    trainings = [Span("a", 0, 4), Span("a", 4, 8), Span("b", 2, 6), Span("b", 6, 6), Span("a", 6, 6)]
    spans = [Span("a", 0, 8), Span("b", 0, 6), Span("b", 9, 10)]
    found = told([*trainings, Span("b", 6, 10)], spans, workers=2)
    assert found["whole"] == (8 + 4 + 4) / 20 and found["bulk"] == (6 + 4) / 12
    assert found["idle"] == 0 and found["seconds"] == 10


def test_the_longest_gap_is_one_workers_while_others_could_have_gone_on() -> None:
    spans = [Span("a", 0, 2), Span("a", 5, 6), Span("b", 1, 4), Span("b", 6, 9)]
    found = told([Span("a", 0, 2), Span("b", 6, 9)], spans, workers=2)
    assert found["longest_gap"] == 3  # Of "a", from 2 to 5; behind 6 nothing was left to begin.
    assert found["idle"] == pytest.approx(1 - (2 + 1 + 3) / 12)


def test_lookahead_leaves_nobody_without_work(db, tmp_path) -> None:
    """Ten workers on one search with steps of twenty; the figures of larger ones stand in docs/benchmarks.md."""
    logging.disable(logging.CRITICAL)
    try:
        found = simulated(tmp_path, workers=10, searches=1, children=80, step=20, lookahead=1)
    finally:
        logging.disable(logging.NOTSET)
    assert found["children"] == 80 and found["bulk"] >= 0.95
