"""A user's own text: kept in a folder under its SHA-256, so that a training always reads what it began with."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

from search_engine.checkpoints import atomic_write
from search_engine.errors import DataError

PARTS = ("train", "valid", "test")


def keep_own_text(path: Path, folder: Path) -> str:
    """Copy a file, or the parts of a folder, to where texts are kept; returns the SHA-256 that names the text.

    path: one file, or a folder with one file each whose name says train, valid and test; the Penn Treebank's files are
    such. Raises DataError where it is neither, holds nothing or is not UTF-8.
    """
    return keep_contents([(str(file), file.read_bytes()) for file in _files(path)], folder)


def keep_contents(files: Sequence[tuple[str, bytes]], folder: Path) -> str:
    """The same for what was read already. files: names for sentences, and contents; one, or train, valid and test."""
    for said, content in files:
        decoded(content, said)
    name = name_of([hashlib.sha256(content).hexdigest() for _, content in files])
    target = place_of_text(name, folder)
    target.mkdir(parents=True, exist_ok=True)
    for file_name, (_, content) in zip(file_names(len(files)), files, strict=True):
        atomic_write(target / file_name, content)
    return name


def read_own_text(name: str, folder: Path) -> tuple[str, ...]:
    """The one file, or the three parts, of a text that was kept. Raises DataError where it is not there or changed."""
    try:
        contents = [path.read_bytes() for path in kept_files(name, folder)]
    except OSError as error:
        raise DataError("data.own", f"{name[:12]} is not among the texts in {folder / 'texts'}.") from error
    if name_of([hashlib.sha256(content).hexdigest() for content in contents]) != name:
        raise DataError("data.own", f"{name[:12]} was changed: its content no longer has that SHA-256.")
    return tuple(decoded(content, name[:12]) for content in contents)


def kept_files(name: str, folder: Path) -> list[Path]:
    """Where the files of a text lie, or would."""
    target = place_of_text(name, folder)
    count = 3 if (target / file_names(3)[0]).is_file() else 1
    return [target / file_name for file_name in file_names(count)]


def place_of_text(name: str, folder: Path) -> Path:
    """The folder of a text. folder: of all data."""
    return folder / "texts" / name


def file_names(count: int) -> list[str]:
    """As the files of a text are called where it is kept: one, or three."""
    return ["text.txt"] if count == 1 else [f"{part}.txt" for part in PARTS]


def name_of(digests: Sequence[str]) -> str:
    """The SHA-256 that names a text: of the file; of three, of their hexadecimal digests joined in order."""
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def parts_by_name(names: Sequence[str]) -> list[str]:
    """Which part each of three files is, by the word in its name.

    Raises DataError where a part has no file, or several.
    """
    for part in PARTS:
        if (found := sum(part in name.lower() for name in names)) != 1:
            raise DataError("files", f"have {found} names with the word {part}; must have one.")
    return [next(part for part in PARTS if part in name.lower()) for name in names]


def decoded(content: bytes, name: str) -> str:
    """The text in a file, without a mark of its byte order. Raises DataError where there is none in UTF-8."""
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise DataError("data.name", f"{name} is not UTF-8 text: byte {error.start} cannot be read.") from error
    if not text.strip():
        raise DataError("data.name", f"{name} is empty.")
    return text


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return [_part(path, part) for part in PARTS]
    if not path.is_file():
        raise DataError("data.name", f"{path} is neither a text of this program nor a file or folder.")
    return [path]


def _part(folder: Path, part: str) -> Path:
    exact = folder / f"{part}.txt"
    found = [exact] if exact.is_file() else sorted(file for file in folder.glob(f"*{part}*") if file.is_file())
    if len(found) != 1:
        raise DataError("data.name", f"{folder} has {len(found)} files named after {part}; must have one: {part}.txt.")
    return found[0]
