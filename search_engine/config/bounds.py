"""Hard bounds on what a network may cost: an architecture over one is never trained."""

from typing import ClassVar, Literal

from search_engine.config.base import OURS, Config, at, option
from search_engine.config.layout import LayoutConfig, smallest_image

MNASNET = "MnasNet, Tan et al. 2019"


class BoundsConfig(Config):
    """Bounds on one network of each child, and how latency is measured. 0 is no bound."""

    heading: ClassVar = "Bounds"
    parameters: int = option(
        0, "Most parameters", "A child whose network has more is told as failed, untrained. 0: no bound.",
        source=OURS, ge=0, le=10**12,
    )  # fmt: skip
    mult_adds: int = option(
        0, "Most mult-adds", "For one image. A child whose network needs more is told as failed, untrained. "
        "0: no bound.", source=OURS, ge=0, le=10**15,
    )  # fmt: skip
    latency_ms: float = option(
        0.0, "Longest latency",
        "Of a forward pass of one batch, measured on the worker. A slower child is told as failed, untrained. Measured "
        "times differ from run to run, so with this bound two runs of one seed may differ. 0: no bound.",
        unit="ms", source=OURS, ge=0, le=10**6,
    )  # fmt: skip
    network: Literal["child", "target"] = option(
        "child", "Which network is bounded",
        "The child as it is trained here, or the same cells in the target network below. A cost in the reward is of "
        "this network too.", source=OURS,
    )  # fmt: skip
    target_skeleton: Literal["cifar", "imagenet", "enas", "darts"] = option(
        "cifar", "Skeleton of the target", "As for the children.", only_with={"network": "target"}
    )
    target_normal_cells: int = option(
        6, "Normal cells of the target", "N of the target network.", ge=1, le=20, only_with={"network": "target"}
    )
    target_filters: int = option(
        32, "Filters of the target", "F of the target network; must be even, with the ImageNet skeleton a multiple "
        "of 4.", unit="channels", ge=2, le=1024, multiple_of=2, only_with={"network": "target"},
    )  # fmt: skip
    target_image_size: int = option(
        32, "Image size of the target", "Height and width of the images the target network sees.", unit="pixels",
        ge=8, le=1024, only_with={"network": "target"},
    )  # fmt: skip
    latency_batch: int = option(
        1, "Batch of a latency", "Images in the batch whose forward pass is timed.", source=f"{MNASNET}: 1", ge=1,
        le=1024,
    )  # fmt: skip
    latency_repeats: int = option(
        21, "Repeats of a latency", "The median of so many timed passes counts.", source=OURS, ge=1, le=1000
    )
    latency_warm_up: int = option(
        5, "Warm-up of a latency", "Passes before the timed ones, which do not count.", source=OURS, ge=0, le=1000
    )

    @property
    def any(self) -> bool:
        """Whether anything is bounded."""
        return bool(self.parameters or self.mult_adds or self.latency_ms)

    def layout(self, child: LayoutConfig) -> LayoutConfig:
        """The layout of the network that is bounded. child: how the search trains its children."""
        if self.network == "child":
            return child
        larger = {"normal_cells": self.target_normal_cells, "filters": self.target_filters}
        return child.model_copy(update=larger | {"skeleton": self.target_skeleton})

    def image_size(self, child_size: int) -> int:
        """Pixels that the bounded network sees. child_size: what the children see."""
        return child_size if self.network == "child" else self.target_image_size


def must_be_a_target(bounds: BoundsConfig, child: LayoutConfig) -> None:
    """Raises AtField where the target is no network that can be built."""
    layout = bounds.layout(child)
    if layout.skeleton == "imagenet" and layout.filters % 4:
        raise at(
            "bounds.target_filters", f"is {layout.filters}; with the ImageNet skeleton it must be a multiple of 4."
        )
    smallest = smallest_image(layout)
    if bounds.target_image_size < smallest:
        raise at(
            "bounds.target_image_size",
            f"is {bounds.target_image_size}; to be halved {layout.halvings} times it must be at least {smallest}.",
        )
