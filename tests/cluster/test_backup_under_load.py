"""A backup taken while workers are at it, brought back into a database of the other kind, goes on to the same end."""

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.cluster.test_site import SEARCH
from tests.faults.application import Application
from tests.faults.postgres_server import NoServer, running_server
from tests.running_application import ROOT, environment_of, start_application
from tests.web.slow_sizes import long
from webapp.searches import backups

pytestmark = pytest.mark.processes

BACKUPS = 3
CONFIG = SEARCH | {"name": "backed up", "recipe": {"epochs": 6, "batch_size": 50}, "budget": {"children": 32}}


@long
@pytest.mark.parametrize(("source", "target"), [("sqlite", "postgresql"), ("postgresql", "sqlite")])
def test_backups_of_a_busy_installation_go_on_elsewhere(tmp_path: Path, source: str, target: str) -> None:
    with postgres() as url:
        urls = {"sqlite": "", "postgresql": url}
        here = tmp_path / "here"
        here.mkdir()
        with busy(here, urls[source]) as application:
            search = application.start_search(CONFIG)
            made = []
            for number in range(BACKUPS):
                before = len(application.events(search))
                application.wait_for(search, lambda events, so_far=before: len(events) > so_far + 6, seconds=90)  # type: ignore[misc]
                made.append(tmp_path / f"backup-{number}.zip")
                manage(here, urls[source], "backup", str(made[-1]))
            assert state(application, search) == "running", "The search was over before the last backup."
            application.wait_for(search, lambda events: events[-1]["kind"] == "state_changed", seconds=180)
            wanted = application.client.get(f"/api/searches/{search}").json()["fingerprint"]
        held = [events_in(each) for each in made]
        assert held == sorted(set(held)), "Every backup is of a later moment."
        assert goes_on(made[1], tmp_path / "elsewhere", urls[target], wanted) == []


@contextmanager
def postgres() -> Iterator[str]:
    try:
        with running_server() as server:
            yield server.url
    except NoServer as error:
        pytest.skip(f"no PostgreSQL can run here: {error}")


@contextmanager
def busy(folder: Path, url: str) -> Iterator[Application]:
    environment = environment_of(folder) | {"DATABASE_URL": url}
    running = start_application(folder, "--workers", "2", environment=environment)
    token = manage(folder, url, "token", "backups").strip()
    headers = {"Authorization": f"Bearer {token}"}
    application = Application(running.supervisor, httpx.Client(base_url=running.address, headers=headers), folder)
    try:
        yield application
    finally:
        assert application.stop() == []


def state(application: Application, search: str) -> str:
    return str(application.client.get(f"/api/searches/{search}").json()["state"])


def events_in(backup: Path) -> int:
    with zipfile.ZipFile(backup) as archive:
        rows = [json.loads(line) for line in archive.read(backups.ROWS).splitlines()]
    return sum(row["model"] == "searches.event" for row in rows)


def goes_on(backup: Path, folder: Path, url: str, fingerprint: str) -> list[str]:
    """What is wrong with the restored installation: at once, while its pages open, and when its work is done."""
    folder.mkdir()
    assert " are back in " in manage(folder, url, "restore", str(backup))
    assert "All is sound" in manage(folder, url, "fsck")
    expected: dict[str, Any] = {"arithmetic": "here", "undisturbed": {CONFIG["name"]: {"fingerprint": fingerprint}}}
    (folder / "expected.json").write_text(json.dumps(expected))
    told = json.loads(command(folder, url, "-m", "tests.faults.finish_stored", "here"))
    assert told["counts"]["compared"] == 1, told
    problems: list[str] = told["problems"]
    return problems


def manage(folder: Path, url: str, *arguments: str) -> str:
    return command(folder, url, "manage.py", *arguments)


def command(folder: Path, url: str, *arguments: str) -> str:
    environment = os.environ | environment_of(folder)
    environment |= {"DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "webapp.settings"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
