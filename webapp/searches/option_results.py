"""What came of the options that children took: how many took each, their mean reward, and how much a decision matters.

What counts is what counts against random search (see search_engine.comparison): a child with the reward of its own
training, or with the one that the settings state for a child that failed; no copies and no lost children.
"""

import threading
import uuid
from collections import OrderedDict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search_engine.config.searches import read_search_config
from search_engine.importance import Importance, importance
from search_engine.spaces.build import build_space
from webapp.searches.models import Search

KEPT_SEARCHES = 32  # Whose results stay in this process: 20,000 children take a second to be looked at.

_known: OrderedDict[uuid.UUID, "OptionResults"] = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Taken:
    """Of one option. mean: reward of the children that took it; None where nobody did."""

    option: str
    count: int
    mean: float | None


@dataclass(frozen=True, slots=True)
class DecisionResult:
    """importance: None where there is nothing to say (see search_engine.importance)."""

    name: str
    options: tuple[Taken, ...]
    importance: Importance | None


@dataclass(frozen=True, slots=True)
class OptionResults:
    """done: children with a verdict; counted: those that count; mean: their reward, None without any."""

    done: int
    counted: int
    mean: float | None
    decisions: tuple[DecisionResult, ...]


def option_results(search: Search) -> OptionResults:
    """Of all children with a verdict. A verdict is never changed, so their number says whether anything is new."""
    done = search.children.filter(is_final=True).count()
    with _lock:
        known = _known.get(search.pk)
        if known is None or known.done != done:
            known = _known[search.pk] = _results_of(search, done)
        _known.move_to_end(search.pk)
        while len(_known) > KEPT_SEARCHES:
            _known.popitem(last=False)
        return known


def _results_of(search: Search, done: int) -> OptionResults:
    counts = search.children.filter(is_final=True, reward__isnull=False, twin_step=None)
    rows = list(counts.order_by("step", "slot").values_list("decisions", "reward"))
    space = build_space(read_search_config(search.config).space)
    taken = np.array([decisions for decisions, _ in rows], dtype=np.int64).reshape(len(rows), len(space.decisions))
    rewards = np.array([reward for _, reward in rows], dtype=np.float64)
    told = importance(taken, rewards.tolist()) or (None,) * len(space.decisions)
    return OptionResults(
        done=done,
        counted=len(rows),
        mean=float(rewards.mean()) if rows else None,
        decisions=tuple(
            DecisionResult(decision.name, _options(decision.options, column, rewards), one)
            for decision, column, one in zip(space.decisions, taken.T, told, strict=True)
        ),
    )


def _options(names: tuple[str, ...], taken: NDArray[np.int64], rewards: NDArray[np.float64]) -> tuple[Taken, ...]:
    counts = np.bincount(taken, minlength=len(names))
    sums = np.bincount(taken, weights=rewards, minlength=len(names))
    return tuple(
        Taken(name, int(count), float(total / count) if count else None)
        for name, count, total in zip(names, counts, sums, strict=True)
    )
