"""Makes a bearer token for the API and shows it once."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from search_engine.errors import UserError
from webapp.accounts.models import ApiToken
from webapp.accounts.sign_in import NobodySo, user_in_terminal
from webapp.accounts.tokens import make_token

EVERY = ",".join(ApiToken.SCOPES)


class Command(BaseCommand):
    help = "Make a bearer token for the API. It is shown once."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", help="what the token is for, as you want to read it later")
        parser.add_argument("--user", help="whose token it is (the first administrator's)")
        parser.add_argument("--scopes", default=EVERY, help=f"what it may do, with commas between ({EVERY})")
        parser.add_argument("--days", type=int, help="for how many days it is valid (ever, until it is revoked)")

    def handle(self, *args: Any, **options: Any) -> None:
        scopes = [scope.strip() for scope in options["scopes"].split(",")]
        try:
            text = make_token(user_in_terminal(options["user"]), options["name"], scopes, options["days"])
        except (UserError, NobodySo) as error:
            raise CommandError(f"{error}") from error
        self.stdout.write(text)
