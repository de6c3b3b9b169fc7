"""A user's own images: read from a folder or a zip with one folder per class, and kept as one file. No PyTorch.

Every image is decoded and encoded again, see one_image; the test part is the one that the folders name, or drawn once,
see own_split. From a folder, everything must be right; from an archive, what is wrong is left out and reported.
"""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from search_engine.data.archive import Archive, Limits, shown
from search_engine.data.class_folders import Place, is_of_the_system, places
from search_engine.data.one_image import Unfit, picture_of
from search_engine.data.own_set import SetRecord, digest_of, place_of_own, write_set
from search_engine.data.own_split import SEED, SHARE, Member, draw_test
from search_engine.errors import DataError

MOST_CLASSES = 1000
FEWEST_PER_CLASS = 2  # One to train on and one for the test.
_LONGEST_TITLE = 80

Progress = Callable[[int, int], None]  # Files looked at, of how many.


class Files(Protocol):
    """Files by their path below a folder, "/" between folders."""

    refused: list[tuple[str, str]]

    def __iter__(self) -> Any: ...

    def read(self, name: str) -> bytes: ...


class Folder:
    """The files of a folder and the folders in it. Links are followed: it is the user's own machine."""

    def __init__(self, path: Path, limits: Limits | None = None) -> None:
        """Raises DataError where there is no such folder."""
        if not path.is_dir():
            raise DataError("data.name", f"{path} is no folder.")
        self.refused: list[tuple[str, str]] = []
        self._path = path
        self._most = (limits or Limits()).entry_bytes

    def __iter__(self) -> Any:
        found = [each for each in self._path.rglob("*") if each.is_file()]
        names = (each.relative_to(self._path).as_posix() for each in found)
        return iter(sorted(name for name in names if not is_of_the_system(name)))

    def empty_folders(self) -> list[str]:
        """Folders in which and below which there is no file, by their names."""
        folders = [each for each in self._path.rglob("*") if each.is_dir()]
        inside = [each.relative_to(self._path).as_posix() for each in folders]
        return sorted(name for name in inside if not is_of_the_system(name) and not any((self._path / name).iterdir()))

    def read(self, name: str) -> bytes:
        path = self._path / name
        if (size := path.stat().st_size) > self._most:
            raise Unfit(f"has {size / 1e6:,.0f} MB; at most {self._most / 1e6:,.0f} MB")
        return path.read_bytes()


@dataclass(slots=True)
class Taken:
    """The images that were taken, in the order of their paths; `pictures` has their encoded bytes."""

    pictures: Path
    members: list[Member] = field(default_factory=list)
    given_parts: list[str] = field(default_factory=list)
    offsets: list[int] = field(default_factory=lambda: [0])
    sides: list[int] = field(default_factory=list)
    are_grey: bool = True
    classes: tuple[str, ...] = ()


def keep_own_images(path: Path, folder: Path) -> str:
    """Read a folder, or a zip, with one folder per class; returns the name under which it is kept in `folder`.

    Raises DataError for the first thing that is wrong, with the name of the file.
    """
    is_folder = path.is_dir()
    if not is_folder and not path.is_file():
        raise DataError("data.name", f"{path} is neither a data set of this program nor a folder or zip of images.")
    kept = folder / "own-images"
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=kept, prefix=".draft-") as draft:
        files = Folder(path) if is_folder else _archive(path)
        if isinstance(files, Folder) and (empty := files.empty_folders()):
            raise DataError("data.name", f"{path / empty[0]} has no images; a class needs {FEWEST_PER_CLASS}.")
        target = Path(draft) / "set"
        take_set(files, target, title=path.resolve().stem, came_from=path.name)
        if files.refused:
            name, reason = files.refused[0]
            raise DataError("data.name", f"{path / name} {reason}.")
        sha256 = digest_of(target)
        os.replace(target, place_of_own(sha256, folder))
    return f"own-{sha256}"


def _archive(path: Path) -> Archive:
    try:
        return Archive(path)
    except DataError as error:
        raise DataError("data.name", f"{path} {error.message}") from error


def take_set(files: Files, target: Path, *, title: str, came_from: str, on_file: Progress | None = None) -> SetRecord:
    """Write the file of a set from all files that are fit; what is not is added to `files.refused`.

    Raises DataError where what is left is no set: fewer than two classes, too few images of one.
    """
    pictures = target.with_name(f"{target.name}.pictures")
    try:
        taken = _take(files, pictures, on_file or (lambda done, of: None))
        train, test, split = _parts(taken)
        record = SetRecord(
            title=title[:_LONGEST_TITLE],
            channels=1 if taken.are_grey else 3,
            sides=_three(taken.sides),
            classes=taken.classes,
            train_counts=_counts(taken, train),
            test_counts=_counts(taken, test),
            split=split,
            came_from=shown(came_from),
        )
        _check(record)
        labels = [member.label for member in taken.members]
        write_set(target, record, pictures=pictures, offsets=taken.offsets, labels=labels, train=train, test=test)
    finally:
        pictures.unlink(missing_ok=True)
    return record


def _take(files: Files, pictures: Path, on_file: Progress) -> Taken:
    names = list(files)
    where = places(names)
    taken = Taken(pictures, classes=_classes(where.values()))
    label_of = {name: label for label, name in enumerate(taken.classes)}
    with pictures.open("wb") as out:
        for number, name in enumerate(names):
            on_file(number, len(names))
            place = where[name]
            try:
                if place is None:
                    raise Unfit("stands in no class folder")
                content = files.read(name)
                picture = picture_of(content)
            except Unfit as unfit:
                files.refused.append((name, str(unfit)))
                continue
            assert place is not None
            out.write(picture.encoded)
            taken.members.append(Member(label_of[place.class_name], hashlib.sha256(content).hexdigest(), name))
            taken.given_parts.append(place.part)
            taken.offsets.append(out.tell())
            taken.sides.append(picture.side)
            taken.are_grey = taken.are_grey and picture.is_grey
    on_file(len(names), len(names))
    return taken


def _classes(where: Iterable[Place | None]) -> tuple[str, ...]:
    """Sorted. Raises DataError where there are too few or too many."""
    found = tuple(sorted({place.class_name for place in where if place is not None}))
    if len(found) < 2:
        only = f"only {found[0]!r}" if found else "none"
        raise DataError("data.name", f"needs two classes at least, each a folder with its images; found {only}.")
    if len(found) > MOST_CLASSES:
        raise DataError("data.name", f"has {len(found):,} class folders; at most {MOST_CLASSES:,}.")
    return found


def _parts(taken: Taken) -> tuple[list[int], list[int], dict[str, Any]]:
    """Indices of train and test, and how they came to be."""
    if any(taken.given_parts):
        test = [index for index, part in enumerate(taken.given_parts) if part == "test"]
        split: dict[str, Any] = {"kind": "kept"}
    else:
        test = draw_test(taken.members)
        split = {"kind": "drawn", "seed": SEED, "share": SHARE}
    apart = set(test)
    return [index for index in range(len(taken.members)) if index not in apart], test, split


def _counts(taken: Taken, indices: list[int]) -> tuple[int, ...]:
    counts = [0] * len(taken.classes)
    for index in indices:
        counts[taken.members[index].label] += 1
    return tuple(counts)


def _three(sides: list[int]) -> tuple[int, int, int]:
    ordered = sorted(sides) or [0]
    return ordered[0], ordered[len(ordered) // 2], ordered[-1]


def _check(record: SetRecord) -> None:
    for name, train, test in zip(record.classes, record.train_counts, record.test_counts, strict=True):
        if train + test == 0:
            raise DataError("data.name", f"has no image that can be used in class {shown(name)!r}.")
        if train == 0 or (record.split["kind"] == "drawn" and train + test < FEWEST_PER_CLASS):
            there = "no training image" if train == 0 else "one image"
            raise DataError("data.name", f"has {there} of class {shown(name)!r}; a class needs {FEWEST_PER_CLASS}.")
    if not sum(record.test_counts):
        raise DataError("data.name", "has no test image that can be used.")
