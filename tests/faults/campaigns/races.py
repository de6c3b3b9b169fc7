"""Commands of several people and a worker's acts in every order: two or three commands, and an act somewhere between.

Everything is a transaction that locks its stream, so an interleaving is an order of transactions, and all of them can
be listed. Each begins in one situation of a search, of a training or of a search with shared weights, with workers that
hold leases. `legal_commands` says what must come out; then what is open is worked off and compared with a straight run.
"""

import itertools
import logging
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from django.db import transaction

from tests.faults import fake_engine
from tests.faults.actors import Actor, doing
from tests.faults.calm import SILENT_SECONDS, brought_to_its_end
from tests.faults.campaigns.campaign import Campaign, Run, Size
from tests.faults.legal_commands import AFTER, COMMANDS, OPEN, TOLD, state_of
from tests.faults.simulation import CALM, START, World
from tests.faults.small_streams import start
from tests.faults.steady_worker import work_off
from tests.faults.straight_run import compared
from webapp.searches import artifacts, checker, event_log, leases, lifecycle, storage_pauses
from webapp.searches.models import Child, Event, Job, Stream

SMALL, LARGE = 4, 200  # Interleavings of each situation that are drawn from all.


@dataclass(frozen=True)
class Situation:
    """Where the commands meet a stream: the next due job is this, and so many workers hold leases of it."""

    kind: str
    job: str
    step: int = -1
    held: int = 0
    waits: bool = False  # For its disk.

    @property
    def name(self) -> str:
        at = f" of step {self.step}" if self.step >= 0 else ""
        return f"{self.kind}, {self.job}{at}, {self.held} held{', waiting for its disk' if self.waits else ''}"


SITUATIONS = (
    Situation("search", "learn"),
    Situation("search", "learn", held=1),
    Situation("search", "evaluate", 0),
    Situation("search", "evaluate", 0, held=1),
    Situation("search", "evaluate", 0, held=2),
    Situation("search", "evaluate", 0, held=1, waits=True),
    Situation("search", "learn", 0, held=1),
    Situation("search", "evaluate", 1, held=1),
    Situation("search", "retrain", held=1),
    Situation("training", "train"),
    Situation("training", "train", held=1),
    Situation("training", "train", held=1, waits=True),
    Situation("shared search", "share", 0, held=1),
    Situation("shared search", "teach", 0, held=1),
    Situation("shared search", "teach", 0, held=1, waits=True),
    Situation("shared search", "share", 1, held=1),
    Situation("shared search", "derive", held=1),
)
ACTS = ("nothing", "a result is handed in", "the leases run out", "somebody claims")


class Undone(Exception):
    """Ends a transaction that shall leave nothing behind."""


@dataclass(frozen=True)
class Interleaving:
    """Commands in this order, and one act of the workers before the command of this number."""

    commands: tuple[str, ...]
    act: str
    place: int


def run(seed: int, size: Size, folder: Path) -> Iterator[Run]:
    logging.getLogger("webapp").setLevel(logging.ERROR)
    for number, situation in enumerate(SITUATIONS):
        interleavings = chosen(seed * len(SITUATIONS) + number, size, situation.kind)
        yield run_situation(situation, interleavings, folder / str(number))


def chosen(seed: int, size: Size, kind: str) -> list[Interleaving]:
    """Small: some of all. Large: every order of two with every act, every order of three, and of three with an act
    some, other ones with every seed."""
    chance = random.Random(seed)
    commands_of = [name for name in COMMANDS if name != "change" or kind != "training"]
    listed = [
        Interleaving(commands, act, place)
        for length in (2, 3)
        for commands in itertools.product(commands_of, repeat=length)
        for act, place in [("nothing", 0), *itertools.product(ACTS[1:], range(length + 1))]
    ]
    if size == "small":
        return chance.sample(listed, SMALL)
    always = [each for each in listed if len(each.commands) == 2 or each.act == "nothing"]
    return always + chance.sample([each for each in listed if each not in always], LARGE)


def run_situation(situation: Situation, interleavings: list[Interleaving], folder: Path) -> Run:
    counts: Counter[str] = Counter()
    problems: list[str] = []
    for number, interleaving in enumerate(interleavings):
        race = Race(situation, folder / str(number), counts)
        with undone(), race.world.is_real(), patch.object(artifacts, "REPLACED_SECONDS", -10.0):
            found = [*race.run(interleaving)]
        order = f"{', '.join(interleaving.commands)}; before {interleaving.place}: {interleaving.act}"
        problems += [f"{order}: {each}" for each in found]
        counts["interleavings"] += 1
    return Run(what=situation.name, counts=dict(counts), problems=problems)


@contextmanager
def undone() -> Iterator[None]:
    with suppress(Undone), transaction.atomic():
        yield
        raise Undone


class Race:
    """One interleaving, in a database that nobody else has."""

    def __init__(self, situation: Situation, folder: Path, counts: Counter[str]) -> None:
        folder.mkdir(parents=True)
        self._folder = folder
        self.world = World(0, folder, fake_engine)
        self.world.now = START + CALM
        self._situation = situation
        self._counts = counts
        self._holding: list[Actor] = []

    def run(self, interleaving: Interleaving) -> Iterator[str]:
        self._stream = self._begin()
        for place in range(len(interleaving.commands) + 1):
            if place == interleaving.place:
                yield from self._heard_of(lambda: self._act(interleaving.act))
            if place < len(interleaving.commands):
                yield from self._command(interleaving.commands[place])
        yield from checker.check(self._stream) if state_of(self._stream.pk) != "gone" else ()
        yield from self._come_to_the_end()
        yield from (f"at the end: {problem}" for problem in self._end_problems())

    def _begin(self) -> Stream:
        situation = self._situation
        stream = start(situation.kind, train=1)
        while not Job.objects.filter(kind=situation.job, step=situation.step, state="due").exists():
            assert work_off(self._folder / "steady", jobs=1) == 1, f"{situation.name} never comes"
        for number in range(situation.held):
            self._claim(f"worker {number}")
        if situation.waits:
            storage_pauses.pause_all("The disk is full.")
        return stream

    def _claim(self, name: str) -> None:
        """A worker takes a job and computes some seconds of it."""
        claim = leases.claim(name, tuple(Job.Kind.values))
        if claim is not None:
            actor = doing(self.world, name, claim)
            if next(actor, None) is not None:
                self._holding.append(actor)

    def _heard_of(self, act: Callable[[], None]) -> Iterator[str]:
        """Of what has ended the log is closed: whatever workers hand in then is refused."""
        before, events = state_of(self._stream.pk), self._events()
        act()
        if before not in OPEN and self._events() != events:
            yield f"the log of a {before} one went on with {self._events()[len(events) :]}"

    def _act(self, act: str) -> None:
        if act == "a result is handed in":
            self._let_finish(self._holding[:1])
        elif act == "the leases run out":
            self.world.now += SILENT_SECONDS
            leases.expire()
        elif act == "somebody claims":
            self._claim("another worker")

    def _let_finish(self, actors: list[Actor]) -> None:
        for actor in actors:
            for _ in actor:
                """Its time passes; what it may no longer write is refused, which `doing` takes as the worker does."""
        self._holding = [each for each in self._holding if each not in actors]

    def _command(self, command: str) -> Iterator[str]:
        """Give it; whether it did what the table says, once, or was refused with a reason and changed nothing."""
        before, told = state_of(self._stream.pk), self._told()
        wanted = AFTER.get((before, command))
        try:
            COMMANDS[command](self._stream.pk)
        except lifecycle.CommandRefused as refused:
            self._counts["refused"] += 1
            if wanted is not None:
                yield f"{command} of a {before} one was refused: {refused}"
            if not str(refused).startswith(f"This {self._stream.kind} is ") or before == refused.wanted:
                yield f"{command} was refused with {str(refused)!r}"
            wanted, command = before, ""
        else:
            self._counts["applied"] += 1
            if wanted is None:
                yield f"{command} of a {before} one was applied"
        after = state_of(self._stream.pk)
        if after != wanted:
            yield f"{command or 'refused'} made a {before} one {after}"
        added = [TOLD[command]] if command in TOLD and (before, command) != ("deleting", "delete") else []
        if self._told() != told + added:
            yield f"{command or 'refused'} of a {before} one told {self._told()[len(told) :]}"

    def _told(self) -> list[str]:
        return [event["state"] for event in self._events() if event["kind"] == "state_changed"]

    def _events(self) -> list[dict[str, Any]]:
        return event_log.read(self._stream.pk, 0, checker.EVERYTHING)

    def _come_to_the_end(self) -> Iterator[str]:
        """Late words of workers, leases that run out, work, and what is left to remove."""
        held_on = state_of(self._stream.pk)
        yield from self._heard_of(lambda: self._let_finish(self._holding))
        ended, problems = brought_to_its_end(self.world, self._stream.pk, held_on, self._folder / "steady")
        self._counts[f"ended {ended}"] += 1
        yield from problems

    def _end_problems(self) -> Iterator[str]:
        for stream in Stream.objects.all():
            yield from checker.check(stream)
            yield from compared(stream, fake_engine)
        artifacts.sweep(-10.0)
        if not Stream.objects.exists():
            if Event.objects.exists() or Child.objects.exists() or Job.objects.exists():
                yield "rows of what was deleted are left"
            if left := [path.name for path in self.world.store.glob("??/*")]:
                yield f"files of what was deleted are left: {left}"


CAMPAIGN = Campaign(
    harm="Pause, resume, stop, delete, priority and new limits in every order of two and three, with results, lost"
    " leases and claims of workers between them, from every situation of a search, a training and a search with"
    " shared weights.",
    holds="Each command is applied once or refused with a reason, by one table; what is open then ends as the straight"
    " run, what was deleted leaves no row and no file.",
    run=run,
    minutes=20,
    wants_database=True,
)
