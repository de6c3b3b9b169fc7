"""Makes a bearer token for the API and shows it once."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from webapp.accounts.sign_in import OWNER, get_or_create_user
from webapp.accounts.tokens import make_token


class Command(BaseCommand):
    help = "Make a bearer token for the API. It is shown once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="what the token is for, as you want to read it later")
        parser.add_argument("--user", default=OWNER, help=f"whose token it is ({OWNER})")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(make_token(get_or_create_user(options["user"]), options["name"]))
