"""How well one order of networks agrees with another: Spearman's rank correlation, honest where they are few.

The interval is a test turned round. It holds every true correlation under which a result as far off as the one that
was seen is no rarer than 25 in 1,000, on either side; the networks are taken as independent draws whose two figures
are, but for their scales, two correlated normal variables. A bootstrap would be no interval at all here: when four
networks stand in perfect order, so does every sample drawn from them. No PyTorch.
"""

import functools
import itertools
import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Verdict = Literal["agrees", "unclear", "disagrees", "no order"]

TAIL = 0.025  # On either side of an interval of 95 %.
MOST_ORDERS = 8  # Of so many networks all orders are counted, 40,320; of more they are drawn.
DRAWS = 4000  # For each correlation that is tried, and of the orders: the tail is off by .0025 then.
HALVINGS = 12  # Of the range of correlations: to .0005.
WIDE = 0.8  # An interval from here on is called wide.
_CLOSE = 1e-9  # Two correlations that differ by less are equal.


@dataclass(frozen=True, slots=True)
class RankCorrelation:
    """Spearman's correlation of `count` pairs, in [-1, 1], with its interval of 95 %.

    value: None, as low and high, where all of one side are equal, so that there is no order.
    p: how often a random order agrees at least as well, 1 where there is no order; is_exact: all orders were counted.
    """

    count: int
    value: float | None
    low: float | None
    high: float | None
    p: float
    is_exact: bool

    @property
    def verdict(self) -> Verdict:
        """What can be said: only where the whole interval lies on one side of 0 is it more than "unclear"."""
        if self.value is None or self.low is None or self.high is None:
            return "no order"
        if self.low > 0:
            return "agrees"
        return "disagrees" if self.high < 0 else "unclear"


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> RankCorrelation:
    """How far the two orders agree. The sequences are of one length, at least 2; more is better on both sides."""
    if len(first) != len(second) or len(first) < 2:
        raise ValueError("there must be two figures of each network, and two networks or more.")
    count = len(first)
    value = spearman(first, second)
    if value is None:
        return RankCorrelation(count, None, None, None, 1.0, is_exact=True)
    low, high = interval(value, count)
    p, is_exact = chance(first, second)
    return RankCorrelation(count, value, low, high, p, is_exact)


def spearman(first: Sequence[float], second: Sequence[float]) -> float | None:
    """Pearson's correlation of the ranks; None where all of one side are equal."""
    one, other = _centred(first), _centred(second)
    size = math.sqrt(float(one @ one) * float(other @ other))
    return None if size == 0 else max(-1.0, min(1.0, float(one @ other) / size))


def ranks(values: Sequence[float]) -> Values:
    """From 1, the lowest; equal values share the mean of their ranks."""
    every = np.asarray(values, dtype=np.float64)
    below = (every[None, :] < every[:, None]).sum(axis=1)
    equal = (every[None, :] == every[:, None]).sum(axis=1)
    shared: Values = below + (equal + 1) / 2
    return shared


def chance(first: Sequence[float], second: Sequence[float]) -> tuple[float, bool]:
    """The share of all orders of `second` that agree with `first` at least as well, and whether all were counted.

    Where they are drawn it is (k + 1) / (DRAWS + 1), so that it is never 0.
    """
    one, other = _centred(first), _centred(second)
    seen = float(one @ other) - _CLOSE
    if len(one) <= MOST_ORDERS:
        orders = np.array(list(itertools.permutations(range(len(one)))))
        return float(np.mean(other[orders] @ one >= seen)), True
    generator = np.random.default_rng(0)
    shuffled = generator.permuted(np.tile(other, (DRAWS, 1)), axis=1)
    return (int(np.count_nonzero(shuffled @ one >= seen)) + 1) / (DRAWS + 1), False


@functools.lru_cache(maxsize=128)
def interval(value: float, count: int) -> tuple[float, float]:
    """The true rank correlations that a sample of `count` pairs with this rank correlation leaves possible, at 95 %."""
    return _edge(value, count, is_low=True), _edge(value, count, is_low=False)


def spread(values: Sequence[float], count: int, taken: Collection[int] = ()) -> tuple[int, ...]:
    """Places of `count` values, evenly spaced by rank from the lowest to the highest, in this order.

    Of different values as far as there are enough. taken: places that are chosen already, which are not given again,
    nor others of the same value. Fewer places where there are no more.
    """
    ordered = sorted(set(range(len(values))) - set(taken), key=lambda place: (values[place], place))
    used = {values[place] for place in taken}
    firsts = [
        place for at, place in enumerate(ordered)
        if values[place] not in used and (at == 0 or values[ordered[at - 1]] != values[place])
    ]  # fmt: skip
    chosen = _evenly(firsts, count)
    rest = [place for place in ordered if place not in firsts]
    chosen += _evenly(rest, count - len(chosen))
    return tuple(sorted(chosen, key=lambda place: (values[place], place)))


def sentence(found: RankCorrelation, *, measured: str) -> str:
    """What the correlation means, in plain words with its figures. measured: "accuracy" or "perplexity"."""
    if found.value is None:
        return f"These {found.count} networks have no order: all of them have the same score, or the same {measured}."
    assert found.low is not None and found.high is not None
    said = {
        "agrees": "Shared scores say something: with a higher score networks tend to be better from scratch",
        "disagrees": "Shared scores mislead here: with a higher score networks tend to be worse from scratch",
        "unclear": "These networks leave open whether shared scores order networks as training from scratch does",
    }[found.verdict]
    figures = (
        f"rank correlation {_signed(found.value)}, 95 % interval {_signed(found.low)} to {_signed(found.high)}; "
        f"a random order agrees as well in {_rarity(found.p)} cases"
    )
    wide = f" With {found.count} networks the interval is wide." if found.high - found.low >= WIDE else ""
    return f"{said} ({figures}).{wide}"


def _signed(value: float) -> str:
    """ "+0.60", "−0.35", and "0.00" without a sign."""
    text = f"{abs(value):.2f}"
    return text if float(text) == 0 else f"{'−' if value < 0 else '+'}{text}"


def _rarity(p: float) -> str:
    """ "17 of 100", or "3 of 1,000" where it is small."""
    return f"{round(100 * p)} of 100" if p >= 0.01 else f"{max(1, round(1000 * p))} of 1,000"


def _centred(values: Sequence[float]) -> Values:
    every = ranks(values)
    centred: Values = every - every.mean()
    return centred


def _edge(value: float, count: int, *, is_low: bool) -> float:
    """An end of the interval: the smallest correlation under which a value as high is no rarer than TAIL, or the
    largest for one as low."""
    if abs(value) > 1 - _CLOSE and is_low == (value < 0):
        return math.copysign(1.0, value)  # Every correlation on that side allows it.
    low, high = -1.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        drawn = _sample_correlations(middle, count)
        seen = drawn >= value - _CLOSE if is_low else drawn <= value + _CLOSE
        is_possible = float(seen.mean()) >= TAIL
        if is_possible == is_low:
            high = middle
        else:
            low = middle
    return 6 / math.pi * math.asin((low + high) / 4)  # Of normal variables with this correlation (Pearson 1907).


@functools.lru_cache(maxsize=128)
def _sample_correlations(correlation: float, count: int) -> Values:
    """DRAWS rank correlations of `count` pairs of normal variables with this correlation, always of the same draws.

    Half of them are those of the opposite correlation turned round, so that an interval turns with its value: also at
    0, where one half alone would leave a step.
    """
    generator = np.random.default_rng(count)
    first, noise = generator.standard_normal((2, DRAWS // 2, count))
    halves = [sign * _correlations(first, sign * correlation, noise) for sign in (1, -1)]
    return np.concatenate(halves)


def _correlations(first: Values, correlation: float, noise: Values) -> Values:
    count = first.shape[1]
    second = correlation * first + math.sqrt(1 - correlation**2) * noise
    distance = ((_rows_ranked(first) - _rows_ranked(second)) ** 2).sum(axis=1)
    found: Values = 1 - 6 * distance / (count * (count**2 - 1))
    return found


def _rows_ranked(rows: Values) -> Values:
    ranked: Values = rows.argsort(axis=1).argsort(axis=1).astype(np.float64)
    return ranked


def _evenly(places: Sequence[int], count: int) -> list[int]:
    """`count` of these, the first and the last among them, or all; of one alone, the middle."""
    if count <= 0 or not places:
        return []
    if count >= len(places):
        return list(places)
    if count == 1:
        return [places[len(places) // 2]]
    return [places[round(at * (len(places) - 1) / (count - 1))] for at in range(count)]
