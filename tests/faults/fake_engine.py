"""A search without PyTorch: a tiny space, a strategy and an evaluator that compute by hashing.

Everything is a pure function of the configuration, as in the real engine, so a search that workers did under faults can
be compared with `search_engine.runner.run` of the same configuration.
"""

import hashlib
import json
import random
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any

from search_engine.architectures.cell import Block, Cell
from search_engine.architectures.cells import CellArchitecture
from search_engine.architectures.reading import Architecture
from search_engine.config.changes import Change, bans_in_force, step_sizes
from search_engine.config.reading import read_config
from search_engine.config.search import SearchConfig
from search_engine.cost_rules import over_a_count, shaped_reward
from search_engine.evaluators.base import Evaluator
from search_engine.events import DecisionShown, EpochEnded, Event, FinalistEpochEnded, FinalistFinished, FinalistShown
from search_engine.seeds import derive
from search_engine.strategies.base import DrawnStep, Evaluation, Proposal, Strategy, Update

OPTIONS = (("current", "previous"), ("identity", "conv_1x1", "conv_3x3"), ("max_pool_3x3", "avg_pool_3x3"))
DECISIONS = tuple(
    DecisionShown(name=name, options=options)
    for name, options in zip(("input", "operation 1", "operation 2"), OPTIONS, strict=True)
)
DATA = {"name": "fashion-mnist-10k", "sha256": "0" * 64}
PARAMETERS = 1000  # At least; of a bounded search up to twice as many.
BOUNDED = {
    "bounds": {"parameters": 1600}, "objective": {"cost": "parameters", "target": 1300.0, "weighing": "soft"},
}  # fmt: skip


def small_config(
    *,
    children: int = 12,
    step_size: int = 4,
    lookahead: int = 0,
    reuse: str = "off",
    epochs: int = 2,
    seed: int = 1,
    finalists: int = 0,
    bounded: bool = False,
) -> SearchConfig:
    """bounded: with a bound on parameters, and parameters in the reward."""
    return read_config(
        SearchConfig,
        {
            "name": f"seed {seed}",
            "strategy": {"kind": "random", "step_size": step_size, "lookahead": lookahead},
            "recipe": {"epochs": epochs},
            "budget": {"children": children, "reuse": reuse, "infeasible_reward": 0.0},
            "finals": {"children": finalists, "epochs": epochs},
            "reproducibility": {"seed": seed},
            **(BOUNDED if bounded else {}),
        },
    )


def build_strategy(config: SearchConfig, changes: Sequence[Change] = ()) -> Strategy:
    return FakeStrategy(config, changes)


def encode_strategy(strategy: Strategy) -> bytes:
    return json.dumps(strategy.state_dict()[1], sort_keys=True).encode()


def load_strategy(path: Path, strategy: Strategy) -> None:
    strategy.load_state_dict({}, json.loads(path.read_text()))


class FakeStrategy(Strategy):
    """Draws by hashing its weights, learns by hashing the rewards into them."""

    def __init__(self, config: SearchConfig, changes: Sequence[Change] = ()) -> None:
        self._config = config
        self._sizes = step_sizes(config, changes)
        self._changes = changes
        self._weights = ""
        self._told = 0
        self._drawn: dict[int, list[tuple[int, ...]]] = {}
        self._draw_what_is_due()

    @property
    def is_finished(self) -> bool:
        return self._told >= self._sizes.steps

    def pending(self) -> tuple[DrawnStep, ...]:
        return tuple(self._step(step) for step in sorted(self._drawn))

    def ask(self) -> tuple[Proposal, ...]:
        return self._step(self._told).proposals

    def tell(self, evaluations: Sequence[Evaluation]) -> Update:
        places = [(evaluation.step, evaluation.slot) for evaluation in evaluations]
        if places != [(self._told, proposal.slot) for proposal in self.ask()]:
            raise ValueError(f"step {self._told} was not told by {places}")
        rewards = [evaluation.reward for evaluation in evaluations[: len(self._drawn[self._told])]]
        self._weights = _digest([self._weights, self._told, rewards])
        del self._drawn[self._told]
        step, self._told = self._told, self._told + 1
        self._draw_what_is_due()
        counted = [reward for reward in rewards if reward is not None]
        mean = sum(counted) / len(counted) if counted else None
        digest = _digest(self.state_dict()[1])
        return Update(
            step=step, mean_reward=mean, baseline=mean, loss=None, divergence=None, clipped=None, state_sha256=digest
        )

    def sample(self, count: int, *, purpose: str, number: int, under: int | None = None) -> DrawnStep:
        raise AssertionError("a search whose children are trained one by one draws nothing outside its steps")

    def state_dict(self) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        drawn = {str(step): [list(decisions) for decisions in self._drawn[step]] for step in sorted(self._drawn)}
        return {}, {"weights": self._weights, "told": self._told, "drawn": drawn}

    def load_state_dict(self, tensors: Mapping[str, Any], state: Mapping[str, Any]) -> None:
        self._weights, self._told = state["weights"], state["told"]
        self._drawn = {int(step): [tuple(one) for one in drawn] for step, drawn in state["drawn"].items()}

    def _draw_what_is_due(self) -> None:
        for step in self._sizes.drawn_at(self._told):
            if step not in self._drawn:
                self._drawn[step] = self._draw(step)

    def _draw(self, step: int) -> list[tuple[int, ...]]:
        seed = self._config.reproducibility.seed
        bans = bans_in_force(
            self._changes, step
        )  # Of another space than this tiny one: they only change what is drawn.
        generator = random.Random(f"{derive(seed, 'ask', step)}:{self._weights}{bans or ''}")
        slots = range(self._sizes.size(step))
        return [tuple(generator.randrange(len(options)) for options in OPTIONS) for _ in slots]

    def _step(self, step: int) -> DrawnStep:
        proposals = tuple(
            Proposal(step, slot, decisions, -2.5, decode(decisions)) for slot, decisions in enumerate(self._drawn[step])
        )
        policy = tuple(tuple(1 / len(options) for _ in options) for options in OPTIONS)
        return DrawnStep(step, proposals + self._off_policy(step), policy, entropies=(0.7, 1.1, 0.7))

    def _off_policy(self, step: int) -> tuple[Proposal, ...]:
        """What people proposed is of the real space, and here only another draw: by its hash."""
        size = self._config.strategy.step_size
        wanted = [change.proposal for change in self._changes if change.proposal and change.from_step == step]
        found = []
        for place, proposal in enumerate(wanted):
            digests = (_digest([proposal, number]) for number in range(len(OPTIONS)))
            drawn = tuple(int(each[:8], 16) % len(options) for each, options in zip(digests, OPTIONS, strict=True))
            found.append(Proposal(step, size + place, drawn, -2.5, decode(drawn), off_policy=True))
        return tuple(found)


class FakeEvaluator(Evaluator):
    """The accuracy is the hash of the architecture, as a number in [0, 1); one in nine diverges.

    Bounds and cost in the reward are decided by the engine's own rules, of a number of parameters by hash.
    """

    def __init__(self, config: SearchConfig) -> None:
        self._config = config

    def prepare(self, strategy: Strategy) -> Generator[Event, None, None]:
        yield from ()

    def evaluate(self, proposal: Proposal) -> Generator[Event, None, Evaluation]:
        refused = self.refused(proposal.step, proposal.slot, proposal.architecture.hash)
        if refused is not None:
            return refused
        for epoch in range(1, self._config.recipe.epochs + 1):
            yield self.epoch(proposal.step, proposal.slot, epoch)
        return self.verdict(proposal.step, proposal.slot, proposal.architecture.hash)

    def epoch(self, step: int | None, slot: int | None, epoch: int) -> EpochEnded:
        epochs = self._config.recipe.epochs
        return EpochEnded(
            step=step, slot=slot, epoch=epoch, epochs=epochs, loss=2.0 / epoch, learning_rate=0.1, seconds=1.0
        )

    def train_finalist(self, finalist: FinalistShown) -> Generator[Event, None, FinalistFinished]:
        """As final_round.TrainFinalist."""
        for epoch in range(1, self._config.finals.epochs + 1):
            yield self.finalist_epoch(finalist.rank, epoch)
        return self.finalist_verdict(finalist.rank, finalist.step, finalist.slot)

    def finalist_epoch(self, rank: int, epoch: int) -> FinalistEpochEnded:
        epochs = self._config.finals.epochs
        return FinalistEpochEnded(
            rank=rank, epoch=epoch, epochs=epochs, loss=2.0 / epoch, accuracy=0.5, learning_rate=0.1, seconds=1.0
        )

    def finalist_verdict(self, rank: int, step: int, slot: int) -> FinalistFinished:
        number = int(_digest([self._config.reproducibility.seed, "finalist", step, slot])[:12], 16)
        diverged = number % 5 == 0
        return FinalistFinished(
            rank=rank, accuracy=None if diverged else number / 16**12, reason="diverged" if diverged else None,
            parameters=PARAMETERS, mult_adds=PARAMETERS, seconds=2,
        )  # fmt: skip

    def refused(self, step: int, slot: int, architecture_hash: str) -> Evaluation | None:
        """The verdict on a child over a bound, which is not trained; None within the bounds."""
        parameters = self._parameters(architecture_hash)
        over = over_a_count(self._config.bounds, parameters, PARAMETERS)
        if over is None:
            return None
        reward = self._config.budget.infeasible_reward
        return Evaluation(
            step, slot, reward, over.reason, over=over.bound, times=over.times, parameters=parameters,
            mult_adds=PARAMETERS,
        )  # fmt: skip

    def verdict(self, step: int, slot: int, architecture_hash: str) -> Evaluation:
        """On a child that was trained."""
        config, parameters = self._config, self._parameters(architecture_hash)
        number = int(_digest([config.reproducibility.seed, step, slot, architecture_hash])[:12], 16)
        figures: dict[str, Any] = {"parameters": parameters, "mult_adds": PARAMETERS, "seconds": 2}
        if number % 9 == 0:
            return Evaluation(step, slot, config.budget.infeasible_reward, "diverged", **figures)
        accuracy = number / 16**12
        if not config.weighs_cost:
            return Evaluation(step, slot, accuracy, **figures)
        reward = shaped_reward(config.objective, accuracy, parameters)
        return Evaluation(step, slot, reward, accuracy=accuracy, **figures)

    def _parameters(self, architecture_hash: str) -> int:
        return PARAMETERS + (int(_digest(architecture_hash)[:12], 16) % PARAMETERS if self._config.bounds.any else 0)


def architecture_of(config: SearchConfig, decisions: Sequence[int]) -> Architecture:
    return decode(decisions)


def decode(decisions: Sequence[int]) -> Architecture:
    source, first, second = decisions
    block = Block(inputs=(source, 0), operations=(OPTIONS[1][first], OPTIONS[2][second]), combination="add")
    fixed = Block(inputs=(0, 1), operations=("identity", "identity"), combination="add")
    return CellArchitecture(Cell((block,), (2,)), Cell((fixed,), (2,)))


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, separators=(",", ":"), sort_keys=True).encode()).hexdigest()
