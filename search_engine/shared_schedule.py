"""What is due next in a search with shared weights: one pure function of what is known.

`shared_search` follows it in one process, and the web's planner turns its answer into a job row: one at a time, since
each step goes on from the weights and the policy of the one before.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class KnownShared:
    """What is known of a search with shared weights.

    epochs: how many steps it has. steps_told: of how many the controller phase is over. is_shared: whether the shared
    epoch of the next step is over already. is_derived: whether the candidates behind the last step are scored.
    """

    epochs: int
    steps_told: int = 0
    is_shared: bool = False
    is_derived: bool = False


@dataclass(frozen=True, slots=True)
class ShareWeights:
    """Train the shared weights for one epoch."""

    step: int


@dataclass(frozen=True, slots=True)
class TeachController:
    """Let the strategy learn from the rounds of this step."""

    step: int


@dataclass(frozen=True, slots=True)
class Derive:
    """Draw the candidates and score them."""


DueShared = ShareWeights | TeachController | Derive


def due_shared(known: KnownShared) -> DueShared | None:
    """The one thing that can be done now; None when the search is over."""
    if known.steps_told < known.epochs:
        step = known.steps_told
        return TeachController(step) if known.is_shared else ShareWeights(step)
    return None if known.is_derived else Derive()
