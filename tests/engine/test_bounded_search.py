"""Bounds and cost as the evaluator of a search keeps to them."""

from pathlib import Path

import pytest
import torch

from search_engine import checkpoints
from search_engine.errors import ConfigError
from search_engine.evaluators import standalone
from search_engine.evaluators.replaying import Replaying
from search_engine.evaluators.reusing import Reusing
from search_engine.evaluators.standalone import StandaloneEvaluator, child_checkpoint
from search_engine.events import Latency, event_from_json
from search_engine.runner import child_finished
from search_engine.training.latency import measure_latency
from tests.engine.test_standalone import CONFIG, finish, proposal

CPU = torch.device("cpu")


def evaluator_with(bounds=None, **objective):
    config = CONFIG.model_validate(CONFIG.model_dump() | {"bounds": bounds or {}, "objective": objective})
    return StandaloneEvaluator(config, device=CPU, folder=Path("nowhere"))


def measuring(monkeypatch, *times):
    """Let the measured latencies be these, one after the other."""
    left = list(times)

    def measure(plan, bounds, device):
        return Latency(ms=left.pop(0), batch=1, repeats=21, warm_up=5, device="cpu, 1 thread")

    monkeypatch.setattr(standalone, "measure_latency", measure)
    return left


@pytest.fixture(scope="module")
def plain():
    """The verdict without bounds."""
    return finish(evaluator_with().evaluate(proposal()))[1]


def test_a_child_over_a_bound_is_told_as_infeasible_and_never_trained(plain, monkeypatch):
    monkeypatch.setattr(standalone, "Trainee", None)
    events, evaluation = finish(evaluator_with({"parameters": plain.parameters - 1}).evaluate(proposal()))
    assert events == []
    assert (evaluation.reward, evaluation.over, evaluation.seconds) == (-0.5, "parameters", 0.0)
    wanted = f"has {plain.parameters:,} parameters, at most {plain.parameters - 1:,} were allowed"
    assert evaluation.reason.endswith(wanted)
    assert (evaluation.parameters, evaluation.mult_adds) == (plain.parameters, plain.mult_adds)
    assert evaluation.times == plain.parameters / (plain.parameters - 1)


def test_a_child_within_the_bounds_is_trained_to_the_bit_as_without_them(plain):
    bounds = {"parameters": plain.parameters, "mult_adds": plain.mult_adds}
    _, evaluation = finish(evaluator_with(bounds).evaluate(proposal()))
    assert (evaluation.reward, evaluation.reason, evaluation.over) == (plain.reward, None, None)
    assert evaluation.accuracy is None and evaluation.latency is None and evaluation.times is None


def test_cost_weighs_in_the_reward_and_the_accuracy_is_kept_beside_it(plain):
    target = plain.parameters / 2
    _, evaluation = finish(evaluator_with(cost="parameters", target=target, weighing="hard").evaluate(proposal()))
    assert evaluation.accuracy == plain.reward
    assert evaluation.reward == pytest.approx(plain.reward / 2)


def test_a_slow_child_is_not_trained_and_its_latency_is_told(monkeypatch):
    measuring(monkeypatch, 3.0)
    events, evaluation = finish(evaluator_with({"latency_ms": 2}).evaluate(proposal()))
    assert (events, evaluation.over, evaluation.latency.ms) == ([], "latency", 3.0)
    assert evaluation.times == 1.5


def test_counts_are_looked_at_before_anything_is_measured(plain, monkeypatch):
    left = measuring(monkeypatch, 1.0)
    bounds = {"latency_ms": 2, "parameters": plain.parameters - 1}
    finish(evaluator_with(bounds).evaluate(proposal()))
    assert left == [1.0]


def test_a_latency_is_measured_once_however_often_the_child_is_resumed(monkeypatch, plain, tmp_path):
    """On resume a second, slower measurement would throw the child out; the checkpoint's holds."""
    left = measuring(monkeypatch, 1.0, 9.0)
    evaluator = evaluator_with({"latency_ms": 2}, cost="latency", target=2, weighing="soft")
    epochs = evaluator.train_child(proposal())
    _, trainee = next(epochs)
    path = tmp_path / "child"
    path.write_bytes(checkpoints.encode(*child_checkpoint(proposal(), trainee, evaluator.latency)))
    resumed = evaluator_with({"latency_ms": 2}, cost="latency", target=2, weighing="soft")
    _, evaluation = finish(resumed.train_child(proposal(), checkpoints.load(path)))
    assert (evaluation.latency.ms, evaluation.reason, left) == (1.0, None, [9.0])
    assert evaluation.accuracy == plain.reward
    assert evaluation.reward == pytest.approx(plain.reward * 0.5**-0.07)


def test_a_recorded_verdict_is_replayed_and_never_measured_again(monkeypatch):
    left = measuring(monkeypatch, 3.0, 1.0)
    evaluator = evaluator_with({"latency_ms": 2})
    _, first = finish(evaluator.evaluate(proposal()))
    recorded = event_from_json(child_finished(first).to_json())
    _, again = finish(Replaying(evaluator, [recorded]).evaluate(proposal()))
    assert again == first and left == [1.0]


def test_a_twin_copies_reward_accuracy_and_latency(monkeypatch):
    measuring(monkeypatch, 1.0)
    reusing = Reusing(evaluator_with(cost="latency", target=2), lookahead=0)
    _, original = finish(reusing.evaluate(proposal(0, 0)))
    _, copy = finish(reusing.evaluate(proposal(1, 0)))
    assert copy.twin == (0, 0)
    same = [(each.reward, each.accuracy, each.latency) for each in (original, copy)]
    assert same[0] == same[1]


def test_a_latency_that_does_not_fit_into_memory_is_a_verdict(monkeypatch):
    def full(*_):
        raise MemoryError

    monkeypatch.setattr(standalone, "measure_latency", full)
    events, evaluation = finish(evaluator_with({"latency_ms": 2}).evaluate(proposal()))
    assert (events, evaluation.reason, evaluation.over, evaluation.times) == ([], "out of memory", None, None)


def test_a_bound_that_no_network_meets_is_refused_before_the_search():
    with pytest.raises(ConfigError) as refused:
        evaluator_with({"mult_adds": 10})
    assert refused.value.field == "bounds.mult_adds"


def test_events_of_searches_without_bounds_stay_as_they_were(plain):
    assert {"accuracy", "over", "times", "latency"}.isdisjoint(child_finished(plain).to_json())


def test_a_measured_latency_says_how_it_was_measured():
    evaluator = evaluator_with({"latency_ms": 1000, "latency_batch": 3, "latency_repeats": 4, "latency_warm_up": 1})
    network, bounds = evaluator._costed(proposal()), evaluator._config.bounds
    measured = measure_latency(network, bounds, CPU)
    assert measured.ms > 0
    assert (measured.batch, measured.repeats, measured.warm_up) == (3, 4, 1)
    assert measured.device.startswith("cpu, ")
