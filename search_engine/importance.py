"""How much of the difference between children's rewards each decision of a space explains: one-way, with a test.

The share of a decision is the eta squared of a one-way analysis of variance: the variance between the mean rewards of
its options, of the variance of all rewards. Chance alone gives (options - 1) / (children - 1), so shares are read with
the test: all rewards are handed out anew at random, and of each such permutation the decision that then stands out
most counts (the largest F; Westfall and Young 1993). p is the share of permutations that stand out as much as the
decision itself, so of all decisions together a false one has a p below LEVEL in one search of twenty.

Draws of a controller depend on each other: options that became probable together share what either explains, and late
children are better at all that was learned by then. It is a description of these children, no proof of a cause.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

PERMUTATIONS = 199  # The least p is 1 / 200.
LEVEL = 0.05  # Where p is above, the share may well be chance.
FEWEST = 20  # With fewer children nothing is said.
_AT_ONCE = 50  # Permutations computed together; bounds the memory.

Figures = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Importance:
    """Of one decision. share: of the variance, in [0, 1]; by_chance: what unrelated rewards give on average."""

    share: float
    by_chance: float
    p: float

    @property
    def may_be_chance(self) -> bool:
        return self.p > LEVEL


def importance(decisions: ArrayLike, rewards: Sequence[float], *, seed: int = 0) -> tuple[Importance, ...] | None:
    """The importance of each decision, in their order; None for fewer than FEWEST children or one reward for all.

    decisions: [C, D], the option that child c took in decision d; rewards: [C], of children that count.
    """
    taken, every = np.asarray(decisions, dtype=np.int64), np.asarray(rewards, dtype=np.float64)
    centred = every - every.mean() if len(every) else every
    total = float(centred @ centred)
    if len(every) < FEWEST or total <= 1e-18 * max(1.0, float(every @ every)):
        return None
    groups = _Groups(taken)
    shares = groups.between(centred[:, None])[:, 0] / total
    observed = groups.standing_out(shares[:, None])[:, 0]
    as_far = np.zeros(len(shares), dtype=np.int64)
    for permuted in _permutations(centred, np.random.default_rng(seed)):
        highest = groups.standing_out(groups.between(permuted) / total).max(axis=0, initial=0.0)
        as_far += np.count_nonzero(highest[None, :] >= observed[:, None] * (1 - 1e-6), axis=1)
    chance = (groups.options - 1) / (len(every) - 1)
    p = np.where(groups.options > 1, (as_far + 1) / (PERMUTATIONS + 1), 1.0)
    return tuple(Importance(float(s), float(c), float(q)) for s, c, q in zip(shares, chance, p, strict=True))


class _Groups:
    """Children by the option they took. Only options that somebody took count: options[d] of them, at least one."""

    def __init__(self, taken: NDArray[np.int64]) -> None:
        self._children, decisions = taken.shape
        columns, sizes, first = [], [], [0]
        for decision in range(decisions):
            there, place = np.unique(taken[:, decision], return_inverse=True)
            columns.append(place + first[-1])
            sizes.append(np.bincount(place))
            first.append(first[-1] + len(there))
        self.options = np.diff(first)
        self._first = np.asarray(first[:-1], dtype=np.int64)
        self._sizes = np.concatenate([np.zeros(0), *sizes])
        # One row for each option, 1 where a child took it: sums of many permutations are then one product.
        self._took = np.zeros((first[-1], self._children), dtype=np.float32)
        for column in columns:
            self._took[column, np.arange(self._children)] = 1.0

    def between(self, centred: Figures) -> Figures:
        """[D, P]: the sum of squares between options, of rewards [C, P] whose means are zero."""
        sums = (self._took @ centred.astype(np.float32)).astype(np.float64)
        squares = sums**2 / self._sizes[:, None]
        return np.add.reduceat(squares, self._first, axis=0) if len(self._first) else squares

    def standing_out(self, shares: Figures) -> Figures:
        """[D, P]: the F of each share; 0 for a decision in which all children took one option."""
        shares = np.clip(shares, 0.0, 1.0)
        within = np.maximum(1.0 - shares, 1e-9) / np.maximum(self._children - self.options, 1)[:, None]
        found: Figures = np.where(
            self.options[:, None] > 1, shares / np.maximum(self.options - 1, 1)[:, None] / within, 0.0
        )
        return found


def _permutations(rewards: Figures, generator: np.random.Generator) -> Iterator[Figures]:
    """[C, P]: the rewards, handed out anew; PERMUTATIONS columns in all."""
    for start in range(0, PERMUTATIONS, _AT_ONCE):
        count = min(_AT_ONCE, PERMUTATIONS - start)
        yield generator.permuted(np.repeat(rewards[:, None], count, axis=1), axis=0)
