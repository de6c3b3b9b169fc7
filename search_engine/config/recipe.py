"""How a network is trained."""

from typing import ClassVar, Literal

from search_engine.config.base import OURS, PAPER, Config, option


class RecipeConfig(Config):
    """How a network is trained."""

    heading: ClassVar = "Training"
    epochs: int = option(
        20, "Epochs", "How often the network sees every training image.", source=f"{PAPER}, A.6: 20 while searching",
        ge=1, le=2000,
    )  # fmt: skip
    batch_size: int = option(
        32, "Batch size", "Images per step.", unit="images", source="released code: 32", ge=1, le=4096
    )
    learning_rate: float = option(
        0.025, "Learning rate", "Step width of SGD at its highest.", source="released code: 0.025", gt=0, le=10
    )
    schedule: Literal["cosine", "constant"] = option(
        "cosine", "Schedule", "How the learning rate falls: one cosine to zero, or not at all.",
        source=f"{PAPER}, A.6: one cosine period",
    )  # fmt: skip
    warm_up: float = option(
        0.0, "Warm-up", "Part of the training over which the learning rate rises to its highest.",
        unit="of all steps", source=OURS, ge=0, le=0.5,
    )  # fmt: skip
    momentum: float = option(0.9, "Momentum", "Momentum of SGD.", source=f"{PAPER}, A.6: 0.9", ge=0, lt=1)
    nesterov: bool = option(False, "Nesterov momentum", "Look ahead along the momentum.", source=OURS)
    weight_decay: float = option(
        0.0005, "Weight decay", "L2 decay of all weights.", source="released code: 0.0005", ge=0, le=1
    )
    gradient_clip: float = option(
        5.0, "Gradient clip", "Largest norm of the gradient of all weights together.", source="released code: 5",
        gt=0, le=1000,
    )  # fmt: skip
    augment: bool = option(
        True, "Augmentation", "Shift each image by up to an eighth of its size and mirror it at random.",
        source=f"{PAPER}, A.1: random crop and mirror",
    )  # fmt: skip
    reestimate_batches: int = option(
        0, "Batch-norm batches",
        "Batches over which batch-norm statistics are measured anew before scoring; 0 keeps the moving ones.",
        unit="batches", source="our choice; needed where a child sees few batches", ge=0, le=1000,
    )  # fmt: skip
