"""How a network is trained."""

from typing import Any, ClassVar, Literal

from pydantic import field_validator

from search_engine.config.base import OURS, PAPER, Config, option

RELEASED = "released code"


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
        0.025, "Learning rate", "Step width of the optimizer at its highest.", source="released code: 0.025",
        gt=0, le=10,
    )  # fmt: skip
    schedule: Literal["cosine", "constant", "exponential", "restarts"] = option(
        "cosine", "Schedule",
        "How the learning rate falls: one cosine to zero, not at all, by a factor in stairs, or in cosines that start "
        "high again (restarts), epoch by epoch.",
        source=f"{PAPER}, A.6: one cosine period; A.7, for ImageNet: exponential; ENAS: restarts",
    )  # fmt: skip
    first_period: int = option(
        10, "First period", "After how many epochs the learning rate starts high again.", unit="epochs",
        source="ENAS: 10", ge=1, le=2000, only_with={"schedule": "restarts"},
    )  # fmt: skip
    period_factor: int = option(
        2, "Period factor", "How many times as long each period is as the one before.", source="ENAS: 2", ge=1, le=10,
        only_with={"schedule": "restarts"},
    )  # fmt: skip
    lowest_rate: float = option(
        0.001, "Lowest learning rate", "What one cosine falls to within each period.",
        source="ENAS: 0.001; released scripts: 0.0001 for micro", ge=0, le=10, only_with={"schedule": "restarts"},
        validate_default=True,
    )  # fmt: skip
    decay_factor: float = option(
        0.97, "Decay factor", "What the exponential schedule multiplies the learning rate with.",
        source=f"{RELEASED}, for ImageNet: 0.97", gt=0, le=1,
        only_with={"schedule": "exponential"},
    )  # fmt: skip
    decay_epochs: float = option(
        2.4, "Epochs per decay", "How long the exponential schedule leaves the rate as it is.",
        unit="epochs", source=f"{RELEASED}, for ImageNet: 2.4", gt=0, le=2000,
        only_with={"schedule": "exponential"},
    )  # fmt: skip
    warm_up: float = option(
        0.0, "Warm-up", "Part of the training over which the learning rate rises to its highest.",
        unit="of all steps", source=OURS, ge=0, le=0.5,
    )  # fmt: skip
    optimizer: Literal["sgd", "rmsprop"] = option(
        "sgd", "Optimizer", "Gradient descent with momentum, or RMSProp as TensorFlow computes it.",
        source=f"{PAPER}, A.6: momentum; A.7, for ImageNet: RMSProp",
    )  # fmt: skip
    momentum: float = option(0.9, "Momentum", "Momentum of the optimizer.", source=f"{PAPER}, A.6: 0.9", ge=0, lt=1)
    nesterov: bool = option(
        False, "Nesterov momentum", "Look ahead along the momentum.", source=OURS, only_with={"optimizer": "sgd"}
    )
    rmsprop_decay: float = option(
        0.9, "RMSProp decay", "How much of the mean squared gradient a step of RMSProp keeps.",
        source=f"{PAPER}, A.7: 0.9", gt=0, lt=1,
        only_with={"optimizer": "rmsprop"},
    )  # fmt: skip
    rmsprop_epsilon: float = option(
        1.0, "RMSProp epsilon", "What RMSProp adds to the mean squared gradient before taking its root.",
        source=f"{PAPER}, A.7: 1.0", gt=0, le=10,
        only_with={"optimizer": "rmsprop"},
    )  # fmt: skip
    weight_decay: float = option(
        0.0005, "Weight decay", "L2 decay of all weights.", source="released code: 0.0005", ge=0, le=1
    )
    gradient_clip: float = option(
        5.0, "Gradient clip", "Largest norm of the gradient of all weights together.",
        source="released code: 5; for ImageNet 10", gt=0, le=1000,
    )  # fmt: skip
    augment: bool = option(
        True, "Augmentation", "Shift each image by up to an eighth of its size and mirror it at random.",
        source=f"{PAPER}, A.1: random crop and mirror",
    )  # fmt: skip
    cutout: int = option(
        0, "Cutout", "Side of the square that is wiped out of each training image at a random place; 0 wipes nothing.",
        unit="pixels", source="the paper states no length; 16 is usual for CIFAR-10", ge=0, le=512,
    )  # fmt: skip
    label_smoothing: float = option(
        0.0, "Label smoothing", "Part of each label that the training loss spreads evenly over all classes.",
        source=f"{PAPER}, A.7, for ImageNet: 0.1", ge=0, lt=1,
    )  # fmt: skip
    drop_path: Literal["off", "time", "time-and-depth"] = option(
        "off", "Scheduled drop path",
        "A training step leaves out operations at random, more and more often over the training (time), and more "
        "often in later cells (time-and-depth).",
        source=f"{PAPER}, section 4: time; released code: time-and-depth",
    )  # fmt: skip
    drop_path_keep: float = option(
        0.6, "Drop path, kept at the end",
        "How probably scheduled drop path keeps an operation of the last cell in the last step.",
        source=f"{RELEASED}: 0.6 for CIFAR, 0.7 for 6 @ 4032, off for 4 @ 1056", gt=0, le=1,
        only_with={"drop_path": "time time-and-depth"},
    )  # fmt: skip
    auxiliary_weight: float = option(
        0.0, "Weight of the auxiliary loss",
        "A second head before the second reduction is trained along with this weight and dropped in the end; 0 has no "
        "such head.",
        source=f"{PAPER}, A.7: 0.4", ge=0, le=1,
    )  # fmt: skip
    dropout_keep: float = option(
        1.0, "Dropout, kept", "How probably a training step keeps each input of the last layer; 1 keeps all.",
        source=f"{RELEASED}: 1 for CIFAR, 0.5 for ImageNet", gt=0, le=1,
    )  # fmt: skip
    weight_average: float = option(
        0.0, "Weight averaging",
        "How much of the average of all past weights a step keeps; the averaged network is what is scored and kept. "
        "0 averages nothing.",
        source=f"{PAPER}, A.7, for ImageNet: 0.9999", ge=0, lt=1,
    )  # fmt: skip
    batch_norm_epsilon: float = option(
        0.0, "Batch-norm epsilon", "What batch norm adds to a variance; 0 takes the skeleton's own value.",
        source=f"{RELEASED}: 0.00001 for CIFAR, 0.001 for ImageNet", ge=0, le=1,
    )  # fmt: skip
    batch_norm_momentum: float = option(
        0.0, "Batch-norm weight of a batch",
        "How much the newest batch weighs in the moving statistics of batch norm (1 minus the decay); 0 takes the "
        "skeleton's own value.",
        source=f"{RELEASED}: 0.1 for CIFAR, 0.0003 for ImageNet", ge=0, le=1,
    )  # fmt: skip
    reestimate_batches: int = option(
        0, "Batch-norm batches",
        "Batches over which batch-norm statistics are measured anew before scoring; 0 keeps the moving ones.",
        unit="batches", source="our choice; needed where a child sees few batches", ge=0, le=1000,
    )  # fmt: skip
    precision: Literal["float32", "bfloat16"] = option(
        "float32", "Precision",
        "bfloat16 computes a training step's convolutions with 16 bits, which is quicker on devices made for it; "
        "weights, statistics, loss and scoring stay at 32.",
        source=OURS,
    )  # fmt: skip

    @field_validator("lowest_rate")
    @classmethod
    def _lowest_is_below_highest(cls, lowest: float, info: Any) -> float:
        highest = info.data.get("learning_rate")
        if info.data.get("schedule") == "restarts" and highest is not None and lowest > highest:
            raise ValueError(f"is {lowest:g}; must be at most the learning rate, {highest:g}.")
        return lowest

    @field_validator("nesterov")
    @classmethod
    def _only_gradient_descent_looks_ahead(cls, nesterov: bool, info: Any) -> bool:
        if nesterov and info.data.get("optimizer") == "rmsprop":
            raise ValueError("is true; RMSProp has no Nesterov momentum.")
        return nesterov
