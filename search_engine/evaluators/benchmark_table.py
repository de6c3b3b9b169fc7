"""A table of trained networks of NAS-Bench-201 (Dong and Yang 2020): what somebody measured, read from a CSV file.

The table is no part of this program: whoever has one names its file. Its columns are found by their names, and it may
have more of them:

arch      the cell, as the benchmark's string
val12     accuracy on validation images after 12 epochs, in percent
test200   accuracy on test images after 200 epochs, in percent
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from search_engine.architectures.nas_bench_201 import NasBench201Architecture
from search_engine.architectures.reading import Architecture
from search_engine.errors import ArchitectureError, DataError
from search_engine.formats import nas_bench_201

COLUMNS = ("arch", "val12", "test200")


@dataclass(frozen=True, slots=True)
class Entry:
    """What was measured of one cell, both from 0 to 1. reward: what a search may see; score: what it is judged by."""

    reward: float
    score: float


class BenchmarkTable:
    """The entry of every cell that was measured. Cells that are isomorphic have entries of their own."""

    def __init__(self, entries: Mapping[NasBench201Architecture, Entry]) -> None:
        self._entries = dict(entries)

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, architecture: Architecture) -> Entry | None:
        """None where it was not measured, such as any architecture of another kind."""
        return self._entries.get(architecture) if isinstance(architecture, NasBench201Architecture) else None


def read_table(path: Path) -> BenchmarkTable:
    """Raises DataError, which names the file and the line that is wrong."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            entries = dict(_entries(file, str(path)))
    except OSError as error:
        raise DataError(str(path), f"cannot be read: {error.strerror}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(str(path), "is not a table: it must be text with commas between its columns.") from error
    if not entries:
        raise DataError(str(path), "is empty: below its first line it must name at least one cell.")
    return BenchmarkTable(entries)


def _entries(file: Iterator[str], name: str) -> Iterator[tuple[NasBench201Architecture, Entry]]:
    rows = csv.DictReader(file)
    if missing := [column for column in COLUMNS if column not in (rows.fieldnames or ())]:
        raise DataError(name, f"has no column {missing[0]!r}; its first line must name {', '.join(COLUMNS)}.")
    seen = set()
    for row in rows:
        line = f"{name}, line {rows.line_num}"
        cell = _cell(row["arch"] or "", line)
        if cell in seen:
            raise DataError(line, "names a cell that an earlier line names already.")
        seen.add(cell)
        yield cell, Entry(_share(row["val12"], "val12", line), _share(row["test200"], "test200", line))


def _cell(text: str, line: str) -> NasBench201Architecture:
    try:
        architecture = nas_bench_201.read(text).architecture
    except ArchitectureError as error:
        raise DataError(line, f"has no cell of NAS-Bench-201 in the column 'arch': {error}") from error
    assert isinstance(architecture, NasBench201Architecture)
    return architecture


def _share(text: str | None, column: str, line: str) -> float:
    """From percent to a number from 0 to 1."""
    try:
        percent = float(text or "")
    except ValueError:
        percent = -1.0
    if not 0 <= percent <= 100:  # Not a number is refused here, too.
        raise DataError(line, f"has {text!r} in the column {column!r}; must be a number from 0 to 100.")
    return percent / 100
