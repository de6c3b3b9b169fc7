"""How an ENAS search ends: candidates are drawn from the policy, and the best are trained from scratch."""

from typing import ClassVar

from search_engine.config.base import OURS, Config, option
from search_engine.config.language import ENAS


class DerivingConfig(Config):
    """What follows the last step: candidates are scored by the shared weights, and the best are trained for keeps."""

    heading: ClassVar = "Deriving"
    candidates: int = option(
        100, "Candidates",
        "How many architectures are drawn from the final policy and scored, all on the same validation minibatch.",
        source=f"{OURS}; {ENAS} says only: several", ge=1, le=10_000,
    )  # fmt: skip
    train: int = option(
        1, "Trained from scratch",
        "How many of the best different candidates are then trained from scratch, as further below. 0: none.",
        source=f"{ENAS}, section 2.3: the best one", ge=0, le=100,
    )  # fmt: skip
