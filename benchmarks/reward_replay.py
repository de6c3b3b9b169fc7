"""What a reward is worth for its cost, replayed on the pool of benchmarks/reward_pool.py. Nothing is trained here.

`python -m benchmarks.reward_replay` prints two tables. The truth about a child is its accuracy, after the whole
training, on images that no reward has seen. Costs count in mean whole trainings, by each child's own seconds: one for 3
of 12 epochs that takes twice as long as others costs half.

rank correlation   Spearman's, of each cheap reward with the truth, with a 95 % interval over children drawn again
regret             how far the chosen child's truth is below the best of the pool, in points, at equal cost
"""

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from benchmarks.growing_file import read_lines
from benchmarks.reward_pool import EPOCHS, FEWER, FILE, POOL

Numbers = NDArray[np.float64]
Places = NDArray[np.int64]

BUDGETS = (5, 10, 20)  # Whole trainings.
POOLS, PLAYS = 200, 400  # Pools drawn again from the pool; searches in each, so many that their own luck is small.
NOTHING = 1e-9  # Of a training: sums of parts are rounded.
MANY_DRAWN = 4  # Children that a prior looks at, of which the best one is trained,
OTHERS_DRAWN = (2, 8)  # and other numbers of them, for the prior that is offered.
STOPPED_AFTER, FIRST_WHOLE = (2, 4, 6), 5  # Epochs at which a curve is looked at; children that are never stopped.


@dataclass(frozen=True, slots=True)
class Pool:
    """children x epochs, and one number for each child. length: of its whole training, in mean ones. cheap: reward by
    name; costs: of each, in whole trainings of the same child; of a prior, in mean ones."""

    curve: Numbers
    truth: Numbers
    length: Numbers
    cheap: dict[str, Numbers]
    costs: dict[str, float]

    def taken(self, places: Places) -> "Pool":
        cheap = {name: scores[places] for name, scores in self.cheap.items()}
        return Pool(self.curve[places], self.truth[places], self.length[places], cheap, self.costs)


def read_pool(file: Path = FILE) -> Pool:
    rows = read_lines(file)
    curve = np.array([row["curve"] for row in rows])
    cheap, costs = {"whole training": curve[:, -1]}, {"whole training": 1.0}
    for epoch in (1, 2, 4, 6, 8):
        cheap[f"curve until epoch {epoch}"], costs[f"curve until epoch {epoch}"] = curve[:, epoch - 1], epoch / EPOCHS
    for epochs in rows[0]["short"]:
        name = f"planned for {epochs} epoch{'' if epochs == '1' else 's'}"
        cheap[name], costs[name] = np.array([row["short"][epochs] for row in rows]), int(epochs) / EPOCHS
    part = FEWER / POOL.data.train_examples
    cheap[f"{FEWER} images"], costs[f"{FEWER} images"] = np.array([row["fewer"] for row in rows]), part
    seconds = np.array([row["seconds"]["curve"] for row in rows])
    whole = float(seconds.mean())
    for prior in rows[0]["priors"]:
        cheap[prior] = np.array([row["priors"][prior]["score"] for row in rows])
        costs[prior] = float(np.mean([row["priors"][prior]["seconds"] for row in rows])) / whole
    return Pool(curve, np.array([row["truth"] for row in rows]), seconds / whole, cheap, costs)


# --- How well a cheap reward ranks. -----------------------------------------------------------------------------------


def correlations(pool: Pool, generator: Generator) -> dict[str, tuple[float, float, float]]:
    """By cheap reward: Spearman's correlation with the truth, and the ends of its interval."""
    found = {name: [_spearman(scores, pool.truth)] for name, scores in pool.cheap.items()}
    count = len(pool.truth)
    for _ in range(POOLS):
        again = pool.taken(generator.integers(count, size=count))
        for name, scores in again.cheap.items():
            found[name].append(_spearman(scores, again.truth))
    return {name: (each[0], *np.percentile(each[1:], (2.5, 97.5))) for name, each in found.items()}


def _spearman(first: Numbers, second: Numbers) -> float:
    first, second = _ranks(first), _ranks(second)
    if not first.std() or not second.std():
        return 0.0  # Who is like all others is told from nobody.
    return float(np.corrcoef(first, second)[0, 1])


def _ranks(values: Numbers) -> Numbers:
    """Equal ones share their mean rank."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(counts)
    return ((ends - counts + ends - 1) / 2)[inverse]


# --- What a search with it chooses. -----------------------------------------------------------------------------------

Chooser = Callable[[Pool, float], int | None]  # The pool in the order of drawing, the budget; None: the pool is short.


def by_reward(name: str) -> Chooser:
    """Every child gets this reward; the best one is chosen."""

    def choose(pool: Pool, budget: float) -> int | None:
        trained = _affordable(pool.costs[name] * pool.length, budget)
        return None if trained is None else int(pool.cheap[name][:trained].argmax())

    return choose


def with_prior(name: str, drawn: int = MANY_DRAWN) -> Chooser:
    """Of so many children each the one with the best prior is trained to the end."""

    def choose(pool: Pool, budget: float) -> int | None:
        groups = np.arange(len(pool.truth) // drawn * drawn).reshape(-1, drawn)
        kept = groups[np.arange(len(groups)), pool.cheap[name][groups].argmax(axis=1)]
        trained = _affordable(pool.length[kept] + drawn * pool.costs[name], budget)
        return None if trained is None else int(kept[pool.curve[kept[:trained], -1].argmax()])

    return choose


def _affordable(costs: Numbers, budget: float) -> int | None:
    """How many of these, one after another; None where more could be paid than there are. At least one is."""
    spent = costs.cumsum()
    if spent[-1] < budget - NOTHING:
        return None
    return max(1, int(np.searchsorted(spent, budget + NOTHING, side="right")))


def halving(rungs: Sequence[int], factor: int) -> Chooser:
    """Successive halving (Jamieson and Talwalkar 2016): at each rung, an epoch, one in `factor` goes on. As many begin
    as can be paid for."""

    def choose(pool: Pool, budget: float) -> int | None:
        if _halved(pool, len(pool.truth), rungs, factor)[1] < budget - NOTHING:
            return None
        few, many = 1, len(pool.truth) + 1
        while many - few > 1:
            half = (few + many) // 2
            cost = _halved(pool, half, rungs, factor)[1]
            few, many = (half, many) if cost <= budget + NOTHING else (few, half)
        return _halved(pool, few, rungs, factor)[0]

    return choose


def _halved(pool: Pool, begun: int, rungs: Sequence[int], factor: int) -> tuple[int, float]:
    """Whom it chooses of the first so many, and what that costs."""
    alive, cost, before = np.arange(begun), 0.0, 0
    for rung in rungs:
        cost += float(pool.length[alive].sum()) * (rung - before) / EPOCHS
        before, order = rung, np.argsort(-pool.curve[alive, rung - 1], kind="stable")
        alive = alive[order[: 1 if rung == rungs[-1] else max(1, round(len(alive) / factor))]]
    return int(alive[0]), cost


def median_stopping(pool: Pool, budget: float) -> int | None:
    """A child is stopped where its curve is under the median of the children before it (Golovin and others 2017)."""
    left, best, chosen = budget, -1.0, 0
    for child in range(len(pool.truth)):
        ran = _epochs_until_stopped(pool.curve[:child], pool.curve[child])
        left -= ran / EPOCHS * pool.length[child]
        if left < -NOTHING:
            return chosen
        if ran == EPOCHS and pool.curve[child, -1] > best:
            best, chosen = pool.curve[child, -1], child
    return None


def _epochs_until_stopped(before: Numbers, curve: Numbers) -> int:
    if len(before) >= FIRST_WHOLE:
        for epoch in STOPPED_AFTER:
            if curve[epoch - 1] < np.median(before[:, epoch - 1]):
                return epoch
    return EPOCHS


def choosers(pool: Pool) -> dict[str, Chooser]:
    priors = [name for name, cost in pool.costs.items() if cost < 0.05]
    return (
        {name: by_reward(name) for name in pool.cheap if name not in priors}
        | {f"best of {MANY_DRAWN} by {name}, then the whole": with_prior(name) for name in priors}
        | {f"best of {drawn} by parameters, then the whole": with_prior("parameters", drawn) for drawn in OTHERS_DRAWN}
        | {
            "halving at 1, 3, 12, a third goes on": halving((1, 3, 12), 3),
            "halving at 1, 2, 4, 12, half goes on": halving((1, 2, 4, 12), 2),
            "halving at 2, 6, 12, half goes on": halving((2, 6, 12), 2),
            "stopped under the median at 2, 4, 6": median_stopping,
        }
    )


def regrets(pool: Pool, generator: Generator) -> dict[str, list[tuple[float, float, float] | None]]:
    """By chooser and budget: the mean regret in points, and the ends of the interval of its difference to whole
    trainings over pools drawn again; None where the pool has too few children."""
    count, best = len(pool.truth), pool.truth.max()
    named = choosers(pool)
    found = {name: np.full((POOLS, PLAYS, len(BUDGETS)), np.nan) for name in named}
    for drawn in range(POOLS):
        again = generator.integers(count, size=count)
        for play in range(PLAYS):
            shuffled = pool.taken(generator.permutation(again))
            for name, choose in named.items():
                for place, budget in enumerate(BUDGETS):
                    chosen = choose(shuffled, budget)
                    if chosen is not None:
                        found[name][drawn, play, place] = 100 * (best - shuffled.truth[chosen])
    whole = found["whole training"].mean(axis=1)
    return {name: _against(each.mean(axis=1), whole) for name, each in found.items()}


def _against(regret: Numbers, whole: Numbers) -> list[tuple[float, float, float] | None]:
    """Both pools x budgets."""
    rows: list[tuple[float, float, float] | None] = []
    for ours, theirs in zip(regret.T, whole.T, strict=True):
        low, high = np.percentile(ours - theirs, (2.5, 97.5))
        rows.append(None if np.isnan(ours).any() else (float(ours.mean()), float(low), float(high)))
    return rows


def measure(file: Path = FILE) -> dict[str, Any]:
    """{"children", "correlations", "regrets"} of the pool."""
    pool, generator = read_pool(file), np.random.default_rng(1)
    return {
        "children": len(pool.truth),
        "costs": pool.costs,
        "correlations": correlations(pool, generator),
        "regrets": regrets(pool, generator),
    }


def main() -> int:
    found = measure()
    print(f"{found['children']} children\n\nreward | cost | rank correlation")
    for name, (value, low, high) in found["correlations"].items():
        print(f"{name} | {found['costs'][name]:.3f} | {value:.2f} ({low:.2f} to {high:.2f})")
    print("\nhow a child is chosen | " + " | ".join(f"regret at {budget} whole trainings" for budget in BUDGETS))
    for name, row in found["regrets"].items():
        cells = ["too few children" if each is None else "{:.2f} ({:+.2f} to {:+.2f})".format(*each) for each in row]
        print(f"{name} | " + " | ".join(cells))
    return 0


if __name__ == "__main__":
    sys.exit(main())
