"""The curve of rewards between any two children of a search: as fine as asked for, and with its extremes.

A page's state holds few points of a long search, and the newer ones more finely. Here every verdict counts: it is read
once out of the events and kept in this process as columns of numbers, so that only newer events are read the next time.
"""

import threading
import uuid
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from search_engine.places import place_among_children
from webapp.searches.live_state import COPIED, FAILED, MEASURED, OVER
from webapp.searches.models import Event, Search

WINDOW, FEWEST = 20, 5  # Children in the moving mean, which starts when there are so many.
DIGITS = 6  # Of rewards: more than a chart can show.
KEPT_SEARCHES = 32  # In this process; a search of 50,000 children takes three megabytes.

Row = list[Any]
Numbers = NDArray[np.float64]

_known: OrderedDict[uuid.UUID, "_Columns"] = OrderedDict()
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class ChildCurve:
    """points: [index, reward, flag], as in a live state; of one over a bound also the bound and by which factor.

    best: [index, reward] wherever the best so far rises, and where it stands at both ends. means: of the last WINDOW
    rewards. steps: [step, mean reward, entropy, baseline]. done: verdicts that there are in all, also outside.
    """

    points: list[Row]
    best: list[Row]
    means: list[Row]
    steps: list[Row]
    done: int


def child_curve(search: Search, first: float, last: float, points: int, at: int | None = None) -> ChildCurve:
    """Between the children at these places, with at most 2 * `points` points of a kind. at: as after that event.

    Where there are more, the places are divided into `points` equal stretches, of which the lowest and the highest
    reward stay. Of rises of the best so far, evenly chosen ones stay.
    """
    with _lock:
        columns = _columns_of(search)
        table = columns.children(at)
        steps = columns.steps(at)
    middles = steps[:, 0] * _step_size(search) + (_step_size(search) - 1) / 2
    newest = float(table[-1, 0]) if len(table) else 0.0
    stretches = _Stretches(first, max(first, min(last, newest)), points)
    return ChildCurve(
        points=_points(table, stretches),
        best=_best(table, stretches),
        means=_means(table, stretches),
        steps=_steps(steps, middles, stretches),
        done=len(table),
    )


@dataclass(frozen=True, slots=True)
class _Stretches:
    """Places from first to last, in `count` equal parts."""

    first: float
    last: float
    count: int

    def holds(self, places: Numbers) -> NDArray[np.bool_]:
        return (places >= self.first) & (places <= self.last)

    def extremes(self, places: Numbers, values: Numbers) -> NDArray[np.int64]:
        """Where the lowest and the highest value of each part stand; everything where there are few. places: rising."""
        if len(places) <= self.count:
            return np.arange(len(places))
        width = (self.last - self.first) / self.count or 1.0
        parts = np.minimum(((places - self.first) / width).astype(np.int64), self.count - 1)
        order = np.lexsort((values, parts))
        starts = np.flatnonzero(np.diff(parts[order], prepend=-1))
        ends = np.append(starts[1:], len(order)) - 1
        return np.unique(np.concatenate([order[starts], order[ends]]))


def _points(table: Numbers, stretches: _Stretches) -> list[Row]:
    found: list[Row] = []
    shown = table[stretches.holds(table[:, 0])]
    for flags in ((MEASURED, COPIED), (FAILED,), (OVER,)):
        rows = shown[np.isin(shown[:, 2], flags)]
        kept = rows[stretches.extremes(rows[:, 0], np.nan_to_num(rows[:, 1]))]
        found += [_row(row) for row in kept.tolist()]
    return sorted(found)


def _row(row: Sequence[float]) -> Row:
    index, reward, flag, bound, times = row
    point: Row = [_whole(index), _rounded(reward), int(flag)]
    return [*point, BOUNDS[int(bound)], times] if flag == OVER and bound >= 0 else point


def _counted(table: Numbers) -> Numbers:
    """Index and reward of what a best can be, and the moving mean is made of."""
    return table[(table[:, 2] <= COPIED) & ~np.isnan(table[:, 1]), :2]


def _best(table: Numbers, stretches: _Stretches) -> list[Row]:
    counted = _counted(table)
    best = np.maximum.accumulate(counted[:, 1]) if len(counted) else counted[:, 1]
    rises = np.flatnonzero(np.diff(best, prepend=-np.inf) > 0)
    inside = stretches.holds(counted[:, 0])
    before = np.flatnonzero(counted[:, 0] < stretches.first)
    rises = rises[inside[rises]]
    if len(rises) > 2 * stretches.count:
        rises = rises[np.unique(np.linspace(0, len(rises) - 1, 2 * stretches.count).round().astype(int))]
    rows = [[_whole(counted[at, 0]), _rounded(best[at])] for at in rises]
    if len(before):
        rows.insert(0, [_whole(stretches.first), _rounded(best[before[-1]])])
    if inside.any():
        last = np.flatnonzero(inside)[-1]
        rows.append([_whole(counted[last, 0]), _rounded(best[last])])
    return rows


def _means(table: Numbers, stretches: _Stretches) -> list[Row]:
    counted = _counted(table)
    counted = counted[counted[:, 0] % 1 == 0]  # What a person proposed says nothing of the controller.
    if len(counted) < FEWEST:
        return []
    sums = np.cumsum(np.concatenate([[0.0], counted[:, 1]]))
    ends = np.arange(FEWEST, len(counted) + 1)
    starts = np.maximum(ends - WINDOW, 0)
    places, means = counted[ends - 1, 0], (sums[ends] - sums[starts]) / (ends - starts)
    inside = stretches.holds(places)
    places, means = places[inside], means[inside]
    return [[_whole(places[at]), _rounded(means[at])] for at in stretches.extremes(places, means)]


def _steps(steps: Numbers, middles: Numbers, stretches: _Stretches) -> list[Row]:
    """Those without a mean reward have an entropy to show."""
    inside = stretches.holds(middles)
    steps, middles = steps[inside], middles[inside]
    kept = stretches.extremes(middles, np.nan_to_num(steps[:, 1]))
    return [[int(row[0]), *(_rounded(value) for value in row[1:])] for row in steps[kept].tolist()]


def _whole(index: float) -> float | int:
    return int(index) if index % 1 == 0 else round(float(index), 2)


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), DIGITS)


# --- What is known of a search ---------------------------------------------------------------------------------------

BOUNDS = ("parameters", "mult_adds", "latency")
_CHILD = ("step", "slot", "reward", "reason", "over", "times", "twin")


@dataclass(slots=True)
class _Columns:
    """All verdicts up to event `number`: a row each of index, reward, flag, bound, times and the event's number.

    drawn, learned: by step, with the event's number: its entropy; its mean reward and baseline.
    """

    number: int = 0
    table: Numbers = field(default_factory=lambda: np.zeros((0, 6)))
    drawn: dict[int, tuple[int, float]] = field(default_factory=dict)
    learned: dict[int, tuple[int, float, float]] = field(default_factory=dict)

    def children(self, at: int | None) -> Numbers:
        """Columns index, reward, flag, bound, times, by index."""
        return self.table[:, :5] if at is None else self.table[self.table[:, 5] <= at, :5]

    def steps(self, at: int | None) -> Numbers:
        """Columns step, mean reward, entropy, baseline, by step."""
        until = np.inf if at is None else at
        rows = []
        for step, (number, entropy) in sorted(self.drawn.items()):
            told = self.learned.get(step)
            mean, baseline = told[1:] if told and told[0] <= until else (np.nan, np.nan)
            if number <= until:
                rows.append((step, mean, entropy, baseline))
        return np.array(rows, dtype=np.float64).reshape(-1, 4)


def _columns_of(search: Search) -> _Columns:
    known = _known.pop(search.pk, None)
    if known is None or known.number > search.last_event:  # A backup was restored, which ended earlier.
        known = _Columns()
    _read_on(search, known)
    _known[search.pk] = known
    while len(_known) > KEPT_SEARCHES:
        _known.popitem(last=False)
    return known


def _read_on(search: Search, known: _Columns) -> None:
    size, until = _step_size(search), search.last_event
    newer = Event.objects.filter(stream_id=search.pk, number__gt=known.number, number__lte=until).order_by("number")
    rows = []
    for number, told in newer.filter(kind="child_finished").values_list("number", "payload").iterator(2000):
        rows.append((place_among_children(told["step"], told["slot"], size), *_figures(told), number))
    if rows:
        table = np.concatenate([known.table, np.array(rows, dtype=np.float64)])
        known.table = table[np.argsort(table[:, 0], kind="stable")]
    for number, told in newer.filter(kind="controller_updated").values_list("number", "payload").iterator(2000):
        known.learned[told["step"]] = (number, _number(told["mean_reward"]), _number(told["baseline"]))
    # Of a payload with every architecture of a step, the database hands out what is needed here.
    drawn = newer.filter(kind="step_proposed").values_list("number", "payload__step", "payload__entropy")
    for number, step, entropy in drawn.iterator(2000):
        known.drawn[step] = (number, entropy)
    known.number = until


def _step_size(search: Search) -> int:
    """As its first event says it: with shared weights all candidates are one step."""
    return max(search.total, 1) if search.epochs else int(search.config["strategy"]["step_size"])


def _figures(told: dict[str, Any]) -> tuple[float, int, float, float]:
    """Reward, flag, bound and times of a verdict."""
    over = told.get("over")
    flag = COPIED if told.get("twin") else MEASURED
    if told.get("reason") is not None:
        flag = OVER if over else FAILED
    bound = BOUNDS.index(over) if over else -1
    return _number(told["reward"]), flag, bound, _number(told.get("times"))


def _number(value: float | None) -> float:
    return np.nan if value is None else float(value)
