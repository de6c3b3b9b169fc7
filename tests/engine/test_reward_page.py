"""The page that is made of the pool of rewards."""

from benchmarks.reward_page import PAGE, page
from benchmarks.reward_replay import BUDGETS

FOUND = {
    "children": 7,
    "costs": {"whole": 1.0, "cheap": 0.25},
    "correlations": {"whole": (0.5, 0.2, 0.75), "cheap": (-0.1, -0.4, 0.2)},
    "regrets": {"whole": [(0.5, 0.0, 0.0)] * len(BUDGETS), "cheap": [(0.25, -0.5, 0.125), None, None]},
}


def test_every_row_says_what_was_found() -> None:
    told = page(FOUND)
    assert "measured on 7 children" in told
    assert "| whole | 0.50 | 0.50 | 0.50 |\n" in told
    assert "| cheap | 0.250 | -0.10 (-0.40 to 0.20) |\n" in told
    assert "| cheap | 0.25 (-0.50 to +0.12) | too few children | too few children |\n" in told
    assert "| how a child is chosen | 5 trainings | 10 trainings | 20 trainings |\n|---|---|---|---|\n" in told


def test_the_committed_page_is_of_this_kind() -> None:
    assert [line for line in page(FOUND).splitlines() if line.startswith("#")] == [
        line for line in PAGE.read_text().splitlines() if line.startswith("#")
    ]
