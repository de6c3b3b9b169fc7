"""Trainings from a shell: what the pages and the API do, with the same words."""

import argparse
import json
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path

from django.core.management.base import CommandError

from webapp.client.architectures import Architecture
from webapp.client.searches import Search
from webapp.client.trainings import Trainings
from webapp.searches.management.stream_command import StreamCommand, one_of


class Command(StreamCommand):
    help = "Start, list, follow and delete trainings, and download their bundles."
    noun = "training"

    @property
    def streams(self) -> Trainings:
        return self.site.trainings

    def add_commands(self, add: Callable[[str, str], ArgumentParser]) -> None:
        add("list", "yours, newest first")
        start = add("start", "a training")
        origin = start.add_mutually_exclusive_group(required=True)
        origin.add_argument("--best-of", metavar="SEARCH", help="the best child of this search")
        origin.add_argument("--child", nargs=3, metavar=("SEARCH", "STEP", "SLOT"), help="a child of this search")
        origin.add_argument("--architecture", metavar="ARCH", help="a name of the catalogue, an id of yours, or a file")
        start.add_argument("--config", type=Path, metavar="FILE", help="JSON; without it, what the form proposes")
        start.add_argument("--epochs", type=int, metavar="N", help="instead of those of the configuration")
        start.add_argument("--key", default="", help="any text: the same one starts it once, however often it is given")
        start.add_argument("--wait", action="store_true", help="until it is over")

    def do_list(self, given: argparse.Namespace) -> None:
        self.tell_all(self.streams.all())

    def do_start(self, given: argparse.Namespace) -> None:
        config = None if given.config is None else json.loads(given.config.read_text())
        training = self.streams.start(self._architecture(given), config, epochs=given.epochs, key=given.key)
        self.tell(training)
        if given.wait:
            self.wait_for(training)

    def _architecture(self, given: argparse.Namespace) -> Architecture:
        if given.best_of:
            return self._search(given.best_of).best()
        if given.child:
            search, step, slot = given.child
            if not (step.isdecimal() and slot.isdecimal()):
                raise CommandError("Step and slot of a child are whole numbers.")
            return self._search(search).child(int(step), int(slot))
        if Path(given.architecture).is_file():
            return self.site.architectures.read(Path(given.architecture).read_text())
        return self.site.architectures.get(given.architecture)

    def _search(self, id_or_beginning: str) -> Search:
        found: Search = one_of(self.site.searches, "search", id_or_beginning)
        return found

    def do_download(self, given: argparse.Namespace) -> None:
        """Its bundle, which is made where there is none yet, and its other files."""
        training = self.found(given.id)
        given.to.mkdir(parents=True, exist_ok=True)
        training.bundle()
        for file in training.files():
            self.saved(file.save(given.to))
