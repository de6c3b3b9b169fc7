"""How long searches and trainings take that share the workers. Pure functions.

What `turns` decides claim by claim evens out: those of the highest priority come first, groups of equal priority get
equally many workers, and what one cannot use goes to the others. So each goes on at the pace of its share, until one
ends and its workers are shared anew. Shares may be parts of a worker.
"""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean

from webapp.searches.time_left.alone import Ahead, most_workers, seconds_alone

LEAST_SHARE = 1e-6  # Of a worker; less is none.
AT_LEAST = 1e-3  # Seconds that anything takes, so that a pace is a number.


@dataclass(slots=True, kw_only=True)
class Sharing:
    """One that runs. ahead: None where nothing is known of it; it then keeps its share for ever.

    group: those of one group count as one. most: of workers, as its limit says; None for no limit. turn: how many
    seconds of a worker it has in one turn, by which turns are counted where there are more groups than workers.
    child: seconds of a mean child or phase; within a group as many are begun of each.
    """

    id: uuid.UUID
    group: uuid.UUID
    priority: int = 0
    most: int | None = None
    turn: float = 1.0
    child: float = 1.0
    ahead: Ahead | None = None
    _alone: dict[int, float] = field(default_factory=dict)

    def cap(self, workers: int) -> float:
        """So many workers it can use."""
        able = workers if self.ahead is None else most_workers(self.ahead)
        return float(min(able, workers, self.most if self.most is not None else workers))

    def seconds(self, share: float, workers: int) -> float:
        """Of the whole rest, with this share of the workers.

        Where it is less than it can use, others use what one leaves idle at the end of a step: then it takes as long as
        its work does, and no less than with all workers for itself.
        """
        if share >= self.cap(workers) - LEAST_SHARE:
            return self._of(round(share))
        return max(self._of(1) / share, self._of(workers))

    def _of(self, workers: int) -> float:
        if workers not in self._alone:
            assert self.ahead is not None
            self._alone[workers] = max(seconds_alone(self.ahead, workers), AT_LEAST)
        return self._alone[workers]


def seconds_left(sharing: Sequence[Sharing], workers: int) -> dict[uuid.UUID, float | None]:
    """Until each ends; None where that is not known: nobody works, or what it waits for has no known end."""
    found: dict[uuid.UUID, float | None] = {each.id: None for each in sharing}
    going, now = {each.id: (each, 1.0) for each in sharing}, 0.0  # With the part that is left.
    while workers and any(one.ahead is not None for one, _ in going.values()):
        shares = shares_of([one for one, _ in going.values()], workers)
        ends = {
            key: one.seconds(shares[key], workers) * part
            for key, (one, part) in going.items()
            if one.ahead is not None and shares[key] > LEAST_SHARE
        }
        if not ends:
            break
        first = min(ends, key=lambda key: ends[key])
        passed = ends[first]
        now += passed
        found[first] = now
        going = {key: (one, _rest(part, passed, ends.get(key))) for key, (one, part) in going.items() if key != first}
    return found


def _rest(part: float, passed: float, end: float | None) -> float:
    """Of this part, after so many seconds of those until its end; what has no end yet stays."""
    if end is None:
        return part
    return part * (1 - passed / end) if end > passed else 0.0


def shares_of(sharing: Sequence[Sharing], workers: int) -> dict[uuid.UUID, float]:
    """How many workers each has in the long run."""
    shares: dict[uuid.UUID, float] = {}
    free = float(workers)
    for priority in sorted({each.priority for each in sharing}, reverse=True):
        members: dict[uuid.UUID, list[Sharing]] = {}
        for each in sharing:
            if each.priority == priority:
                members.setdefault(each.group, []).append(each)
        wanted = {group: sum(each.cap(workers) for each in of) for group, of in members.items()}
        # Where each has a worker, it is workers that are even, whatever they do; else it is turns.
        turns = {group: 1.0 if len(members) <= free else fmean(one.turn for one in of) for group, of in members.items()}
        given = _evenly(wanted, turns, free)
        for group, of in members.items():
            shares |= _evenly(
                {each.id: each.cap(workers) for each in of}, {each.id: each.child for each in of}, given[group]
            )
            free -= given[group]
    return shares


def _evenly(
    wanted: Mapping[uuid.UUID, float], weights: Mapping[uuid.UUID, float], there: float
) -> dict[uuid.UUID, float]:  # fmt: skip
    """Share out what is there: as the weights say, but to none more than it wants."""
    given: dict[uuid.UUID, float] = {}
    weight = sum(weights.values())
    for key in sorted(wanted, key=lambda key: wanted[key] / weights[key]):
        given[key] = min(wanted[key], max(there, 0.0) * weights[key] / weight)
        there, weight = there - given[key], max(weight - weights[key], weights[key] * 1e-9)
    return given
