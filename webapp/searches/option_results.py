"""What came of the options that children took: how many took each, their mean reward, and how much a decision matters.

What counts is what counts against random search (see search_engine.comparison): a child with the reward of its own
training, or with the one that the settings state for a child that failed; no copies and no lost children.
"""

import threading
import uuid
from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from search_engine.config.search import SearchConfig
from search_engine.config.searches import read_search_config
from search_engine.importance import Importance, importance
from search_engine.spaces.build import build_space
from webapp.searches.child_rows import places_at
from webapp.searches.models import Search

KEPT = 32  # Results that stay in this process: 20,000 children take a second to be looked at.

_known: OrderedDict[tuple[uuid.UUID, int | None], "OptionResults"] = OrderedDict()
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
    """Of all children with a verdict. A verdict is never changed, so their number says whether anything is new.

    While a search runs, less than one child in a hundred more is nothing new: all of them are looked at each time.
    """
    done = search.children.filter(is_final=True).count()
    with _lock:
        known = _known.get((search.pk, None))
        more = 0 if known is None else done - known.done
        if known is None or more < 0 or more > (known.done // 100 if search.is_open else 0):
            known = _results_of(search, done)
        return _kept((search.pk, None), known)


def option_results_at(search: Search, at: int) -> OptionResults:
    """As they were after event `at`: of the children that had a verdict then."""
    places = places_at(search, at)
    with _lock:  # How many verdicts there were says which, because each has its place in the log.
        known = _known.get((search.pk, len(places))) or _results_of(search, len(places), places)
        return _kept((search.pk, len(places)), known)


def _kept(key: tuple[uuid.UUID, int | None], results: OptionResults) -> OptionResults:
    _known[key] = results
    _known.move_to_end(key)
    while len(_known) > KEPT:
        _known.popitem(last=False)
    return results


def _results_of(search: Search, done: int, places: Collection[tuple[int, int]] | None = None) -> OptionResults:
    """places: of the children to look at; None for all."""
    config = read_search_config(search.config)
    counts = search.children.filter(is_final=True, off_policy=False, reward__isnull=False, twin_step=None)
    found = counts.order_by("step", "slot").values_list("step", "slot", "decisions", "reward")
    rows = [(taken, reward) for step, slot, taken, reward in found if places is None or (step, slot) in places]
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
