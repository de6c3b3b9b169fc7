"""What one machine runs, each part as a command line, in the order of its start."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path

from webapp.supervisor import broker
from webapp.supervisor.part import Part


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Where and how many. site: the name under which the site may be called."""

    home: Path
    logs: Path
    host: str
    port: int
    site: str
    workers: int

    @property
    def caller(self) -> str:
        """The address under which this machine reaches its own site."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)

    @property
    def address(self) -> str:
        """The site's address for a browser on this machine."""
        return f"http://{f'[{self.caller}]' if ':' in self.caller else self.caller}:{self.port}"


def parts_of(plan: Plan, environment: Mapping[str, str], broker_socket: Path | None) -> list[Part]:
    """broker_socket: where the embedded broker listens; None where REDIS_URL names another."""

    def part(name: str, *command: str) -> Part:
        return Part(name, list(command), folder=plan.home, log=plan.logs / f"{name}.log", environment=environment)

    parts = []
    if broker_socket is not None:
        server = part("broker", *broker.server_command(broker_socket))
        server.prepare = lambda: broker.make_folder(broker_socket.parent)
        server.is_ready = lambda: broker.answers(broker_socket)
        server.serves_the_others = True
        parts.append(server)
    web = part("web", sys.executable, "-m", "uvicorn", "webapp.asgi:application", *_web_options(plan))
    web.is_ready = lambda: _web_answers(plan)
    parts += [web, part("reconciler", sys.executable, "manage.py", "reconcile")]
    if plan.workers:
        worker = part("worker", sys.executable, "manage.py", "worker", "--processes", str(plan.workers))
        worker.stop_seconds = 5.0  # It gives its leases back, and interrupts what it trains.
        parts.append(worker)
    return parts


def _web_options(plan: Plan) -> list[str]:
    return [
        *("--host", plan.host, "--port", str(plan.port), "--lifespan", "off", "--log-level", "warning"),
        # The access log would hold sign-in links. Nothing but short frames ever comes from a browser by socket.
        *("--no-access-log", "--ws", "auto", "--ws-max-size", "4096"),
        # Whose address a request comes from is decided in one place, by what is set (see accounts.throttle).
        *("--timeout-graceful-shutdown", "2", "--no-server-header", "--no-proxy-headers"),
    ]


def _web_answers(plan: Plan) -> bool:
    connection = HTTPConnection(plan.caller, plan.port, timeout=2)
    try:
        connection.request("GET", "/health", headers={"Host": plan.site})
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
