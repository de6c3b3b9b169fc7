"""Prints a link that signs a user in for a day, making the user at need."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from webapp.accounts.sign_in import NobodySo, link_token, user_in_terminal


class Command(BaseCommand):
    help = "Print a link that signs a user in. It works for a day; a new user is made at need."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", nargs="?", help="whom the link signs in (the first administrator)")
        parser.add_argument("--base", default=f"http://{settings.HOST}:{settings.PORT}", help="the site's address")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            token = link_token(user_in_terminal(options["user"]))
        except NobodySo as error:
            raise CommandError(f"{error}") from error
        self.stdout.write(f"{options['base']}/sign-in/{token}")
