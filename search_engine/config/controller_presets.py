"""Controllers as the paper prints them, as the released scripts run them, and as a search has them unless told.

Where the paper is silent on a number, its preset has that of the scripts, where these are silent too, our default. The
default takes the scripts' numbers, on text those of the authors' second release, and mends what the scripts do wrong:
the entropy has a gradient, the skip penalty is of the probability that is drawn from, convolutions of two sizes can be
told from each other, and the baseline starts where the rewards do.
"""

from typing import Literal, NamedTuple

from search_engine.config.controller import (
    AnyControllerConfig,
    MacroControllerConfig,
    MicroControllerConfig,
    RecurrentControllerConfig,
)
from search_engine.config.strategy import ReinforceConfig

EnasKind = Literal["enas-micro", "enas-macro", "enas-recurrent"]
PRESET_NAMES = ("default", "paper", "released")


class ControllerPreset(NamedTuple):
    strategy: ReinforceConfig
    controller: AnyControllerConfig


def controller_preset(kind: EnasKind, name: str) -> ControllerPreset:
    """The controller of a kind of search by one of PRESET_NAMES."""
    return {"default": default, "paper": paper, "released": released}[name](kind)


def default(kind: EnasKind) -> ControllerPreset:
    if kind == "enas-micro":
        return ControllerPreset(ReinforceConfig(), MicroControllerConfig())
    if kind == "enas-macro":
        return ControllerPreset(ReinforceConfig(step_size=20, learning_rate=0.001), MacroControllerConfig())
    strategy = ReinforceConfig(learning_rate=0.00005, entropy_weight=0.00001, baseline_decay=0.999, init_range=0.01)
    return ControllerPreset(strategy, RecurrentControllerConfig())


def paper(kind: EnasKind) -> ControllerPreset:
    """2,000 updates an epoch from one architecture each, by Adam as it usually is; entropy is part of the reward."""
    strategy = ReinforceConfig(
        step_size=1,
        learning_rate=0.00035,
        entropy_weight=0.0001 if kind == "enas-recurrent" else 0.1,
        entropy_bonus="reward",
        hidden_size=100,
    )
    adam = {"adam_beta1": 0.9, "adam_epsilon": 1e-8}
    if kind == "enas-micro":
        controller: AnyControllerConfig = MicroControllerConfig(
            tanh_constant=2.5, temperature=5.0, operation_tanh_reduce=1.0, operation_bias="off", **adam
        )
    elif kind == "enas-macro":
        controller = MacroControllerConfig(tanh_constant=2.5, temperature=5.0, **adam)
    else:
        controller = RecurrentControllerConfig(tanh_constant=2.5, temperature=5.0, locality=False, **adam)
    return ControllerPreset(strategy, controller)


def released(kind: EnasKind) -> ControllerPreset:
    """The scripts micro_search, macro_search and ptb_search, with what is wrong in them."""
    common = {"baseline_rule": "architecture", "gradient_clip": 0.0}
    if kind == "enas-micro":
        strategy = ReinforceConfig(entropy_bonus="reward", **common)
        return ControllerPreset(strategy, MicroControllerConfig(operation_bias="released"))
    if kind == "enas-macro":
        strategy = ReinforceConfig(step_size=20, learning_rate=0.001, entropy_bonus="reward-drawn", **common)
        return ControllerPreset(strategy, MacroControllerConfig(skip_penalty="released"))
    strategy = ReinforceConfig(
        learning_rate=0.001, entropy_weight=0.001, entropy_bonus="reward-drawn", hidden_size=100, **common
    )
    controller = RecurrentControllerConfig(tanh_constant=2.5, adam_beta1=0.0, adam_epsilon=0.001)
    return ControllerPreset(strategy, controller)
