"""Searches from a shell: what the pages and the API do, with the same words."""

import argparse
import json
import sys
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from webapp.client.errors import CellwrightError
from webapp.client.searches import Search, Searches
from webapp.searches.management.stream_command import StreamCommand

NONE = "none"


class Command(StreamCommand):
    help = "Start, list, follow, steer and delete searches. Workers of the running application do the work."
    noun = "search"

    @property
    def streams(self) -> Searches:
        return self.site.searches

    def add_commands(self, add: Callable[[str, str], ArgumentParser]) -> None:
        add("list", "yours, newest first")
        add("presets", "configurations to start from")
        start = add("start", "a search")
        start.add_argument("config", metavar="CONFIG", help="a file of JSON, - for standard input, or a preset's name")
        start.add_argument("--name", help="what it is called")
        start.add_argument("--companion", action="store_true", help="with random search beside it")
        start.add_argument("--workers", type=int, metavar="N", help="so many at a time at most")
        start.add_argument("--hours", type=float, metavar="H", help="end it after so many hours of running")
        start.add_argument("--key", default="", help="any text: the same one starts it once, however often it is given")
        start.add_argument("--wait", action="store_true", help="until it is over")

        limits = add("limits", "those in force, or changed")
        limits.add_argument("id", help="of the search, or how its id begins")
        limits.add_argument("--children", type=int, metavar="N", help="in all, where each is trained by itself")
        limits.add_argument("--epochs", type=int, metavar="N", help="in all, with shared weights")
        limits.add_argument("--workers", type=_number_or_none(int), metavar="N", help="at a time; none for no limit")
        limits.add_argument("--hours", type=_number_or_none(float), metavar="H", help="of running; none for no limit")

    def do_list(self, given: argparse.Namespace) -> None:
        self.tell_all(self.streams.all())

    def do_presets(self, given: argparse.Namespace) -> None:
        found = self.streams.presets()["presets"]
        if self.as_json:
            self.stdout.write(json.dumps(found))
            return
        for preset in found:
            self.stdout.write(f"{preset['name']}\n    {preset['title']}. {preset['sentence']}")

    def do_start(self, given: argparse.Namespace) -> None:
        config = _config(given.config, self.streams)
        if given.name is not None:
            config["name"] = given.name
        search = self.streams.start(
            config, companion=given.companion, workers=given.workers, hours=given.hours, key=given.key
        )
        self.tell(search)
        if given.wait:
            self.wait_for(search)

    def do_limits(self, given: argparse.Namespace) -> None:
        wanted = {name: getattr(given, name) for name in ("children", "epochs", "workers", "hours")}
        changes = {name: None if value == NONE else value for name, value in wanted.items() if value is not None}
        found = self.found(given.id).change_limits(**changes)
        if self.as_json:
            self.stdout.write(json.dumps(found))
            return
        told = {name: "no limit" if found[name] is None else found[name] for name in ("workers", "hours")}
        count = "children" if found["epochs"] is None else "epochs"
        self.stdout.write(f"{count}: {found[count]}, workers: {told['workers']}, hours: {told['hours']}")

    def do_download(self, given: argparse.Namespace) -> None:
        """Its files; the table of its children, and the best one's architecture, where there is one."""
        search: Search = self.found(given.id)
        given.to.mkdir(parents=True, exist_ok=True)
        for file in search.files():
            self.saved(file.save(given.to))
        table = given.to / "children.csv"
        table.write_text(search.children_csv())
        self.saved(table)
        try:
            best = search.best()
        except CellwrightError:
            return
        path = given.to / "best.json"
        path.write_text(json.dumps(best.json, indent=2) + "\n")
        self.saved(path)


def _number_or_none(number: Callable[[str], float]) -> Callable[[str], float | str]:
    def read(text: str) -> float | str:
        return NONE if text == NONE else number(text)

    read.__name__ = number.__name__  # argparse names it where a text is neither.
    return read


def _config(named: str, searches: Searches) -> dict[str, Any]:
    """Of a file, of standard input, or of a preset."""
    if named != "-" and not Path(named).is_file():
        return searches.preset(named)
    text = sys.stdin.read() if named == "-" else Path(named).read_text()
    try:
        value = json.loads(text)
    except ValueError as error:
        raise CommandError(f"{named} is not JSON: {error}.") from error
    if not isinstance(value, dict):
        raise CommandError(f"{named} holds no JSON object.")
    return value
