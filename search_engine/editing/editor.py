"""Edits of architectures of any kind: the options of a part, one edit, and many from an architecture on."""

from collections.abc import Sequence
from dataclasses import dataclass

from search_engine.architectures.cells import CellArchitecture
from search_engine.architectures.macro import MacroArchitecture
from search_engine.architectures.nas_bench_201 import NasBench201Architecture
from search_engine.architectures.reading import Architecture
from search_engine.architectures.recurrent import RecurrentArchitecture
from search_engine.editing import cells, macro, nas_bench_201, recurrent
from search_engine.editing.edit import Edit, Menu, Refusal

MOST_EDITS = 200  # From one architecture on; more would not fit into an address.


@dataclass(frozen=True, slots=True)
class Replayed:
    """made: the edits that were made, in order. refusal: why the next one was not; None where all were."""

    architecture: Architecture
    made: tuple[Edit, ...]
    refusal: Refusal | None = None


def replayed(original: Architecture, edits: Sequence[Edit]) -> Replayed:
    """The edits one after the other, up to the first that is refused."""
    architecture = original
    for number, edit in enumerate(edits):
        if number == MOST_EDITS:
            refusal = Refusal(
                f"{MOST_EDITS} edits are as many as one address holds. Keep this one and go on from there."
            )
            return Replayed(architecture, tuple(edits[:number]), refusal)
        found = edited(architecture, edit)
        if isinstance(found, Refusal):
            return Replayed(architecture, tuple(edits[:number]), found)
        architecture = found
    return Replayed(architecture, tuple(edits))


def edited(architecture: Architecture, edit: Edit) -> Architecture | Refusal:
    """The architecture behind an edit, or why it is not made. What is chosen already is chosen again in vain."""
    found = menu(architecture, edit.place)
    options = found.options if found else ()
    option = next((option for option in options if option.choice == edit.choice), None)
    if option is None:
        return Refusal("There is no such place or choice in this architecture.")
    if option.refusal:
        return Refusal(option.refusal)
    match architecture:
        case CellArchitecture():
            return cells.edited(architecture, edit)
        case MacroArchitecture():
            return macro.edited(architecture, edit)
        case RecurrentArchitecture():
            return recurrent.edited(architecture, edit)
        case NasBench201Architecture():
            return nas_bench_201.edited(architecture, edit)


def menu(architecture: Architecture, place: str) -> Menu | None:
    """All that is thinkable at a place; None where there is no such place."""
    match architecture:
        case CellArchitecture():
            return cells.menu(architecture, place)
        case MacroArchitecture():
            return macro.menu(architecture, place)
        case RecurrentArchitecture():
            return recurrent.menu(architecture, place)
        case NasBench201Architecture():
            return nas_bench_201.menu(architecture, place)


def menus(architecture: Architecture, place: str) -> tuple[Menu, ...]:
    """What a part of the picture offers: its own place first, then what is changed together with it."""
    match architecture:
        case CellArchitecture():
            places = cells.beside(place)
        case MacroArchitecture():
            places = macro.beside(place)
        case RecurrentArchitecture():
            places = recurrent.beside(place)
        case NasBench201Architecture():
            places = (place,)
    found = (menu(architecture, each) for each in places)
    return tuple(each for each in found if each is not None)


def labels(architecture: Architecture) -> dict[str, str]:
    """What each part of the picture is, in words, by the place that it stands for."""
    match architecture:
        case CellArchitecture():
            return cells.labels(architecture)
        case MacroArchitecture():
            return macro.labels(architecture)
        case RecurrentArchitecture():
            return recurrent.labels(architecture)
        case NasBench201Architecture():
            return nas_bench_201.labels(architecture)
