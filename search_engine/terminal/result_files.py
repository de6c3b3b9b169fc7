"""What a search in a folder found, for people: a table of its children, and the best architecture (best.json)."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from search_engine.checkpoints import atomic_write


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """As CSV, with a heading; what is None is left empty."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(columns)
    table.writerows(rows)
    atomic_write(path, text.getvalue().encode())


def write_best(folder: Path, best: Mapping[str, Any]) -> None:
    """best: the JSON form of an architecture, with its place in the search and its reward."""
    atomic_write(folder / "best.json", json.dumps(best, indent=2).encode() + b"\n")
