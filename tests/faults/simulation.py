"""A whole cluster in one thread, with a virtual clock and faults by seed: FoundationDB's way of testing, in small.

Workers, two reconcilers and a restless person use the functions of the product (leases, results, planner, lifecycle,
reconciler) on a real database; only time, the trainer and the bell are not real. An actor is a generator: every `yield`
is a number of seconds that pass, and a moment at which it may be killed or frozen. Inside a transaction it may die
before or after any statement. One seed gives one history, byte for byte.
"""

import hashlib
import heapq
import json
import random
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from django.db import connection

from search_engine.config.reading import read_config
from search_engine.config.training import TrainingConfig
from tests.faults import fake_engine, fake_shared
from tests.faults.actors import Actor, Killed, ReplyLost, commanding, reconciling, working
from tests.faults.straight_run import compared
from webapp.accounts.models import User
from webapp.searches import artifacts, checker, clock, event_log, lifecycle, live_state, planner
from webapp.searches.leases import LEASE_SECONDS
from webapp.searches.models import Artifact, Stream

START = 1_800_000_000.0
CALM = 40.0  # Virtual seconds after which nothing bad happens any more, so that every search comes to its end.
GIVE_UP = 600.0  # Virtual seconds after which a search that has not ended counts as stuck.


@dataclass
class Report:
    """What became of a seed. digest: of the whole history; problems: [] when all is well."""

    seed: int
    problems: list[str] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    digest: str = ""
    seconds: float = 0.0  # Virtual ones.


def simulate(seed: int, folder: Path, engine: Any = fake_engine) -> Report:
    """Run one seed to its end and check everything. folder: for files, empty; engine: fake_engine, or real_engine."""
    world = World(seed, folder, engine)
    with world.is_real():
        world.set_up()
        world.run()
        return world.report()


class World:
    """Time, chance, the actors, and the record of what happened."""

    def __init__(self, seed: int, folder: Path, engine: Any) -> None:
        self.seed = seed
        self.engine = engine
        self.chance = random.Random(f"faults:{seed}")
        self.now = START
        self.folder = folder
        self.history: list[str] = []
        self.counts: Counter[str] = Counter()
        self.problems: list[str] = []
        self._queue: list[tuple[float, int, str, Actor]] = []
        self._started = 0
        self._names: dict[uuid.UUID, str] = {}

    @contextmanager
    def is_real(self) -> Iterator[None]:
        """Inside, this world's clock, ids and files take the place of the real ones; nobody rings."""
        ids = random.Random(f"ids:{self.seed}")
        with ExitStack() as stack:
            stack.enter_context(clock.replaced(lambda: self.now))
            for model in (Stream, Artifact):
                make_id = patch.object(model._meta.get_field("id"), "_get_default", lambda: random_id(ids), create=True)
                stack.enter_context(make_id)
            stack.enter_context(patch.object(artifacts, "_root", lambda: self.folder / "store"))
            stack.enter_context(patch.object(artifacts.os, "fsync", lambda descriptor: None))
            stack.enter_context(patch.object(event_log, "ring", lambda stream_id: None))
            stack.enter_context(patch.object(planner, "call_workers", lambda jobs: None))
            stack.enter_context(patch.object(live_state, "SNAPSHOT_EVENTS", 25))
            yield

    def set_up(self) -> None:
        """Two searches, the second with a bound and cost in its reward, one with shared weights, a training, workers,
        reconcilers, a person."""
        choose = random.Random(f"set-up:{self.seed}")
        owner = User.objects.create(name=f"simulated {self.seed}")
        for number in range(2):
            config = self.engine.small_config(
                children=choose.randint(4, 9),
                step_size=choose.randint(1, 4),
                lookahead=choose.choice((0, 0, 1, 2)),
                reuse=choose.choice(("off", "copy")),
                epochs=choose.randint(1, 3),
                seed=self.seed * 10 + number,
                finalists=choose.choice((0, 2, 3)),
                bounded=number == 1,
            )
            search = lifecycle.create_search(
                owner, config, decisions=fake_engine.DECISIONS, data=fake_engine.DATA, priority=choose.randint(0, 1)
            )
            self._names[search.pk] = f"search {number}"
            self.now += 0.5
        shared = fake_shared.small_config(
            epochs=choose.randint(1, 3), rounds=choose.randint(2, 4), train=choose.randint(0, 2), seed=self.seed
        )
        search = lifecycle.create_search(
            owner, shared, decisions=fake_engine.DECISIONS, data=fake_engine.DATA, priority=choose.randint(0, 1)
        )
        self._names[search.pk] = "shared search"
        self.now += 0.5
        training = lifecycle.start_training(
            owner, training_config(self.seed), data=fake_engine.DATA, hash="0" * 64, parameters=1, mult_adds=1
        )
        self._names[training.pk] = "training"
        for number in range(choose.randint(1, 4)):
            self.start(f"worker {number}", working(self, f"worker {number}"))
        for number in range(2):
            self.start(f"reconciler {number}", reconciling(self))
        self.start("person", commanding(self))

    def start(self, name: str, actor: Actor, after: float = 0.0) -> None:
        self._started += 1
        heapq.heappush(self._queue, (self.now + after, self._started, name, actor))

    def run(self) -> None:
        """Let the actors act in the order of time, until every search and training has ended."""
        looked = self.now
        while self._queue:
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
            else:
                self._let_pass(name, actor, pause)

    def _let_pass(self, name: str, actor: Actor, pause: float) -> None:
        """Time passes for this actor; while it does, the actor may be killed, or freeze and not notice."""
        if self.is_wild and name.startswith("worker"):
            fault = self.chance.random()
            if fault < 0.02:
                self.note(name, "was killed between two acts")
                actor.close()
                self._begin_again(name)
                return
            if fault < 0.06:
                pause += self.chance.uniform(LEASE_SECONDS, 5 * LEASE_SECONDS)
                self.note(name, "froze")
        self.start(name, actor, pause)

    def _begin_again(self, name: str) -> None:
        """Whoever ended is started again by the supervisor, under a name of its own."""
        kind, _, number = name.partition(" ")
        again = f"{kind} {number}'"
        actor = working(self, again) if kind == "worker" else reconciling(self)
        self.start(again, actor, self.chance.uniform(0.5, 3.0))

    @property
    def is_wild(self) -> bool:
        return self.now < START + CALM

    def _is_over(self) -> bool:
        if self.now > START + GIVE_UP:
            self.problems.append("Something is still going on after ten minutes.")
            return True
        return not Stream.objects.filter(state__in=Stream.OPEN).exists()

    def note(self, who: str, what: str) -> None:
        self.counts[what] += 1
        self.history.append(f"{self.now - START:.3f} {who} {what}")

    def commit(self, who: str, act: Callable[..., Any], *arguments: Any) -> Any:
        """Do it, unless the process dies before or after some statement of it, or the answer is lost."""
        fault = self.chance.random() if self.is_wild else 1.0
        if fault < 0.03:
            with connection.execute_wrapper(Death(self.chance.randint(1, 16))):
                return act(*arguments)
        answer = act(*arguments)
        if fault < 0.05:
            self.note(who, "did not hear the answer")
            raise ReplyLost
        return answer

    def report(self) -> Report:
        """Check every stream, compare every search with the straight run, and digest what happened."""
        for stream in Stream.objects.order_by("created"):
            name = self._names.get(stream.pk, "training of a candidate")
            self.problems += [f"{name}: {problem}" for problem in checker.check(stream)]
            self.problems += [f"{name}: {problem}" for problem in compared(stream, self.engine)]
            events = event_log.read(stream.pk, 0, checker.EVERYTHING)
            self.history += [f"{name} {json.dumps(event, sort_keys=True)}" for event in events]
            self.counts[f"{stream.kind} {stream.state}"] += 1
            self.counts.update(told(event) for event in events)
        digest = hashlib.sha256("\n".join(self.history).encode()).hexdigest()
        return Report(self.seed, self.problems, self.counts, digest, self.now - START)


def told(event: dict[str, Any]) -> str:
    """What an event proves that the simulation went through, for its counts."""
    if event["kind"] != "child_finished":
        return str(event["kind"])
    copied = "copy of a " if event["twin"] else ""
    return "child over a bound" if "over" in event else f"{copied}weighed child" if "accuracy" in event else "child"


class Death:
    """Ends the process before or after the n-th statement of a transaction; the database then undoes the others."""

    def __init__(self, statement: int) -> None:
        self._left = statement

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK")):
            return execute(sql, params, many, context)
        self._left -= 1
        answer = execute(sql, params, many, context)
        if self._left == 0:
            raise Killed
        return answer


def training_config(seed: int) -> TrainingConfig:
    architecture = fake_engine.decode((0, 1, 1)).to_json()
    return read_config(TrainingConfig, {"architecture": architecture, "recipe": {"epochs": 2 + seed % 4}})


def random_id(chance: random.Random) -> uuid.UUID:
    return uuid.UUID(int=chance.getrandbits(128))
