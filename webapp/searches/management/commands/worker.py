"""Workers of this machine: Celery's processes, each with a trainer."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from webapp.celery import app


class Command(BaseCommand):
    help = "Work on whatever searches and trainings are due, here or on any machine that reaches database and Redis."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--processes", type=int, default=settings.WORKERS, help=f"trainers at a time ({settings.WORKERS})"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.REDIS_URL:
            raise CommandError("REDIS_URL is not set; without it nobody can call this worker. `up` sets it by itself.")
        app.worker_main(
            [
                *("worker", "--pool", "prefork", "--concurrency", str(options["processes"]), "--loglevel", "WARNING"),
                *("--without-mingle", "--without-gossip", "--without-heartbeat"),
            ]
        )
