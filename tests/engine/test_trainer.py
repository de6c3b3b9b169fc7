import json
import os
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from search_engine import checkpoints
from search_engine.config.budget import BudgetConfig
from search_engine.config.data import DataConfig
from search_engine.config.finals import FinalsConfig
from search_engine.config.layout import LayoutConfig
from search_engine.config.recipe import RecipeConfig
from search_engine.config.search import SearchConfig
from search_engine.config.space import NasnetSpaceConfig
from search_engine.config.strategy import PpoConfig
from search_engine.config.training import TrainingConfig
from search_engine.events import event_from_json
from search_engine.spaces.nasnet import NasnetSpace

pytestmark = pytest.mark.processes

LAYOUT = LayoutConfig(normal_cells=1, reductions=1, filters=4)
DATA = DataConfig(image_size=8, train_examples=100, held_out_examples=100)
CONFIG = SearchConfig(
    space=NasnetSpaceConfig(blocks=1),
    strategy=PpoConfig(step_size=2),
    child=LAYOUT,
    recipe=RecipeConfig(epochs=2, batch_size=25),
    data=DATA,
    budget=BudgetConfig(children=4),
)

PATIENCE = 120.0  # Seconds until a process that should end counts as stuck; loading PyTorch alone can take ten.


class Driver:
    """The parent's end of the protocol."""

    def __init__(self, spool: Path) -> None:
        command = [sys.executable, "-m", "search_engine.trainer", "--spool", str(spool), "--threads", "1"]
        self.process = subprocess.Popen(
            [*command, "--device", "cpu"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )

    def send(self, request: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()

    def receive(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        message: dict[str, Any] = json.loads(self.process.stdout.readline())
        return message

    def until_end(self) -> list[dict[str, Any]]:
        """All messages of a job but progress; the last one ends it."""
        messages: list[dict[str, Any]] = []
        while not messages or "event" in messages[-1]:
            message = self.receive()
            if "progress" not in message:
                messages.append(message)
        return messages

    def do(self, request: dict[str, Any]) -> list[dict[str, Any]]:
        self.send(request)
        return self.until_end()

    def end(self) -> None:
        with self.process:
            self.process.kill()


@pytest.fixture(scope="module")
def spool(tmp_path_factory):
    return tmp_path_factory.mktemp("spool")


@pytest.fixture(scope="module")
def driver(spool):
    """One trainer for the tests that leave it alive: each costs two seconds to start."""
    driver = Driver(spool)
    yield driver
    driver.end()


@pytest.fixture
def doomed(tmp_path):
    """A trainer of its own for a test that ends it."""
    driver = Driver(tmp_path)
    yield driver
    driver.end()


def config_json(config=CONFIG):
    return config.model_dump(mode="json")


def evaluate(proposal, *, step=0, checkpoint=None, config=CONFIG):
    return {
        "do": "evaluate", "config": config_json(config), "step": step, "slot": proposal["slot"],
        "decisions": proposal["decisions"], "checkpoint": checkpoint,
    }  # fmt: skip


def test_a_whole_search_runs_through_its_jobs(driver, spool):
    *events, end = driver.do(
        {"do": "learn", "config": config_json(), "step": -1, "state": None, "fingerprint": "", "evaluations": []}
    )
    assert [event["event"]["kind"] for event in events] == ["step_proposed"]
    state, fingerprint, told, rewards = end["done"]["state"], "", [], []
    drawn = events[0]["event"]
    while drawn is not None:
        evaluations = []
        for proposal in drawn["proposals"]:
            first, last, verdict, end = driver.do(evaluate(proposal, step=drawn["step"]))
            assert first["event"]["epoch"] == 1 and (spool / first["checkpoint"]).exists()
            assert last["event"]["epoch"] == 2 and last["checkpoint"] is None
            assert end == {"done": {}}
            event_from_json(verdict["event"])
            assert verdict["event"]["reward"] == last["event"]["accuracy"]
            evaluations.append(verdict["event"])
        rewards.append([evaluation["reward"] for evaluation in evaluations])
        request = {"step": drawn["step"], "state": str(spool / state), "fingerprint": fingerprint}
        updated, *proposed, end = driver.do(
            {"do": "learn", "config": config_json(), "evaluations": evaluations, **request}
        )
        told.append(updated["event"]["step"])
        state, fingerprint = end["done"]["state"], updated["event"]["fingerprint"]
        drawn = proposed[0]["event"] if proposed else None
    assert told == [0, 1]
    assert len(fingerprint) == 64
    assert all(0 <= reward <= 1 for step in rewards for reward in step)


def test_a_child_goes_on_from_a_checkpoint_in_a_fresh_process_to_the_same_bits(driver, spool):
    proposal = {"slot": 1, "decisions": [0, 1, 11, 5, 0, 1, 0, 9, 3, 1]}
    first, last, verdict, _ = driver.do(evaluate(proposal))
    other = Driver(spool)
    try:
        resumed_last, resumed_verdict, _ = other.do(evaluate(proposal, checkpoint=str(spool / first["checkpoint"])))
    finally:
        other.end()
    without_seconds = {"seconds": 0}
    assert resumed_last["event"] | without_seconds == last["event"] | without_seconds
    assert resumed_verdict["event"] | without_seconds == verdict["event"] | without_seconds


def test_an_interruption_ends_the_job_at_the_next_epoch_and_the_next_job_runs_whole(driver, spool):
    long = CONFIG.model_copy(update={"recipe": RecipeConfig(epochs=500, batch_size=25)})
    proposal = {"slot": 0, "decisions": [0, 1, 8, 8, 0, 0, 1, 8, 8, 0]}
    driver.send(evaluate(proposal, config=long))
    while "event" not in (first := driver.receive()):
        pass
    driver.send({"do": "interrupt"})
    *more, end = driver.until_end()
    events = [first, *more]  # The interruption may come before a second epoch has begun.
    assert end == {"interrupted": {}}
    assert len(events) < 500
    assert (spool / events[-1]["checkpoint"]).exists()
    *_, end = driver.do(evaluate(proposal))
    assert end == {"done": {}}


def test_a_finalist_goes_on_after_an_interruption_and_leaves_its_network(driver, spool):
    finals = FinalsConfig(children=1, epochs=3, normal_cells=1, filters=4)
    config = CONFIG.model_copy(update={"finals": finals})
    architecture = NasnetSpace(config.space).decode((0, 1, 11, 5, 0, 1, 0, 9, 3, 1)).to_json()
    finalist = {"rank": 2, "step": 0, "slot": 1, "architecture": architecture}
    request = {"do": "retrain", "config": config_json(config), "finalist": finalist, "checkpoint": None}
    *epochs, verdict, end = driver.do(request)
    assert end == {"done": {}}
    assert [each["event"]["epoch"] for each in epochs] == [1, 2, 3] and epochs[-1]["checkpoint"] is None
    event = event_from_json(verdict["event"])
    assert (event.rank, event.accuracy) == (2, epochs[-1]["event"]["accuracy"])
    _, metadata = checkpoints.load(spool / event.checkpoint)
    assert metadata["kind"] == "network" and "test_accuracy" not in metadata
    again = driver.do(request | {"checkpoint": str(spool / epochs[0]["checkpoint"])})
    assert [each["event"]["epoch"] for each in again[:-2]] == [2, 3]
    assert again[-2]["event"]["accuracy"] == event.accuracy


def test_progress_grows_while_a_job_runs(driver):
    long = CONFIG.model_copy(update={"recipe": RecipeConfig(epochs=2000, batch_size=25)})
    driver.send(evaluate({"slot": 0, "decisions": [0, 1, 8, 8, 0, 0, 1, 8, 8, 0]}, config=long))
    counts: list[int] = []
    while len(counts) < 3:
        message = driver.receive()
        if "progress" in message:
            counts.append(message["progress"])
    assert counts[0] < counts[1] < counts[2]
    driver.send({"do": "interrupt"})
    assert driver.until_end()[-1] == {"interrupted": {}}


def test_a_training_tests_once_and_leaves_a_network_that_says_where_it_comes_from(driver, spool):
    cell = {"blocks": [{"inputs": [0, 1], "operations": ["sep_conv_3x3", "identity"], "combination": "add"}]}
    cells = {"normal": cell | {"concat": [2]}, "reduction": cell | {"concat": [2]}}
    architecture = {"format": 1, "kind": "cells", **cells}
    config = TrainingConfig(architecture=architecture, layout=LAYOUT, recipe=RecipeConfig(epochs=2), data=DATA)
    first, last, finished, end = driver.do(
        {"do": "train", "config": config_json(config), "checkpoint": None, "attempt": 2}
    )
    assert 0 <= first["event"]["accuracy"] <= 1 and first["event"]["step"] is None
    network = finished["event"]["checkpoint"]
    assert end == {"done": {"checkpoint": network}}
    assert finished["event"]["test_examples"] == 2000
    tensors, metadata = checkpoints.load(spool / network)
    assert metadata["kind"] == "network" and metadata["config"] == config_json(config)
    assert metadata["data"]["name"] == "fashion-mnist-10k"
    assert "head.linear.weight" in tensors and not any(name.startswith("momentum/") for name in tensors)
    assert "model.onnx" in files_of(spool / finished["bundle"])
    request = {"do": "train", "config": config_json(config), "checkpoint": str(spool / last["checkpoint"])}
    second, _ = driver.do(request | {"attempt": 2})
    assert second["event"]["test_accuracy"] == finished["event"]["test_accuracy"]
    # Whatever was lost behind the last epoch was lost with the bundle: every time less of it is tried.
    assert "model.py" in files_of(spool / second["bundle"]) and "model.onnx" not in files_of(spool / second["bundle"])
    third, _ = driver.do(request | {"attempt": 3})
    assert third["bundle"] is None and third["event"]["test_accuracy"] == finished["event"]["test_accuracy"]
    unwanted, _ = driver.do(request | {"attempt": 1, "bundle": False})
    assert unwanted["bundle"] is None and unwanted["event"]["test_accuracy"] == finished["event"]["test_accuracy"]
    # The bundle alone, of a training that ended without one.
    later = {"do": "bundle", "network": str(spool / network)}
    (made,) = driver.do(later | {"attempt": 2})
    assert made["done"]["bundle"] == second["bundle"]
    assert driver.do(later | {"attempt": 3}) == [{"done": {"bundle": None}}]


def files_of(bundle):
    with zipfile.ZipFile(bundle) as archive:
        return archive.namelist()


def test_a_mistake_of_the_user_is_refused_with_its_field_and_the_trainer_goes_on(driver):
    greedy = CONFIG.model_copy(update={"data": DataConfig(image_size=8, train_examples=9999, held_out_examples=100)})
    [end] = driver.do(evaluate({"slot": 0, "decisions": [0] * 10}, config=greedy))
    assert end["refused"]["field"] == "data.train_examples"
    *_, end = driver.do(evaluate({"slot": 0, "decisions": [0] * 10}))
    assert end == {"done": {}}


def test_a_damaged_file_is_no_mistake_of_the_user_and_the_trainer_goes_on(driver, spool):
    (spool / "damaged").write_bytes(b"damaged")
    [end] = driver.do(evaluate({"slot": 0, "decisions": [0] * 10}, checkpoint=str(spool / "damaged")))
    assert "is damaged" in end["damaged"]["message"]
    *_, end = driver.do(evaluate({"slot": 0, "decisions": [0] * 10}))
    assert end == {"done": {}}


def test_a_device_says_how_quick_it_is(driver):
    [end] = driver.do({"do": "measure"})
    layer, mult_add, byte = end["done"]["speed"]
    assert min(layer, mult_add, byte) >= 0 and layer > 0 and mult_add + byte > 0


def test_a_closed_standard_input_ends_the_process_while_it_computes(doomed):
    long = CONFIG.model_copy(update={"recipe": RecipeConfig(epochs=2000, batch_size=25)})
    doomed.send(evaluate({"slot": 0, "decisions": [0, 1, 8, 8, 0, 0, 1, 8, 8, 0]}, config=long))
    while "event" not in doomed.receive():
        pass
    doomed.process.stdin.close()
    assert doomed.process.wait(timeout=PATIENCE) == 0
    assert "child_finished" not in doomed.process.stdout.read(), "it went on to the end"


def test_it_does_not_outlive_a_parent_that_was_killed(tmp_path):
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)],
        stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    assert parent.stdout is not None
    trainer = int(parent.stdout.readline())
    os.kill(parent.pid, signal.SIGKILL)
    try:
        parent.communicate(timeout=PATIENCE)  # The pipe ends when the last process that can write to it has ended.
    except subprocess.TimeoutExpired:
        os.kill(trainer, signal.SIGKILL)
        raise


PARENT = """
import subprocess, sys, time
command = [sys.executable, "-m", "search_engine.trainer", "--spool", sys.argv[1], "--threads", "1", "--device", "cpu"]
print(subprocess.Popen(command, stdin=subprocess.PIPE).pid, flush=True)
time.sleep(600)
"""


def test_an_unexpected_error_ends_it_with_a_traceback_and_status_1(doomed):
    doomed.send({"do": "evaluate"})
    assert doomed.receive() == {"failed": {"message": "KeyError: 'config'"}}
    output, errors = doomed.process.communicate(timeout=PATIENCE)
    assert output == ""
    assert "Traceback" in errors
    assert doomed.process.returncode == 1
