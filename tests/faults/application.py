"""The real application under test: started as a person starts it, asked over its API, its processes found by what
stands on their command lines, and ended without anything left.
"""

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from tests import running_application
from tests.running_application import ROOT, environment_of

PARTS = {  # What a part is called, and the words of its command line.
    "broker": "valkey-server",
    "web server": "webapp.asgi",
    "reconciler": "manage.py reconcile",
    "worker": "manage.py worker",
    "trainer": "search_engine.trainer",
}
ASK_SECONDS = 30.0  # For so long a question is asked again while the web server comes back.


@dataclass
class Application:
    """A running `manage.py up` and a client of its API."""

    supervisor: psutil.Popen
    client: httpx.Client
    folder: Path

    def processes(self, words: str, *, forked: bool = False) -> list[psutil.Process]:
        """The living processes with these words in their command line. forked: those that another of them forked."""
        found = [each for each in self.family() if words in command_line(each)]
        parents = {each.pid for each in found}
        return sorted((each for each in found if (parent_of(each) in parents) == forked), key=lambda each: each.pid)

    def process(self, words: str, *, forked: bool = False) -> psutil.Process:
        return self.processes(words, forked=forked)[0]

    def family(self) -> list[psutil.Process]:
        """All processes below the supervisor's."""
        return list(self.supervisor.children(recursive=True))

    def start_search(self, config: dict[str, Any]) -> str:
        return self._started("/api/searches", {"config": config})

    def start_training(self, published: str, config: dict[str, Any]) -> str:
        """Of a published architecture, by its name in the gallery."""
        return self._started("/api/trainings", {"name": published, "config": config})

    def _started(self, path: str, body: dict[str, Any]) -> str:
        answer = self.asked(lambda: self.client.post(path, json=body))
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    def asked(self, ask: Callable[[], httpx.Response]) -> httpx.Response:
        """The answer; a server that does not answer is asked again until it is back."""
        until = time.monotonic() + ASK_SECONDS
        while True:
            try:
                return ask()
            except httpx.HTTPError as error:
                assert time.monotonic() < until, f"{error!r}{self.logs()}"
                time.sleep(0.2)

    def events(self, search: str) -> list[dict[str, Any]]:
        return self.client.get(f"/api/searches/{search}/events", params={"after": 0, "limit": 500}).json()["events"]

    def wait_for(self, search: str, holds: Callable[[list[dict[str, Any]]], bool], seconds: float) -> None:
        until = time.monotonic() + seconds
        while True:
            try:
                events = self.events(search)
                if holds(events):
                    return
                late = f"last events: {[event['kind'] for event in events[-5:]]}"
            except httpx.HTTPError as error:  # While the web process comes back.
                late = repr(error)
            assert time.monotonic() < until, late + self.logs()
            time.sleep(0.1)

    def logs(self) -> str:
        texts = [f"\n--- {log.name}\n{log.read_text()[-1500:]}" for log in sorted(self.folder.glob("logs/*.log"))]
        return "".join(texts) + "\n--- up\n" + (self.folder / "up.txt").read_text()

    def stop(self) -> list[str]:
        """Ask the supervisor to end; the command lines of what is left of the application 10 s later."""
        self.client.close()
        if self.supervisor.poll() is None:
            self.supervisor.terminate()
        psutil.wait_procs([self.supervisor], timeout=30)
        until = time.monotonic() + 10
        while (left := processes_with(self.folder)) and time.monotonic() < until:
            time.sleep(0.2)
        return [command_line(each) for each in left]


def start_application(folder: Path, workers: int = 2) -> Application:
    """folder: the data folder, which may hold data of an earlier start."""
    folder.mkdir(parents=True, exist_ok=True)
    running = running_application.start_application(folder, "--workers", str(workers))
    command = [sys.executable, "manage.py", "token", "faults"]
    made = subprocess.run(command, cwd=ROOT, env=environment_of(folder), check=True, capture_output=True, text=True)
    headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
    return Application(running.supervisor, httpx.Client(base_url=running.address, headers=headers), folder)


def processes_with(folder: Path) -> list[psutil.Process]:
    """All processes of this machine that were given this data folder, but for the one that asks."""
    return [each for each in psutil.process_iter() if _has_folder(each, folder)]


def _has_folder(process: psutil.Process, folder: Path) -> bool:
    try:
        if process.pid == psutil.Process().pid or process.status() == psutil.STATUS_ZOMBIE:
            return False
        return process.environ().get("CELLWRIGHT_DATA") == str(folder)
    except psutil.Error:
        return False  # It ended, or belongs to another user.


def command_line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def parent_of(process: psutil.Process) -> int:
    try:
        return int(process.ppid())
    except psutil.Error:
        return 0
