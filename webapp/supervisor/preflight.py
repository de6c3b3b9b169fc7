"""What must be right before anything is started; each mistake is one line that says what to do."""

import contextlib
import errno
import fcntl
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

from webapp.reach import is_loopback, why_unsafe

LEAST_FREE_BYTES = 200 * 1024**2


class CannotStart(Exception):
    """Why Cellwright cannot start here, in one line for the person at the terminal."""


@contextlib.contextmanager
def folder_for_us_alone(folder: Path) -> Iterator[None]:
    """The folder can be written, has room, and inside the block no other `up` uses it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "up.lock").open("w")
    except OSError as error:
        raise CannotStart(
            f"The data folder {folder} cannot be written ({error.strerror}). Set CELLWRIGHT_DATA to one that can."
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise CannotStart(f"Cellwright already runs on the data folder {folder}.") from error
        _check_room(folder)
        yield


def _check_room(folder: Path) -> None:
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE_BYTES:
        raise CannotStart(
            f"The disk of {folder} has {free // 1024**2} MB left; at least {LEAST_FREE_BYTES // 1024**2} MB are needed."
        )


def check_address(host: str, port: int, allowed_hosts_are_given: bool) -> None:
    """Nobody listens there yet, and a site that others can reach says by which name."""
    if not is_loopback(host) and not allowed_hosts_are_given:
        raise CannotStart(f"{host} can be reached from other machines: set ALLOWED_HOSTS to the names of this site.")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise CannotStart(_why_not_bound(host, port, error)) from error


def check_what_others_reach(host: str, *, is_debug: bool, secret: str) -> None:
    """Settings have looked at the names that they know; `up` may have been told another address."""
    if unsafe := why_unsafe([host], is_debug=is_debug, secret=secret):
        raise CannotStart(unsafe)


def check_memory(workers: int) -> None:
    """One trainer takes about 400 MB; more workers than fit would be killed one by one by the kernel."""
    needed = workers * 400 * 1024**2
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if needed > total:
        raise CannotStart(
            f"{workers} workers need about {needed // 1024**2} MB of memory and this machine has {total // 1024**2} MB."
            " Set CELLWRIGHT_WORKERS to fewer."
        )


def _why_not_bound(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} is taken. Stop what listens there, or choose another: python manage.py up --port {port + 1}"
        )
    if error.errno == errno.EACCES:
        return f"Port {port} may not be used by this user. Choose one above 1023: python manage.py up --port 8000"
    return f"Cannot listen on {host} port {port}: {error.strerror}."
