"""Strategies on a table of NAS-Bench-201, which is no part of this program: CELLWRIGHT_NASBENCH201 names its file.

`python -m search_engine tabular` is the same for any strategies and numbers.
"""

import os
from pathlib import Path
from typing import Any

import torch

from search_engine.evaluators.benchmark_table import read_table
from search_engine.terminal.command_line import TABLE
from search_engine.terminal.tabular_search import figures_of, run_on, settings_of

SEEDS, EVALUATIONS = 200, 1000


class NoTable(Exception):
    """No table is given."""


def measure(strategies: list[str]) -> list[dict[str, Any]]:
    """As tabular_search.figures_of has them. Raises NoTable, and DataError where the table is none."""
    path = os.environ.get(TABLE)
    if not path:
        raise NoTable(f"{TABLE} names no file; a table of NAS-Bench-201 has the columns arch, val12 and test200.")
    table = read_table(Path(path))
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return [
            figures_of(
                kind, [run_on(table, config, seed=seed, evaluations=EVALUATIONS) for seed in range(1, SEEDS + 1)]
            )
            for kind, config in settings_of(strategies, seeds=SEEDS, evaluations=EVALUATIONS).items()
        ]
    finally:
        torch.set_num_threads(threads)
