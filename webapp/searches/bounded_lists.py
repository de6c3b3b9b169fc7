"""How the lists in a live state stay bounded, however long the stream is. Twins: live/bounded.js and live/front.js."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Limits:
    """More points, steps, epochs of shared weights or epochs of a finalist (curve) than this are thinned.

    Of the log the last lines are kept, of epochs of shared weights the last `curve` with how rewards went within.
    """

    points: int = 1200
    steps: int = 800
    log: int = 60
    curve: int = 24
    front: int = 400
    epochs: int = 600


LIMITS = Limits()


def kept_points(points: list[list[Any]], limit: int) -> list[int]:
    """Places of the points [index, reward, flag] to keep, see `kept`. What failed or was over a bound is a kind."""
    if len(points) <= limit:
        return list(range(len(points)))
    return kept([(index, reward, max(flag, 1)) for index, reward, flag in points], limit)


def thinned(rows: list[Any], limit: int, place: str | int, value: str | int) -> list[Any]:
    """The rows to keep, see `kept`. place, value: where in a row its number among all rows and its figure stand."""
    if len(rows) <= limit:
        return rows
    return [rows[at] for at in kept([(row[place], row[value], 0) for row in rows], limit)]


def kept(marks: Sequence[Sequence[Any]], limit: int) -> list[int]:
    """Places of the marks (number, value, kind) to keep: all of them up to the limit.

    Above it, the first and the newest quarter of the limit stay. The older ones are divided by number into stretches of
    one width, the smallest power of two at which half of the limit is enough. Of each stretch and kind those with the
    lowest and the highest value stay (the first of equals), or the first where none has a value.
    """
    if len(marks) <= limit:
        return list(range(len(marks)))
    old = len(marks) - limit // 4
    width, widest = 1, max(number for number, _, _ in marks)
    while len(ends := _ends(marks[:old], width)) > limit // 2 and width <= widest:
        width *= 2
    return [*sorted(ends | {0}), *range(old, len(marks))]


def _ends(marks: Sequence[Sequence[Any]], width: int) -> set[int]:
    """Of each stretch of this width and each kind: the first with the lowest and the first with the highest value."""
    lows: dict[tuple[int, int], int] = {}
    highs: dict[tuple[int, int], int] = {}
    for place, (number, value, kind) in enumerate(marks):
        key = (number // width, kind)
        low, high = lows.setdefault(key, place), highs.setdefault(key, place)
        if value is None:
            continue
        if marks[low][1] is None or value < marks[low][1]:
            lows[key] = place
        if marks[high][1] is None or value > marks[high][1]:
            highs[key] = place
    return {*lows.values(), *highs.values()}


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
