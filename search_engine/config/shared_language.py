"""How the weights that recurrent cells share are trained on text."""

from typing import ClassVar

from search_engine.config.base import option
from search_engine.config.language import ENAS, RELEASE, ReadingConfig


class SharedLanguageRecipeConfig(ReadingConfig):
    """How the shared weights read the text: each minibatch is a stretch of it, under another architecture.

    The other fields, and their defaults, are those of a training for keeps.
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
    learning_rate: float = option(
        5.0, "Learning rate", "Step width of SGD on the mean loss of a word.",
        source=f"{ENAS}: 20; with 5 weights of many cells settle in few epochs", gt=0, le=1000,
    )  # fmt: skip
    weight_decay: float = option(
        2e-7, "Weight decay",
        "Half of it times the sum of all squared weights is added to the loss; only of those that the minibatch used.",
        source=f"{ENAS}: 1e-7 times the sum; {RELEASE}: 8e-7", ge=0, le=1,
    )  # fmt: skip
    initial_range: float = option(
        0.1, "Initial range", "Weights start between minus this and this.",
        source="released code: 0.1 up to 300 units, less above", gt=0, le=1,
    )  # fmt: skip
