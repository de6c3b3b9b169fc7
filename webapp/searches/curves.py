"""What a comparison draws of one search or training: bounded curves, however many children there are.

What counts is what counts against random search (see search_engine.comparison). With shared weights the curve is by
epoch, of scores, and the children are the candidates behind the last one.
"""

import threading
import uuid
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from django.db.models import IntegerField
from django.db.models.fields.json import KT
from django.db.models.functions import Cast
from numpy.typing import NDArray

from search_engine import comparison
from webapp.searches.live_state import state_at
from webapp.searches.models import Event, Search, Training

WINDOW, FEWEST = 20, 5  # Children in the moving mean, which starts when there are so many.
MOST_POINTS, MOST_MEANS, MOST_STEPS, MOST_FRONT, QUANTILES = 400, 200, 200, 100, 51
KEPT_SEARCHES = 64

Point = tuple[float, float]
Points = tuple[Point, ...]

_known: OrderedDict[uuid.UUID, tuple[tuple[int, int], "Curves"]] = OrderedDict()  # Behind verdicts and steps told.
_ends: OrderedDict[uuid.UUID, "_Ends"] = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """Of one stream. Points are (x, y); a best-so-far curve is a step function, given where it steps and at its end.

    x of rewards, means and best: children before this one, or epochs. best_compute: seconds that trainings of children
    took in all; best_clock: seconds since the start, pauses included. quantiles: of all rewards that count, evenly
    spaced from the lowest to the highest. fronts: accuracy against cost, cheapest first. loss, measured: of a training
    by epoch. late: mean reward of the last quarter of the steps, or epochs.
    """

    done: int = 0
    counted: int = 0
    compute: float = 0.0
    best: float | None = None
    late: float | None = None
    rewards: Points = ()
    means: Points = ()
    best_by_children: Points = ()
    best_by_compute: Points = ()
    best_by_clock: Points = ()
    quantiles: tuple[float, ...] = ()
    fronts: dict[str, Points]
    loss: Points = ()
    measured: Points = ()


def curves_of_search(search: Search) -> Curves:
    """A verdict is never changed, so the numbers of verdicts and of steps told say whether anything is new."""
    verdicts = search.children.filter(is_final=True).count()
    behind = (verdicts, search.steps_told)
    with _lock:
        known = _known.get(search.pk)
    if known is None or known[0] != behind:
        curves = replace(_of_children(search), done=search.steps_told if search.epochs else verdicts)
        known = behind, _with_epochs(curves, search) if search.epochs else curves
    with _lock:
        _kept(_known, search.pk, known)
    return known[1]


def curves_of_training(training: Training) -> Curves:
    rows = state_at(training)["curve"]
    place = 4 if rows and len(rows[0]) > 4 else 2  # Perplexity on text, accuracy on images.
    measured = tuple((row[0], row[place]) for row in rows if row[place] is not None)
    return Curves(
        done=rows[-1][0] if rows else 0,
        compute=training.seconds or 0.0,
        loss=tuple((row[0], row[1]) for row in rows if row[1] is not None),
        measured=measured,
        fronts={},
    )


def _of_children(search: Search) -> Curves:
    size = search.config["strategy"]["step_size"] if not search.epochs else max(search.total, 1)
    rows = list(
        search.children.filter(is_final=True, off_policy=False, reward__isnull=False, twin_step=None)
        .order_by("step", "slot")
        .values_list("step", "slot", "reward", "reason", "seconds", "accuracy", "parameters", "mult_adds")
    )
    if not rows:
        return Curves(fronts={})
    rewards = np.array([row[2] for row in rows])
    places = np.array([row[0] * size + row[1] for row in rows], dtype=np.float64)
    is_measured = np.array([row[3] == "" for row in rows])
    compute = np.cumsum([row[4] or 0.0 for row in rows])
    ours = Curves(
        counted=len(rows),
        compute=float(compute[-1]),
        best=float(rewards[is_measured].max()) if is_measured.any() else None,
        late=_late(search, rows),
        rewards=_evenly(places[is_measured], rewards[is_measured], MOST_POINTS),
        means=_moving_mean(places, rewards),
        quantiles=_quantiles(rewards),
        fronts=_fronts(rows),
    )
    if search.epochs:
        return ours
    return replace(
        ours,
        best_by_children=_steps(places[is_measured], rewards[is_measured], places[-1]),
        best_by_compute=_steps(compute[is_measured], rewards[is_measured], compute[-1]),
        best_by_clock=_by_clock(search, rows),
    )


def _late(search: Search, rows: Sequence[Any]) -> float | None:
    """As against random search: of the last quarter of the steps that were learned from."""
    complete = max(search.steps_told, 0)
    first = complete - comparison.late_steps(complete)
    late = [row[2] for row in rows if first <= row[0] < complete]
    return float(np.mean(late)) if late and not search.epochs else None


def _by_clock(search: Search, rows: Sequence[Any]) -> Points:
    """When each child was finished stands in the events alone."""
    ends = _ends_of(search)
    measured = [row for row in rows if row[3] == ""]
    if not measured or not len(ends.keys):
        return ()
    keys = np.array([_key(row[0], row[1]) for row in measured])
    places = np.minimum(np.searchsorted(ends.keys, keys), len(ends.keys) - 1)
    is_there = ends.keys[places] == keys
    at = ends.at[places][is_there] - search.created
    rewards = np.array([row[2] for row in measured])[is_there]
    if not len(at):
        return ()
    order = np.argsort(at, kind="stable")
    return _steps(at[order], rewards[order], float(at.max()))


@dataclass(frozen=True, slots=True)
class _Ends:
    """When children were finished, up to event `number`. keys: of children, rising; at: seconds since 1970."""

    number: int
    keys: NDArray[np.int64]
    at: NDArray[np.float64]


def _ends_of(search: Search) -> _Ends:
    """Only events that are newer than what is known are read."""
    with _lock:
        known = _ends.get(search.pk) or _Ends(0, np.zeros(0, dtype=np.int64), np.zeros(0))
    newer = Event.objects.filter(stream_id=search.pk, kind="child_finished", number__gt=known.number)
    newer = newer.annotate(
        step=Cast(KT("payload__step"), IntegerField()), slot=Cast(KT("payload__slot"), IntegerField())
    )
    rows = list(newer.order_by("number").values_list("number", "step", "slot", "at"))
    if not rows:
        return known
    keys = np.concatenate([known.keys, [_key(step, slot) for _, step, slot, _ in rows]]).astype(np.int64)
    at = np.concatenate([known.at, [row[3] for row in rows]])
    order = np.argsort(keys, kind="stable")
    found = _Ends(rows[-1][0], keys[order], at[order])
    with _lock:
        _kept(_ends, search.pk, found)
    return found


def _key(step: int, slot: int) -> int:
    return (step << 20) + slot


def _kept(cache: OrderedDict[uuid.UUID, Any], key: uuid.UUID, value: Any) -> None:
    cache[key] = value
    cache.move_to_end(key)
    while len(cache) > KEPT_SEARCHES:
        cache.popitem(last=False)


def _with_epochs(ours: Curves, search: Search) -> Curves:
    """Scores by epoch take the place of what children show elsewhere."""
    x, means, scores, seconds = _phases(search)
    rows = len(x)
    late = means[-max(1, rows // comparison.LATE_SHARE) :]
    return replace(
        ours,
        compute=float(seconds[-1]) if rows else 0.0,
        late=float(late.mean()) if rows else None,
        rewards=(),
        means=_evenly(x, means, MOST_MEANS),
        best=float(scores.max()) if rows else ours.best,
        best_by_children=_steps(x, scores, x[-1]) if rows else (),
        best_by_compute=_steps(seconds, scores, seconds[-1]) if rows else (),
    )


def _phases(search: Search) -> tuple[NDArray[np.float64], ...]:
    """By epoch: its number, mean and best score, and the seconds that it and those before it took in all."""
    events = Event.objects.filter(stream_id=search.pk)
    shared = events.filter(kind="shared_epoch_ended").order_by("number")
    took = dict(shared.values_list("payload__step", "payload__seconds"))  # Of an epoch that was done again, the last.
    phases = events.filter(kind="controller_phase_ended").order_by("number")
    names = ("payload__step", "payload__mean_reward", "payload__best_reward", "payload__seconds")
    rows = {row[0]: (*row[:3], row[3] + took.get(row[0], 0.0)) for row in phases.values_list(*names)}
    table = np.array([rows[step] for step in sorted(rows)], dtype=np.float64).reshape(-1, 4)
    return table[:, 0], table[:, 1], table[:, 2], np.cumsum(table[:, 3])


def _moving_mean(places: NDArray[Any], rewards: NDArray[Any]) -> Points:
    if len(rewards) < FEWEST:
        return ()
    sums = np.cumsum(np.concatenate([[0.0], rewards]))
    ends = np.arange(FEWEST, len(rewards) + 1)
    starts = np.maximum(ends - WINDOW, 0)
    return _evenly(places[ends - 1], (sums[ends] - sums[starts]) / (ends - starts), MOST_MEANS)


def _quantiles(rewards: NDArray[Any]) -> tuple[float, ...]:
    """Rewards that there are, not means of two of them."""
    shares = np.linspace(0, 1, QUANTILES)
    return tuple(float(value) for value in np.quantile(rewards, shares, method="inverted_cdf"))


def _steps(x: NDArray[Any], y: NDArray[Any], end: float) -> Points:
    """Best so far: where it steps, and where it stands at the end. x in rising order."""
    if not len(y):
        return ()
    best = np.maximum.accumulate(y)
    steps = np.flatnonzero(np.concatenate([[True], best[1:] > best[:-1]]))
    points = _evenly(x[steps], best[steps], MOST_STEPS)
    return points if points[-1][0] >= end else (*points, (float(end), float(best[-1])))


def _fronts(rows: Sequence[Any]) -> dict[str, Points]:
    """The children that no cheaper one reaches; their accuracy where cost weighs in the reward."""
    fronts = {}
    for name, place in (("parameters", 6), ("mult_adds", 7)):
        known = [(row[place], row[2] if row[5] is None else row[5]) for row in rows if row[3] == "" and row[place]]
        costs, accuracies = np.array(known, dtype=np.float64).reshape(-1, 2).T
        order = np.lexsort((-accuracies, costs))
        steps = _steps(costs[order], accuracies[order], -np.inf)
        fronts[name] = steps[-MOST_FRONT:]  # The best of them, should there be more.
    return fronts


def _evenly(x: NDArray[Any], y: NDArray[Any], most: int) -> Points:
    if not len(x):
        return ()
    places = np.unique(np.linspace(0, len(x) - 1, min(most, len(x))).round().astype(int))
    return tuple((float(x[place]), float(y[place])) for place in places)
