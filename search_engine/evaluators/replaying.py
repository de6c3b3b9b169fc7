"""Children that were finished before an interruption are not trained again: their events are given out once more."""

from collections.abc import Generator, Iterable

from search_engine.evaluators.base import Evaluator
from search_engine.events import ChildFinished, EpochEnded, Event
from search_engine.strategies.base import Evaluation, Proposal, Strategy


class Replaying(Evaluator):
    """Evaluates by another evaluator, unless the events of that evaluation are known already.

    past: events in their order, as a log kept them; those of children without a verdict are ignored.
    """

    def __init__(self, evaluator: Evaluator, past: Iterable[Event]) -> None:
        self._evaluator = evaluator
        self._epochs: dict[tuple[int | None, int | None], list[EpochEnded]] = {}
        self._verdicts: dict[tuple[int, int], ChildFinished] = {}
        for event in past:
            if isinstance(event, EpochEnded):
                self._epochs.setdefault((event.step, event.slot), []).append(event)
            elif isinstance(event, ChildFinished):
                self._verdicts[event.step, event.slot] = event

    def prepare(self, strategy: Strategy) -> Generator[Event, None, None]:
        yield from self._evaluator.prepare(strategy)

    def evaluate(self, proposal: Proposal) -> Generator[Event, None, Evaluation]:
        verdict = self._verdicts.get((proposal.step, proposal.slot))
        if verdict is None:
            return (yield from self._evaluator.evaluate(proposal))
        yield from self._epochs.get((proposal.step, proposal.slot), [])
        return evaluation_of(verdict)


def evaluation_of(event: ChildFinished) -> Evaluation:
    """The verdict that an event shows."""
    told = event.model_dump(exclude={"kind", "version", "latency", "perplexity"})  # A search on text has no such child.
    return Evaluation(**told, latency=event.latency)
