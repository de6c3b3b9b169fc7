"""A stream's events as a line to move along: how many there are, when they happened, and which ones stand out."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F

from webapp.searches.models import Event, Stream

MOST_TICKS = 1000  # Between two of them, times are taken to go evenly.
MOST_STEPS = 2000
MOST_MARKS = 300  # Of every other kind.

# Of which events a step of the search, an epoch of its shared weights, or an epoch of a training is told.
_STEPS = {"search": ("step_proposed", "shared_epoch_ended"), "training": ("epoch_ended",)}
_LOSSES = ("job_lost", "file_damaged")


@dataclass(frozen=True, slots=True)
class Mark:
    """An event that stands out. kind: "step", "best", "loss", "pause", "resume", "change" or "end"."""

    n: int
    at: float
    kind: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """last: the newest event. ticks: (n, seconds since 1970), with the first and the last event among them."""

    last: int
    ticks: list[tuple[int, float]]
    marks: list[Mark]


def timeline_of(stream: Stream) -> Timeline:
    """Bounded, however long the stream is."""
    finders: Sequence[Callable[[Stream], Iterable[Mark]]] = (_steps, _bests, _losses, _changes)
    marks = [mark for find in finders for mark in find(stream)]
    return Timeline(stream.last_event, _ticks(stream), sorted(marks, key=lambda mark: mark.n))


def _ticks(stream: Stream) -> list[tuple[int, float]]:
    apart = max(1, math.ceil(stream.last_event / (MOST_TICKS - 1)))
    numbers = [*range(1, stream.last_event, apart), stream.last_event]
    rows = Event.objects.filter(stream_id=stream.pk, number__in=numbers).order_by("number")
    return list(rows.values_list("number", "at"))


def _steps(stream: Stream) -> list[Mark]:
    rows = Event.objects.filter(stream_id=stream.pk, kind__in=_STEPS[stream.kind]).order_by("number")
    return _thinned([Mark(n, at, "step") for n, at in rows.values_list("number", "at")], MOST_STEPS)


def _bests(stream: Stream) -> list[Mark]:
    """Events that brought a figure above all before: a child's reward, the best of a phase, a training's accuracy."""
    events = Event.objects.filter(stream_id=stream.pk).order_by("number")
    if stream.kind == Stream.Kind.TRAINING:
        return _rising(events.filter(kind="epoch_ended").values_list("number", "at", "payload__accuracy"))
    measured = events.filter(kind="child_finished", payload__reason=None)
    children = _rising(measured.values_list("number", "at", "payload__reward"))
    phases = events.filter(kind="controller_phase_ended").values_list("number", "at", "payload__best_reward")
    return [*children, *_rising(phases)]


def _rising(rows: Iterable[Any]) -> list[Mark]:
    found: list[Mark] = []
    best = -math.inf
    for n, at, value in rows:
        if value is not None and value > best:
            best = value
            found.append(Mark(n, at, "best"))
    return _thinned(found, MOST_MARKS)


def _losses(stream: Stream) -> list[Mark]:
    rows = Event.objects.filter(stream_id=stream.pk, kind__in=_LOSSES).order_by("number")
    return _thinned([Mark(n, at, "loss") for n, at in rows.values_list("number", "at")], MOST_MARKS)


def _changes(stream: Stream) -> list[Mark]:
    """Changes of state and of limits."""
    rows = Event.objects.filter(stream_id=stream.pk, kind__in=("state_changed", "limits_changed")).order_by("number")
    names = {"running": "resume", "paused": "pause", None: "change"}
    found = rows.annotate(to=F("payload__state")).values_list("number", "at", "to")
    return _thinned([Mark(n, at, names.get(to, "end")) for n, at, to in found], MOST_MARKS)


def _thinned(marks: list[Mark], most: int) -> list[Mark]:
    """All up to `most`; else the first, the last, and evenly chosen ones between them."""
    if len(marks) <= most:
        return marks
    return [marks[round(place * (len(marks) - 1) / (most - 1))] for place in range(most)]
