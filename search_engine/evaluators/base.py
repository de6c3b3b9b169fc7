"""What an evaluator is: it turns a proposal into an evaluation, and reports its progress as events."""

from abc import ABC, abstractmethod
from collections.abc import Generator

from search_engine.events import Event
from search_engine.strategies.base import Evaluation, Proposal, Strategy


class Evaluator(ABC):
    """Gives architectures their rewards. Expected failures are evaluations, never exceptions."""

    @abstractmethod
    def prepare(self, strategy: Strategy) -> Generator[Event, None, None]:
        """What must happen before a step: weight sharing trains its shared weights here; others yield nothing."""

    @abstractmethod
    def evaluate(self, proposal: Proposal) -> Generator[Event, None, Evaluation]:
        """Yield progress (EpochEnded) and return the evaluation.

        The same proposal gives the same reward, to the last bit, on the same device kind and numerics version,
        whatever ran before it in this process.
        """
