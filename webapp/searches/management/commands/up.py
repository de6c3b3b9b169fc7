"""One command: everything that one machine needs."""

import os
import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from webapp.accounts.sign_in import OWNER, get_or_create_user, link_token
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
            _up(options["host"], options["port"], options["workers"])
        except preflight.CannotStart as error:
            raise CommandError(str(error)) from error


def _up(host: str, port: int, workers: int) -> None:
    began = time.monotonic()
    say(f"Cellwright {settings.CODE_VERSION}")
    lock = preflight.check_folder(settings.DATA_FOLDER)
    preflight.check_address(host, port, allowed_hosts_are_given="ALLOWED_HOSTS" in os.environ)
    preflight.check_memory(workers)
    torch_check = start_torch_check() if workers else None
    say(f"Data folder: {settings.DATA_FOLDER}")
    call_command("migrate", verbosity=0, interactive=False)
    link = link_token(get_or_create_user(OWNER))
    connections.close_all()  # A connection must not be shared with the processes that follow.

    broker_socket = None if settings.REDIS_URL else broker.socket_path(settings.DATA_FOLDER)
    environment = dict(os.environ) | {"CELLWRIGHT_DATA": str(settings.DATA_FOLDER), "PYTHONUNBUFFERED": "1"}
    if broker_socket is not None:
        environment["REDIS_URL"] = f"unix://{broker_socket}"
    plan = Plan(
        home=settings.HOME,
        logs=settings.DATA_FOLDER / "logs",
        host=host,
        port=port,
        site=settings.ALLOWED_HOSTS[0].lstrip(".").replace("*", "localhost"),
        workers=workers,
    )

    def show_the_link() -> None:
        say(f"Ready after {time.monotonic() - began:.1f} s, with {workers} {'worker' if workers == 1 else 'workers'}.")
        say(f"\n  Open this link, it signs you in:  {plan.address}/sign-in/{link}\n")
        say("Ctrl-C stops everything.")

    with lock:
        House(parts_of(plan, environment, broker_socket), plan.logs, torch_check).run(show_the_link)
