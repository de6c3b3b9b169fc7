"""Look whether rows and files are sound, and mend them."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from webapp.searches import mending
from webapp.searches.artifacts import StoreAway
from webapp.searches.models import Stream


class Command(BaseCommand):
    help = "Look at every row and file; say what is wrong, a sentence each. Ends with status 1 where something is."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--mend", action="store_true", help="put right what can be put right without guessing")

    def handle(self, *args: Any, **options: Any) -> None:
        """May run while searches run."""
        try:
            self._look(options["mend"])
        except StoreAway as away:
            raise CommandError(f"{away} Nothing can be said of the files; try again later.") from away

    def _look(self, mends: bool) -> None:
        found = mending.findings()
        for sentence in found:
            self.stdout.write(sentence)
        if found and mends:
            for sentence in mending.mend():
                self.stdout.write(f"Mended: {sentence}")
            found = mending.findings()
            for sentence in found:
                self.stdout.write(f"Still there: {sentence}")
        if found:
            number = "One finding" if len(found) == 1 else f"{len(found)} findings"
            raise CommandError(f"{number}. What --mend leaves takes a backup.")
        self.stdout.write(f"All is sound: {Stream.objects.count()} searches and trainings, and their files.")
