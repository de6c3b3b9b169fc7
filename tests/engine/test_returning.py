import pytest

from search_engine.returning import Returning


def counted(closed=None):
    try:
        yield 1
        yield 2
        return "two"
    finally:
        if closed is not None:
            closed.append(True)


def test_a_loop_gives_what_is_yielded_and_keeps_what_is_returned():
    steps = Returning(counted())
    assert list(steps) == [1, 2]
    assert steps.returned == "two"


def test_a_generator_that_yields_nothing_returns_all_the_same():
    def nothing():
        yield from ()
        return None

    steps = Returning(nothing())
    assert list(steps) == []
    assert steps.returned is None


def test_before_its_end_nothing_is_returned():
    steps = Returning(counted())
    for _ in steps:
        break
    with pytest.raises(AttributeError):
        _ = steps.returned


def test_what_is_raised_inside_is_raised_in_the_loop():
    def failing():
        yield 1
        raise ValueError("broken")

    seen = []
    with pytest.raises(ValueError, match="broken"):
        for step in Returning(failing()):
            seen.append(step)
    assert seen == [1]


def test_a_loop_that_is_left_closes_its_generator():
    closed = []

    def first():
        for step in Returning(counted(closed)):
            return step

    assert first() == 1
    assert closed == [True]
