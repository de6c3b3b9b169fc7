"""When a search ends."""

from typing import ClassVar, Literal

from search_engine.config.base import OURS, PAPER, Config, option


class BudgetConfig(Config):
    """When the search ends."""

    heading: ClassVar = "Budget"
    children: int = option(
        200, "Children", "How many architectures are tried in all.", source=f"{PAPER}, A.3: 20,000", ge=1, le=1_000_000
    )
    infeasible_reward: float = option(
        0.0, "Reward of a failed child", "What the controller is told when a child diverges or does not fit.",
        source=OURS, ge=-10, le=1,
    )  # fmt: skip
    reuse: Literal["off", "copy"] = option(
        "off", "Twins",
        "Train an architecture again when it is drawn again (off, the paper), or copy its first reward.",
        source=f"{PAPER}: off",
    )  # fmt: skip
