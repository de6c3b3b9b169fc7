"""How the weights that all architectures share are trained on images."""

from typing import Any, ClassVar

from pydantic import field_validator

from search_engine.config.base import OURS, Config, option
from search_engine.config.language import ENAS

SCRIPTS = "released scripts"


class SharedRecipeConfig(Config):
    """How the shared weights are trained: every minibatch under another architecture, which alone it changes."""

    heading: ClassVar = "Shared weights"
    epochs: int = option(
        10, "Epochs",
        "How often the shared weights see every training image. After each, the controller learns: one such pair is a "
        "step of the search.",
        source=f"{ENAS}: 310; {SCRIPTS}: 150 (micro), 310 (macro); 10 are for a CPU", ge=1, le=10_000,
    )  # fmt: skip
    batch_size: int = option(
        128, "Batch size", "Images per minibatch, which has one architecture.", unit="images",
        source=f"{SCRIPTS}: 160 (micro), 128 (macro)", ge=1, le=4096,
    )  # fmt: skip
    learning_rate: float = option(
        0.05, "Learning rate", "Step width at its highest, at the start of each period.", source=f"{ENAS}: 0.05",
        gt=0, le=10,
    )  # fmt: skip
    lowest_learning_rate: float = option(
        0.0005, "Lowest learning rate", "What one cosine falls to within each period.",
        source=f"{SCRIPTS}: 0.0005; {ENAS}: 0.001", ge=0, le=10, validate_default=True,
    )  # fmt: skip
    first_period: int = option(
        10, "First period", "After how many epochs the learning rate starts high again.", unit="epochs",
        source=f"{ENAS}: 10", ge=1, le=10_000,
    )  # fmt: skip
    period_factor: int = option(
        2, "Period factor", "How many times as long each period is as the one before.", source=f"{ENAS}: 2", ge=1,
        le=10,
    )  # fmt: skip
    momentum: float = option(
        0.9, "Momentum", "Momentum of the optimizer; what a minibatch did not use keeps it as it is.",
        source=f"{ENAS}: 0.9", ge=0, lt=1,
    )  # fmt: skip
    nesterov: bool = option(True, "Nesterov momentum", "Look ahead along the momentum.", source=f"{ENAS}: yes")
    weight_decay: float = option(
        0.0002, "Weight decay", "L2 decay of the weights that a minibatch used.",
        source=f"{SCRIPTS}: 0.0002 (micro), 0.0005 (macro), as the factor of a weight in its gradient", ge=0, le=1,
    )  # fmt: skip
    gradient_clip: float = option(
        5.0, "Gradient clip", "Largest norm of the gradient of all weights that a minibatch used.",
        source=f"{SCRIPTS}: 5 for each weight, computed and left unused", gt=0, le=1000,
    )  # fmt: skip
    augment: bool = option(
        True, "Augmentation", "Shift each image by up to an eighth of its size and mirror it at random.",
        source=f"{ENAS}: random crop and mirror",
    )  # fmt: skip
    cutout: int = option(
        0, "Cutout", "Side of the square that is wiped out of each training image at a random place; 0 wipes nothing.",
        unit="pixels", source=f"{SCRIPTS}: off", ge=0, le=512,
    )  # fmt: skip
    dropout_keep: float = option(
        0.9, "Dropout, kept", "How probably a training step keeps each input of the last layer; 1 keeps all.",
        source=f"{SCRIPTS}: 0.9", gt=0, le=1,
    )  # fmt: skip
    auxiliary_weight: float = option(
        0.0, "Weight of the auxiliary loss",
        "A second head behind the last reduction is trained along with this weight; 0 has no such head. Macro networks "
        "have none.",
        source=f"{SCRIPTS}: 0.4 for micro, where it never learned; {OURS}: 0", ge=0, le=1,
    )  # fmt: skip

    @field_validator("lowest_learning_rate")
    @classmethod
    def _lowest_is_below_highest(cls, lowest: float, info: Any) -> float:
        highest = info.data.get("learning_rate")
        if highest is not None and lowest > highest:
            raise ValueError(f"is {lowest:g}; must be at most the learning rate, {highest:g}.")
        return lowest
