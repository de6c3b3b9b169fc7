"""The words of an edit. A place is the path of a value in an architecture's JSON form, as normal.blocks.2.inputs.0.

Where a place holds a set (what leaves a cell, what a layer joins), choosing an entry puts it in or takes it out.
"""

from dataclasses import dataclass

ADD, REMOVE = "add", "remove"  # What is chosen where a block comes or goes.


@dataclass(frozen=True, slots=True)
class Edit:
    """choice: one of the choices at this place, as its option writes it."""

    place: str
    choice: str


@dataclass(frozen=True, slots=True)
class Option:
    """What may stand at a place. refusal: a sentence why it may not; "" where it may."""

    choice: str
    title: str
    is_chosen: bool = False
    refusal: str = ""


@dataclass(frozen=True, slots=True)
class Menu:
    """All that is thinkable at a place. takes_several: entries go in and out; else one of them stands there.

    is_command: nothing stands there: the options are things to do. note: a sentence about what is left out, or "".
    """

    place: str
    title: str
    options: tuple[Option, ...]
    takes_several: bool = False
    is_command: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an edit is not made, in one sentence."""

    sentence: str


def one_of(choices: tuple[str, ...], chosen: str, titles: dict[str, str] | None = None) -> tuple[Option, ...]:
    """Options of which all may stand there. titles: of choices that are called otherwise than they are written."""
    return tuple(Option(choice, (titles or {}).get(choice, choice), choice == chosen) for choice in choices)


def number_at(parts: list[str], index: int) -> int | None:
    """The number that stands there in a place that was split at its dots; None where there is none."""
    text = parts[index] if index < len(parts) else ""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else None


def leaving(before: tuple[int, ...], loose_before: tuple[int, ...], loose: tuple[int, ...]) -> tuple[int, ...]:
    """What leaves a cell behind an edit, rising.

    Where exactly the loose ends left (NASNet, section 3), they still do; else all that left stays, with the new ones.
    """
    is_strict = set(before) == set(loose_before)
    return loose if is_strict else tuple(sorted({*before, *loose}))
