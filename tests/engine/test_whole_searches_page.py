"""The page of whole searches: tables worked by hand."""

from benchmarks.whole_searches import METHODS
from benchmarks.whole_searches_page import RANDOM, figure, page

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
