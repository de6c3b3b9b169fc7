"""docs/benchmarks.md: what was measured last, and nothing else."""

from pathlib import Path

import pytest

from benchmarks import page
from benchmarks.__main__ import PARTS, TITLES
from benchmarks.page import Figure, Title, keep


def test_the_page_in_the_docs_is_made_of_the_kept_figures() -> None:
    assert page.PAGE.read_text() == page.page(TITLES)


def test_every_part_has_a_title_in_the_same_order() -> None:
    assert list(PARTS) == list(TITLES)


def test_a_part_that_is_measured_again_replaces_itself_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "FIGURES", tmp_path / "figures.json")
    keep("first", [Figure("a ratio", ">= 2 x", "1.5 x", met=False)])
    keep("second", [Figure("a time", "< 1 s", "0.5 s", met=True)])
    keep("first", [Figure("a ratio", ">= 2 x", "2.5 x", met=True)])
    told = page.page({"second": Title("Second", "Of it."), "first": Title("First", "Of it.")})
    assert "| a ratio | >= 2 x | 2.5 x |  |" in told and "1.5 x" not in told
    assert "| a time | &lt; 1 s | 0.5 s |  |" in told
    assert told.index("## Second") < told.index("## First")


def test_what_is_missed_is_said_to_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page, "FIGURES", tmp_path / "figures.json")
    keep("first", [Figure("a ratio", ">= 2 x", "1.5 x", met=False)])
    assert "| 1.5 x | **missed** |" in page.page({"first": Title("First", "Of it.")})
