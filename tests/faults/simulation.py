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
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

from django.db import connection

from search_engine.config import SearchConfig, TrainingConfig, read_config
from search_engine.evaluators.base import Evaluator
from search_engine.evaluators.reusing import Reusing
from search_engine.events import ChildFinished, ControllerUpdated, TrainingFinished
from search_engine.runner import child_finished, controller_updated, fingerprint_after, run, step_proposed
from search_engine.strategies.base import Evaluation, Proposal
from tests.faults import fake_engine
from tests.faults.fake_engine import FakeEvaluator
from webapp.accounts.models import User
from webapp.searches import (
    artifacts,
    checker,
    clock,
    event_log,
    leases,
    lifecycle,
    live_state,
    planner,
    reconciler,
    results,
    trainer_requests,
)
from webapp.searches.leases import HEARTBEAT_SECONDS, LEASE_SECONDS, Claim, LeaseLost
from webapp.searches.models import Artifact, Child, Job, Search, Stream, Training

START = 1_800_000_000.0
CALM = 40.0  # Virtual seconds after which nothing bad happens any more, so that every search comes to its end.
GIVE_UP = 600.0  # Virtual seconds after which a search that has not ended counts as stuck.
KINDS = tuple(kind.value for kind in Job.Kind)

Actor = Generator[float, None, None]


class Killed(BaseException):
    """The process ended at this very point."""


class ReplyLost(Exception):
    """The database did what it was asked, and the answer never came."""


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
        """Two searches and a training of one owner, some workers, two reconcilers, one person."""
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
            )
            search = lifecycle.create_search(
                owner, config, decisions=fake_engine.DECISIONS, data=fake_engine.DATA, priority=choose.randint(0, 1)
            )
            self._names[search.pk] = f"search {number}"
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
            name = self._names[stream.pk]
            self.problems += [f"{name}: {problem}" for problem in checker.check(stream)]
            self.problems += [f"{name}: {problem}" for problem in compared(stream, self.engine)]
            events = event_log.read(stream.pk, 0, checker.EVERYTHING)
            self.history += [f"{name} {json.dumps(event, sort_keys=True)}" for event in events]
            self.counts[f"{stream.kind} {stream.state}"] += 1
        digest = hashlib.sha256("\n".join(self.history).encode()).hexdigest()
        return Report(self.seed, self.problems, self.counts, digest, self.now - START)


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


# --- The actors ------------------------------------------------------------------------------------------------------


def working(world: World, name: str) -> Actor:
    """A worker: claims, does, hands in; for ever."""
    while True:
        claim = claimed(world, name)
        if claim is None:
            yield world.chance.uniform(0.5, 3.0)
            continue
        yield from doing(world, name, claim)


def claimed(world: World, name: str) -> Claim | None:
    """Claim a job; now and then somebody else claims it in the very moment between reading and writing."""
    if not (world.is_wild and world.chance.random() < 0.1):
        return leases.claim(name, KINDS)
    rival = f"{name}+"
    rivals: list[Claim | None] = []

    def be_faster(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith('UPDATE "searches_job"') and not rivals:
            rivals.append(None)  # The rival's own statement passes here as well.
            rivals.append(leases.claim(rival, KINDS))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(be_faster):
        claim = leases.claim(name, KINDS)
    for faster in rivals:
        if faster is not None:
            world.note(rival, "was faster")
            world.start(rival, doing(world, rival, faster))
    return claim


def doing(world: World, name: str, claim: Claim) -> Actor:
    """One job, as driver.Driver does it."""
    do = {"learn": learning, "evaluate": evaluating, "train": training_for_keeps}[claim.kind]
    try:
        yield from do(world, name, claim)
        world.note(name, f"did {claim.kind}")
    except LeaseLost:
        world.note(name, "was refused")
    except ReplyLost:
        world.note(name, "left its job")


def handing_in(world: World, name: str, claim: Claim, record: Callable[..., Any], *what: Any) -> None:
    """Hand in; where the answer was lost, sometimes hand in again, which must change nothing."""
    try:
        world.commit(name, record, claim.job_id, claim.fence, *what)
    except ReplyLost:
        if world.chance.random() < 0.5:
            raise
        record(claim.job_id, claim.fence, *what)
    if Job.objects.get(pk=claim.job_id).fence != claim.fence:
        world.problems.append(f"{record.__name__} of {name} was accepted although somebody else has the job.")


def taking(world: World, claim: Claim, seconds: float) -> Generator[float, None, str]:
    """Compute for so long, renewing the lease; the wanted state. Raises LeaseLost."""
    wanted = "running"
    while seconds > 0:
        pause = min(seconds, HEARTBEAT_SECONDS)
        yield pause
        seconds -= pause
        renewed = leases.renew(claim.job_id, claim.fence, int(world.now - START))
        if renewed is None:
            raise LeaseLost
        wanted = renewed
    return wanted


def learning(world: World, name: str, claim: Claim) -> Actor:
    request = trainer_requests.request_for(claim)
    strategy = world.engine.build_strategy(read_config(SearchConfig, request["config"]))
    shown = -1
    if request["state"] is not None:
        world.engine.load_strategy(Path(request["state"]), strategy)
        shown = max((step.step for step in strategy.pending()), default=-1)
    updated = None
    if claim.step >= 0:
        told = [Evaluation(**{**one, "twin": tuple(one["twin"]) if one["twin"] else None}) for one in
                request["evaluations"]]  # fmt: skip
        proposals = strategy.ask()
        update = strategy.tell(told)
        updated = controller_updated(update, fingerprint_after(request["fingerprint"], proposals, told, update))
    yield from taking(world, claim, world.chance.uniform(0.1, 3.0))
    proposed = [step_proposed(step) for step in strategy.pending() if step.step > shown]
    state = kept(world, world.engine.encode_strategy(strategy))
    yield 0.0
    handing_in(world, name, claim, results.record_step, updated, proposed, state)


def evaluating(world: World, name: str, claim: Claim) -> Actor:
    handing_in(world, name, claim, results.record_started)
    request = trainer_requests.request_for(claim)
    config = read_config(SearchConfig, request["config"])
    evaluator = FakeEvaluator(config)
    for epoch in range(epoch_of(request["checkpoint"]) + 1, config.recipe.epochs + 1):
        wanted = yield from taking(world, claim, world.chance.uniform(0.2, 4.0))
        is_last = epoch == config.recipe.epochs
        checkpoint = None if is_last else kept(world, {"epoch": epoch, "of": [claim.step, claim.slot]})
        ended = evaluator.epoch(claim.step, claim.slot, epoch)
        handing_in(world, name, claim, results.record_epoch, ended, checkpoint)
        if wanted == "paused" and not is_last:
            leases.release(claim.job_id, claim.fence)
            return
        yield 0.0
    architecture = world.engine.architecture_of(config, request["decisions"])
    verdict = child_finished(evaluator.verdict(claim.step, claim.slot, architecture.hash))
    handing_in(world, name, claim, results.record_child, verdict)


def training_for_keeps(world: World, name: str, claim: Claim) -> Actor:
    request = trainer_requests.request_for(claim)
    epochs = request["config"]["recipe"]["epochs"]
    evaluator = FakeEvaluator(fake_engine.small_config(epochs=epochs))
    for epoch in range(epoch_of(request["checkpoint"]) + 1, epochs + 1):
        wanted = yield from taking(world, claim, world.chance.uniform(0.2, 4.0))
        checkpoint = kept(world, {"epoch": epoch})
        handing_in(world, name, claim, results.record_epoch, evaluator.epoch(None, None, epoch), checkpoint)
        if wanted == "paused":
            leases.release(claim.job_id, claim.fence)
            return
        yield 0.0
    weights = kept(world, {"weights": world.seed})
    finished = TrainingFinished(
        test_accuracy=0.5, test_examples=100, held_out_accuracy=0.5, checkpoint=weights, seconds=1.0
    )
    handing_in(world, name, claim, results.record_training, finished)


def reconciling(world: World) -> Actor:
    """Every two seconds, in any of its acts it may die."""
    while True:
        for act in (reconciler.expire_leases, reconciler.plan_what_stands_still, live_state.take_snapshots):
            with suppress(ReplyLost):
                world.commit("reconciler", act)
            yield 0.0
        yield 2.0


def commanding(world: World) -> Actor:
    """Somebody who cannot leave the buttons alone, and in the end lets everything run."""
    commands = (lifecycle.pause, lifecycle.resume, lifecycle.pause, lifecycle.resume, lifecycle.stop)
    streams = list(Stream.objects.order_by("created").values_list("pk", flat=True))
    while world.is_wild:
        yield world.chance.uniform(1.0, 15.0)
        command = world.chance.choice(commands)
        if command is lifecycle.stop and world.chance.random() < 0.8:
            continue
        give(world, command, world.chance.choice(streams))
    while True:
        for stream_id in Stream.objects.filter(state=Stream.State.PAUSED).values_list("pk", flat=True):
            give(world, lifecycle.resume, stream_id)
        yield 5.0


def give(world: World, command: Callable[[uuid.UUID], None], stream_id: uuid.UUID) -> None:
    try:
        world.commit("person", command, stream_id)
        world.note("person", command.__name__)
    except lifecycle.CommandRefused:
        world.note("person", f"may not {command.__name__}")
    except (ReplyLost, Killed):
        world.note("person", "saw no answer")


# --- Files, and the comparison with a run without faults -------------------------------------------------------------


def kept(world: World, content: bytes | dict[str, Any]) -> str:
    """Put a file into the store."""
    path = world.folder / "spool"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content, sort_keys=True).encode())
    return artifacts.put(path)


def epoch_of(checkpoint: str | None) -> int:
    return 0 if checkpoint is None else int(json.loads(Path(checkpoint).read_text())["epoch"])


class Losing(FakeEvaluator):
    """Gives up the same children that were given up under faults: what was decided once is not decided again."""

    def __init__(self, config: SearchConfig, lost: set[tuple[int, int]]) -> None:
        super().__init__(config)
        self._lost = lost

    def evaluate(self, proposal: Proposal) -> Generator[Any, None, Evaluation]:
        if (proposal.step, proposal.slot) in self._lost:
            return Evaluation(proposal.step, proposal.slot, None, leases.LOST)
        return (yield from super().evaluate(proposal))


def compared(stream: Stream, engine: Any) -> Iterator[str]:
    """Whether a search computed what one process without faults computes, as far as it got."""
    if stream.kind != Stream.Kind.SEARCH:
        training = Training.objects.get(pk=stream.pk)
        curve = [point[0] for point in live_state.state_at(stream)["curve"]]
        if stream.state == Stream.State.FINISHED and curve != list(range(1, training.config["recipe"]["epochs"] + 1)):
            yield f"The curve has the epochs {curve}."
        return
    search = Search.objects.get(pk=stream.pk)
    config = read_config(SearchConfig, search.config)
    lost = set(Child.objects.filter(search=search, reason=leases.LOST).values_list("step", "slot"))
    fingerprints, verdicts = straight(config, lost, engine)
    if search.fingerprint != (fingerprints[search.steps_told - 1] if search.steps_told > 0 else ""):
        yield f"The fingerprint after {search.steps_told} steps is not that of the straight run."
    for child in Child.objects.filter(search=search, is_final=True, step__lt=max(search.steps_told, 0)):
        twin = None if child.twin_step is None else (child.twin_step, child.twin_slot)
        if (child.reward, child.reason or None, twin) != verdicts[child.step, child.slot]:
            yield f"Child {child.step}.{child.slot} has another verdict than in the straight run."


def straight(
    config: SearchConfig, lost: set[tuple[int, int]], engine: Any
) -> tuple[list[str], dict[tuple[int, int], tuple[float | None, str | None, tuple[int, int] | None]]]:
    """Fingerprints by step and verdicts by place, of `runner.run` in one process."""
    evaluator: Evaluator = Losing(config, lost)
    if config.budget.reuse == "copy":
        evaluator = Reusing(evaluator, lookahead=config.strategy.lookahead)
    fingerprints, verdicts = [], {}
    events = run(
        engine.build_strategy(config), evaluator, should_stop=lambda: False, save=lambda strategy, fingerprint: None
    )
    for event in events:
        if isinstance(event, ControllerUpdated):
            fingerprints.append(event.fingerprint)
        elif isinstance(event, ChildFinished):
            verdicts[event.step, event.slot] = (event.reward, event.reason, event.twin)
    return fingerprints, verdicts


def training_config(seed: int) -> TrainingConfig:
    architecture = fake_engine.decode((0, 1, 1)).to_json()
    return read_config(TrainingConfig, {"architecture": architecture, "recipe": {"epochs": 2 + seed % 4}})


def random_id(chance: random.Random) -> uuid.UUID:
    return uuid.UUID(int=chance.getrandbits(128))
