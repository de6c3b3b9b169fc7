"""The best so far of many searches and trainings at once, as small curves: a few points each, whatever their length.

What counts is the reward of measured children in the order of drawing; with shared weights the best score of each
epoch, and of a training the figure on the held-out part by epoch: accuracy, or the perplexity with a minus, so that
higher is better everywhere. The database hands out only where the best changes. What was read once is kept, and only
newer rows are read again: told steps and events never change.
"""

import threading
import uuid
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db.models import F, FloatField, Max, Q, RowRange, Value, Window
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce, NullIf

from search_engine.places import place_among_children
from webapp.searches.models import Child, Event, Search, Stream, Training
from webapp.searches.overview import MEASURED

MOST_POINTS = 60
MOST_KEPT = 2000  # Streams.
WIDTH, HEIGHT, MARGIN = 100, 24, 2  # Of the picture.

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class _Known:
    """Of one stream, behind its event `last`. settled: behind children or events before `through`, never to change;
    points: behind all that there are.
    """

    last: int
    through: int = 0
    settled: Points = ()
    points: Points = ()


_NOTHING = _Known(last=0)
_kept: OrderedDict[uuid.UUID, _Known] = OrderedDict()
_lock = threading.Lock()


def best_so_far(streams: Iterable[Search | Training]) -> dict[uuid.UUID, Points]:
    """Of each, (x, best) wherever the best changes, at most MOST_POINTS. x: children or epochs before, from 0.

    Two questions at most, and none where nothing happened since the last time.
    """
    streams = list(streams)
    with _lock:
        known = {stream.pk: _kept.get(stream.pk, _NOTHING) for stream in streams}
    behind = [stream for stream in streams if known[stream.pk].last != stream.last_event]
    for stream in behind:
        if known[stream.pk].last > stream.last_event:
            known[stream.pk] = _NOTHING  # A backup was put back since.
    by_child = [stream for stream in behind if isinstance(stream, Search) and not stream.epochs]
    by_epoch = [stream for stream in behind if not isinstance(stream, Search) or stream.epochs]
    fresh = _with_children(by_child, known) | _with_epochs(by_epoch, known)
    _keep(fresh)
    return {pk: each.points for pk, each in (known | fresh).items()}


def sparkline(points: Points, end: float) -> str:
    """An SVG path in a box of WIDTH x HEIGHT: the step function through these points, up to x = end; "" for none."""
    if not points:
        return ""
    low, high = min(y for _, y in points), max(y for _, y in points)
    first, last = points[0][0], max(end, points[-1][0])

    def across(x: float) -> str:
        return f"{(x - first) / (last - first or 1) * WIDTH:.1f}".removesuffix(".0")

    def down(y: float) -> str:
        share = (y - low) / (high - low) if high > low else 0.5
        return f"{MARGIN + (1 - share) * (HEIGHT - 2 * MARGIN):.1f}".removesuffix(".0")

    steps = "".join(f"H{across(x)}V{down(y)}" for x, y in points[1:])
    return f"M0 {down(points[0][1])}{steps}H{WIDTH}"


def _with_children(searches: Sequence[Search], known: Mapping[uuid.UUID, _Known]) -> dict[uuid.UUID, _Known]:
    """Children of told steps never change; those of later steps are read again."""
    if not searches:
        return {}
    wanted = Q()
    for search in searches:
        through = known[search.pk].through
        wanted |= Q(search=search.pk, step__gte=through) if through else Q(search=search.pk)
    rows = Child.objects.filter(wanted, **MEASURED).annotate(
        best_before=_before("reward", "search", "step", "slot")
    ).filter(_rises("reward")).values_list("search", "step", "slot", "reward")  # fmt: skip
    found: dict[uuid.UUID, list[tuple[int, int, float]]] = {}
    for pk, step, slot, reward in rows:
        found.setdefault(pk, []).append((step, slot, reward))
    fresh = {}
    for search in searches:
        size, told = search.config["strategy"]["step_size"], max(search.steps_told, 0)
        newer = sorted(found.get(search.pk, ()))
        points = [(place_among_children(step, slot, size), reward) for step, slot, reward in newer]
        told_points = [point for point, (step, _, _) in zip(points, newer, strict=True) if step < told]
        before = known[search.pk].settled
        fresh[search.pk] = _Known(search.last_event, told, _risen(before, told_points), _risen(before, points))
    return fresh


def _with_epochs(streams: Sequence[Search | Training], known: Mapping[uuid.UUID, _Known]) -> dict[uuid.UUID, _Known]:
    if not streams:
        return {}
    wanted = Q()
    for stream in streams:
        kind = "controller_phase_ended" if stream.kind == Stream.Kind.SEARCH else "epoch_ended"
        wanted |= Q(stream=stream.pk, kind=kind, number__gt=known[stream.pk].through)
    told = Event.objects.filter(wanted).annotate(
        epoch=Coalesce(_number("epoch"), _number("step")),
        figure=Coalesce(_number("best_reward"), -_number("perplexity"), _number("accuracy")),
    )  # fmt: skip
    rows = told.filter(figure__isnull=False).annotate(best_before=_before("figure", "stream", "number"))
    found: dict[uuid.UUID, list[tuple[float, float]]] = {}
    for pk, epoch, figure in rows.filter(_rises("figure")).order_by("number").values_list("stream", "epoch", "figure"):
        found.setdefault(pk, []).append((epoch, figure))
    fresh = {}
    for stream in streams:
        points = _risen(known[stream.pk].settled, found.get(stream.pk, ()))
        fresh[stream.pk] = _Known(stream.last_event, stream.last_event, points, points)
    return fresh


def _number(name: str) -> Cast:
    """Of the payload, NULL where it has none. SQLite reads the null of JSON as a word."""
    return Cast(NullIf(KT(f"payload__{name}"), Value("null")), FloatField())


def _before(figure: str, stream: str, *order: str) -> Window:
    """The best of all rows before this one."""
    return Window(
        Max(figure), partition_by=[F(stream)], order_by=[F(name) for name in order], frame=RowRange(end=-1)
    )  # fmt: skip


def _rises(figure: str) -> Q:
    return Q(best_before__isnull=True) | Q(**{f"{figure}__gt": F("best_before")})


def _risen(before: Points, newer: Iterable[tuple[float, float]]) -> Points:
    """These points and what of the newer ones is better still, thinned: the first, and the last ones, always stay."""
    points = list(before)
    for x, y in newer:
        if not points or y > points[-1][1]:
            points.append((max(x, points[-1][0]) if points else x, y))
    while len(points) > MOST_POINTS:
        points = [points[0], *points[2:-1:2], points[-1]]
    return tuple(points)


def _keep(fresh: Mapping[uuid.UUID, _Known]) -> None:
    with _lock:
        for pk, known in fresh.items():
            _kept[pk] = known
            _kept.move_to_end(pk)
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
