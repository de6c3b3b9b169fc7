"""Which of the drawn architectures are worth a training."""

from typing import ClassVar

from search_engine.config.base import PAPER, Config, option


class ScreeningConfig(Config):
    """A look at every drawn network before any of them is trained."""

    heading: ClassVar = "Screening"
    drawn: int = option(
        1, "Drawn for each child",
        "So many architectures are drawn for each child, and the one whose network has the most parameters is trained. "
        "Among small networks of one space the larger tend to be the better ones; among large ones this mostly trains "
        "the slowest. 1: every one that is drawn is trained.", source=f"{PAPER}: 1", ge=1, le=16,
    )  # fmt: skip
