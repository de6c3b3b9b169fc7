"""A look at every drawn architecture: of some that are drawn for each child, the largest one is trained.

A zero-cost proxy (Abdelfattah et al. 2021, section 3), the simplest there is: on benchmarks/data/reward_pool.jsonl the
number of parameters told more of a child's accuracy than synflow, snip and the norm of the gradient.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from search_engine.architectures.reading import Architecture
from search_engine.strategies.base import DrawnStep, Proposal


@dataclass(frozen=True, slots=True)
class Screening:
    """drawn: for each child, at least 1; size: what is to be large."""

    drawn: int
    size: Callable[[Architecture], float]

    def screened(self, step: DrawnStep) -> DrawnStep:
        """The largest of each `drawn` proposals one after another, the first of equal ones, in slots without gaps.

        Policy and entropies stay those of all draws: what is trained is drawn from that policy, and then chosen.
        """
        groups = [step.proposals[first : first + self.drawn] for first in range(0, len(step.proposals), self.drawn)]
        chosen = (max(group, key=self._size_of) for group in groups)
        return replace(step, proposals=tuple(replace(each, slot=slot) for slot, each in enumerate(chosen)))

    def _size_of(self, proposal: Proposal) -> float:
        return self.size(proposal.architecture)
