"""All that deploy/compose.yaml describes, as processes of this machine: the same commands, settings and proxy's file.

Three things are translated: names of containers into addresses, the images' programs into those of this machine, and
the volume into a folder. PostgreSQL runs as in the campaigns, since its image has no command of ours.
"""

import secrets
import socket
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cluster import deploy_files
from tests.cluster.containers import Container, outer_environment, seconds_of, wait_until
from tests.cluster.deploy_files import DEPLOY, ROOT
from tests.faults.postgres_server import Server, running_server
from tests.running_application import free_port
from webapp.supervisor import broker

NAME = "localhost"  # For which the proxy makes a certificate by itself.
GIVEN = deploy_files.GIVEN | {
    "SITE_NAME": NAME, "SITE_TLS": "tls internal", "WORKER_PROCESSES": "1", "SECRET_KEY": secrets.token_hex(32),
}  # fmt: skip
READY_SECONDS = 90.0
ONCE = "migrate"  # The service that does something and ends.
# Of the proxy: ports that are free here, and no root that this machine's browsers would trust.
PROXY_OPTIONS = """admin off
skip_install_trust
default_bind 127.0.0.1
http_port {http}
https_port {https}
servers {{
protocols h1 h2
}}"""


@dataclass
class Site:
    """folder: of logs and volumes. ports: of the services that others call."""

    folder: Path
    described: dict[str, Any]
    postgres: Server
    ports: dict[str, int]
    containers: dict[str, Container] = field(default_factory=dict)

    @property
    def address(self) -> str:
        return f"https://{NAME}:{self.ports['proxy']}"

    @property
    def webs(self) -> list[str]:
        return [name for name in self.ports if name.startswith("web")]

    @property
    def workers(self) -> list[str]:
        return [name for name in self.containers if name.startswith("worker")]

    def trust(self) -> ssl.SSLContext:
        """Of the proxy's own certificates."""
        root = self.folder / "proxy" / "caddy/pki/authorities/local/root.crt"
        wait_until(root.exists, READY_SECONDS, f"the proxy made no certificate{self.containers['proxy'].said()}")
        return ssl.create_default_context(cafile=str(root))

    def start(self, workers: int) -> None:
        """In the order of `depends_on`, without waiting for the last. workers: so many, as --scale says it."""
        for name in ("valkey", "proxy"):
            self._add(name)
        self._migrate()
        for name in (*self.webs, "reconciler"):
            self._add(name)
        for number in range(1, workers + 1):
            self._add("worker", f"worker-{number}")

    def wait_until_ready(self, name: str) -> None:
        container = self.containers[name]

        def answers() -> bool:
            assert container.is_running, f"{name} has ended{container.said()}"
            return _status(f"http://{NAME}:{self.ports[name]}/ready") == 200

        wait_until(answers, READY_SECONDS, f"{name} is not ready{container.said()}")

    def is_healthy(self, name: str) -> bool:
        """What the very command of its health check says."""
        kind, *command = self.described[name]["healthcheck"]["test"]
        assert kind == "CMD"
        command = [each.replace(f"{NAME}:8000", f"{NAME}:{self.ports[name]}") for each in self._here(command)]
        return subprocess.run(command, env=outer_environment(), capture_output=True, timeout=30).returncode == 0

    def manage(self, *arguments: str) -> str:
        """A command in a container of the program, as `docker compose exec web python manage.py` runs it."""
        command = [sys.executable, "manage.py", *arguments]
        environment = self.environment("web")
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=READY_SECONDS)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def environment(self, service: str) -> dict[str, str]:
        """What the image and Compose set, with names of containers made into addresses."""
        said = deploy_files.image_environment() if "CELLWRIGHT_DATA" in self._set(service) else {}
        found = outer_environment() | said | self._set(service)
        return {name: self._translated(value) for name, value in found.items()}

    def said(self) -> str:
        """The ends of all logs, for messages."""
        return "".join(each.said() for each in self.containers.values())

    def _set(self, service: str) -> dict[str, str]:
        return {name: value or "" for name, value in self.described[service]["environment"].items()}

    def _migrate(self) -> None:
        service = self.described[ONCE]
        Container(
            ONCE, self._here(service["command"]), self.environment(ONCE), self.folder / f"{ONCE}.log", READY_SECONDS
        ).run(READY_SECONDS)

    def _add(self, service: str, name: str = "") -> None:
        name = name or service
        described = self.described[service]
        assert described["restart"] == "unless-stopped", service
        command = {
            "proxy": self._proxy_command,
            "valkey": self._valkey_command,
        }.get(service, lambda: self._program_command(service))()
        environment = self.environment(service) if service != "valkey" else outer_environment()
        if service == "proxy":
            environment |= self._proxy_environment()
        grace = seconds_of(described.get("stop_grace_period"))
        self.containers[name] = Container(name, command, environment, self.folder / f"{name}.log", grace)
        self.containers[name].start()

    def _program_command(self, service: str) -> list[str]:
        said = self.described[service]["command"]
        if said is not None:
            return self._here(said)
        command = self._here(deploy_files.image_command())
        command[command.index("--host") + 1] = "127.0.0.1"
        command[command.index("--port") + 1] = str(self.ports[service])
        return command

    def _valkey_command(self) -> list[str]:
        name, *options = self.described["valkey"]["command"]
        assert name == "valkey-server"
        place = ("--port", str(self.ports["valkey"]), "--bind", "127.0.0.1", "--dir", str(self.folder))
        return [broker.server_program(), *options, *place]

    def _proxy_command(self) -> list[str]:
        """That of the image caddy, with the file that is mounted."""
        return [deploy_files.program("caddy"), "run", "--config", str(DEPLOY / "Caddyfile"), "--adapter", "caddyfile"]

    def _proxy_environment(self) -> dict[str, str]:
        """The image keeps certificates in /data, which is a volume."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            unused = probe.getsockname()[1]
        return {
            "XDG_DATA_HOME": str(self.folder / "proxy"), "XDG_CONFIG_HOME": str(self.folder / "proxy"),
            "PROXY_OPTIONS": PROXY_OPTIONS.format(http=unused, https=self.ports["proxy"]),
            "WEB_ADDRESSES": " ".join(f"127.0.0.1:{self.ports[name]}" for name in self.webs),
        }  # fmt: skip

    def _here(self, command: Sequence[str]) -> list[str]:
        return [sys.executable if each == "python" else each for each in command]

    def _translated(self, value: str) -> str:
        value = value.replace("@postgres:5432/", f"@127.0.0.1:{self.postgres.port}/")
        value = value.replace("//valkey:6379/", f"//127.0.0.1:{self.ports['valkey']}/")
        return str(self.folder / "data") if value == "/data" else value


@contextmanager
def running_site(folder: Path, workers: int) -> Iterator[Site]:
    """Everything, on its start; all of it is ended at the end. Raises NoServer."""
    described = deploy_files.services(**GIVEN)
    ports = {name: free_port() for name in described if name.startswith("web") or name in ("proxy", "valkey")}
    with running_server() as postgres:
        site = Site(folder, described, postgres, ports)
        try:
            site.start(workers)
            yield site
        finally:
            for container in site.containers.values():
                if container.is_running:
                    container.kill()


def _status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=4) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0
