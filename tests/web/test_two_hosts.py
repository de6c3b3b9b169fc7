"""Two hosts without a folder in common, all real processes: files travel by a real S3 server, which goes away."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.running_application import ROOT, environment_of, start_application, stop_application
from tests.web import s3_server
from tests.web.slow_sizes import long
from webapp.parent_death import die_with_parent
from webapp.supervisor import broker

pytestmark = [long, pytest.mark.processes]
AWAY = "The artifact store does not answer. It goes on by itself when files can be written again."
PATIENCE = 300.0  # Seconds.


class Hosts:
    """The first runs everything, with one worker; the second one worker alone."""

    def __init__(self, folder: Path, cable: s3_server.Cable) -> None:
        self.folder, self.cable = folder, cable
        self.caches = [folder / name / "cache" for name in ("first", "second")]
        for cache in self.caches:
            cache.parent.mkdir()
        self.first = environment_of(folder / "first") | self._bucket(self.caches[0])
        self.second = environment_of(folder / "second") | self._bucket(self.caches[1])
        self.second["DATABASE_URL"] = f"sqlite:///{folder / 'first' / 'cellwright.sqlite3'}"
        self.second["REDIS_URL"] = f"unix://{broker.socket_path(folder / 'first')}"

    def _bucket(self, cache: Path) -> Mapping[str, str]:
        where = s3_server.at(self.cable.port, "two-hosts")
        return {
            "CELLWRIGHT_ARTIFACTS": f"s3://{where.name}/{where.prefix}", "AWS_ENDPOINT_URL": where.endpoint,
            "AWS_DEFAULT_REGION": where.region, "AWS_ACCESS_KEY_ID": where.key, "AWS_SECRET_ACCESS_KEY": where.secret,
            "CELLWRIGHT_CACHE": str(cache),
        }  # fmt: skip

    def ask(self, *command: str) -> Any:
        """What manage.py says in JSON on the first host."""
        done = self.command(*command, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def command(self, *command: str) -> "subprocess.CompletedProcess[str]":
        program = [sys.executable, "manage.py", *command]
        return subprocess.run(program, cwd=ROOT, env=self.first, capture_output=True, text=True, timeout=PATIENCE)

    def wait_until(self, search: str, **wanted: Any) -> dict[str, Any]:
        until = time.monotonic() + PATIENCE
        while True:
            (found,) = [each for each in self.ask("search", "list") if each["id"] == search]
            if all(found[name] == value for name, value in wanted.items()):
                return dict(found)
            assert time.monotonic() < until and found["state"] in ("running", "paused"), found


@pytest.fixture
def hosts(tmp_path: Path) -> Iterator[Hosts]:
    (tmp_path / "s3").mkdir()
    with s3_server.running_server(tmp_path / "s3") as port:
        hosts = Hosts(tmp_path, s3_server.Cable(port))
        application = start_application(tmp_path / "first", "--workers", "1", environment=hosts.first)
        second = subprocess.Popen(
            [sys.executable, "manage.py", "worker", "--devices", "1"], cwd=ROOT, env=hosts.second,
            stdout=subprocess.DEVNULL, start_new_session=True, preexec_fn=die_with_parent(),
        )  # fmt: skip
        yield hosts
        second.terminate()
        second.wait()
        stop_application(application)
        hosts.cable.end()


def small(hosts: Hosts) -> Path:
    """A configuration of two steps of two children."""
    config = next(each["config"] for each in hosts.ask("search", "presets") if each["name"] == "demo")
    config["strategy"]["step_size"], config["budget"]["children"], config["recipe"]["epochs"] = 2, 4, 2
    path = hosts.folder / "config.json"
    path.write_text(json.dumps(config))
    return path


def test_a_search_on_two_hosts_outlives_its_store_and_computes_the_same(hosts: Hosts) -> None:
    config = small(hosts)
    search = hosts.ask("search", "start", str(config))["id"]
    hosts.wait_until(search, done=1)
    hosts.cable.cut()
    hosts.wait_until(search, state="paused", reason=AWAY)
    hosts.cable.mend()
    finished = hosts.wait_until(search, state="finished")
    assert all(list(cache.glob("??/*")) for cache in hosts.caches)  # Both worked.
    assert not any((hosts.folder / name / "artifacts").exists() for name in ("first", "second"))
    assert "damaged" not in hosts.command("fsck").stdout
    terminal = [
        sys.executable,
        "-m",
        "search_engine",
        "search",
        str(config),
        "--out",
        str(hosts.folder / "out"),
        "--json",
    ]
    alone = subprocess.run(terminal, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert finished["fingerprint"] in alone.stdout and len(finished["fingerprint"]) == 64
