"""What a search space is: a sequence of categorical decisions that decode to an architecture."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from search_engine.architectures.reading import Architecture
from search_engine.errors import ArchitectureError


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


def must_be_options(chosen: Sequence[int], decisions: Sequence[Decision]) -> None:
    """Raises ArchitectureError unless there is one index per decision, and each is that of an option."""
    if len(chosen) != len(decisions):
        raise ArchitectureError("decisions", f"has {len(chosen)} entries; must have {len(decisions)}.")
    for place, (index, decision) in enumerate(zip(chosen, decisions, strict=True)):
        if type(index) is not int or not 0 <= index < len(decision.options):
            raise ArchitectureError(
                f"decisions.{place}",
                f"is {index!r}; must be a whole number from 0 to {len(decision.options) - 1} ({decision.name}).",
            )


def index_of(name: str, options: tuple[str, ...], field: str) -> int:
    """Where the options have a name. Raises ArchitectureError at the field that holds it."""
    if name not in options:
        raise ArchitectureError(field, f"{name!r} is not in this space; it holds {', '.join(options)}.")
    return options.index(name)
