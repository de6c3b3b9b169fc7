"""What a child is rewarded for: its accuracy alone, or its accuracy weighed with what its network costs."""

from typing import ClassVar, Literal

from search_engine.config.base import Config, option
from search_engine.config.bounds import MNASNET

PRESETS: dict[str, tuple[float, float]] = {"soft": (-0.07, -0.07), "hard": (0.0, -1.0)}  # (alpha, beta), section 3.


class ObjectiveConfig(Config):
    """Reward = accuracy x (cost / target)^w, with w = alpha up to the target and beta over it (MnasNet, section 3)."""

    heading: ClassVar = "Objective"
    cost: Literal["none", "parameters", "mult_adds", "latency"] = option(
        "none", "Cost in the reward",
        "none: the reward is the accuracy. Else the reward is accuracy x (cost / target)^w. Latency is measured on the "
        "worker and differs from run to run, so two runs of one seed may differ.",
        source=f"{MNASNET}: latency",
    )  # fmt: skip
    target: float = option(
        0.0, "Target cost", "At this cost the reward is the accuracy itself: parameters, mult-adds of one image, or "
        "milliseconds.", ge=0, le=10**15, only_with={"cost": "parameters mult_adds latency"},
    )  # fmt: skip
    weighing: Literal["soft", "hard", "own"] = option(
        "soft", "Weighing",
        "soft: w is -0.07 on both sides, so twice the cost must bring 5 % more accuracy. hard: up to the target cost "
        "does not count, over it w is -1. own: alpha and beta below.",
        source=f"{MNASNET}, section 3: soft", only_with={"cost": "parameters mult_adds latency"},
    )  # fmt: skip
    alpha: float = option(
        -0.07, "Alpha", "The exponent w up to the target; 0 or less.", source=f"{MNASNET}: -0.07", ge=-10, le=0,
        only_with={"weighing": "own"},
    )  # fmt: skip
    beta: float = option(
        -0.07, "Beta", "The exponent w over the target; 0 or less.", source=f"{MNASNET}: -0.07", ge=-10, le=0,
        only_with={"weighing": "own"},
    )  # fmt: skip

    @property
    def exponents(self) -> tuple[float, float]:
        """(alpha, beta) that hold."""
        return PRESETS.get(self.weighing, (self.alpha, self.beta))
