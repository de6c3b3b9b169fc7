"""Bring a backup back into an empty data folder."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from webapp.searches import backups
from webapp.supervisor import preflight


class Command(BaseCommand):
    help = "Bring a backup back into an empty data folder and database; searches go on where they were."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="what manage.py backup wrote")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            with preflight.folder_for_us_alone(settings.DATA_FOLDER):
                call_command("migrate", verbosity=0, interactive=False)
                restored = backups.restore(options["file"])
        except (preflight.CannotStart, backups.CannotRestore) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{restored.rows:,} rows and {restored.files:,} files are back in {settings.DATA_FOLDER}.")
        if restored.missing:
            self.stdout.write(f"{len(restored.missing)} files were not in the backup: {', '.join(restored.missing)}.")
