"""The page of whole searches: tables worked by hand."""

import pytest

from benchmarks.whole_searches import METHODS, best_at_marks
from benchmarks.whole_searches_page import RANDOM, figure, page, scores_of
from search_engine.catalogue.published import read_published

FIRST = next(iter(METHODS))
EARLY = {"60": 0.80, "120": 0.80, "180": 0.84, "300": 0.84, "420": 0.85, "600": 0.86}
LATE = {"180": 0.82, "300": 0.82, "420": 0.82, "600": 0.84}
SCORES = {FIRST: [EARLY, LATE], RANDOM: [LATE, LATE]}


def rows(method: str) -> list[str]:
    return [line for line in page(SCORES).splitlines() if line.startswith(f"| {method} |")]


def test_a_mean_has_its_interval_and_says_how_many_had_found_something() -> None:
    means, _, difference = rows(FIRST)
    # Student's t of one degree of freedom, 12.706, times half the difference of the two.
    assert means.startswith(f"| {FIRST} | 80.0, 1 of 2 | 80.0, 1 of 2 | 83.0 ± 12.7 |")
    assert difference == f"| {FIRST} | +1.00 | too few runs |"
    assert (
        rows(RANDOM)[0]
        == f"| {RANDOM} | nothing yet | nothing yet | 82.0 ± 0.0 | 82.0 ± 0.0 | 82.0 ± 0.0 | 84.0 ± 0.0 |"
    )


def test_the_moment_is_the_first_at_which_a_seed_came_so_far() -> None:
    assert rows(FIRST)[1] == f"| {FIRST} | 390 s, 2 of 2 | 420 s, 1 of 2 | 600 s, 1 of 2 |"
    assert rows(RANDOM)[1] == f"| {RANDOM} | 600 s, 2 of 2 | none of 2 | none of 2 |"


def test_each_method_has_a_line_and_a_band() -> None:
    drawn = figure(SCORES)
    assert [line.name for line in drawn.data if line.name] == [FIRST, RANDOM] and len(drawn.data) == 6
    assert list(drawn.data[2].y) == [80.0, 80.0, 83.0, 83.0, 83.5, 85.0]


def test_the_best_at_a_moment_is_the_last_one_found_until_then() -> None:
    first, second = {"second": 60.0, "reward": 0.5}, {"second": 299.0, "reward": 0.6}
    late = {"second": 600.5, "reward": 0.7}
    best = best_at_marks([first, second, late])
    assert best == {"60": first, "120": first, "180": first, "300": second, "420": second, "600": second}
    assert list(best_at_marks([second])) == ["300", "420", "600"]


def test_a_score_is_the_mean_of_all_trainings_of_that_search_and_none_may_be_missing() -> None:
    found = read_published("nasnet-a").architecture
    search = {"method": FIRST, "seed": 2, "best": {"60": {"architecture": found.to_json()}}}
    trainings = [
        {"seed": seed, "hash": found.hash, "training": training, "accuracy": seed / 10 + training / 100}
        for seed in (1, 2)
        for training in (1, 2, 3)
    ]
    assert scores_of([search], trainings) == {FIRST: [{"60": pytest.approx(0.22)}]}
    with pytest.raises(AssertionError, match="scores are missing"):
        scores_of([search], trainings[:-1])
