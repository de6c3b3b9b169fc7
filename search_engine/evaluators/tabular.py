"""Rewards out of a table of networks that somebody trained before: a search of a thousand children takes a second."""

from collections.abc import Generator

from search_engine.evaluators.base import Evaluator
from search_engine.evaluators.benchmark_table import BenchmarkTable
from search_engine.events import Event
from search_engine.strategies.base import Evaluation, Proposal, Strategy

NOT_MEASURED = "not in the table"


class TabularEvaluator(Evaluator):
    """Looks up the accuracy after a short training. What a network is worth in the end, nobody who searches sees.

    What the table does not hold has no reward, and a strategy learns nothing from it: nobody knows whether it is bad.
    The table knows neither parameters nor times, so an evaluation has none.
    """

    def __init__(self, table: BenchmarkTable) -> None:
        self._table = table

    def prepare(self, strategy: Strategy) -> Generator[Event, None, None]:
        yield from ()

    def evaluate(self, proposal: Proposal) -> Generator[Event, None, Evaluation]:
        yield from ()
        entry = self._table.find(proposal.architecture)
        if entry is None:
            return Evaluation(proposal.step, proposal.slot, None, NOT_MEASURED)
        return Evaluation(proposal.step, proposal.slot, entry.reward, accuracy=entry.reward)
