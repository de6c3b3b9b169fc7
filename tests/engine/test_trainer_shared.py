"""Searches with shared weights through a real trainer process, which may be killed in the middle of a phase."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from search_engine.spaces.build import build_space
from search_engine.terminal.shared_search_folder import SharedSearchFolder
from search_engine.training.shared_building import prepare_shared
from tests.engine.test_trainer import Driver
from tests.engine.toy_shared import shared_config

pytestmark = pytest.mark.processes

CONFIG = shared_config()


class SharedDriver(Driver):
    """A trainer that leaves a checkpoint as often as it may."""

    def __init__(self, spool):
        command = [sys.executable, "-m", "search_engine.trainer", "--spool", str(spool), "--threads", "1"]
        self.process = subprocess.Popen(
            [*command, "--device", "cpu", "--checkpoint-seconds", "0"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            cwd=Path(__file__).parents[2],
        )  # fmt: skip

    def until_end(self):
        messages = []
        while not messages or "event" in messages[-1] or "checkpoint" in messages[-1]:
            message = self.receive()
            if "progress" not in message:
                messages.append(message)
        return messages

    def until_checkpoint(self):
        while "checkpoint" not in (message := self.receive()):
            assert "progress" in message
        return message["checkpoint"]


@pytest.fixture
def trainers(tmp_path):
    """Starts a trainer on a common spool; ends all in the end."""
    started = []

    def start():
        started.append(SharedDriver(tmp_path))
        return started[-1]

    yield start
    for driver in started:
        driver.end()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """The fingerprint of the same search in one process."""
    place = tmp_path_factory.mktemp("undisturbed")
    data = prepare_shared(CONFIG, folder=place / "data", device=torch.device("cpu"))
    search = SharedSearchFolder(place / "search", CONFIG)
    list(search.run(data, device=torch.device("cpu"), should_stop=lambda: False))
    search.close()
    return search.fingerprint


def test_a_trainer_that_is_killed_in_both_phases_leaves_what_ends_with_the_same_fingerprint(
    trainers, tmp_path, undisturbed
):
    state = {"config": CONFIG.model_dump(mode="json"), "strategy": None, "weights": None, "fingerprint": ""}
    driver = trainers()

    def path(name):
        return str(tmp_path / name)

    def killed_once(request):
        """The job, begun by a trainer that dies behind its first checkpoint and ended by another one."""
        nonlocal driver
        driver.send(request | {"checkpoint": None})
        kept = driver.until_checkpoint()
        driver.process.send_signal(signal.SIGKILL)
        driver.process.wait()
        driver = trainers()
        return driver.do(request | {"checkpoint": path(kept)})

    for step in range(2):
        phase = state | {"step": step}
        messages = killed_once(phase | {"do": "share"}) if step == 0 else driver.do(
            phase | {"do": "share", "checkpoint": None}
        )  # fmt: skip
        done = messages[-1]["done"]
        state |= {"weights": path(done["weights"]), "strategy": path(done["state"])}
        phase = state | {"step": step, "do": "teach"}
        messages = killed_once(phase) if step == 1 else driver.do(phase | {"checkpoint": None})
        (event,) = [message["event"] for message in messages if "event" in message]
        state |= {"strategy": path(messages[-1]["done"]["state"]), "fingerprint": event["fingerprint"]}
    *candidates, end = driver.do(state | {"do": "derive"})
    assert [message["event"]["kind"] for message in candidates] == ["step_proposed"] + ["child_finished"] * 4
    assert end == {"done": {"fingerprint": undisturbed}}


def test_an_interrupted_phase_leaves_a_checkpoint_and_says_so(trainers):
    driver = trainers()
    request = {"config": CONFIG.model_dump(mode="json"), "strategy": None, "weights": None, "checkpoint": None}
    driver.send(request | {"do": "share", "step": 0})
    driver.send({"do": "interrupt"})
    *messages, end = driver.until_end()
    assert end == {"interrupted": {}}
    assert messages and all(set(message) == {"checkpoint"} for message in messages)


def test_weights_that_cannot_be_are_refused_at_their_field(trainers):
    driver = trainers()
    wrong = CONFIG.model_dump(mode="json") | {"strategy": {"kind": "reinforce", "lookahead": 1}}
    request = {"do": "share", "step": 0, "strategy": None, "weights": None, "checkpoint": None, "config": wrong}
    (end,) = driver.do(request)
    assert end == {
        "refused": {"field": "strategy.lookahead", "message": "is 1; with shared weights it must be 0."}
    }  # fmt: skip


def test_a_score_is_answered_in_the_middle_of_a_phase_and_the_bits_stay_the_same(trainers):
    """Also where the trainer is killed with the question unanswered: the next one never hears of it."""
    driver = trainers()
    request = {"config": CONFIG.model_dump(mode="json"), "strategy": None, "weights": None, "checkpoint": None}
    *_, undisturbed = driver.do(request | {"do": "share", "step": 0})
    space = build_space(CONFIG.space)
    architecture = space.decode([0] * len(space.decisions)).to_json()
    question = {"do": "ask", "id": 5, "architecture": architecture, "best": None}
    driver.send(request | {"do": "share", "step": 0})
    driver.send(question)
    messages = []
    while "done" not in (message := driver.receive()):
        messages.append(message)
    assert message == undisturbed
    (answer,) = [message["scored"] for message in messages if "scored" in message]
    assert answer["id"] == 5 and 0 <= answer["reward"] <= 1
    assert 1 <= answer["at"]["minibatches"] <= 4 and answer["at"]["epoch"] == 1
    driver.send(request | {"do": "share", "step": 0})
    driver.send(question)
    driver.process.send_signal(signal.SIGKILL)
    driver.process.wait()
    *messages, end = trainers().do(request | {"do": "share", "step": 0})
    assert end == undisturbed and not any("scored" in message for message in messages)
