"""Groups of runs that differ in their seeds: a mean with an interval over seeds, and whether two groups differ.

A run is the unit and gives one figure: children of one run depend on each other. The interval is Student's t over the
runs, which supposes that their figures scatter evenly around the mean; with few seeds it is wide. Two groups are
compared by permuting whole runs: in all ways to hand them out where there are not too many, else in drawn ones. Few
runs cannot give a small p, however far apart they are; where that is so it is said, and one run of each proves nothing.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from search_engine import comparison

MOST_WAYS = 20_000  # To hand the runs out; where there are more, as many are drawn as a comparison of children draws.
_CLOSE = 1e-12  # Sums of the same figures in another order.

Verdict = Literal["differs", "within the noise", "too few runs"]

# The 97.5 % quantile of Student's t for 1 to 30 degrees of freedom; beyond, a bound from above.
_T = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120,
    2.110, 2.101, 2.093, 2.086, 2.080, 2.074, 2.069, 2.064, 2.060, 2.056, 2.052, 2.048, 2.045, 2.042,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spread:
    """The mean of one figure of each run. low, high: 95 % interval over seeds, None for one run."""

    runs: int
    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class RunDifference:
    """Mean of one group of runs minus that of another. least_p: no difference of so many runs has a smaller p.

    p: None where no p could be small enough to tell anything.
    """

    ours: int
    theirs: int
    value: float
    least_p: float
    p: float | None

    @property
    def verdict(self) -> Verdict:
        if self.p is None:
            return "too few runs"
        return "differs" if self.p <= comparison.LEVEL else "within the noise"


def spread(values: Sequence[float], *, is_share: bool = False) -> Spread:
    """values: one figure of each run, at least one. is_share: they lie in [0, 1], and so does any mean of theirs."""
    every = np.asarray(values, dtype=np.float64)
    mean = float(every.mean())
    if len(every) < 2:
        return Spread(len(every), mean, None, None)
    half = _t(len(every) - 1) * float(every.std(ddof=1)) / math.sqrt(len(every))
    low, high = mean - half, mean + half
    return Spread(len(every), mean, max(low, 0.0), min(high, 1.0)) if is_share else Spread(len(every), mean, low, high)


def difference(ours: Sequence[float], theirs: Sequence[float]) -> RunDifference:
    """Whether two groups differ, by a permutation test over runs. One figure of each run; neither may be empty."""
    value = float(np.mean(ours) - np.mean(theirs))
    ways = math.comb(len(ours) + len(theirs), len(ours))
    # With as many runs on both sides, swapping the sides gives a difference of the same size.
    least = (2 if len(ours) == len(theirs) else 1) / ways
    p = None if least > comparison.LEVEL else _chance(ours, theirs, ways)
    return RunDifference(len(ours), len(theirs), value, least, p)


def sentence(found: RunDifference, *, first: str, second: str, figure: str, by: str) -> str:
    """What the difference means. first, second: what the groups are called; figure: what was compared; by: the
    difference as people read it, without a sign."""
    way = "above" if found.value > 0 else "below"
    apart = f"{first} is {by} {way} {second}" if found.value else f"{first} and {second} are equal"
    if found.ours == found.theirs == 1:
        return f"{figure}: {apart}. One run of each proves nothing: with another seed it may be the other way round."
    runs = f"{found.ours} against {found.theirs} runs"
    if found.p is None:
        least = comparison.p_text(found.least_p)
        return f"{figure}: {apart}, but {runs} cannot show more than chance: the least possible p is {least}."
    p = f"p = {comparison.p_text(found.p)}, {runs}"
    if found.verdict == "differs":
        return f"{figure}: {apart} ({p}). That is more than the noise between seeds."
    return f"{figure}: {apart} ({p}). That is within the noise between seeds."


def _chance(ours: Sequence[float], theirs: Sequence[float], ways: int) -> float:
    """The share of ways to hand all runs out to the two groups in which their means lie as far apart, or farther."""
    together = np.array([*ours, *theirs], dtype=np.float64)
    size, rest, total = len(ours), len(theirs), float(together.sum())
    if ways <= MOST_WAYS:
        places = np.array(list(itertools.combinations(range(size + rest), size)))
        sums = together[places].sum(axis=1)
    else:
        generator = np.random.default_rng(0)
        shuffled = generator.permuted(np.tile(together, (comparison.DRAWS, 1)), axis=1)
        sums = shuffled[:, :size].sum(axis=1)
    apart = np.abs(sums / size - (total - sums) / rest)
    seen = abs(float(np.mean(ours) - np.mean(theirs))) - _CLOSE
    as_far = int(np.count_nonzero(apart >= seen))
    return as_far / ways if ways <= MOST_WAYS else (as_far + 1) / (comparison.DRAWS + 1)


def _t(freedom: int) -> float:
    return _T[freedom - 1] if freedom <= len(_T) else 1.96 + 2.5 / freedom
