"""Every dialect that architectures are read from and written in, and how a text is recognised."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from search_engine.architectures.reading import Architecture
from search_engine.errors import ArchitectureError
from search_engine.formats import darts, enas, nas_bench_201, nni, own_json
from search_engine.formats.base import CannotHold, Found

LONGEST_TEXT = 100_000  # Characters; the longest architecture is far below.
_LONGEST_SENTENCE = 400  # A sentence that quotes what it refuses stays one that a person reads.


@dataclass(frozen=True, slots=True)
class Dialect:
    """One way to write architectures. filename, media_type: of a file that holds one."""

    name: str
    title: str
    filename: str
    media_type: str


class _Speaker(NamedTuple):
    """What knows a dialect. is_meant: whether a text, stripped of spaces at its ends, is written in it."""

    dialect: Dialect
    is_meant: Callable[[str], bool]
    read: Callable[[str], Found]
    write: Callable[[Architecture], str | CannotHold]


_TEXT = "text/plain; charset=utf-8"
_JSON = "application/json"
_OWN = Dialect("json", "our JSON", "architecture.json", _JSON)
_DARTS = Dialect("darts", "a Genotype of DARTS", "darts.txt", _TEXT)
_ENAS = Dialect("enas", "a string of ENAS", "enas.txt", _TEXT)
_NNI = Dialect("nni", "a dictionary of NNI 3", "nni.json", _JSON)
_NAS_BENCH_201 = Dialect("nasbench201", "a string of NAS-Bench-201", "nas-bench-201.txt", _TEXT)

_SPEAKERS = (  # In the order in which they are asked whether a text is theirs.
    _Speaker(_NNI, lambda text: text.startswith("{") and nni.is_meant(text), nni.read, nni.write),
    _Speaker(_OWN, lambda text: text.startswith("{"), own_json.read, own_json.write),
    _Speaker(_DARTS, lambda text: "Genotype" in text, darts.read, darts.write),
    _Speaker(_NAS_BENCH_201, lambda text: text.startswith("|"), nas_bench_201.read, nas_bench_201.write),
    _Speaker(_ENAS, enas.is_meant, enas.read, enas.write),
)
DIALECTS = (_OWN, _DARTS, _ENAS, _NNI, _NAS_BENCH_201)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says. dialect: the name of its dialect; remarks: sentences on what was assumed."""

    architecture: Architecture
    dialect: str
    remarks: tuple[str, ...]


def dialect(name: str) -> Dialect:
    """Raises ArchitectureError where there is no such dialect."""
    return _speaker(name).dialect


def read(text: str, dialect_name: str | None = None) -> Reading:
    """The architecture that a text holds, in a dialect or, without one, in the dialect that the text shows.

    Raises ArchitectureError with one sentence.
    """
    if len(text) > LONGEST_TEXT:
        raise ArchitectureError("", f"the text has {len(text):,} characters; it can have {LONGEST_TEXT:,}.")
    if not text.strip():
        raise ArchitectureError("", "the text is empty.")
    text = text.removeprefix("\ufeff").replace("\u00a0", " ")  # What editors and web pages add unseen.
    speaker = _recognised(text.strip()) if dialect_name is None else _speaker(dialect_name)
    try:
        found = speaker.read(text)
    except ArchitectureError as error:
        if len(error.message) <= _LONGEST_SENTENCE:
            raise
        raise ArchitectureError(error.field[:100], error.message[:_LONGEST_SENTENCE] + " ...") from error
    return Reading(found.architecture, speaker.dialect.name, found.remarks)


def write(architecture: Architecture, dialect_name: str) -> str | CannotHold:
    """The text of an architecture in a dialect, or why the dialect cannot hold it.

    Raises ArchitectureError where there is no such dialect.
    """
    return _speaker(dialect_name).write(architecture)


def _speaker(name: str) -> _Speaker:
    for speaker in _SPEAKERS:
        if speaker.dialect.name == name:
            return speaker
    known = ", ".join(each.name for each in DIALECTS)
    raise ArchitectureError("dialect", f"{name!r} is unknown; must be one of {known}.")


def _recognised(text: str) -> _Speaker:
    for speaker in _SPEAKERS:
        if speaker.is_meant(text):
            return speaker
    known = ", ".join(each.title for each in DIALECTS)
    raise ArchitectureError("", f"the text is nothing that is understood here, which is {known}.")
