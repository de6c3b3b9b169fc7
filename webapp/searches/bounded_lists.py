"""How the lists in a live state stay bounded, however long the stream is. Twins: live/bounded.js and live/front.js."""

from bisect import bisect_right
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Limits:
    """More points, steps, epochs of shared weights or epochs of a finalist (curve) than this are thinned.

    Of the log the last lines are kept, of epochs of shared weights the last `curve` with how rewards went within.
    """

    points: int = 4000
    steps: int = 2000
    log: int = 60
    curve: int = 24
    front: int = 400
    epochs: int = 600


LIMITS = Limits()


def kept_points(points: list[list[Any]], limit: int) -> list[int]:
    """Places of the points to keep: all of them up to the limit.

    Above it, the newest quarter of the limit stays; of every four older ones in a row, the lowest and the highest
    reward (the first of equals), in their order. Points without a reward go first. An incomplete four stays.
    """
    if len(points) <= limit:
        return list(range(len(points)))
    old = len(points) - limit // 4
    kept = []
    for start in range(0, old - old % 4, 4):
        places = [place for place in range(start, start + 4) if points[place][1] is not None]
        if not places:
            kept.append(start)
            continue
        low = high = places[0]
        for place in places:
            if points[place][1] < points[low][1]:
                low = place
            if points[place][1] > points[high][1]:
                high = place
        kept += [low] if low == high else [min(low, high), max(low, high)]
    return kept + list(range(old - old % 4, len(points)))


def thinned(steps: list[list[Any]], limit: int) -> list[list[Any]]:
    """All up to the limit. Above it, the newest quarter of the limit, and the first of every two older ones."""
    if len(steps) <= limit:
        return steps
    old = len(steps) - limit // 4
    return [step for place, step in enumerate(steps) if place >= old or place % 2 == 0]


def curve_with(curve: list[list[Any]], point: list[Any]) -> list[list[Any]]:
    """The curve up to the epoch before the point's, and the point."""
    return [*(earlier for earlier in curve if earlier[0] < point[0]), point]


def front_with(front: list[list[Any]], point: list[Any], limit: int) -> list[list[Any]]:
    """The front with a point [cost, accuracy, index], or as it was where another is at least as cheap and as accurate.

    front: such points, both cost and accuracy rising. A point without a cost does not join. Beyond the limit every
    second point between the two ends goes.
    """
    cost, accuracy, _ = point
    if cost is None:
        return front
    place = bisect_right(front, cost, key=lambda other: other[0])
    if place > 0 and front[place - 1][1] >= accuracy:
        return front
    start = place - 1 if place > 0 and front[place - 1][0] == cost else place
    end = place
    while end < len(front) and front[end][1] <= accuracy:
        end += 1
    after = [*front[:start], point, *front[end:]]
    if len(after) <= limit:
        return after
    return [each for at, each in enumerate(after) if at in (0, len(after) - 1) or at % 2 == 1]
