"""The strings of whole numbers of ENAS (Pham et al. 2018): of its micro, its macro and its recurrent search.

Nothing in a string says which of these it is, so its length and its numbers decide. Where more than one fits, a first
line such as `recurrent:` chooses.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from search_engine.architectures.cells import CellArchitecture
from search_engine.architectures.macro import MacroArchitecture
from search_engine.architectures.reading import Architecture
from search_engine.architectures.recurrent import RecurrentArchitecture
from search_engine.errors import ArchitectureError
from search_engine.formats import enas_macro, enas_micro, enas_recurrent
from search_engine.formats.base import KINDS, CannotHold, Found


class _Form(NamedTuple):
    """One meaning of a string. fits: whether there are strings of this length."""

    name: str
    title: str
    fits: Callable[[int], bool]
    read: Callable[[list[int]], Found]


_FORMS = (  # In the order in which they are preferred where several fit.
    _Form("micro", "an ENAS micro string", enas_micro.fits, enas_micro.read),
    _Form("macro", "an ENAS macro string", enas_macro.fits, enas_macro.read_released),
    _Form(
        "recurrent", "an ENAS recurrent string as in the paper", enas_recurrent.fits_paper, enas_recurrent.read_paper
    ),
    _Form("enas_lm", "a recurrent string of enas_lm", enas_recurrent.fits_enas_lm, enas_recurrent.read_enas_lm),
)
_CHOSEN_ONLY = (  # Never recognised: the same numbers are a string of the released code too.
    _Form("macro-figure", "an ENAS macro string by the paper's figure", enas_macro.fits, enas_macro.read_figure),
)
_PREFIX = re.compile(r"\s*([a-z_-]{1,20}):")
_SHELL = re.compile(r"\$?\bfixed_arc\b=?")  # The released scripts put a string together in this variable.
_NUMBERS = re.compile(r"[\s\d,;\[\]()'\"]*", re.ASCII)
_LENGTHS = (
    "a micro string has 8 for every node of its two cells, a macro string k(k+1)/2 for k layers, a recurrent string "
    "of the paper an odd number and one of enas_lm an even number of them"
)


def is_meant(text: str) -> bool:
    prefix = _PREFIX.match(text)
    if prefix is not None and prefix[1] in {form.name for form in _FORMS + _CHOSEN_ONLY}:
        return True
    return re.search(r"\d", text) is not None and _NUMBERS.fullmatch(_SHELL.sub(" ", text)) is not None


def read(text: str) -> Found:
    """Raises ArchitectureError with the number that is wrong; numbers are counted from 1."""
    prefix = _PREFIX.match(text)
    if prefix is None:
        return _recognised(_numbers(text))
    for form in _FORMS + _CHOSEN_ONLY:
        if form.name == prefix[1]:
            numbers = _numbers(text[prefix.end() :])
            if not form.fits(len(numbers)):
                raise ArchitectureError("", f"{len(numbers)} numbers are not {form.title}: {_LENGTHS}.")
            return form.read(numbers)
    known = ", ".join(f"{form.name}:" for form in _FORMS + _CHOSEN_ONLY)
    raise ArchitectureError("", f"begins with {prefix[0].strip()!r}; an ENAS string can begin with {known}.")


def _numbers(text: str) -> list[int]:
    text = _SHELL.sub(" ", text)
    if _NUMBERS.fullmatch(text) is None:
        raise ArchitectureError("", "an ENAS string holds whole numbers and nothing else.")
    found = re.findall(r"\d+", text, re.ASCII)
    if longest := next((number for number in found if len(number) > 3), None):
        raise ArchitectureError("", f"{longest[:20]} is larger than any number in an ENAS string.")
    return [int(number) for number in found]


def _recognised(numbers: list[int]) -> Found:
    """The first meaning that fits; its remarks name the others and how to choose them."""
    fitting = [form for form in _FORMS if form.fits(len(numbers))]
    if not fitting:
        raise ArchitectureError("", f"{len(numbers)} numbers are no ENAS string: {_LENGTHS}.")
    readings: list[tuple[_Form, Found]] = []
    failures = []
    for form in fitting:
        try:
            readings.append((form, form.read(numbers)))
        except ArchitectureError as error:
            failures.append(f"as {form.title}, {error.message.rstrip('.')}")
    if not readings:
        if not (enas_micro.fits(len(numbers)) or enas_macro.fits(len(numbers))):
            failures.append(_LENGTHS)
        raise ArchitectureError("", f"{len(numbers)} numbers are no whole ENAS string: {'; '.join(failures)}.")
    (taken, found), *others = readings
    also = [
        f"These numbers are also {form.title}: begin the text with {form.name}: for that reading." for form, _ in others
    ]
    return Found(found.architecture, (f"The text is read as {taken.title}.", *found.remarks, *also))


def write(architecture: Architecture) -> str | CannotHold:
    """The numbers, with a first line that says what they are only where they would be taken for something else."""
    match architecture:
        case CellArchitecture():
            name, text = "micro", enas_micro.write(architecture)
        case MacroArchitecture():
            name, text = "macro", enas_macro.write(architecture)
        case RecurrentArchitecture():
            name, text = "recurrent", enas_recurrent.write(architecture)
        case _:
            kind = KINDS[architecture.kind]
            return CannotHold(f"ENAS has strings for cells, whole networks and recurrent cells; this is {kind}.")
    if isinstance(text, CannotHold):
        return text
    is_clear = _recognised(_numbers(text)).architecture.kind == architecture.kind
    return text if is_clear else f"{name}:\n{text}"
