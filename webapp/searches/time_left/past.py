"""What the latest events of a search tell of what is to come: what children took, and how far those under way are.

Pure.

An event is as event_log.read gives it: {"n", "at", "kind", ...}.
"""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

LATEST = 40  # Children that those to come are expected to be like: later ones are of the policy of today.
UPDATES = 10
LONGEST_GAP = 1.0  # Seconds between two children of a worker; a longer one was a wait for something.
LONG_AGO = 0.25  # Of a usual child: what one still takes that takes longer than any before.
KINDS = (
    "child_started", "epoch_ended", "child_finished", "controller_updated", "finalist_started", "finalist_epoch_ended",
    "finalist_finished", "job_lost",
)  # fmt: skip

Place = tuple[str, int, int]  # "child", step and slot; or "finalist", rank and 0.
WireEvent = Mapping[str, Any]


@dataclass(slots=True)
class UnderWay:
    """A child or a finalist in training. since: when it began; epochs: (so many of, so many) at `last`."""

    worker: str
    since: float
    epochs: tuple[int, int] = (0, 0)
    last: float = 0.0


@dataclass(slots=True)
class Past:
    """children, finalists: (seconds, mult-adds) of those that ended, the newest last; copies took no time, and count.

    updates: from the last child of a step to the update behind it. gap: seconds between two children of a worker.
    """

    children: list[tuple[float, int]] = field(default_factory=list)
    finalists: list[tuple[float, int]] = field(default_factory=list)
    updates: list[float] = field(default_factory=list)
    gap: float = 0.0
    under_way: dict[Place, UnderWay] = field(default_factory=dict)


def past_of(events: Sequence[WireEvent]) -> Past:
    """Of the latest events of KINDS, in their order."""
    past = Past()
    ended: dict[str, tuple[int, float]] = {}  # Of which step each worker last ended a child, and when.
    gaps: list[float] = []
    last_child: dict[int, float] = {}
    for event in events:
        kind, at = event["kind"], event["at"]
        if kind in ("child_started", "finalist_started"):
            past.under_way[place_of(event)] = UnderWay(event["worker"], at)
            step, since = ended.pop(event["worker"], (None, at))
            if step is not None and step == event.get("step"):  # Between steps it waits for others.
                gaps.append(at - since)
        elif kind in ("epoch_ended", "finalist_epoch_ended"):
            _note_epoch(past, event)
        elif kind in ("child_finished", "finalist_finished"):
            began = past.under_way.pop(place_of(event), None)
            _note_end(past, event, began)
            if began is not None and kind == "child_finished":
                ended[began.worker] = event["step"], at
            if kind == "child_finished":
                last_child[event["step"]] = at
        elif kind == "controller_updated" and event["step"] in last_child:
            past.updates.append(at - last_child[event["step"]])
        elif kind == "job_lost":
            past.under_way = {place: one for place, one in past.under_way.items() if _name(place) != event["what"]}
    past.gap = _quarter([gap for gap in gaps if 0 <= gap <= LONGEST_GAP])
    past.updates = past.updates[-UPDATES:]
    return past


def place_of(event: WireEvent) -> Place:
    if "rank" in event:
        return "finalist", event["rank"], 0
    return "child", event["step"], event["slot"]


def update_seconds(past: Past, expected: float) -> float:
    """expected: before the first one."""
    return statistics.median(past.updates) if past.updates else expected


def like_those_to_come(past: Past, *, done: int, mean_work: float | None) -> list[float]:
    """What each child took of the latest, as far as they tell what those to come will take.

    The first few happen to be larger or smaller than the space's mean (`mean_work`, in mult-adds, where it is known).
    So the mean work of those to come is expected between the two, nearer to the latest the more were done, and their
    times are moved along the line through the latest, as steep as the latest are sure of it.
    """
    latest = past.children[-LATEST:]
    seconds = [each + past.gap if each else 0.0 for each, _ in latest]
    trained = [(each + past.gap, work) for each, work in latest if each and work]
    if mean_work is None or len(trained) < 3:
        return seconds
    works = [float(work) for _, work in trained]
    expected = (done * statistics.fmean(works) + BELIEVED * mean_work) / (done + BELIEVED)
    shift = _slope([each for each, _ in trained], works) * (expected - statistics.fmean(works))
    least = min(each for each, _ in trained) / 2
    return [max(each + shift, least) if each else 0.0 for each in seconds]


BELIEVED = 20  # The mean of the space counts as much as so many children.


def seconds_of_rest(one: UnderWay, like: Sequence[float], now: float) -> float:
    """Until a child in training is done: by its epochs where it has ended some, else as those that took longer."""
    done, of = one.epochs
    if done:
        an_epoch = (one.last - one.since) / done
        return max((of - done) * an_epoch - max(0.0, now - one.last), 0.0)
    took = max(0.0, now - one.since)
    longer = [each - took for each in like if each > took]
    usual = [each for each in like if each]
    return statistics.fmean(longer) if longer else LONG_AGO * (statistics.fmean(usual) if usual else took)


def _slope(seconds: Sequence[float], works: Sequence[float]) -> float:
    """Seconds per mult-add by least squares, nearer to 0 the less sure it is (James and Stein 1961)."""
    count = len(seconds)
    spread = statistics.variance(works)
    if spread == 0 or statistics.variance(seconds) == 0:
        return 0.0
    slope, correlation = statistics.covariance(works, seconds) / spread, statistics.correlation(works, seconds)
    if slope <= 0:
        return 0.0
    certainty = correlation**2 * (count - 2) / max(1 - correlation**2, 1e-9)  # The square of Student's t.
    return slope * max(0.0, 1 - 1 / certainty) if certainty else 0.0


def _quarter(gaps: Sequence[float]) -> float:
    """What a quarter of them stay below: most of the longer ones were waits for something else."""
    return sorted(gaps)[len(gaps) // 4] if gaps else 0.0


def _note_epoch(past: Past, event: WireEvent) -> None:
    one = past.under_way.get(place_of(event))
    if one is not None:
        one.epochs, one.last = (event["epoch"], event["epochs"]), event["at"]


def _note_end(past: Past, event: WireEvent, began: UnderWay | None) -> None:
    """A copy and what nobody began took no time; of what began before the first event here, its own word counts."""
    is_copy = event.get("twin") is not None
    seconds = 0.0 if is_copy else event["seconds"] if began is None else event["at"] - began.since
    ends = past.finalists if "rank" in event else past.children
    ends.append((max(0.0, seconds), event["mult_adds"] or 0))


def _name(place: Place) -> str:
    kind, first, second = place
    return f"finalist {first}" if kind == "finalist" else f"child {first}.{second}"
