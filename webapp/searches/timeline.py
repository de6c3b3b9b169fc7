"""A stream's events as a line to move along: how many there are, when they happened, and which ones stand out."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from webapp.searches.models import Event, Stream

MOST_TICKS = 1000  # Between two of them, times are taken to go evenly.
MOST_STEPS = 2000
MOST_MARKS = 300  # Of every other kind.

# What events stand out for by their kind alone: a step of the search, an epoch of its shared weights or of a training.
_KINDS = {
    "search": {"step_proposed": "step", "shared_epoch_ended": "step"},
    "training": {"epoch_ended": "step"},
}
_ALWAYS = {
    "job_lost": "loss",
    "file_damaged": "loss",
    "limits_changed": "change",
    "search_steered": "change",
    "architecture_proposed": "change",
    "state_changed": "",
}
_STATES = {"running": "resume", "paused": "pause"}
# Whose figure may be the best so far, and what it is called there.
_FIGURES = {
    "search": {"child_finished": "reward", "controller_phase_ended": "best_reward"},
    "training": {"epoch_ended": "accuracy"},
}


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
    marks = [*_by_kind(stream), *_bests(stream)]
    return Timeline(stream.last_event, _ticks(stream), sorted(marks, key=lambda mark: mark.n))


def _ticks(stream: Stream) -> list[tuple[int, float]]:
    apart = max(1, math.ceil(stream.last_event / (MOST_TICKS - 1)))
    numbers = [*range(1, stream.last_event, apart), stream.last_event]
    rows = Event.objects.filter(stream_id=stream.pk, number__in=numbers).order_by("number")
    return list(rows.values_list("number", "at"))


def _by_kind(stream: Stream) -> Iterator[Mark]:
    names = _KINDS[stream.kind] | _ALWAYS
    found: dict[str, list[Mark]] = {}
    rows = Event.objects.filter(stream_id=stream.pk, kind__in=names).order_by("number")
    for n, at, kind, state in rows.values_list("number", "at", "kind", "payload__state"):
        name = names[kind] or _STATES.get(state, "end")
        found.setdefault(name, []).append(Mark(n, at, name))
    for name, marks in found.items():
        yield from _thinned(marks, MOST_STEPS if name == "step" else MOST_MARKS)


def _bests(stream: Stream) -> list[Mark]:
    """Events that brought a figure above all before: a child's reward, the best of a phase, a training's accuracy."""
    figures = _FIGURES[stream.kind]
    rows = Event.objects.filter(stream_id=stream.pk, kind__in=figures).order_by("number")
    found: list[Mark] = []
    best: dict[str, float] = {}
    for n, at, kind, payload in rows.values_list("number", "at", "kind", "payload"):
        value = payload[figures[kind]] if payload.get("reason") is None else None
        if value is not None and value > best.get(kind, -math.inf):
            best[kind] = value
            found.append(Mark(n, at, "best"))
    return _thinned(found, MOST_MARKS)


def _thinned(marks: list[Mark], most: int) -> list[Mark]:
    """All up to `most`; else the first, the last, and evenly chosen ones between them."""
    if len(marks) <= most:
        return marks
    return [marks[round(place * (len(marks) - 1) / (most - 1))] for place in range(most)]
