"""A whole cluster in one thread, with a virtual clock and faults by seed: FoundationDB's way of testing, in small.

Workers, reconcilers and a restless person use the functions of the product (leases, results, planner, lifecycle,
deletion, reconciler) on a real database and a real folder; only time, the trainer and the messages between processes
are not real. An actor is a generator: every `yield` is a number of seconds that pass, and a moment at which it may be
killed or frozen. Inside a transaction it may die at any statement. One seed gives one history, byte for byte.
"""

import hashlib
import heapq
import json
import random
import traceback
import uuid
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from django.test import override_settings

from search_engine import storage
from tests.faults import fake_engine, small_world
from tests.faults.actors import UNTIL_RUNG, reconciling, working
from tests.faults.harm import Harm, Killed
from tests.faults.holding import Actor
from tests.faults.straight_run import compared
from webapp import celery
from webapp.celery import LOOK_EXPIRES_SECONDS
from webapp.searches import artifacts, checker, clock, event_log, live_state, shared_checker, storage_pauses
from webapp.searches.leases import LEASE_SECONDS
from webapp.searches.models import Artifact, Search, Stream
from webapp.searches.workers import reconciler, trainer_requests

START = 1_800_000_000.0
CALM = 30.0  # Virtual seconds after which nothing bad happens any more, so that every search comes to its end.
EPOCH = 0.2, 3.0  # Seconds that an epoch takes, or a minibatch of shared weights, at least and at most.
GIVE_UP = 600.0  # Virtual seconds after which a search that has not ended counts as stuck.

_set_times = artifacts.os.utime


@dataclass
class Report:
    """What became of a seed. digest: of the whole history; problems: [] when all is well."""

    seed: int
    problems: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    digest: str = ""
    seconds: float = 0.0  # Virtual ones.
    history: list[str] = field(default_factory=list)


def simulate(seed: int, folder: Path, engine: Any = fake_engine) -> Report:
    """Run one seed to its end and check everything, in an empty database (memory_database).

    folder: for files, empty; engine: fake_engine, or real_engine.
    """
    world = World(seed, folder, engine)
    with world.is_real():
        small_world.set_up(world)
        world.run()
        return world.report()


class World:
    """Time, chance, the actors, the messages between them, and the record of what happened."""

    epoch_seconds = EPOCH

    def __init__(self, seed: int, folder: Path, engine: Any) -> None:
        self.seed = seed
        self.engine = engine
        self.chance = random.Random(f"faults:{seed}")
        self.now = START
        self.store, self.spool = folder / "store", folder / "spool"
        for place in (self.store, self.spool):
            place.mkdir(exist_ok=True)
        self.harm = Harm(self)
        self.history: list[str] = []
        self.counts: Counter[str] = Counter()
        self.problems: list[str] = []
        self.names: dict[uuid.UUID, str] = {}
        self.refused: set[str] = set()  # Workers to which a disk refused something the last time.
        self.has_deleted = False
        self.are_rings_swallowed = False
        self._queue: list[tuple[float, int, str, Actor]] = []
        self._started = 0
        self._workers: dict[str, float] = {}  # Those that live, and until when they are frozen.
        self._waiting: list[tuple[str, Actor]] = []  # For a ring.
        self._rings: deque[float] = deque()  # That nobody waited for, and until when they are worth something.

    @contextmanager
    def is_real(self) -> Iterator[None]:
        """Inside, this world's clock, ids, files, disk and messages take the place of the real ones."""
        ids = random.Random(f"ids:{self.seed}")
        with ExitStack() as stack:
            put = stack.enter_context
            put(clock.replaced(lambda: self.now + self.harm.skew))
            for module in (artifacts, reconciler):
                put(patch.object(module, "time", SimpleNamespace(time=lambda: self.now, monotonic=lambda: self.now)))
            for name in ("_trouble", "_clock"):
                put(patch.object(reconciler, name, None))  # Each reconciler brings its own.
            for model in (Stream, Artifact):
                put(patch.object(model._meta.get_field("id"), "_get_default", lambda: random_id(ids), create=True))
            put(patch.object(artifacts, "_root", lambda: self.store))
            put(patch.object(artifacts.os, "utime", lambda path: _set_times(path, (self.now, self.now))))
            put(patch.object(storage.os, "fsync", lambda descriptor: None))
            put(patch.object(storage, "before", self.harm.before_writing))
            put(patch.object(storage_pauses, "_folders", lambda: {self.store}))
            put(patch.object(storage_pauses, "too_little_room", lambda folder: None))
            put(patch.object(trainer_requests, "beside", lambda act, renew: act()))
            put(patch.object(reconciler, "_safely", lambda act, what: act()))
            put(override_settings(REDIS_URL="simulated", WORKERS=small_world.MOST_WORKERS))
            for module in (celery, reconciler):
                put(patch.object(module, "ring_workers", self._ring_workers))
            put(patch.object(event_log, "ring", lambda stream_id: None))
            put(patch.object(live_state, "SNAPSHOT_EVENTS", 25))
            yield

    # --- Actors and time ---

    def start(self, name: str, actor: Actor, after: float = 0.0) -> None:
        self._started += 1
        heapq.heappush(self._queue, (self.now + after, self._started, name, actor))

    def start_worker(self, name: str, after: float = 0.0) -> None:
        self.start(name, working(self, name), after)

    def note_birth(self, name: str) -> None:
        self._workers[name] = 0.0

    def awake_workers(self) -> list[str]:
        return [name for name, until in self._workers.items() if until <= self.now]

    def run(self) -> None:
        """Let the actors act in the order of time, until every search and training has ended."""
        looked = self.now
        while self._queue and not self.problems:
            self.now, _, name, actor = heapq.heappop(self._queue)
            if self.now > looked + 2.0:
                looked = self.now
                if self._is_over():
                    return
            try:
                pause = next(actor)
            except Killed:
                self.note(name, "was killed")
                self._begin_again(name)
            except StopIteration:
                continue
            except Exception as error:
                place = traceback.extract_tb(error.__traceback__)[-1]
                self.problems.append(f"{name}: {error!r} in {Path(place.filename).name}, line {place.lineno}.")
            else:
                self._let_pass(name, actor, pause)

    def _let_pass(self, name: str, actor: Actor, pause: float) -> None:
        """Time passes for this actor; while it does, a worker may be killed, or freeze and not notice."""
        if self.is_wild and name.startswith("worker"):
            fault = self.chance.random()
            if fault < 0.02:
                self.note(name, "was killed between two acts")
                actor.close()
                self._begin_again(name)
                return
            if fault < 0.05 and pause != UNTIL_RUNG:
                frozen = self.chance.uniform(LEASE_SECONDS, 4 * LEASE_SECONDS)
                pause += frozen
                if name in self._workers:
                    self._workers[name] = self.now + frozen
                self.note(name, "froze")
        if pause == UNTIL_RUNG:
            self._wait_for_a_ring(name, actor)
        else:
            self.start(name, actor, pause)

    def _begin_again(self, name: str) -> None:
        """Whoever ended is started again by the supervisor, under a name of its own. A rival was not in its house."""
        self.refused.discard(name)
        if name in self._workers:
            del self._workers[name]
            self.start_worker(f"{name}'", self.chance.uniform(0.5, 3.0))
        elif name.startswith("reconciler"):
            self.start(f"{name}'", reconciling(self), self.chance.uniform(0.5, 3.0))

    @property
    def is_wild(self) -> bool:
        return self.now < START + CALM

    def _is_over(self) -> bool:
        if self.now > START + GIVE_UP:
            self.problems.append("Something is still going on after ten minutes.")
            return True
        return not Stream.objects.filter(state__in=(*Stream.OPEN, Stream.State.DELETING)).exists()

    # --- Messages ---

    def _ring_workers(self, times: int = 1) -> bool:
        """In the place of celery.ring_workers."""
        for _ in range(times):
            for _ in range(self.harm.copies_of_a_ring()):
                self.start("ring", self._arriving(), self.chance.uniform(0.01, 0.3))
        return True

    def _arriving(self) -> Actor:
        """To whichever worker waits, or to the first that will."""
        if self._waiting:
            self.start(*self._waiting.pop(self.chance.randrange(len(self._waiting))))
        else:
            self._rings.append(self.now + LOOK_EXPIRES_SECONDS)
        return
        yield

    def _wait_for_a_ring(self, name: str, actor: Actor) -> None:
        while self._rings:
            if self._rings.popleft() > self.now:
                self.start(name, actor)
                return
        self._waiting.append((name, actor))

    # --- The record ---

    def note(self, who: str, what: str) -> None:
        self.counts[what] += 1
        self.history.append(f"{self.now - START:.3f} {who} {what}")

    def commit(self, who: str, act: Callable[..., Any], *arguments: Any) -> Any:
        """As harm.Harm.commit."""
        return self.harm.commit(who, act, *arguments)

    def report(self) -> Report:
        """Check every stream, compare every search with the straight run, and digest what happened."""
        if not self.problems:
            self.now += 1.0
            artifacts.sweep(0.0)
            for stream in Stream.objects.order_by("created", "pk"):
                self._check(stream)
        seconds = self.now - START
        told = [*self.history, json.dumps(self.counts, sort_keys=True), *self.problems]
        digest = hashlib.sha256("\n".join(told).encode()).hexdigest()
        return Report(self.seed, self.problems, self.counts, digest, seconds, self.history)

    def _check(self, stream: Stream) -> None:
        name = self.names.get(stream.pk, "training of a candidate")
        ours = {f"The file {sha256} is damaged." for sha256 in self.harm.flipped}  # Nothing went on from it since.
        self.problems += [f"{name}: {problem}" for problem in checker.check(stream) if problem not in ours]
        self.problems += [f"{name}: {problem}" for problem in compared(stream, self.engine)]
        if name == "shared search" and stream.state == Stream.State.FINISHED and not self.has_deleted:
            self.problems += shared_checker.missing_trainings(Search.objects.get(pk=stream.pk))
        if stream.state == Stream.State.FAILED and not stream.reason:
            self.problems.append(f"{name} failed, and does not say why.")
        events = event_log.read(stream.pk, 0, checker.EVERYTHING)
        self.history += [f"{name} {json.dumps(event, sort_keys=True)}" for event in events]
        self.counts[f"{stream.kind} {stream.state}"] += 1
        self.counts.update(told(event) for event in events)


def told(event: dict[str, Any]) -> str:
    """What an event proves that the simulation went through, for its counts."""
    if event["kind"] != "child_finished":
        return str(event["kind"])
    copied = "copy of a " if event["twin"] else ""
    return "child over a bound" if "over" in event else f"{copied}weighed child" if "accuracy" in event else "child"


def random_id(chance: random.Random) -> uuid.UUID:
    return uuid.UUID(int=chance.getrandbits(128))
