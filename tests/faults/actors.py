"""Who acts in the simulation: workers, reconcilers and a person. They use the product's own functions.

An actor is a generator: every `yield` is a number of seconds that pass, and a moment at which the world may kill or
freeze it. `world.commit` is a moment at which a transaction may die, or its answer be lost.
"""

import json
import uuid
from collections.abc import Callable, Generator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.db import connection

from search_engine.config.enas_search import EnasMicroSearchConfig
from search_engine.config.reading import read_config
from search_engine.config.search import SearchConfig
from search_engine.events import TrainingFinished
from search_engine.runner import child_finished, controller_updated, fingerprint_after, step_proposed
from search_engine.strategies.base import Evaluation
from tests.faults import fake_engine, fake_shared
from tests.faults.fake_engine import FakeEvaluator
from webapp.searches import artifacts, leases, lifecycle, live_state, results, shared_results
from webapp.searches.leases import HEARTBEAT_SECONDS, Claim, LeaseLost
from webapp.searches.models import Job, Stream
from webapp.searches.workers import reconciler, trainer_requests

if TYPE_CHECKING:
    from tests.faults.simulation import World

KINDS = tuple(kind.value for kind in Job.Kind)

Actor = Generator[float, None, None]


class Killed(BaseException):
    """The process ended at this very point."""


class ReplyLost(Exception):
    """The database did what it was asked, and the answer never came."""


def working(world: "World", name: str) -> Actor:
    """A worker: claims, does, hands in; for ever."""
    while True:
        claim = claimed(world, name)
        if claim is None:
            yield world.chance.uniform(0.5, 3.0)
            continue
        yield from doing(world, name, claim)


def claimed(world: "World", name: str) -> Claim | None:
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


def doing(world: "World", name: str, claim: Claim) -> Actor:
    """One job, as driver.Driver does it."""
    do = DOING[claim.kind]
    try:
        yield from do(world, name, claim)
        world.note(name, f"did {claim.kind}")
    except LeaseLost:
        world.note(name, "was refused")
    except ReplyLost:
        world.note(name, "left its job")


def handing_in(world: "World", name: str, claim: Claim, record: Callable[..., Any], *what: Any) -> None:
    """Hand in; where the answer was lost, sometimes hand in again, which must change nothing."""
    try:
        world.commit(name, record, claim.job_id, claim.fence, *what)
    except ReplyLost:
        if world.chance.random() < 0.5:
            raise
        record(claim.job_id, claim.fence, *what)
    if Job.objects.get(pk=claim.job_id).fence != claim.fence:
        world.problems.append(f"{record.__name__} of {name} was accepted although somebody else has the job.")


def taking(world: "World", claim: Claim, seconds: float) -> Generator[float, None, str]:
    """Compute for so long, renewing the lease; the wanted state. Raises LeaseLost."""
    wanted = "running"
    while seconds > 0:
        pause = min(seconds, HEARTBEAT_SECONDS)
        yield pause
        seconds -= pause
        renewed = leases.renew(claim.job_id, claim.fence, int(world.now))
        if renewed is None:
            raise LeaseLost
        wanted = renewed
    return wanted


def learning(world: "World", name: str, claim: Claim) -> Actor:
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


def evaluating(world: "World", name: str, claim: Claim) -> Actor:
    handing_in(world, name, claim, results.record_started)
    request = trainer_requests.request_for(claim)
    config = read_config(SearchConfig, request["config"])
    evaluator = FakeEvaluator(config)
    place = claim.step, claim.slot, world.engine.architecture_of(config, request["decisions"]).hash
    refused = evaluator.refused(*place)
    if refused is not None:
        yield from taking(world, claim, world.chance.uniform(0.05, 0.5))
        handing_in(world, name, claim, results.record_child, child_finished(refused))
        return
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
    handing_in(world, name, claim, results.record_child, child_finished(evaluator.verdict(*place)))


def retraining(world: "World", name: str, claim: Claim) -> Actor:
    handing_in(world, name, claim, results.record_started)
    request = trainer_requests.request_for(claim)
    config = read_config(SearchConfig, request["config"])
    finalist = request["finalist"]
    evaluator = FakeEvaluator(config)
    for epoch in range(epoch_of(request["checkpoint"]) + 1, config.finals.epochs + 1):
        wanted = yield from taking(world, claim, world.chance.uniform(0.2, 4.0))
        is_last = epoch == config.finals.epochs
        checkpoint = None if is_last else kept(world, {"epoch": epoch, "finalist": finalist["rank"]})
        handing_in(
            world, name, claim, results.record_epoch, evaluator.finalist_epoch(finalist["rank"], epoch), checkpoint
        )
        if wanted == "paused" and not is_last:
            leases.release(claim.job_id, claim.fence)
            return
        yield 0.0
    verdict = evaluator.finalist_verdict(finalist["rank"], finalist["step"], finalist["slot"])
    if verdict.accuracy is not None:
        weights = kept(world, {"finalist": finalist["rank"], "seed": config.reproducibility.seed})
        verdict = verdict.model_copy(update={"checkpoint": weights})
    handing_in(world, name, claim, results.record_finalist, verdict)


def training_for_keeps(world: "World", name: str, claim: Claim) -> Actor:
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


def sharing(world: "World", name: str, claim: Claim) -> Actor:
    request = trainer_requests.request_for(claim)
    config = read_enas(request)
    strategy = fake_shared.read(request["strategy"], "strategy", config)
    weights = fake_shared.read(request["checkpoint"] or request["weights"], "weights", config)
    for number in range(weights["at"], fake_shared.MINIBATCHES):
        wanted = yield from taking(world, claim, world.chance.uniform(0.2, 4.0))
        weights = fake_shared.further(weights, strategy["value"], claim.step, number)
        if number + 1 < fake_shared.MINIBATCHES:
            handing_in(world, name, claim, shared_results.record_position, kept(world, weights))
            if wanted == "paused":
                leases.release(claim.job_id, claim.fence)
                return
        yield 0.0
    ended = fake_shared.shared_epoch_ended(config, claim.step, weights)
    files = kept(world, fake_shared.at_rest(weights)), kept(world, strategy)
    handing_in(world, name, claim, shared_results.record_shared_epoch, ended, *files)


def teaching(world: "World", name: str, claim: Claim) -> Actor:
    request = trainer_requests.request_for(claim)
    config = read_enas(request)
    weights = fake_shared.read(request["weights"], "weights", config)
    strategy = fake_shared.read(request["checkpoint"] or request["strategy"], "strategy", config)
    for number in range(strategy["at"], config.phases.rounds):
        wanted = yield from taking(world, claim, world.chance.uniform(0.2, 4.0))
        strategy = fake_shared.further(strategy, weights["value"], claim.step, number)
        if number + 1 < config.phases.rounds:
            handing_in(world, name, claim, shared_results.record_position, kept(world, strategy))
            if wanted == "paused":
                leases.release(claim.job_id, claim.fence)
                return
        yield 0.0
    strategy = fake_shared.at_rest(strategy)
    ended = fake_shared.controller_phase_ended(config, claim.step, strategy, weights, request["fingerprint"])
    handing_in(world, name, claim, shared_results.record_controller_phase, ended, kept(world, strategy))


def deriving(world: "World", name: str, claim: Claim) -> Actor:
    request = trainer_requests.request_for(claim)
    config = read_enas(request)
    strategy = fake_shared.read(request["strategy"], "strategy", config)
    weights = fake_shared.read(request["weights"], "weights", config)
    yield from taking(world, claim, world.chance.uniform(0.2, 4.0))
    told = fake_shared.derived(config, strategy, weights, request["fingerprint"])
    handing_in(world, name, claim, shared_results.record_candidates, *told)


def read_enas(request: dict[str, Any]) -> EnasMicroSearchConfig:
    return read_config(EnasMicroSearchConfig, request["config"])


DOING = {
    "learn": learning,
    "evaluate": evaluating,
    "retrain": retraining,
    "train": training_for_keeps,
    "share": sharing,
    "teach": teaching,
    "derive": deriving,
}


def reconciling(world: "World") -> Actor:
    """Every two seconds, in any of its acts it may die."""
    while True:
        for act in (reconciler.expire_leases, reconciler.plan_what_stands_still, live_state.take_snapshots):
            with suppress(ReplyLost):
                world.commit("reconciler", act)
            yield 0.0
        yield 2.0


def commanding(world: "World") -> Actor:
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


def give(world: "World", command: Callable[[uuid.UUID], None], stream_id: uuid.UUID) -> None:
    try:
        world.commit("person", command, stream_id)
        world.note("person", command.__name__)
    except lifecycle.CommandRefused:
        world.note("person", f"may not {command.__name__}")
    except (ReplyLost, Killed):
        world.note("person", "saw no answer")


def kept(world: "World", content: bytes | dict[str, Any]) -> str:
    """Put a file into the store."""
    path = world.folder / "spool"
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content, sort_keys=True).encode())
    return artifacts.put(path)


def epoch_of(checkpoint: str | None) -> int:
    return 0 if checkpoint is None else int(json.loads(Path(checkpoint).read_text())["epoch"])
