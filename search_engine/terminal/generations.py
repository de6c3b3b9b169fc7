"""Files that are replaced again and again, each with the one before it beside: strategy-before.safetensors.

Where the newest is damaged, the one before it is used; where that is too, nothing is, and the work starts anew.
"""

import contextlib
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from search_engine import checkpoints
from search_engine.errors import DamagedFile

T = TypeVar("T")


def before(path: Path) -> Path:
    """Where the file before this one is."""
    return path.with_name(f"{path.stem}-before{path.suffix}")


def replace(path: Path, content: bytes) -> None:
    """Write the newest. Where that fails, what was the newest still is; a crash in between leaves the one before."""
    was_there = path.exists()
    if was_there:
        os.replace(path, before(path))
    try:
        checkpoints.atomic_write(path, content)
    except OSError:
        if was_there and not path.exists():
            os.replace(before(path), path)
        raise


def newest(path: Path, read: Callable[[Path], T]) -> T | None:
    """What is read from the newest file that is whole; None where there is none. Damage is told on standard error."""
    damaged: list[Path] = []
    for each in (path, before(path)):
        if not each.exists():
            continue
        try:
            value = read(each)
        except DamagedFile:
            damaged.append(each)
            continue
        if damaged:
            _say(f"{path} is damaged: going on from the one before.")
            path.unlink()  # The next one must not push the one before away for it.
        return value
    if damaged:
        _say(f"{path} is damaged: starting anew from what else is known.")
    return None


def forget(path: Path) -> None:
    """Remove both."""
    for each in (path, before(path)):
        with contextlib.suppress(FileNotFoundError):
            each.unlink()


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr)
