"""What simulated workers do for each kind of request, with the fake engine in the place of a trainer."""

import hashlib
import json
from pathlib import Path
from typing import Any, NamedTuple

from search_engine.config.changes import epochs_in_all, read_changes
from search_engine.config.enas_search import EnasMicroSearchConfig
from search_engine.config.reading import read_config
from search_engine.config.search import SearchConfig
from search_engine.events import ControllerUpdated, StepProposed, TrainingFinished
from search_engine.runner import child_finished, controller_updated, fingerprint_after, step_proposed
from search_engine.strategies.base import Evaluation
from tests.faults import fake_engine, fake_shared
from tests.faults.fake_engine import FakeEvaluator
from tests.faults.holding import Actor, Hold
from webapp.searches import results, shared_results

Request = dict[str, Any]


class Learned(NamedTuple):
    """What a strategy says after it was told of a step."""

    updated: ControllerUpdated | None
    proposed: list[StepProposed]
    state: bytes


def learn(engine: Any, request: Request) -> Learned:
    config = read_config(SearchConfig, request["config"])
    strategy = engine.build_strategy(config, read_changes(request["changes"], config))
    shown = -1
    if request["state"] is not None:
        engine.load_strategy(Path(request["state"]), strategy)
        shown = max((step.step for step in strategy.pending()), default=-1)
    updated = None
    if request["step"] >= 0:
        told = [_evaluation(one) for one in request["evaluations"]]
        proposals = strategy.ask()
        update = strategy.tell(told)
        updated = controller_updated(update, fingerprint_after(request["fingerprint"], proposals, told, update))
    proposed = [step_proposed(step) for step in strategy.pending() if step.step > shown]
    return Learned(updated, proposed, engine.encode_strategy(strategy))


def _evaluation(told: Request) -> Evaluation:
    return Evaluation(**{**told, "twin": tuple(told["twin"]) if told["twin"] else None})


def learning(hold: Hold, request: Request) -> Actor:
    learned = learn(hold.world.engine, request)
    yield from hold.take(0.1, 2.0)
    state = hold.keep(learned.state)
    yield 0.0
    yield from hold.hand_in(results.record_step, learned.updated, learned.proposed, state)


def evaluating(hold: Hold, request: Request) -> Actor:
    config, done = read_config(SearchConfig, request["config"]), epoch_of(request["checkpoint"])
    yield from hold.hand_in(results.record_started)
    evaluator = FakeEvaluator(config)
    step, slot = request["step"], request["slot"]
    place = step, slot, hold.world.engine.architecture_of(config, request["decisions"]).hash
    refused = evaluator.refused(*place)
    if refused is not None:
        yield from hold.take(0.05, 0.5)
        yield from hold.hand_in(results.record_child, child_finished(refused))
        return
    for epoch in range(done + 1, config.recipe.epochs):
        yield from hold.take(*hold.world.epoch_seconds)
        checkpoint = hold.keep({"epoch": epoch, "of": [step, slot]})
        yield from hold.hand_in(results.record_epoch, evaluator.epoch(step, slot, epoch), checkpoint)
        if hold.wants_pause:
            yield from hold.release()
            return
        yield 0.0
    yield from hold.take(*hold.world.epoch_seconds)
    last = evaluator.epoch(step, slot, config.recipe.epochs)
    yield from hold.hand_in(results.record_child, child_finished(evaluator.verdict(*place)), last)


def retraining(hold: Hold, request: Request) -> Actor:
    config, done = read_config(SearchConfig, request["config"]), epoch_of(request["checkpoint"])
    yield from hold.hand_in(results.record_started)
    finalist = request["finalist"]
    rank = finalist["rank"]
    evaluator = FakeEvaluator(config)
    for epoch in range(done + 1, config.finals.epochs):
        yield from hold.take(*hold.world.epoch_seconds)
        checkpoint = hold.keep({"epoch": epoch, "finalist": rank})
        yield from hold.hand_in(results.record_epoch, evaluator.finalist_epoch(rank, epoch), checkpoint)
        if hold.wants_pause:
            yield from hold.release()
            return
        yield 0.0
    yield from hold.take(*hold.world.epoch_seconds)
    last = evaluator.finalist_epoch(rank, config.finals.epochs)
    verdict = evaluator.finalist_verdict(rank, finalist["step"], finalist["slot"])
    if verdict.accuracy is not None:
        weights = hold.keep({"finalist": rank, "seed": config.reproducibility.seed})
        verdict = verdict.model_copy(update={"checkpoint": weights})
    yield from hold.hand_in(results.record_finalist, verdict, last)


def training_for_keeps(hold: Hold, request: Request) -> Actor:
    epochs = request["config"]["recipe"]["epochs"]
    evaluator = FakeEvaluator(fake_engine.small_config(epochs=epochs))
    for epoch in range(epoch_of(request["checkpoint"]) + 1, epochs + 1):
        yield from hold.take(*hold.world.epoch_seconds)
        checkpoint = hold.keep({"epoch": epoch})
        yield from hold.hand_in(results.record_epoch, evaluator.epoch(None, None, epoch), checkpoint)
        if hold.wants_pause:
            yield from hold.release()
            return
        yield 0.0
    weights = hold.keep({"weights": hold.world.seed})
    finished = TrainingFinished(
        test_accuracy=0.5, test_examples=100, held_out_accuracy=0.5, checkpoint=weights, seconds=1.0
    )
    yield from hold.hand_in(results.record_training, finished)


def sharing(hold: Hold, request: Request) -> Actor:
    config = read_enas(request)
    strategy = fake_shared.read(request["strategy"], "strategy", config)
    weights = fake_shared.read(request["checkpoint"] or request["weights"], "weights", config)
    while weights["at"] < fake_shared.MINIBATCHES:
        yield from hold.take(*hold.world.epoch_seconds)
        weights = fake_shared.further(weights, strategy["value"], request["step"], weights["at"])
        if weights["at"] < fake_shared.MINIBATCHES:
            yield from hold.hand_in(shared_results.record_position, hold.keep(weights))
            if hold.wants_pause:
                yield from hold.release()
                return
        yield 0.0
    ended = fake_shared.shared_epoch_ended(config, request["step"], weights)
    files = hold.keep(fake_shared.at_rest(weights)), hold.keep(strategy)
    yield from hold.hand_in(shared_results.record_shared_epoch, ended, *files)


def teaching(hold: Hold, request: Request) -> Actor:
    config = read_enas(request)
    weights = fake_shared.read(request["weights"], "weights", config)
    strategy = fake_shared.read(request["checkpoint"] or request["strategy"], "strategy", config)
    while strategy["at"] < config.phases.rounds:
        yield from hold.take(*hold.world.epoch_seconds)
        strategy = fake_shared.further(strategy, weights["value"], request["step"], strategy["at"])
        if strategy["at"] < config.phases.rounds:
            yield from hold.hand_in(shared_results.record_position, hold.keep(strategy))
            if hold.wants_pause:
                yield from hold.release()
                return
        yield 0.0
    strategy = fake_shared.at_rest(strategy)
    ended = fake_shared.controller_phase_ended(config, request["step"], strategy, weights, request["fingerprint"])
    yield from hold.hand_in(shared_results.record_controller_phase, ended, hold.keep(strategy))


def deriving(hold: Hold, request: Request) -> Actor:
    config = read_enas(request)
    strategy = fake_shared.read(request["strategy"], "strategy", config)
    weights = fake_shared.read(request["weights"], "weights", config)
    yield from hold.take(*hold.world.epoch_seconds)
    told = fake_shared.derived(config, strategy, weights, request["fingerprint"])
    yield from hold.hand_in(shared_results.record_candidates, *told)


DOING = {
    "learn": learning,
    "evaluate": evaluating,
    "retrain": retraining,
    "train": training_for_keeps,
    "share": sharing,
    "teach": teaching,
    "derive": deriving,
}


def asked(engine: Any, spool: Path, request: Request) -> Request:
    """What a trainer says at the end when it is asked to make damaged files again; they are in the spool then."""
    if request["do"] == "learn":
        return {"state": _made(spool, learn(engine, request).state)}
    config = read_enas(request)
    strategy = fake_shared.read(request["strategy"], "strategy", config)
    weights = fake_shared.read(request["weights"], "weights", config)
    if request["do"] == "share":
        for number in range(fake_shared.MINIBATCHES):
            weights = fake_shared.further(weights, strategy["value"], request["step"], number)
        made = fake_shared.encode(fake_shared.at_rest(weights)), fake_shared.encode(strategy)
        return {"weights": _made(spool, made[0]), "state": _made(spool, made[1])}
    for number in range(config.phases.rounds):
        strategy = fake_shared.further(strategy, weights["value"], request["step"], number)
    return {"state": _made(spool, fake_shared.encode(fake_shared.at_rest(strategy)))}


def _made(spool: Path, content: bytes) -> str:
    sha256 = hashlib.sha256(content).hexdigest()
    (spool / sha256).write_bytes(content)
    return sha256


def read_enas(request: Request) -> EnasMicroSearchConfig:
    """With as many epochs as are in force."""
    config = read_config(EnasMicroSearchConfig, request["config"])
    epochs = epochs_in_all(config, read_changes(request["changes"], config))
    return config.model_copy(update={"shared": config.shared.model_copy(update={"epochs": epochs})})


def epoch_of(checkpoint: str | None) -> int:
    return 0 if checkpoint is None else int(json.loads(Path(checkpoint).read_text())["epoch"])
