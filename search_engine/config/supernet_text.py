"""The weights that all recurrent cells of a search share."""

from typing import ClassVar, Literal

from search_engine.config.base import OURS, Config, option
from search_engine.config.language import ENAS, RELEASE

FIRST_RELEASE = "the authors' first release"


class RecurrentSupernetConfig(Config):
    """How wide the cells of a search are, and which of them share a matrix."""

    heading: ClassVar = "Shared network"
    kind: Literal["enas-recurrent"] = "enas-recurrent"
    hidden: int = option(
        128, "Hidden size", "Numbers in the state, and in the vector of every word.", unit="units",
        source=f"{FIRST_RELEASE}: 720, {RELEASE}: 200; 128 is for a CPU", ge=2, le=4096,
    )  # fmt: skip
    weights: Literal["pair", "pair-and-activation", "pair-and-later-activation"] = option(
        "pair", "A matrix for each",
        "pair: two cells share the matrix between two nodes whatever the activation there. pair-and-activation: each "
        "activation has its own. pair-and-later-activation: the same, but the first node has one for all.",
        source=f"{ENAS}, section 2.1: pair; {FIRST_RELEASE}: pair-and-activation; {RELEASE}, whose first node is "
        "always tanh: pair-and-later-activation",
    )  # fmt: skip
    batch_norm: Literal["off", "output", "nodes-and-output"] = option(
        "output", "Batch norm",
        "On the cell's output, or also on what each node computes; always with the statistics of the minibatch, "
        "also while scoring. The network that is trained from scratch has none.",
        source=f"{ENAS}, appendix A: output; {FIRST_RELEASE}: nodes-and-output; {RELEASE}: off",
    )  # fmt: skip
    batch_norm_epsilon: float = option(
        0.1, "Batch norm epsilon",
        "Added to every variance. Much less enlarges the small states of untrained weights, and so their gradients.",
        source=f"{OURS}; {FIRST_RELEASE}: 1",
        only_with={"batch_norm": "output nodes-and-output"}, gt=0, le=10,
    )  # fmt: skip
    largest_state: float = option(
        25.0, "Largest state",
        "After each word a state longer than this is scaled down to it: with weights that other cells shaped, one of "
        "ReLU and identity can grow beyond all bounds. 0 leaves states as they are, as a training from scratch does.",
        source=f"{OURS}; a public reimplementation: 25", only_with={"batch_norm": "off"}, ge=0, le=1_000_000,
    )  # fmt: skip

    @property
    def smallest_batch(self) -> int:
        """How many streams a minibatch must have at least: one alone has no variance."""
        return 1 if self.batch_norm == "off" else 2

    @property
    def bound(self) -> float:
        """The largest Euclidean norm of a state; 0 where there is none, as batch norm keeps states small."""
        return self.largest_state if self.batch_norm == "off" else 0.0
