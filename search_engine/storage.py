"""The few calls by which files are written that somebody goes on from, and what it means when a disk refuses them.

Tests put what shall fail in the place of `before`, which is called with each write, fsync and rename.
"""

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

_SENTENCES = {
    errno.ENOSPC: "The disk is full.",
    errno.EDQUOT: "The disk quota is used up.",
    errno.EFBIG: "A file would be larger than the system allows.",
    errno.EIO: "The disk could not write or read a file.",
    errno.EROFS: "The disk can only be read.",
}


def _nothing(call: str, path: Path) -> None:
    """Nothing fails."""


before: Callable[[str, Path], None] = _nothing  # call: "write", "fsync" or "rename"; raises OSError in its place.


def storage_sentence(error: BaseException | None) -> str | None:
    """What is wrong with the disk, if that is what this error, or one that caused it, says."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in _SENTENCES:
            return _SENTENCES[error.errno]
        error = error.__cause__
    return None


def write(file: BinaryIO, content: bytes) -> None:
    """Write it all and hand it to the system."""
    before("write", Path(file.name))
    file.write(content)
    file.flush()


def sync(descriptor: int, path: Path) -> None:
    """Once this returns, a loss of power does not take it: of a file its content, of a folder its names."""
    before("fsync", path)
    os.fsync(descriptor)


def sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        sync(descriptor, folder)
    finally:
        os.close(descriptor)


def rename(source: Path, target: Path) -> None:
    """Give a file its name, over an older one at once."""
    before("rename", target)
    os.replace(source, target)
