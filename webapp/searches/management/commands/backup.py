"""Write everything into one file, while searches run."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from webapp.searches import backups
from webapp.searches.artifacts import StoreAway


class Command(BaseCommand):
    help = "Write all searches, trainings, data and files into one file. Searches may run meanwhile."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="where to; what is there under this name is replaced")

    def handle(self, *args: Any, **options: Any) -> None:
        target: Path = options["file"]
        try:
            written = backups.write(target)
        except StoreAway as away:
            raise CommandError(f"{away} No backup was written; try again later.") from away
        except OSError as error:
            raise CommandError(f"The backup could not be written to {target}: {error.strerror}.") from error
        self.stdout.write(f"{target} holds {written.rows:,} rows and {written.files:,} files.")
        if written.missing:
            raise CommandError(
                f"{len(written.missing)} files are named by rows and damaged or not there; see manage.py fsck: "
                f"{', '.join(written.missing)}."
            )
