"""The second half of each step of an ENAS search: the controller learns while the shared weights stay as they are."""

from typing import ClassVar

from search_engine.config.base import Config, option
from search_engine.config.language import ENAS


class ControllerPhaseConfig(Config):
    """How often the controller learns after each shared epoch, and on what an architecture is scored."""

    heading: ClassVar = "Controller phase"
    rounds: int = option(
        30, "Rounds per epoch",
        "How often, after each shared epoch, architectures are drawn, scored by the shared weights and learned from. "
        "A round draws as many as the search strategy says.",
        unit="rounds",
        source=f"{ENAS}: 2,000 of one architecture; released scripts: 30 of 10 (micro), 50 of 20 (macro), 100 of 10 "
        "(text)", ge=1, le=100_000,
    )  # fmt: skip
    score_batch: int = option(
        128, "Validation minibatch",
        "On how many held-out images an architecture is scored; all of a round see the same ones.",
        unit="images", source="released scripts: the batch of training", ge=1, le=100_000,
    )  # fmt: skip


class TextPhaseConfig(ControllerPhaseConfig):
    """The same on text, where the reward is a number over the perplexity."""

    score_batch: int = option(
        64, "Validation minibatch",
        "At how many places of the validation part an architecture reads one stretch, each with an empty state; all of "
        "a round read the same.",
        unit="streams", source=f"{ENAS}: the batch of training", ge=1, le=4096,
    )  # fmt: skip
    scale: float = option(
        80.0, "Reward scale", "The reward is this divided by the perplexity, which has no cap.", source=f"{ENAS}: 80",
        gt=0, le=1_000_000,
    )  # fmt: skip
