"""A lock that each worker's process holds while it lives. The kernel releases it, whatever ends the process.

So a lock that can be taken belongs to a process that has ended, and nobody need wait for its leases to run out. Numbers
of processes would not tell: containers may share the name of a host, and each counts from 1. The files lie in a folder
of the kernel's present start, since only of locks that the same kernel holds is anything known for certain. Of a worker
on another machine, or on a file system without locks, nothing is known here: its leases decide.
"""

import contextlib
import fcntl
import itertools
import logging
import os
from collections.abc import Callable, Container
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

KERNEL_START = Path("/proc/sys/kernel/random/boot_id")  # Another number after each start; alike in all containers.

log = logging.getLogger(__name__)


class NameTaken(Exception):
    """A living process is called so already."""


@dataclass(frozen=True, slots=True)
class LifeLock:
    """A lock that is held until the process ends, or `release`. file: a descriptor that no program inherits."""

    path: Path
    file: int

    def release(self) -> None:
        """The process ends in order, and has nothing that anybody must take from it."""
        with contextlib.suppress(OSError):
            self.path.unlink(missing_ok=True)
        os.close(self.file)


def named(host: str, pid: int) -> tuple[str, LifeLock | None]:
    """A name that no living process has, and its lock; None where a lock would tell nothing."""
    for turn in itertools.count(1):
        name = f"{host}:{pid}" if turn == 1 else f"{host}:{pid}-{turn}"
        with contextlib.suppress(NameTaken):
            return name, hold(name)
    raise AssertionError("there is always another number")


def hold(worker: str) -> LifeLock | None:
    """Take this name while the process lives; None where a lock would tell nothing. Raises NameTaken."""
    folder = _folder()
    if folder is None:
        return None
    path = folder / worker
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = _taken(path, os.O_CREAT)
        if file is None:
            raise NameTaken(worker)
        if _is_respected(path):
            return LifeLock(path, file)
        LifeLock(path, file).release()
        reason = "the file system has no locks that keep anybody out"
    except OSError as error:
        reason = str(error)
    log.warning("Should %s be killed, its job will wait until its lease runs out: %s", worker, reason)
    return None


def is_held(worker: str) -> bool:
    """Whether a process of this name is known to live."""
    folder = _folder()
    if folder is None:
        return False
    try:
        file = _taken(folder / worker)
    except OSError:
        return False
    if file is not None:
        os.close(file)
    return file is None


def for_each_dead(act: Callable[[str], object]) -> list[str]:
    """Call this with each worker whose process has ended, whose name nobody can take meanwhile; which they were.

    Afterwards it is forgotten. Where `act` raises it is not, and will be found again.
    """
    folder, found = _folder(), []
    for path in sorted(folder.iterdir()) if folder is not None and folder.is_dir() else []:
        file = None
        with contextlib.suppress(OSError):
            file = _taken(path)
        if file is None:
            continue
        try:
            act(path.name)
            path.unlink(missing_ok=True)
        finally:
            os.close(file)
        found.append(path.name)
    return found


def forget_other_starts(known: Container[str]) -> None:
    """Remove files of other machines, and of this one before it was started anew, unless such a worker is known."""
    here, everywhere = _folder(), _everywhere()
    for folder in sorted(everywhere.iterdir()) if everywhere.is_dir() else []:
        if folder == here:
            continue
        with contextlib.suppress(OSError):
            for path in folder.iterdir():
                if path.name not in known:
                    path.unlink(missing_ok=True)
            folder.rmdir()  # Refused while there is anything in it.


def _everywhere() -> Path:
    return Path(settings.DATA_FOLDER) / "alive"


def _folder() -> Path | None:
    """Of the locks that this kernel holds; None on a system that does not number its starts."""
    try:
        start = KERNEL_START.read_text().strip()
    except OSError:
        return None
    return _everywhere() / start if start else None


def _taken(path: Path, flags: int = 0) -> int | None:
    """The file, opened and locked by us; None while a living process holds it. Raises OSError."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_CLOEXEC | flags)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(path, file):
                return file
        except BlockingIOError:
            os.close(file)
            return None
        except OSError:
            os.close(file)
            raise
        os.close(file)  # Between opening and locking, whoever found its process dead removed it.


def _is_at(path: Path, file: int) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _is_respected(path: Path) -> bool:
    """Whether the lock that we hold keeps a second one out. Some file systems grant every lock."""
    file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(file)
    return False
