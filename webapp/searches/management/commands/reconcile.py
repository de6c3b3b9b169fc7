"""The reconciler as a process of its own."""

from typing import Any

from django.core.management.base import BaseCommand

from webapp.searches.workers import reconciler


class Command(BaseCommand):
    help = "Look every two seconds for what should happen next and has not. Running two is harmless."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        reconciler.run_until_stopped()
