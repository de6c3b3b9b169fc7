"""The final round: the best children are trained again, longer and larger, before one of them is kept."""

from typing import ClassVar

from search_engine.config.base import OURS, PAPER, Config, option


class FinalsConfig(Config):
    """The final round behind the last step. Everything that is not said here is as for the children."""

    heading: ClassVar = "Final round"
    children: int = option(
        0, "Finalists",
        "How many of the best different children are trained again from scratch after the last step; the best of them "
        "on the held-out images is kept. 0: the search ends with its last step. A child over a bound has no measured "
        "reward and is never a finalist.",
        source=f"{PAPER}, A.3: the 250 best are trained to convergence, the best one is kept", ge=0, le=1000,
    )  # fmt: skip
    epochs: int = option(
        600, "Epochs of a finalist", "How often a finalist sees every training image.",
        source=f"{PAPER}, A.3 says only: to convergence; the released code trains final networks for 600", ge=1,
        le=2000,
    )  # fmt: skip
    normal_cells: int = option(
        6, "Normal cells of a finalist",
        "N of a finalist's network. Bounds hold for children: nothing bounds the larger network of a finalist.",
        source=f"{PAPER}, A.6: 6 for keeps; whether the 250 had 6 it does not state", ge=1, le=20,
    )  # fmt: skip
    filters: int = option(
        32, "Filters of a finalist", "F of a finalist's network; must be even.", unit="channels", source=OURS, ge=2,
        le=1024, multiple_of=2,
    )  # fmt: skip
