"""From the paths of files to classes and parts: what the folders of a set of images mean. Pure.

Each class is a folder, with the images in it or below it. Folders around all classes are passed over. Where the
outermost folders are named train and test (or val), these parts are kept: with both val and test, val belongs to the
training images, because the held-out images are drawn from these anyway; with val alone, it is the test part.
"""

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

_PARTS = {
    "train": "train", "training": "train", "test": "test", "testing": "test",
    "val": "val", "valid": "val", "validation": "val",
}  # fmt: skip
_SYSTEM_FILES = frozenset({"thumbs.db", "desktop.ini"})

Part = Literal["", "train", "test"]  # "" where the test part is still to be drawn.


@dataclass(frozen=True, slots=True)
class Place:
    """Where an image belongs."""

    class_name: str
    part: Part


def is_of_the_system(path: str) -> bool:
    """Whether a program put it there unseen, such as .DS_Store: it is passed over."""
    steps = path.split("/")
    hidden = any(step.startswith(".") and step not in (".", "..") for step in steps)
    return hidden or steps[0] == "__MACOSX" or steps[-1].lower() in _SYSTEM_FILES


def places(paths: Sequence[str]) -> dict[str, Place | None]:
    """The place of every file by its path, "/" between folders; None for one that stands in no class folder."""
    steps = {path: tuple(unicodedata.normalize("NFC", path).split("/")) for path in paths}
    inner = _without_shared(steps.values())
    shortened = {path: each[inner:] for path, each in steps.items()}
    parts = _parts({each[0].lower() for each in shortened.values() if len(each) > 1})
    return {path: _place(each, parts) for path, each in shortened.items()}


def _without_shared(paths: Iterable[tuple[str, ...]]) -> int:
    """How many outer folders stand around all classes: a lone one with folders in it is no class, for a set has two."""
    inside = [each for each in paths if len(each) > 1]
    shared = 0
    while len({each[shared] for each in inside}) == 1 and any(len(each) > shared + 2 for each in inside):
        shared += 1
        inside = [each for each in inside if len(each) > shared + 1]
    return shared


def _parts(outermost: set[str]) -> dict[str, Part]:
    """Which part each outermost folder is; {} where they are classes."""
    kinds = {_PARTS.get(name) for name in outermost}
    if None in kinds or "train" not in kinds or len(kinds) < 2:
        return {}
    val: Part = "train" if "test" in kinds else "test"
    meant: dict[str | None, Part] = {"train": "train", "test": "test", "val": val}
    return {name: meant[_PARTS[name]] for name in outermost}


def _place(steps: tuple[str, ...], parts: dict[str, Part]) -> Place | None:
    if len(steps) < 2:
        return None
    if not parts:
        return Place(steps[0], "")
    part = parts.get(steps[0].lower())
    return Place(steps[1], part) if part and len(steps) > 2 else None
