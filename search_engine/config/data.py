"""Which data."""

from typing import ClassVar

from search_engine.config.base import PAPER, Config, option


class DataConfig(Config):
    """Which images, and how many."""

    heading: ClassVar = "Data"
    name: str = option(
        "fashion-mnist-10k",
        "Data set",
        "The embedded one works everywhere; the others are downloaded once.",
        min_length=1,
        max_length=100,
    )
    image_size: int = option(
        28,
        "Image size",
        "Height and width; a smaller one averages pixels and trains faster.",
        unit="pixels",
        ge=8,
        le=512,
    )
    train_examples: int = option(
        8000, "Training images", "How many images each network trains on.", unit="images", ge=10, le=10_000_000
    )
    held_out_examples: int = option(
        2000, "Held-out images",
        "How many other training images the reward is measured on. Test images wait for the end of a training.",
        unit="images", source=f"{PAPER}, A.1: 5,000 of 50,000", ge=10, le=1_000_000,
    )  # fmt: skip
