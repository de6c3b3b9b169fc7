"""How long the rest of one search or training takes if so many workers do nothing else. Pure functions.

The rest of a search is played through: children go to whoever is free first, in the order of drawing, and a step is
drawn when the update before it is over, `lookahead` steps ahead. So the wait at the end of a step is in it, whatever
the number of workers and however uneven the children are.
"""

import heapq
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

MOST_STEPS = 24  # So many are played; of those behind them each takes as long as these did.
PLAYS = 4  # With other orders of the same children; their mean is told.


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchAhead:
    """What is still to come of a search whose children are trained each by itself. All times in seconds.

    under_way: until each child in training is done. drawn: how many children of each step that is drawn wait for a
    worker, beginning with the step that is told next. to_draw: how many are drawn later. like: what children took that
    those to come will be like, at least one; 0.0 for one that was copied. update: from the last child of a step to the
    next draw. finalists: what each finalist that is not decided still takes; finals: until they are chosen, what each
    will take.
    """

    under_way: Sequence[float] = ()
    drawn: Sequence[int] = ()
    to_draw: int = 0
    step_size: int = 1
    lookahead: int = 0
    like: Sequence[float] = field(default=(1.0,))
    update: float = 0.0
    finalists: Sequence[float] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OneByOne:
    """What goes step by step on one worker at a time, such as a training or shared weights. seconds: of the rest."""

    seconds: float


Ahead = SearchAhead | OneByOne


def seconds_alone(ahead: Ahead, workers: int) -> float:
    """Until the end, with so many workers (at least 1) of its own."""
    if isinstance(ahead, OneByOne):
        return ahead.seconds
    plays = [_Play(ahead, workers, seed).seconds() for seed in range(PLAYS)]
    return sum(plays) / len(plays)


def most_workers(ahead: Ahead) -> int:
    """More than so many have nothing to do for it at a time."""
    if isinstance(ahead, OneByOne):
        return 1
    steps = ahead.step_size * (1 + ahead.lookahead) if ahead.to_draw else sum(ahead.drawn)
    return max(1, steps, len(ahead.under_way) + sum(ahead.drawn), len(ahead.finalists))


class _Play:
    """The rest of a search, once. free: when each worker is free, as a heap."""

    def __init__(self, ahead: SearchAhead, workers: int, seed: int) -> None:
        self._ahead = ahead
        self._free = [0.0] * workers
        self._deal = _dealt(ahead.like, random.Random(seed))  # A fixed order: an estimate does not flicker.
        self._first_done = self._give(ahead.under_way, 0.0)

    def seconds(self) -> float:
        told = self._steps()
        return max(self._give(self._ahead.finalists, told), told)

    def _steps(self) -> float:
        """When the last step was told."""
        ahead, told = self._ahead, [0.0]
        sizes = list(self._sizes())
        played = sizes[: max(MOST_STEPS, len(ahead.drawn))]
        for place, size in enumerate(played):
            drawn_at = told[max(0, place - ahead.lookahead)] if place >= len(ahead.drawn) else 0.0
            done = self._give([next(self._deal) for _ in range(size)], drawn_at)
            if place == 0:
                done = max(done, self._first_done)
            told.append(max(done, told[-1]) + ahead.update)
            self._give([ahead.update], 0.0)  # Of some worker's time, in which others go on with what is drawn ahead.
        rest = sum(sizes[len(played) :])
        if not rest:
            return max(told[-1], self._first_done)
        half = len(played) // 2  # By then the start is forgotten.
        pace = (told[-1] - told[half]) / max(sum(played[half:]), 1)
        return told[-1] + rest * pace

    def _sizes(self) -> Iterator[int]:
        """Of the steps that are not told."""
        yield from self._ahead.drawn
        left = self._ahead.to_draw
        while left > 0:
            yield min(self._ahead.step_size, left)
            left -= self._ahead.step_size

    def _give(self, seconds: Sequence[float], since: float) -> float:
        """Let workers do these, in this order, from `since` on; when the last one is done."""
        last = since if seconds else 0.0
        for each in seconds:
            done = max(self._free[0], since) + each
            heapq.heapreplace(self._free, done)
            last = max(last, done)
        return last


def _dealt(like: Sequence[float], generator: random.Random) -> Iterator[float]:
    """These in a random order, again and again: each as often as the others, so that their mean is kept."""
    deck = list(like)
    while True:
        generator.shuffle(deck)
        yield from deck
