"""Search strategies."""

from typing import ClassVar, Literal

from search_engine.config.base import OURS, PAPER, Config, option
from search_engine.config.language import ENAS

SCRIPTS = "released scripts"
EVOLUTION = "Real et al. 2019"
REPLAY = "after Abolafia et al. 2018"


class StrategyConfig(Config):
    """What every strategy decides by: how many children a step has, and how far it may run ahead."""

    heading: ClassVar = "Search strategy"
    step_size: int = option(
        20, "Children per step", "How many architectures are drawn before the controller learns from their rewards.",
        source=f"{PAPER}, A.3: 20", ge=1, le=1000,
    )  # fmt: skip
    lookahead: int = option(
        0, "Steps drawn ahead",
        "0 waits for every child of a step, as the paper does; 1 draws the next step early and keeps workers busy.",
        source=f"{PAPER}: 0", ge=0, le=4,
    )  # fmt: skip


class RandomConfig(StrategyConfig):
    """Every decision from a uniform distribution."""

    kind: Literal["random"] = "random"


class EvolutionConfig(StrategyConfig):
    """The winner of a small tournament is copied with one change; the oldest dies.

    With 10 and 3 as here, NAS-Bench-201's own scripts search; the paper's 100 and 25 are for thousands of children.
    """

    kind: Literal["evolution"] = "evolution"
    population_size: int = option(
        10, "Population",
        "How many of the latest children are parents. Until there are so many with a reward, all are drawn at random.",
        source=f"{SCRIPTS} of NAS-Bench-201: 10; {EVOLUTION}: 100", ge=2, le=1000,
    )  # fmt: skip
    sample_size: int = option(
        3, "Tournament",
        "How many parents are drawn to find one: the best of them is copied. More of them leave less to chance.",
        source=f"{SCRIPTS} of NAS-Bench-201: 3; {EVOLUTION}: 25", ge=1, le=1000,
    )  # fmt: skip


class LocalSearchConfig(StrategyConfig):
    """Climbs from a random network to better neighbours, and starts again where there is none.

    Two networks are neighbours when they differ in one decision.
    """

    kind: Literal["local"] = "local"


class PpoConfig(StrategyConfig):
    """A controller LSTM, trained by proximal policy optimization on the joint probability of its decisions."""

    kind: Literal["ppo"] = "ppo"
    learning_rate: float = option(
        0.00035, "Controller learning rate",
        "Step width of Adam on the controller. The paper's value is meant for a thousand updates.",
        source=f"{PAPER}, A.2: 0.00035", gt=0, le=1,
    )  # fmt: skip
    epochs: int = option(
        4, "PPO epochs", "How often the controller goes over the children of a step.", source=OURS, ge=1, le=50
    )
    clip: float = option(
        0.2, "PPO clip", "How far the joint probability of an architecture may move in one step, as a ratio.",
        source=OURS, gt=0, lt=1,
    )  # fmt: skip
    entropy_weight: float = option(
        0.00001, "Entropy weight", "Reward for staying undecided; more of it explores longer.",
        source=f"{PAPER}, A.2: 0.00001", ge=0, le=10,
    )  # fmt: skip
    baseline_decay: float = option(
        0.95, "Baseline decay", "Memory of the moving mean reward that a child's reward is compared with.",
        source=f"{PAPER}, A.2: 0.95", ge=0, lt=1,
    )  # fmt: skip
    normalise_advantages: bool = option(
        False, "Normalise advantages",
        "Divide reward minus baseline by its running deviation, so that scale does not matter.",
        source="a variant; the paper does not mention it",
    )  # fmt: skip
    gradient_clip: float = option(
        1.0, "Controller gradient clip", "Largest norm of the controller's gradient.", source=OURS, gt=0, le=1000
    )
    hidden_size: int = option(
        100, "LSTM units", "Width of the controller's one LSTM layer.", source=f"{PAPER}, A.2: 100", ge=1, le=2048
    )
    init_range: float = option(
        0.1, "Initial weights", "The controller's weights start uniform between minus and plus this.",
        source=f"{PAPER}, A.2: 0.1", gt=0, le=1,
    )  # fmt: skip


class PpoReplayConfig(PpoConfig):
    """Draws nothing twice, and makes the best networks so far more probable. A variant of ours.

    Its defaults were chosen on NAS-Bench-201; docs/strategies.md has the figures.
    """

    kind: Literal["ppo-replay"] = "ppo-replay"  # type: ignore[assignment]  # Every place that asks goes by the kind.
    learning_rate: float = option(
        0.015, "Controller learning rate", "Step width of Adam on the controller.",
        source=f"{OURS}: 0.015; {PAPER}, A.2: 0.00035", gt=0, le=1,
    )  # fmt: skip
    baseline_decay: float = option(
        0.9, "Baseline decay", "Memory of the moving mean reward that a child's reward is compared with.",
        source=f"{OURS}: 0.9; {PAPER}, A.2: 0.95", ge=0, lt=1,
    )  # fmt: skip
    normalise_advantages: bool = option(
        True, "Normalise advantages",
        "Divide reward minus baseline by its running deviation, so that scale does not matter.",
        source="a variant; the paper does not mention it",
    )  # fmt: skip
    entropy_weight: float = option(
        0.03, "Entropy weight", "Reward for staying undecided; more of it explores longer.",
        source=f"{OURS}: 0.03; {PAPER}, A.2: 0.00001", ge=0, le=10,
    )  # fmt: skip
    hidden_size: int = option(
        32, "LSTM units", "Width of the controller's one LSTM layer.",
        source=f"{OURS}: 32; {PAPER}, A.2: 100", ge=1, le=2048,
    )  # fmt: skip
    replayed: int = option(
        10, "Networks replayed",
        "How many of the best networks so far the controller goes over again at every step.",
        source=f"our choice: 10; {REPLAY}", ge=1, le=1000,
    )  # fmt: skip
    replay_weight: float = option(
        0.3, "Weight of the replay",
        "How much their log-probability counts beside PPO's loss. 0 replays nothing and still draws nothing twice.",
        source=f"our choice: 0.3; {REPLAY}", ge=0, le=10,
    )  # fmt: skip


class ReinforceConfig(StrategyConfig):
    """A controller LSTM, trained by REINFORCE with a moving baseline."""

    kind: Literal["reinforce"] = "reinforce"
    step_size: int = option(
        10, "Architectures per round", "How many are drawn and scored before the controller learns from their rewards.",
        source=f"{SCRIPTS}: 10 (micro, text), 20 (macro); {ENAS}: 1", ge=1, le=1000,
    )  # fmt: skip
    learning_rate: float = option(
        0.0035, "Controller learning rate", "Step width of Adam on the controller.",
        source=f"{SCRIPTS}: 0.0035 (micro), 0.001 (macro, text), second release 0.00005 (text); {ENAS}: 0.00035",
        gt=0, le=1,
    )  # fmt: skip
    entropy_weight: float = option(
        0.0001, "Entropy weight", "Reward for staying undecided; more of it explores longer.",
        source=f"{SCRIPTS}: 0.0001 (micro, macro), 0.001 (text); {ENAS}: 0.1 (micro, macro), 0.0001 (text)",
        ge=0, le=10,
    )  # fmt: skip
    entropy_bonus: Literal["loss", "reward", "reward-drawn"] = option(
        "loss", "Entropy counts in",
        "The loss, whose gradient then holds the distributions up; the reward, which holds up only what later "
        "distributions depend on; or the reward, with the chosen options' share of the entropy alone.",
        source=f"{OURS}: loss; {ENAS}: reward; {SCRIPTS}: reward (micro), reward-drawn (macro, text)",
    )  # fmt: skip
    baseline_decay: float = option(
        0.99, "Baseline decay", "Memory of the moving mean reward that a reward is compared with.",
        source=f"{SCRIPTS}: 0.99; {ENAS}: not stated", ge=0, lt=1,
    )  # fmt: skip
    baseline_rule: Literal["round", "architecture"] = option(
        "round", "Baseline",
        "round: the mean of earlier rounds, from the first round's mean on. architecture: starts at 0 and moves with "
        "every architecture, before that architecture is compared with it.",
        source=f"{OURS}: round; {SCRIPTS}: architecture",
    )  # fmt: skip
    gradient_clip: float = option(
        5.0, "Controller gradient clip", "Largest norm of the controller's gradient; 0 clips nothing.",
        source=f"{OURS}; {SCRIPTS}: none", ge=0, le=1000,
    )  # fmt: skip
    hidden_size: int = option(
        64, "LSTM units", "Width of the controller's one LSTM layer.",
        source=f"{SCRIPTS}: 64 (micro, macro), 100 (text); {ENAS}: 100", ge=1, le=2048,
    )  # fmt: skip
    init_range: float = option(
        0.1, "Initial weights", "The controller's weights start uniform between minus and plus this.",
        source=f"{ENAS}: 0.1; second release 0.01 (text)", gt=0, le=1,
    )  # fmt: skip


AnyStrategyConfig = PpoConfig | PpoReplayConfig | ReinforceConfig | RandomConfig | EvolutionConfig | LocalSearchConfig
