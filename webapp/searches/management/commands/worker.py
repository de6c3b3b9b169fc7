"""Workers of this machine: Celery's processes, each with a trainer on a device of its own."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from webapp import one_machine
from webapp.celery import app
from webapp.searches.workers import devices, tasks


class Command(BaseCommand):
    help = "Work on whatever searches and trainings are due, here or on any machine that reaches database and Redis."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--devices",
            default=settings.DEVICES,
            help="auto: a worker for each GPU, and where there is none for each core; cpu; a number of CPU workers; or "
            f"names such as cuda:0,cuda:1 ({settings.DEVICES})",
        )
        parser.add_argument(
            "--processes",
            type=int,
            default=settings.WORKERS,
            help=f"workers where they compute on CPUs ({settings.WORKERS})",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.REDIS_URL:
            raise CommandError("REDIS_URL is not set; without it nobody can call this worker. `up` sets it by itself.")
        try:
            one_machine.hold()
            chosen = devices.chosen(options["devices"], options["processes"])
        except (one_machine.NotHere, devices.NoSuchDevices) as error:
            raise CommandError(str(error)) from error
        tasks.compute_on(chosen)
        app.worker_main(
            [
                *("worker", "--pool", "prefork", "--concurrency", str(len(chosen)), "--loglevel", "WARNING"),
                *("--without-mingle", "--without-gossip", "--without-heartbeat"),
            ]
        )
