"""What came of the options that children took: how many took each, their mean reward, and how much a decision matters.

What counts is what counts against random search (see search_engine.comparison): a child with the reward of its own
training, or with the one that the settings state for a child that failed; no copies and no lost children.
"""

import threading
import uuid
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search_engine.config.search import SearchConfig
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
    """done: children with a verdict; counted: those that count; mean: their reward, None without any.

    weighs_cost: rewards are accuracies weighed with cost, and so no shares.
    """

    weighs_cost: bool
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
    config = read_search_config(search.config)
    counts = search.children.filter(is_final=True, off_policy=False, reward__isnull=False, twin_step=None)
    rows = list(counts.order_by("step", "slot").values_list("decisions", "reward"))
    decisions = [(decision.name, decision.options) for decision in build_space(config.space).decisions]
    return OptionResults(
        weighs_cost=isinstance(config, SearchConfig) and config.weighs_cost,
        done=done,
        counted=len(rows),
        mean=float(np.mean([reward for _, reward in rows])) if rows else None,
        decisions=decision_results(decisions, [taken for taken, _ in rows], [reward for _, reward in rows]),
    )


def decision_results(
    decisions: Sequence[tuple[str, Sequence[str]]], taken: Sequence[Sequence[int]], rewards: Sequence[float]
) -> tuple[DecisionResult, ...]:
    """decisions: name and options of each; taken[c]: the options that child c took; rewards: of children that count."""
    places = np.array(taken, dtype=np.int64).reshape(len(rewards), len(decisions))
    told = importance(places, rewards) or (None,) * len(decisions)
    return tuple(
        DecisionResult(name, _options(options, column, rewards), one)
        for (name, options), column, one in zip(decisions, places.T, told, strict=True)
    )


def _options(names: Sequence[str], taken: NDArray[np.int64], rewards: Sequence[float]) -> tuple[Taken, ...]:
    counts = np.bincount(taken, minlength=len(names))
    sums = np.bincount(taken, weights=rewards, minlength=len(names))
    return tuple(
        Taken(name, int(count), float(total / count) if count else None)
        for name, count, total in zip(names, counts, sums, strict=True)
    )
