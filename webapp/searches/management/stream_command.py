"""What `manage.py search` and `manage.py training` have in common."""

import argparse
import json
import logging
from argparse import ArgumentParser
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError

from webapp.accounts.models import User
from webapp.accounts.sign_in import NobodySo, user_in_terminal
from webapp.client.cellwright import Cellwright
from webapp.client.errors import CellwrightError
from webapp.client.searches import Search, Searches
from webapp.client.trainings import Training, Trainings
from webapp.searches.management.in_process import site_of

SHORTEST_PREFIX, WHOLE = 4, 36  # Characters of an id.


class StreamCommand(BaseCommand):
    """A command with commands of its own, each a method of the name do_..."""

    requires_system_checks = ()
    noun: ClassVar[str]

    site: Cellwright
    as_json: bool

    def add_arguments(self, parser: ArgumentParser) -> None:
        common = ArgumentParser(add_help=False)
        common.add_argument("--user", help="as whom (the first administrator)")
        common.add_argument("--json", action="store_true", help="print JSON, as the API has it")
        one = ArgumentParser(add_help=False, parents=[common])
        one.add_argument("id", help="of it, or how its id begins")
        commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
        self.add_commands(lambda name, told: commands.add_parser(name, help=told, parents=[common]))
        for name, told in {
            "show": "how it stands",
            "pause": "let nothing new begin",
            "resume": "let it go on",
            "stop": "end it for good",
        }.items():
            commands.add_parser(name, help=told, parents=[one])
        waiting = commands.add_parser("wait", help="until it is over; ends with 1 unless it finished", parents=[one])
        waiting.add_argument("--timeout", type=float, metavar="SECONDS", help="wait so long at most")
        events = commands.add_parser("events", help="what happened, a line of JSON each", parents=[one])
        events.add_argument("--after", type=int, default=0, metavar="N", help="since this event")
        events.add_argument("--follow", action="store_true", help="until it is over")
        deleting = commands.add_parser("delete", help="it and its files, for good", parents=[one])
        deleting.add_argument("--yes", action="store_true", help="do it; otherwise only say what would go")
        files = commands.add_parser("download", help="its files", parents=[one])
        files.add_argument("--to", type=Path, default=Path(), metavar="FOLDER", help="where to (here)")

    def add_commands(self, add: Callable[[str, str], ArgumentParser]) -> None:
        """The commands of this kind of stream alone."""
        raise NotImplementedError

    @property
    def streams(self) -> Searches | Trainings:
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> None:
        logging.getLogger("httpx").setLevel(logging.WARNING)  # Of requests that never leave the process.
        logging.getLogger("django.request").setLevel(logging.ERROR)  # What is refused is told in a sentence below.
        self.as_json = options["json"]
        try:
            with site_of(_user_of(options["user"])) as self.site:
                getattr(self, f"do_{options['command']}")(argparse.Namespace(**options))
        except (CellwrightError, NobodySo, TimeoutError) as error:
            raise CommandError(str(error)) from error
        except OSError as error:
            raise CommandError(f"{error.filename or 'A file'}: {error.strerror}.") from error

    def found(self, id_or_beginning: str) -> Any:
        """By its id, or by how that begins, where only one does."""
        return one_of(self.streams, self.noun, id_or_beginning)

    def tell(self, stream: Search | Training) -> None:
        self.stdout.write(_json(stream) if self.as_json else f"{stream.id}  {stream}")

    def tell_all(self, streams: Iterable[Search | Training]) -> None:
        if self.as_json:
            self.stdout.write(json.dumps([each.facts.model_dump(mode="json") for each in streams]))
            return
        for each in streams:
            self.tell(each)

    def do_show(self, given: argparse.Namespace) -> None:
        stream = self.found(given.id)
        self.stdout.write(_json(stream, config=stream.config) if self.as_json else f"{stream.id}  {stream}")

    def do_pause(self, given: argparse.Namespace) -> None:
        self.tell(self.found(given.id).pause())

    def do_resume(self, given: argparse.Namespace) -> None:
        self.tell(self.found(given.id).resume())

    def do_stop(self, given: argparse.Namespace) -> None:
        self.tell(self.found(given.id).stop())

    def do_wait(self, given: argparse.Namespace) -> None:
        self.wait_for(self.found(given.id), given.timeout)

    def wait_for(self, stream: Search | Training, timeout: float | None = None) -> None:
        """Tells every change, as JSON only the last. Raises CommandError unless it finished."""
        stream.wait(progress=None if self.as_json else lambda now: self.stdout.write(str(now)), timeout=timeout)
        if self.as_json:
            self.tell(stream)
        if stream.state != "finished":
            raise CommandError(f"This {self.noun} is {stream.state}. {stream.facts.reason}".strip())

    def do_events(self, given: argparse.Namespace) -> None:
        for event in self.found(given.id).events(given.after, follow=given.follow):
            self.stdout.write(json.dumps(event))

    def do_delete(self, given: argparse.Namespace) -> None:
        stream = self.found(given.id)
        if not given.yes:
            outlook = stream.outlook()
            for sentence in (*outlook["goes"], *outlook["stays"]):
                self.stdout.write(sentence)
            raise CommandError("Nothing was deleted; say so with --yes.")
        stream.delete()
        self.stdout.write(f"{stream.id} is being deleted.")

    def saved(self, path: Path) -> None:
        self.stdout.write(json.dumps(str(path)) if self.as_json else f"Saved {path}")


def _user_of(name: str | None) -> User:
    """As other commands have it, but that nobody is made here by a name that is wrong. Raises NobodySo."""
    if name is not None and not User.objects.filter(name=name).exists():
        raise NobodySo(f"There is nobody called {name!r}.")
    return user_in_terminal(name)


def one_of(streams: Searches | Trainings, noun: str, id_or_beginning: str) -> Any:
    """The search or training of this id, or the only one whose id begins so. Raises CommandError."""
    if len(id_or_beginning) >= WHOLE:
        return streams.get(id_or_beginning)
    if len(id_or_beginning) < SHORTEST_PREFIX:
        raise CommandError(f"Give at least {SHORTEST_PREFIX} characters of the id.")
    matching = [each for each in streams.all() if str(each.id).startswith(id_or_beginning.lower())]
    if len(matching) != 1:
        which = "No" if not matching else f"More than one ({len(matching)})"
        raise CommandError(f"{which} {noun} has an id that begins with {id_or_beginning!r}.")
    return matching[0].refresh()


def _json(stream: Search | Training, **more: Any) -> str:
    return json.dumps(stream.facts.model_dump(mode="json") | more)
