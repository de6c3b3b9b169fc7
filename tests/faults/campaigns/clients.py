"""Commands of several people at the very same moment, over the HTTP API, on a database that threads really share.

Before each round a stream has come to a seeded point. Then some clients, each a thread with a connection of its own,
send a command each, some of them the same one twice under one Idempotency-Key, while two workers work. What the log
tells then must be a path of `legal_commands`, each answer must fit it, and the stream must end as the straight run.
"""

import json
import logging
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from django.conf import settings
from django.db import connection
from django.test import Client

from tests.faults import fake_engine
from tests.faults.actors import KINDS, doing
from tests.faults.calm import brought_to_its_end
from tests.faults.campaigns.campaign import Campaign, Run, Size
from tests.faults.legal_commands import AFTER, ENDS_BY_ITSELF, GONE, OPEN, REFUSED, REQUESTS, TOLD, state_of
from tests.faults.simulation import CALM, START, World
from tests.faults.small_streams import start
from tests.faults.steady_worker import work_off
from tests.faults.straight_run import compared
from webapp.accounts.models import User
from webapp.searches import artifacts, checker, deletion, event_log, leases, lifecycle, storage_pauses
from webapp.searches.models import Child, Event, Job, Search, Stream

ROUNDS = {"small": 20, "large": 1500}
WAIT_SECONDS = 60.0  # A thread that is not done by then hangs.
MOST_JOBS = {"search": 8, "shared search": 5, "training": 1}
WORDS = {"deleting": "being deleted", "waiting": "paused"}  # For people.
NEW_SEARCH = {"config": {"strategy": {"kind": "random", "step_size": 2}, "budget": {"children": 2}}}


@dataclass
class Sent:
    """A command that a client sends, and how it is answered."""

    command: str
    key: str
    status: int = 0
    reply: dict[str, Any] = field(default_factory=dict)


def run(seed: int, size: Size, folder: Path) -> Iterator[Run]:
    for name in ("webapp", "django.request"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    settings.ALLOWED_HOSTS = ["testserver"]
    counts: Counter[str] = Counter()
    problems: list[str] = []
    for number in range(ROUNDS[size]):
        chance = random.Random(f"clients:{seed}:{number}")
        place = folder / str(number)
        place.mkdir()
        world = World(number, place, fake_engine)
        world.now = START + CALM
        with world.is_real(), patch.object(artifacts, "REPLACED_SECONDS", -10.0):
            found = Round(chance, world, place, counts).problems()
            problems += [f"round {number}: {problem}" for problem in found]
        counts["rounds"] += 1
    yield Run(what="commands at the same moment", counts=dict(counts), problems=problems)


class Round:
    def __init__(self, chance: random.Random, world: World, folder: Path, counts: Counter[str]) -> None:
        self._chance = chance
        self._folder = folder
        self._world = world
        self._counts = counts
        self._owner = User.objects.create(name=folder.name)
        self._crashes: list[str] = []

    def problems(self) -> Iterator[str]:
        if self._chance.random() < 0.1:
            yield from self._start_twice()
            return
        kind = self._chance.choice(("search", "search", "training", "shared search"))
        self._stream = start(kind, train=self._chance.randint(0, 1), owner=self._owner)
        work_off(self._folder / "before", jobs=self._chance.randint(0, MOST_JOBS[kind]))
        self._put_into_a_state()
        before, first = state_of(self._stream.pk), Stream.objects.get(pk=self._stream.pk).last_event
        sent = self._commands()
        self._all_at_once([lambda each=each: self._send(each) for each in sent], workers=2)
        states = [before, *self._told(first)]
        yield from _path_problems(states)
        yield from _answer_problems(sent, states)
        for each in sent:
            self._counts[f"{each.command} answered {each.status}"] += 1
        if state_of(self._stream.pk) != "gone":
            yield from checker.check(self._stream)
        yield from self._come_to_the_end()
        yield from self._crashes

    def _put_into_a_state(self) -> None:
        """Running, paused or waiting for its disk, where it is still open."""
        wanted = self._chance.choice(("running", "running", "paused", "waiting"))
        if state_of(self._stream.pk) not in OPEN:
            return
        if wanted == "paused":
            lifecycle.pause(self._stream.pk)
        elif wanted == "waiting":
            storage_pauses.pause_all("The disk is full.")

    def _commands(self) -> list[Sent]:
        """Two to four, of which one may be sent twice under its key."""
        names = self._chance.choices([*REQUESTS, "pause"], k=self._chance.randint(2, 3))
        sent = [Sent(name, f"{number}") for number, name in enumerate(names)]
        if self._chance.random() < 0.5:
            sent.append(Sent(names[0], "0"))
        return sent

    def _send(self, each: Sent) -> None:
        """The deletion and the priority take no key: sending these again changes nothing by itself."""
        client = self._client()
        method, path, body, _ = REQUESTS[each.command]
        address = f"/api/{'trainings' if self._stream.kind == 'training' else 'searches'}/{self._stream.pk}{path}"
        answer = getattr(client, method)(
            address, json.dumps(body), content_type="application/json", headers={"Idempotency-Key": each.key}
        )
        each.status, each.reply = answer.status_code, answer.json()

    def _client(self) -> Client:
        client = Client()
        client.force_login(self._owner)
        return client

    def _all_at_once(self, acts: list[Callable[[], None]], workers: int) -> None:
        """Every act in a thread; workers work until all are done."""
        barrier, done = threading.Barrier(len(acts) + workers), threading.Event()
        clients = [self._thread(act, barrier) for act in acts]
        working = [
            self._thread(lambda number=number: self._work(number, done), barrier) for number in range(workers)
        ]  # fmt: skip
        for thread in clients:
            thread.join(WAIT_SECONDS)
        done.set()
        for thread in working:
            thread.join(WAIT_SECONDS)
        self._crashes += [f"{each.name} hangs" for each in (*clients, *working) if each.is_alive()]

    def _thread(self, act: Callable[[], None], barrier: threading.Barrier) -> threading.Thread:
        def run() -> None:
            try:
                barrier.wait(WAIT_SECONDS)
                act()
            except Exception as error:  # Whatever a server would answer with 500.
                self._crashes.append(f"it was answered by {error!r}")
            finally:
                connection.close()

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    def _work(self, number: int, done: threading.Event) -> None:
        """A worker in a world of its own: the same store and database, another spool."""
        place = self._folder / f"worker {number}"
        place.mkdir()
        own = World(number, place, fake_engine)
        own.now = START + CALM
        while not done.is_set():
            claim = leases.claim(f"worker {number}", KINDS)
            if claim is None:
                done.wait(0.002)
                continue
            for _ in doing(own, claim.worker, claim):
                """It computes for no time."""

    def _told(self, after: int) -> list[str]:
        events = event_log.read(self._stream.pk, after, checker.EVERYTHING)
        return [
            "waiting" if event["state"] == "paused" and event["reason"] else event["state"]
            for event in events
            if event["kind"] == "state_changed"
        ]

    def _come_to_the_end(self) -> Iterator[str]:
        held_on = state_of(self._stream.pk)
        ended, problems = brought_to_its_end(self._world, self._stream.pk, held_on, self._folder / "after")
        self._counts[f"ended {ended}"] += 1
        yield from problems
        yield from self._clear()

    def _clear(self) -> Iterator[str]:
        """All is sound; then all goes, and nothing is left for the next round."""
        for stream in Stream.objects.all():
            yield from checker.check(stream)
            yield from compared(stream, fake_engine)
            deletion.delete(stream.pk)
        deletion.remove_deleted()
        deletion.remove_deleted()
        if any(model.objects.exists() for model in (Stream, Event, Child, Job)):
            yield "rows of what was deleted are left"
        artifacts.sweep(-10.0)
        if left := [path.name for path in self._world.store.glob("??/*")]:
            yield f"files of what was deleted are left: {left}"

    def _start_twice(self) -> Iterator[str]:
        """The same start from three clients under one key is one search, and all get the same answer."""
        answers: list[tuple[int, Any]] = []

        def send() -> None:
            answer = self._client().post(
                "/api/searches", NEW_SEARCH, content_type="application/json", headers={"Idempotency-Key": "start"}
            )
            answers.append((answer.status_code, answer.json()))

        self._all_at_once([send] * 3, workers=0)
        self._counts["starts under one key"] += len(answers)
        if len(answers) != 3 or answers != [answers[0]] * 3 or answers[0][0] != 201:
            yield f"the same start was answered {answers}"
        if Search.objects.count() != 1:
            yield f"one start made {Search.objects.count()} searches"
        yield from self._crashes
        for search in Search.objects.all():
            yield from checker.check(search)
            deletion.delete(search.pk)
        deletion.remove_deleted()


def _path_problems(states: list[str]) -> Iterator[str]:
    """Whether the log went from state to state as commands and workers may."""
    for old, new in zip(states, states[1:], strict=False):
        by_command = new in {AFTER[old, command] for command in TOLD if (old, command) in AFTER}
        by_worker = new in ENDS_BY_ITSELF and old in OPEN
        if not by_command and not by_worker:
            yield f"the log goes from {old} to {new}: {states}"


def _answer_problems(sent: list[Sent], states: list[str]) -> Iterator[str]:
    """Every applied command is told once, and every refusal names a state in which it is refused."""
    different = {(each.command, each.key): each for each in sent}.values()
    for each in sent:
        first = next(other for other in different if (other.command, other.key) == (each.command, each.key))
        with_key = each.command in ("pause", "resume", "stop")
        if with_key and first.status == each.status == 200 and first.reply != each.reply:
            yield f"{each.command} was sent twice under one key and answered {first.reply} and {each.reply}"
        if each.status == REFUSED:
            yield from _refusal_problems(each, states)
        elif each.status != REQUESTS[each.command][3] and each.status != GONE:
            yield f"{each.command} was answered {each.status} {each.reply}"
    for command, state in TOLD.items():
        # What was refused may be sent again under its key: of two of one key the later one may be applied.
        applied = len({each.key for each in sent if each.command == command and each.status in (200, 202)})
        told = states[1:].count(state)
        wanted = min(applied, 1) if command == "delete" and states[0] != "deleting" else applied
        if told != wanted:
            yield f"{command} was applied {applied} times and told {told} times: {states}"


def _refusal_problems(each: Sent, states: list[str]) -> Iterator[str]:
    sentence = each.reply["errors"][0]["message"]
    refusing = {WORDS.get(state, state) for state in states if (state, each.command) not in AFTER}
    if not any(f" is {word};" in sentence for word in refusing):
        yield f"{each.command} was refused with {sentence!r}, and the states were {states}"


CAMPAIGN = Campaign(
    harm="Pause, resume, stop, delete and priority from two to four clients at the same moment over HTTP, some twice"
    " under one Idempotency-Key, the same start from three; two workers work meanwhile.",
    holds="Each command is applied once or refused with a reason, by one table; what is open then ends as the straight"
    " run, what was deleted leaves no row and no file.",
    run=run,
    minutes=10,
    wants_database=True,
)
