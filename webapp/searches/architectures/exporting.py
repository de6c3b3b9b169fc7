"""An architecture in every dialect that can hold it, and why not in the others."""

from dataclasses import dataclass

from search_engine.architectures.reading import Architecture
from search_engine.formats.dialects import DIALECTS, CannotHold, Dialect, write


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """One line of a page's exports. sentence: why the dialect cannot hold it; "" where it can."""

    dialect: Dialect
    sentence: str


def exports_of(architecture: Architecture) -> list[Export]:
    """All dialects in their order."""
    written = [(dialect, write(architecture, dialect.name)) for dialect in DIALECTS]
    return [
        Export(dialect=dialect, sentence=text.sentence if isinstance(text, CannotHold) else "")
        for dialect, text in written
    ]
