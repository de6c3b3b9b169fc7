"""How the weights that recurrent cells share are trained on text."""

from typing import ClassVar

from search_engine.config.base import OURS, option
from search_engine.config.language import ENAS, RELEASE, ReadingConfig


class SharedLanguageRecipeConfig(ReadingConfig):
    """How the shared weights read the text: each minibatch is a stretch of it, under another architecture.

    Every other field, and its default, is that of a training for keeps.
    """

    heading: ClassVar = "Shared weights"
    epochs: int = option(
        10, "Epochs", "How often the shared weights learn, and after them the controller.",
        source=f"{ENAS}: 150; 10 are for a CPU", ge=1, le=10_000,
    )  # fmt: skip
    minibatches: int = option(
        0, "Minibatches an epoch",
        "Shorter epochs: the next one reads on where this one stopped. 0: an epoch reads the whole training part.",
        source=f"{ENAS}: the whole part", ge=0, le=1_000_000,
    )  # fmt: skip
    weight_decay: float = option(
        2e-7, "Weight decay",
        "Half of it times the sum of all squared weights is added to the loss; only of those that the minibatch used.",
        source=f"{ENAS}: 1e-7 times the sum; {RELEASE}: 8e-7", ge=0, le=1,
    )  # fmt: skip
    initial_range: float = option(
        0.15, "Initial range", "Weights start between minus this and this.",
        source=f"released code: 0.04 from 400 units, 0.05 from 300, 0.1 below; {OURS} for a small network", gt=0, le=1,
    )  # fmt: skip
