"""Prints a link that signs a user in for a day, making the user at need."""

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from webapp.accounts.sign_in import OWNER, get_or_create_user, link_token


class Command(BaseCommand):
    help = "Print a link that signs a user in. It works for a day; a new user is made at need."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("user", nargs="?", default=OWNER, help=f"whom the link signs in ({OWNER})")
        parser.add_argument("--base", default=f"http://{settings.HOST}:{settings.PORT}", help="the site's address")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{options['base']}/sign-in/{link_token(get_or_create_user(options['user']))}")
