"""One command: everything that one machine needs."""

import os
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from webapp import one_machine
from webapp.accounts.sign_in import link_token, user_in_terminal
from webapp.searches.workers.devices import NoSuchDevices, chosen
from webapp.supervisor import broker, preflight
from webapp.supervisor.house import House, say, start_torch_check
from webapp.supervisor.parts import Plan, parts_of


class Command(BaseCommand):
    help = "Start everything on this machine and print one link that signs you in. Ctrl-C stops it all."
    requires_system_checks = ()  # They cost half a second and are made by the tests.

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default=settings.HOST, help=f"address to listen on ({settings.HOST})")
        parser.add_argument("--port", type=int, default=settings.PORT, help=f"port to listen on ({settings.PORT})")
        parser.add_argument(
            "--workers", type=int, default=settings.WORKERS, help=f"trainers that run at a time ({settings.WORKERS})"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with preflight.folder_for_us_alone(settings.DATA_FOLDER):
                one_machine.hold(moves_here=True)
                _up(options["host"], options["port"], options["workers"])
        except (preflight.CannotStart, one_machine.NotHere, NoSuchDevices) as error:
            raise CommandError(str(error)) from error


def _up(host: str, port: int, workers: int) -> None:
    began = time.monotonic()
    say(f"Cellwright {settings.CODE_VERSION}")
    preflight.check_address(host, port, allowed_hosts_are_given="ALLOWED_HOSTS" in os.environ)
    preflight.check_what_others_reach(host, is_debug=settings.DEBUG, secret=settings.SECRET_KEY)
    workers = len(chosen(settings.DEVICES, workers)) if workers else 0
    preflight.check_memory(workers)
    torch_check = start_torch_check() if workers else None
    say(f"Data folder: {settings.DATA_FOLDER}")
    call_command("migrate", verbosity=0, interactive=False)
    link = link_token(user_in_terminal(None))
    connections.close_all()  # A connection must not be shared with the processes that follow.

    broker_socket = None if settings.REDIS_URL else broker.socket_path(settings.DATA_FOLDER)
    plan = Plan(
        home=settings.HOME,
        logs=settings.DATA_FOLDER / "logs",
        host=host,
        port=port,
        site=settings.ALLOWED_HOSTS[0].lstrip(".").replace("*", "localhost"),
        workers=workers,
    )

    def show_the_link() -> None:
        at_work = "1 worker" if workers == 1 else f"{workers} workers"
        say(f"Ready after {time.monotonic() - began:.1f} s, with {at_work}.")
        address = f"https://{plan.site}" if settings.TLS else plan.address  # The proxy's, whose cookies are its alone.
        say(f"\n  Open this link, it signs you in:  {address}/sign-in/{link}\n")
        say("Ctrl-C stops everything.")

    House(parts_of(plan, _environment(broker_socket), broker_socket), plan.logs, torch_check).run(show_the_link)


def _environment(broker_socket: Path | None) -> dict[str, str]:
    """What the parts inherit: ours, the same data folder, and where the broker is."""
    ours = dict(os.environ) | {"CELLWRIGHT_DATA": str(settings.DATA_FOLDER), "PYTHONUNBUFFERED": "1"}
    return ours if broker_socket is None else ours | {"REDIS_URL": f"unix://{broker_socket}"}
