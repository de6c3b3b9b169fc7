"""The reconciler as a process of its own."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from webapp import one_machine
from webapp.searches.workers import reconciler


class Command(BaseCommand):
    help = "Look every two seconds for what should happen next and has not. Running two is harmless."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            one_machine.hold()
        except one_machine.NotHere as error:
            raise CommandError(str(error)) from error
        reconciler.run_until_stopped()
