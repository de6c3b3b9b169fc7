"""A search against uniform random search: the best-of-n band, a permutation test, and a verdict in one sentence.

What counts is the same on both sides. A child counts with the reward that its own training gave it; one that diverged
or did not fit counts with the reward that the configuration states for it. A copied reward does not count, because one
lucky draw would then be heard many times, and neither does a child that was lost to the infrastructure.

Children of one controller depend on each other, so all of this speaks of the runs it was given. Nothing here knows of
any other run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Rewards = NDArray[np.float64]
Verdict = Literal["ahead", "undecided", "not ahead"]

INTERVAL = 0.95
LEVEL = 0.05  # Of the test; where its p-value is above, a difference may well be chance.
DRAWS = 2000  # Of the permutations, and of the bootstrap.
LATE_SHARE, FEWEST_LATE_STEPS = 4, 2  # The last quarter of the steps, but at least two of them.
FEWEST_LATE, FEWEST_RANDOM = 4, 10  # With fewer rewards than these nothing is said.


@dataclass(frozen=True, slots=True)
class BandPoint:
    """The best of n random children: its expectation, and where it lies with INTERVAL probability."""

    n: int
    expected: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean reward of late draws minus that of uniform draws. low, high: bootstrap interval; p: two-sided."""

    late: int
    random: int
    late_mean: float
    random_mean: float
    low: float
    high: float
    p: float

    @property
    def value(self) -> float:
        return self.late_mean - self.random_mean

    @property
    def verdict(self) -> Verdict:
        """ "not ahead" where random is as good or better, whatever the p-value; "undecided" where it may be chance."""
        if self.value <= 0:
            return "not ahead"
        return "ahead" if self.p <= LEVEL else "undecided"


def band(pool: Sequence[float], counts: Sequence[int]) -> tuple[BandPoint, ...]:
    """What random search reaches with n children, for each n of `counts`, each in [1, size of the pool].

    Exact, nothing is drawn. `expected` is the mean over all subsets of n children of the pool, which estimates the
    expected best of n without bias. `low` and `high` are quantiles of the best of n independent draws from the pool:
    the bootstrap with infinitely many repetitions. Nothing can lie above the best of the pool, so towards the end of
    the pool the upper edge is too low; a larger pool moves it.
    """
    ordered = np.sort(np.asarray(pool, dtype=np.float64))
    size = len(ordered)
    ranks = np.arange(1, size + 1)
    log_factorial = np.concatenate([[0.0], np.cumsum(np.log(ranks))])
    points = []
    for n in counts:
        if not 1 <= n <= size:
            raise ValueError(f"n is {n}; must be from 1 to the size of the pool, {size}.")
        # Of all subsets of n, the share whose best has rank i is C(i - 1, n - 1) / C(size, n).
        i = ranks[n - 1 :]
        logs = log_factorial[i - 1] - log_factorial[i - n] - log_factorial[n - 1]
        share = np.exp(logs - (log_factorial[size] - log_factorial[size - n] - log_factorial[n]))
        expected = float(share @ ordered[n - 1 :] / share.sum())
        below = (ranks / size) ** n  # Probability that the best of n draws has at most this rank.
        tail = (1 - INTERVAL) / 2
        low, high = (float(ordered[np.searchsorted(below, q)]) for q in (tail, 1 - tail))
        points.append(BandPoint(n, expected, low, high))
    return tuple(points)


def thinned(most: int, limit: int) -> tuple[int, ...]:
    """At most `limit` numbers from 1 to `most`, both among them, evenly spaced."""
    return tuple(int(n) for n in np.unique(np.linspace(1, most, min(most, limit)).round().astype(int)))


def late_steps(complete: int) -> int:
    """How many of the last of so many complete steps count as late; 0 while there are fewer than two."""
    return 0 if complete < FEWEST_LATE_STEPS else max(FEWEST_LATE_STEPS, complete // LATE_SHARE)


def difference(late: Sequence[float], pool: Sequence[float], *, seed: int = 0) -> Difference:
    """Permutation test of the difference of means: p = (k + 1) / (DRAWS + 1), where k permutations differ as much.

    late: rewards of the last steps, fresh draws of a late policy; pool: of uniform draws. Neither may be empty.
    """
    if not len(late) or not len(pool):
        raise ValueError("there must be rewards on both sides.")
    ours, theirs = np.asarray(late, dtype=np.float64), np.asarray(pool, dtype=np.float64)
    observed = ours.mean() - theirs.mean()
    generator = np.random.default_rng(seed)
    shuffled = _permuted_differences(ours, theirs, generator)
    as_far = int(np.count_nonzero(np.abs(shuffled) >= abs(observed) - 1e-12))
    means = [
        _resampled_mean(ours, generator) - _resampled_mean(theirs, generator) for _ in range(DRAWS)
    ]  # fmt: skip
    low, high = interval(means)
    return Difference(
        late=len(ours),
        random=len(theirs),
        late_mean=float(ours.mean()),
        random_mean=float(theirs.mean()),
        low=low,
        high=high,
        p=(as_far + 1) / (DRAWS + 1),
    )


def interval(values: Sequence[float]) -> tuple[float, float]:
    """Where the middle INTERVAL of these values lies."""
    low, high = np.quantile(np.asarray(values, dtype=np.float64), [(1 - INTERVAL) / 2, (1 + INTERVAL) / 2])
    return float(low), float(high)


def sentence(found: Difference, *, random_runs: int, is_over: bool, weighs_cost: bool = False) -> str:
    """The verdict on one search, in plain words with its figures.

    is_over: both searches have ended. weighs_cost: rewards are no shares, so differences are no points of percent.
    """
    points = f"{abs(found.value):.4f}" if weighs_cost else f"{abs(100 * found.value):.1f} points"
    low, high = (f"{edge:+.4f}" if weighs_cost else f"{100 * edge:+.1f}" for edge in (found.low, found.high))
    span = f"95 % interval {low} to {high}, p = {p_text(found.p)}"
    figures = f"{found.late} late children against {found.random} random ones; {span}"
    if found.verdict == "ahead":
        said = f"The controller is ahead of random search: its late children score {points} more on average"
    elif found.verdict == "undecided":
        said = f"The controller cannot be told from random search: {points} more on average may be chance"
    else:
        said = f"Random search is as good or better: the controller's late children score {points} less on average"
        if found.value == 0:
            said = "Random search is as good: the controller's late children score the same on average"
    others = "one run" if random_runs == 1 else f"{random_runs} runs"
    so_far = "" if is_over else " So far: both figures still move."
    return f"{said} ({figures}). This is one run of the controller, against {others} of random search.{so_far}"


def p_text(p: float) -> str:
    return f"{p:.4f}" if p < 0.01 else f"{p:.2f}"


def _permuted_differences(ours: Rewards, theirs: Rewards, generator: np.random.Generator) -> Rewards:
    together = np.concatenate([ours, theirs])
    total, size, rest = together.sum(), len(ours), len(theirs)
    sums = np.array([generator.choice(together, size, replace=False).sum() for _ in range(DRAWS)])
    differences: Rewards = sums / size - (total - sums) / rest
    return differences


def _resampled_mean(values: Rewards, generator: np.random.Generator) -> float:
    return float(values[generator.integers(0, len(values), len(values))].mean())
