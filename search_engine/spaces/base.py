"""What a search space is: a sequence of categorical decisions that decode to an architecture."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from search_engine.architectures.reading import Architecture


@dataclass(frozen=True, slots=True)
class Decision:
    """One categorical decision.

    name: for people, such as "normal 1 operation 2".
    family: decisions of one family choose from options of one meaning and share an embedding ("input", "operation",
        "combination").
    options: names of the options; a decision is the index of one of them.
    """

    name: str
    family: str
    options: tuple[str, ...]


class Space(ABC):
    """Decisions and what they decode to. `decode(encode(a))` is isomorphic to `a`; `encode(decode(d)) == d`."""

    decisions: tuple[Decision, ...]

    @abstractmethod
    def decode(self, decisions: Sequence[int]) -> Architecture:
        """The architecture of one index per decision. Raises ArchitectureError at an index out of range."""

    @abstractmethod
    def encode(self, architecture: Architecture) -> tuple[int, ...]:
        """The decisions that decode to it. Raises ArchitectureError where the space does not hold it."""
