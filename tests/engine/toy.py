"""A small space and an evaluator that needs no training, for the tests of strategies and of the loop."""

from collections.abc import Callable, Generator, Sequence

from search_engine.architectures.cell import NASNET_OPERATIONS, Block, Cell
from search_engine.architectures.cells import CellArchitecture
from search_engine.architectures.reading import Architecture
from search_engine.evaluators.base import Evaluator
from search_engine.events import EpochEnded, Event
from search_engine.spaces.base import Decision, Space
from search_engine.strategies.base import Evaluation, Proposal, Strategy

STEM = Cell((Block((0, 1), ("identity", "identity"), "add"),), (2,))


class ToySpace(Space):
    """One decision per size, at most 13 options each: the operation of one block of a chain."""

    def __init__(self, sizes: Sequence[int]) -> None:
        self.decisions = tuple(
            Decision(f"operation {index}", "operation", NASNET_OPERATIONS[:size]) for index, size in enumerate(sizes)
        )

    def decode(self, decisions: Sequence[int]) -> Architecture:
        blocks = tuple(
            Block((index + 1, index + 1), (decision.options[chosen], "identity"), "add")
            for index, (decision, chosen) in enumerate(zip(self.decisions, decisions, strict=True))
        )
        return CellArchitecture(Cell(blocks, (1 + len(blocks),)), STEM)

    def encode(self, architecture: Architecture) -> tuple[int, ...]:
        return tuple(NASNET_OPERATIONS.index(block.operations[0]) for block in architecture.normal.blocks)


class ToyEvaluator(Evaluator):
    """Two epochs a child, then a reward by a rule; remembers what it was asked to evaluate."""

    def __init__(self, reward: Callable[[Proposal], float | None]) -> None:
        self._reward = reward
        self.evaluated: list[tuple[int, int]] = []

    def prepare(self, strategy: Strategy) -> Generator[Event, None, None]:
        yield from ()

    def evaluate(self, proposal: Proposal) -> Generator[Event, None, Evaluation]:
        for epoch in (1, 2):
            yield EpochEnded(
                step=proposal.step, slot=proposal.slot, epoch=epoch, epochs=2, loss=1 / epoch,
                accuracy=None, learning_rate=0.1, seconds=0.5,
            )  # fmt: skip
        self.evaluated.append((proposal.step, proposal.slot))
        reward = self._reward(proposal)
        reason = "lost" if reward is None else None
        return Evaluation(proposal.step, proposal.slot, reward, reason, parameters=7, mult_adds=9, seconds=1.0)


def share_of(target: Sequence[int]) -> Callable[[Proposal], float]:
    """The reward of a planted optimum: which part of the decisions is the hidden target's."""

    def reward(proposal: Proposal) -> float:
        return sum(a == b for a, b in zip(proposal.decisions, target, strict=True)) / len(target)

    return reward


def nasnet_decisions(blocks: int = 5) -> tuple[Decision, ...]:
    """The decisions of NASNet written out by hand: two inputs, two operations, a combination; twice."""
    return tuple(
        decision
        for cell in ("normal", "reduction")
        for block in range(blocks)
        for decision in (
            Decision(f"{cell} {block} input 1", "input", tuple(map(str, range(block + 2)))),
            Decision(f"{cell} {block} input 2", "input", tuple(map(str, range(block + 2)))),
            Decision(f"{cell} {block} operation 1", "operation", NASNET_OPERATIONS),
            Decision(f"{cell} {block} operation 2", "operation", NASNET_OPERATIONS),
            Decision(f"{cell} {block} combination", "combination", ("add", "concat")),
        )
    )
