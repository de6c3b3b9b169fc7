"""The real application under `kill -9`: whatever dies, the search computes what one undisturbed process computes.

The application is started as a person starts it and asked over its public API alone. Its processes are found by their
command lines, below the supervisor's process.
"""

import json
import logging
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
import redis

from tests import running_application
from tests.running_application import ROOT, environment_of

pytestmark = pytest.mark.processes
logging.getLogger("httpx").setLevel(logging.WARNING)  # It would bury a failure under a line for each question.
RECOVERY_SECONDS = 15.0
RECOVERY_WITHOUT_MESSAGES_SECONDS = 5.0
CONFIG = {
    "name": "faults",
    "space": {"blocks": 1},
    "strategy": {"kind": "ppo", "step_size": 4},
    "child": {"normal_cells": 1, "reductions": 1, "filters": 4},
    "recipe": {"epochs": 3, "batch_size": 64},
    "data": {"image_size": 8, "train_examples": 1000, "held_out_examples": 100},
    "budget": {"children": 8},
}  # A child takes about a second.
SHARED_CONFIG = {
    "method": "enas-macro",
    "name": "shared faults",
    "space": {"layers": 3},
    "strategy": {"kind": "reinforce", "step_size": 4},
    "supernet": {"filters": 8},
    "shared": {"epochs": 2, "batch_size": 20},
    "phases": {"rounds": 60, "score_batch": 50},
    "deriving": {"candidates": 5, "train": 1},
    "data": {"image_size": 14, "train_examples": 3000, "held_out_examples": 100},
    "derived": {"kind": "macro", "filters": 4},
    "derived_recipe": {"epochs": 1},
}  # Each phase takes some seconds.
REFERENCE = """
import json, sys
from pathlib import Path
import torch
from search_engine.config.reading import read_config
from search_engine.config.search import SearchConfig
from search_engine.evaluators.standalone import StandaloneEvaluator
from search_engine.runner import run
from search_engine.strategies.build import build_strategy
from search_engine.training.numerics import set_numerics
config = read_config(SearchConfig, json.loads(sys.argv[1]))
set_numerics(config.reproducibility.threads)
evaluator = StandaloneEvaluator(config, device=torch.device("cpu"), folder=Path(sys.argv[2]))
events = run(build_strategy(config), evaluator, should_stop=lambda: False, save=lambda *_: None)
while True:
    try:
        next(events)
    except StopIteration as end:
        print(end.value)
        break
"""


@dataclass
class Application:
    """A running `manage.py up` and a client of its API."""

    supervisor: psutil.Popen
    client: httpx.Client
    folder: Path

    def process(self, words: str, *, forked: bool = False) -> psutil.Process:
        """The living process with these words in its command line. forked: not the first of them but its child."""
        found = [each for each in self.supervisor.children(recursive=True) if words in _command_line(each)]
        parents = {each.pid for each in found}
        return next(each for each in found if (each.ppid() in parents) == forked)

    def start_search(self, config: dict[str, Any] = CONFIG) -> str:
        answer = self.client.post("/api/searches", json={"config": config})
        assert answer.status_code == 201, answer.text
        return answer.json()["id"]

    def events(self, search: str) -> list[dict[str, Any]]:
        return self.client.get(f"/api/searches/{search}/events", params={"after": 0, "limit": 500}).json()["events"]

    def wait_for(self, search: str, holds: Callable[[list[dict[str, Any]]], bool], seconds: float) -> None:
        until = time.monotonic() + seconds
        while True:
            try:
                events = self.events(search)
                if holds(events):
                    return
                late = f"last events: {[event['kind'] for event in events[-5:]]}"
            except httpx.HTTPError as error:  # While the web process comes back.
                late = repr(error)
            assert time.monotonic() < until, late + self.logs()
            time.sleep(0.1)

    def wait_until_somebody_does(self, job: str, seconds: float = 60) -> None:
        until = time.monotonic() + seconds
        while job not in [each["job"] for each in self.client.get("/api/workers").json()["workers"]]:
            assert time.monotonic() < until, f"nobody does {job}" + self.logs()
            time.sleep(0.1)

    def logs(self) -> str:
        texts = [f"\n--- {log.name}\n{log.read_text()[-1500:]}" for log in sorted(self.folder.glob("logs/*.log"))]
        return "".join(texts) + "\n--- up\n" + (self.folder / "up.txt").read_text()


def start_application(folder: Path) -> Application:
    running = running_application.start_application(folder, "--workers", "2")
    command = [sys.executable, "manage.py", "token", "faults"]
    made = subprocess.run(command, cwd=ROOT, env=environment_of(folder), check=True, capture_output=True, text=True)
    headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
    return Application(running.supervisor, httpx.Client(base_url=running.address, headers=headers), folder)


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    application = start_application(tmp_path_factory.mktemp("application"))
    yield application
    application.client.close()
    application.supervisor.send_signal(signal.SIGTERM)
    application.supervisor.wait(timeout=20)


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The fingerprint of the search in one process without faults."""
    arguments = [sys.executable, "-c", REFERENCE, json.dumps(CONFIG), str(tmp_path_factory.mktemp("reference"))]
    done = subprocess.run(arguments, cwd=ROOT, check=True, capture_output=True, text=True, timeout=120)
    return done.stdout.strip()


def kill_the_worker(application: Application) -> None:
    application.process("manage.py worker").kill()


def kill_one_process_of_the_worker(application: Application) -> None:
    application.process("manage.py worker", forked=True).kill()


def kill_a_trainer(application: Application) -> None:
    application.process("search_engine.trainer").kill()


def kill_the_reconciler(application: Application) -> None:
    application.process("manage.py reconcile").kill()


def kill_the_web(application: Application) -> None:
    application.process("webapp.asgi").kill()


def kill_the_broker(application: Application) -> None:
    application.process("valkey-server").kill()


def empty_the_broker(application: Application) -> None:
    title = " ".join(application.process("valkey-server").cmdline())
    path = re.search(r"/\S+/valkey\.sock", title)
    assert path is not None, title
    with redis.Redis(unix_socket_path=path.group()) as client:
        assert client.flushall()


FAULTS = [  # What is done, and within how many seconds work goes on.
    (kill_the_worker, RECOVERY_SECONDS),
    (kill_one_process_of_the_worker, RECOVERY_SECONDS),
    (kill_a_trainer, RECOVERY_SECONDS),
    (kill_the_reconciler, RECOVERY_SECONDS),
    (kill_the_web, RECOVERY_SECONDS),
    (kill_the_broker, RECOVERY_SECONDS),
    (empty_the_broker, RECOVERY_WITHOUT_MESSAGES_SECONDS),
]


@pytest.mark.parametrize(("fault", "seconds"), FAULTS)
def test_whatever_dies_the_search_computes_the_same(
    application: Application, expected: str, fault: Callable[[Application], None], seconds: float
) -> None:
    search = application.start_search()
    application.wait_for(search, lambda events: _count(events, "epoch_ended") >= 2, seconds=40)
    struck = time.time()
    fault(application)
    application.wait_for(search, lambda events: _recovered(events, struck), seconds)
    application.wait_for(search, lambda events: events[-1]["kind"] == "state_changed", seconds=60)
    events = application.events(search)
    found = application.client.get(f"/api/searches/{search}").json()
    assert (found["state"], found["fingerprint"]) == ("finished", expected), application.logs()
    assert [event["n"] for event in events] == list(range(1, len(events) + 1))
    if fault is kill_the_worker:  # Both its processes were in the middle of a child.
        assert _count(events, "job_lost") >= 1
    verdicts = [(event["step"], event["slot"]) for event in events if event["kind"] == "child_finished"]
    assert sorted(verdicts) == [(step, slot) for step in range(2) for slot in range(4)]


def test_shared_weights_survive_a_kill_in_the_middle_of_either_phase(application: Application, tmp_path: Path) -> None:
    search = application.start_search(SHARED_CONFIG)
    for phase in ("shared epoch 0", "controller phase 1"):
        application.wait_until_somebody_does(phase)
        kill_the_worker(application)
        application.wait_for(search, lambda events, phase=phase: _was_lost(events, phase), RECOVERY_SECONDS)
    application.wait_for(search, lambda events: events[-1]["kind"] == "state_changed", seconds=120)
    found = application.client.get(f"/api/searches/{search}").json()
    assert (found["state"], found["fingerprint"]) == ("finished", in_the_terminal(tmp_path)), application.logs()
    trainings = application.client.get("/api/trainings").json()["trainings"]
    assert [each["child"]["search"] for each in trainings] == [search]


def in_the_terminal(folder: Path) -> str:
    """The fingerprint of that search in the terminal without faults."""
    (folder / "config.json").write_text(json.dumps(SHARED_CONFIG))
    arguments = [
        sys.executable,
        "-m",
        "search_engine",
        "search",
        str(folder / "config.json"),
        "--out",
        str(folder / "out"),
    ]
    done = subprocess.run(arguments, cwd=ROOT, check=True, capture_output=True, text=True, timeout=180)
    told = re.search(r"^fingerprint (\w{64})$", done.stdout, re.MULTILINE)
    assert told is not None, done.stdout
    return told[1]


def _was_lost(events: list[dict[str, Any]], what: str) -> bool:
    return any(event["kind"] == "job_lost" and event["what"] == what for event in events)


@pytest.mark.parametrize(
    ("number", "is_busy"),
    [(signal.SIGINT, False), (signal.SIGTERM, True), (signal.SIGHUP, False), (signal.SIGKILL, True)],
)
def test_whatever_ends_the_supervisor_no_process_is_left(tmp_path: Path, number: signal.Signals, is_busy: bool) -> None:
    application = start_application(tmp_path)
    if is_busy:
        search = application.start_search()
        application.wait_for(search, lambda events: _count(events, "child_started") > 0, seconds=60)
    until = time.monotonic() + 30
    while len(family := application.supervisor.children(recursive=True)) < 8:
        # Broker, web, reconciler, Celery, two of its processes, two trainers.
        assert time.monotonic() < until, application.logs()
        time.sleep(0.1)
    application.client.close()
    application.supervisor.send_signal(number)
    _, alive = psutil.wait_procs([application.supervisor, *family], timeout=10)
    assert alive == [], [_command_line(each) for each in alive]


def _recovered(events: list[dict[str, Any]], struck: float) -> bool:
    """Work went on after the fault: on every child that was lost by it, and on any where none was."""
    later = [event for event in events if event["at"] > struck]
    lost = {event["what"] for event in later if event["kind"] == "job_lost"}
    again = {f"child {e['step']}.{e['slot']}" for e in later if e["kind"] in ("epoch_ended", "child_finished")}
    return lost <= again and bool(again)


def _count(events: list[dict[str, Any]], kind: str) -> int:
    return sum(event["kind"] == kind for event in events)


def _command_line(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""
