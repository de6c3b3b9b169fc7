"""How the controllers of ENAS turn what their LSTM computes into probabilities, and how Adam moves them."""

from typing import Any, ClassVar, Literal

from search_engine.config.base import OURS, Config, option
from search_engine.config.language import ENAS

SCRIPTS = "released scripts"


def _tanh_constant(default: float, released: str) -> Any:
    return option(
        default, "Tanh constant",
        "Scores are kept between minus and plus this, by a hyperbolic tangent; a small one keeps every choice "
        "probable. 0 leaves them as they are.",
        source=f"{SCRIPTS}: {released}; {ENAS}: 2.5", ge=0, le=100,
    )  # fmt: skip


def _temperature(default: float, released: str) -> Any:
    return option(
        default, "Temperature", "Scores are divided by this before the hyperbolic tangent; 1 leaves them as they are.",
        source=f"{SCRIPTS}: {released}; {ENAS}: 5", gt=0, le=100,
    )  # fmt: skip


def _adam_beta1(default: float) -> Any:
    return option(
        default, "Adam, memory of the gradient", "How much of the gradient's moving mean Adam keeps; 0 keeps none.",
        source=f"{SCRIPTS}: 0, second release (text) 0.9; {ENAS}: not stated", ge=0, lt=1,
    )  # fmt: skip


def _adam_epsilon(default: float) -> Any:
    return option(
        default, "Adam epsilon", "Added to the root that Adam divides by: gradients well below it move little.",
        source=f"{SCRIPTS}: 0.001, second release (text) 0.00000001; {ENAS}: not stated", gt=0, le=1,
    )  # fmt: skip


class ControllerConfig(Config):
    """What the controllers of all three searches decide by. Their LSTM has no biases, as in the released code."""

    heading: ClassVar = "Controller"


class MicroControllerConfig(ControllerConfig):
    """A controller that points at earlier nodes and chooses operations, for two cells."""

    kind: Literal["enas-micro"] = "enas-micro"
    tanh_constant: float = _tanh_constant(1.1, "1.1")
    temperature: float = _temperature(1.0, "none, which is 1")
    operation_tanh_reduce: float = option(
        2.5, "Operations, tanh divided by", "The tanh constant is divided by this where operations are chosen.",
        source=f"{SCRIPTS}: 2.5; {ENAS}: not stated, which is 1", gt=0, le=100,
    )  # fmt: skip
    operation_bias: Literal["fixed", "released", "off"] = option(
        "fixed", "Prefer convolutions",
        "Separable convolutions start more probable than pools and identity, in the normal cell more so. The released "
        "code does it by a bias of 10 inside the hyperbolic tangent, which leaves no gradient to tell convolutions of "
        "3x3 from 5x5; fixed adds the same preference outside.",
        source=f"{OURS}: fixed; {SCRIPTS}: released; {ENAS}: not stated, which is off",
    )  # fmt: skip
    adam_beta1: float = _adam_beta1(0.0)
    adam_epsilon: float = _adam_epsilon(0.001)


class MacroControllerConfig(ControllerConfig):
    """A controller that chooses operations, and for every pair of layers a skip."""

    kind: Literal["enas-macro"] = "enas-macro"
    tanh_constant: float = _tanh_constant(1.5, "1.5")
    temperature: float = _temperature(1.0, "none, which is 1")
    skip_prior: float = option(
        0.4, "Skips wanted", "Which part of all possible skips the penalty pulls the policy to.",
        source=f"{ENAS}, section 3.2: 0.4", ge=0.001, le=0.999,
    )  # fmt: skip
    skip_weight: float = option(
        0.8, "Weight of the skip penalty",
        "How strongly: the divergence of each skip's probability from the wanted one, summed over the skips of a "
        "layer, mean over layers, times this is part of the loss. 0: not at all.",
        source=f"{ENAS}: 0.8", ge=0, le=100,
    )  # fmt: skip
    skip_penalty: Literal["probability", "released"] = option(
        "probability", "Skip penalty of",
        "The probability that skips are drawn with; or (released) of another number, by which the rate of skips is "
        "pulled to 0.31 where 0.4 is wanted.",
        source=f"{OURS}: probability; {SCRIPTS}: the other",
    )  # fmt: skip
    adam_beta1: float = _adam_beta1(0.0)
    adam_epsilon: float = _adam_epsilon(0.001)


class RecurrentControllerConfig(ControllerConfig):
    """A controller that points at earlier nodes and chooses activations, for one recurrent cell."""

    kind: Literal["enas-recurrent"] = "enas-recurrent"
    tanh_constant: float = _tanh_constant(2.25, "2.5, second release 2.25")
    temperature: float = _temperature(5.0, "5")
    locality: bool = option(
        True, "Prefer near nodes",
        "The score of an earlier node is lowered by a sixth of its squared distance, so that cells start deep.",
        source=f"{SCRIPTS}: yes; {ENAS}: no",
    )  # fmt: skip
    adam_beta1: float = _adam_beta1(0.9)
    adam_epsilon: float = _adam_epsilon(1e-8)


AnyControllerConfig = MicroControllerConfig | MacroControllerConfig | RecurrentControllerConfig
