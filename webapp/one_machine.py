"""SQLite, and a broker behind a socket of the file system, serve one machine: what runs elsewhere is refused.

What makes a machine is its running kernel, which all its containers share and whose locks and memory SQLite relies on.
Names tell nothing: containers of one machine have different ones, and those of two machines may have the same. So a
file beside the database holds the number of the kernel's start. Whoever lives there holds a lock of it and touches it
every few seconds; after a start of the machine, or when the folder has moved, nobody does, and it is taken over.
"""

import contextlib
import fcntl
import logging
import os
import socket
import threading
import time
from pathlib import Path
from typing import IO

from django.conf import settings
from django.db import connections

KERNEL_START = Path("/proc/sys/kernel/random/boot_id")
TOUCH_SECONDS = 5.0
WATCH_SECONDS = 12.0  # Without a lock that tells, so long is looked whether somebody touches the file.
SOCKET_SECONDS = 5.0  # A broker that is just being started may come so late.
WHAT_TO_SET = (
    "Set DATABASE_URL to a PostgreSQL (postgresql://user:password@host:5432/name) and REDIS_URL to redis://host:6379/0 "
    "on every machine."
)

_NEW = (0, 0)
_held: IO[str] | None = None  # Until this process ends.

log = logging.getLogger(__name__)


class NotHere(Exception):
    """Why this process must not run on this machine: a sentence, and what to set."""


def hold(*, moves_here: bool = False) -> None:
    """Note that the database is this machine's, where it can be of one alone, until this process ends. Raises NotHere.

    moves_here: whoever calls this starts the whole program, so a folder that came from elsewhere is this machine's now.
    """
    global _held
    _check_socket()
    database = _sqlite_file()
    if database is None or _held is not None:
        return
    if not moves_here and not database.exists():
        raise NotHere(
            f"There is no database {database}: the one of `manage.py up` is on its own machine. {WHAT_TO_SET}"
        )
    _held = _taken(database.with_name(f"{database.name}.machine"), moves_here)
    threading.Thread(target=_touch, args=(_held,), name="one machine", daemon=True).start()


def _check_socket() -> None:
    if not settings.REDIS_URL.startswith("unix://"):
        return
    path, until = Path(settings.REDIS_URL.removeprefix("unix://").partition("?")[0]), time.monotonic() + SOCKET_SECONDS
    while not path.is_socket():
        if time.monotonic() > until:
            raise NotHere(f"REDIS_URL names the socket {path}, which is not on this machine. {WHAT_TO_SET}")
        time.sleep(0.05)


def _sqlite_file() -> Path | None:
    """None for a database that any machine can reach, and for one in memory."""
    database = connections["default"].settings_dict
    name = str(database["NAME"])
    return Path(name) if "sqlite" in str(database["ENGINE"]) and os.path.isabs(name) else None


def _taken(path: Path, moves_here: bool) -> IO[str]:
    """The file, with our number in it and locked by us, beside others of this machine."""
    with contextlib.ExitStack() as unless_agreed:
        file = unless_agreed.enter_context(open(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+"))
        number, _, name = file.read().partition("\n")
        if number != _number():
            if _is_another_at_it(path, file, moves_here and name == socket.gethostname()):
                database = path.with_suffix("")
                raise NotHere(
                    f"The database {database} is SQLite, which serves one machine, and {name} is at it. {WHAT_TO_SET}"
                )
            file.seek(0)
            file.truncate()
            file.write(f"{_number()}\n{socket.gethostname()}")
            file.flush()
        _lock(file, fcntl.LOCK_SH)
        unless_agreed.pop_all()
    return file


def _is_another_at_it(path: Path, file: IO[str], is_started_anew: bool) -> bool:
    """Whether another machine holds the lock, or is seen to live on a file system whose locks do not reach that far."""
    if not _lock(file, fcntl.LOCK_EX | fcntl.LOCK_NB):
        return True
    before, until = _touched(path), time.monotonic() + WATCH_SECONDS
    while before != _NEW and not is_started_anew and time.monotonic() < until:
        time.sleep(0.1)
        if _touched(path) != before:
            return True
    return False


def _lock(file: IO[str], how: int) -> bool:
    """False where somebody else has it. A file system without locks refuses nobody."""
    try:
        fcntl.flock(file, how)
    except BlockingIOError:
        return False
    except OSError as error:
        log.warning("The file system of %s has no locks: %s", settings.DATA_FOLDER, error)
    return True


def _touched(path: Path) -> tuple[int, int]:
    """When, and how long the file is. Opened each time, so that a network's file system asks the one who has it."""
    with path.open() as file:
        found = os.fstat(file.fileno())
    return (found.st_mtime_ns, found.st_size) if found.st_size else _NEW


def _number() -> str:
    """Of the kernel's start, and of the machine by its name where that does not tell."""
    with contextlib.suppress(OSError):
        if start := KERNEL_START.read_text().strip():
            return start
    return f"name {socket.gethostname()}"


def _touch(file: IO[str]) -> None:
    while True:
        with contextlib.suppress(OSError):
            os.utime(file.fileno())
        time.sleep(TOUCH_SECONDS)
