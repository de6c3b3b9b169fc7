"""What fixes every bit."""

from typing import ClassVar

from search_engine.config.base import Config, option


class ReproducibilityConfig(Config):
    """What fixes every random number and every rounding."""

    heading: ClassVar = "Reproducibility"
    seed: int = option(
        1, "Seed", "Two searches with equal settings and seeds compute the same, to the last bit.", ge=0, le=2**53
    )
    threads: int = option(
        1, "Threads per child", "Part of the settings because one and two threads round differently.", ge=1, le=64
    )
