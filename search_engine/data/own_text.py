"""A user's own text: kept in a folder under its SHA-256, so that a training always reads what it began with."""

import hashlib
from pathlib import Path

from search_engine.checkpoints import atomic_write
from search_engine.errors import DataError

_PARTS = ("train", "valid", "test")


def keep_own_text(path: Path, folder: Path) -> str:
    """Copy a file, or the parts of a folder, to where texts are kept; returns the SHA-256 that names the text.

    path: one file, or a folder with one file each whose name says train, valid and test; the Penn Treebank's files are
    such. Raises DataError where it is neither, holds nothing or is not UTF-8.
    """
    files = _files(path)
    contents = [file.read_bytes() for file in files]
    for file, content in zip(files, contents, strict=True):
        _decoded(content, str(file))
    name = _digest(contents)
    target = folder / "texts" / name
    target.mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(contents):
        atomic_write(target / _file_name(number, len(contents)), content)
    return name


def read_own_text(name: str, folder: Path) -> tuple[str, ...]:
    """The one file, or the three parts, of a text that was kept. Raises DataError where it is not there or changed."""
    target = folder / "texts" / name
    count = 3 if (target / _file_name(0, 3)).is_file() else 1
    try:
        contents = [(target / _file_name(number, count)).read_bytes() for number in range(count)]
    except OSError as error:
        raise DataError("data.own", f"{name[:12]} is not among the texts in {folder / 'texts'}.") from error
    if _digest(contents) != name:
        raise DataError("data.own", f"{name[:12]} was changed: its content no longer has that SHA-256.")
    return tuple(_decoded(content, name[:12]) for content in contents)


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return [_part(path, part) for part in _PARTS]
    if not path.is_file():
        raise DataError("data.name", f"{path} is neither a text of this program nor a file or folder.")
    return [path]


def _part(folder: Path, part: str) -> Path:
    exact = folder / f"{part}.txt"
    found = [exact] if exact.is_file() else sorted(file for file in folder.glob(f"*{part}*") if file.is_file())
    if len(found) != 1:
        raise DataError("data.name", f"{folder} has {len(found)} files named after {part}; must have one: {part}.txt.")
    return found[0]


def _decoded(content: bytes, name: str) -> str:
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        raise DataError("data.name", f"{name} is not UTF-8 text: byte {error.start} cannot be read.") from error
    if not text.strip():
        raise DataError("data.name", f"{name} is empty.")
    return text


def _digest(contents: list[bytes]) -> str:
    """Of the file; of three, of their hexadecimal digests joined in order."""
    digests = [hashlib.sha256(content).hexdigest() for content in contents]
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def _file_name(number: int, count: int) -> str:
    return "text.txt" if count == 1 else f"{_PARTS[number]}.txt"
