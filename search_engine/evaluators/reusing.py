"""Twins copy rewards instead of being trained again, by the rule of schedule.twin_of."""

from collections.abc import Generator

from search_engine.evaluators.base import Evaluator
from search_engine.events import Event
from search_engine.schedule import Known, KnownChild, twin_of
from search_engine.strategies.base import Evaluation, Proposal, Strategy


class Reusing(Evaluator):
    """Evaluates by another evaluator, or copies the reward of an isomorphic child that was measured before."""

    def __init__(self, evaluator: Evaluator, *, lookahead: int) -> None:
        self._evaluator = evaluator
        self._lookahead = lookahead
        self._children: dict[int, dict[int, KnownChild]] = {}
        self._evaluations: dict[tuple[int, int], Evaluation] = {}

    def remember(self, architecture_hash: str, evaluation: Evaluation) -> None:
        """Note a verdict, in the order of (step, slot); a resumed search calls this for every child it already has."""
        known = KnownChild(
            architecture_hash,
            is_final=True,
            is_measured=evaluation.reward is not None and evaluation.reason is None and evaluation.twin is None,
        )
        self._children.setdefault(evaluation.step, {})[evaluation.slot] = known
        self._evaluations[evaluation.step, evaluation.slot] = evaluation

    def prepare(self, strategy: Strategy) -> Generator[Event, None, None]:
        yield from self._evaluator.prepare(strategy)

    def evaluate(self, proposal: Proposal) -> Generator[Event, None, Evaluation]:
        architecture_hash = proposal.architecture.hash
        twin = twin_of(self._known_with(proposal, architecture_hash), proposal.step, proposal.slot)
        if twin is None:
            evaluation = yield from self._evaluator.evaluate(proposal)
        else:
            evaluation = copied(self._evaluations[twin], proposal.step, proposal.slot)
        self.remember(architecture_hash, evaluation)
        return evaluation

    def _known_with(self, proposal: Proposal, architecture_hash: str) -> Known:
        siblings = self._children.get(proposal.step, {}) | {proposal.slot: KnownChild(architecture_hash)}
        children = self._children | {proposal.step: siblings}
        return Known(steps_told=proposal.step, steps=proposal.step + 1, lookahead=self._lookahead, reuse=True,
                     children=children)  # fmt: skip


def copied(original: Evaluation, step: int, slot: int) -> Evaluation:
    """The evaluation of a child that copies its twin's reward."""
    return Evaluation(
        step=step,
        slot=slot,
        reward=original.reward,
        twin=(original.step, original.slot),
        parameters=original.parameters,
        mult_adds=original.mult_adds,
        accuracy=original.accuracy,
        latency=original.latency,
    )
