"""Scores that a person asks of shared weights, by real trainers: while they compute, when one is killed, at rest."""

import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from search_engine.config.searches import read_enas_config
from search_engine.spaces.build import build_space
from tests.faults.test_real_shared import EAGER, SEARCHES, in_the_terminal
from tests.web.slow_sizes import long
from webapp.accounts.models import User
from webapp.searches import asked_scores, checker, lifecycle
from webapp.searches.models import AskedScore, Search, Stream
from webapp.searches.start import start_search
from webapp.searches.workers import driver
from webapp.searches.workers.trainer_process import Message, TrainerGone, TrainerProcess
from webapp.searches.workers.worker import WorkingProcess

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


class Person:
    """Asks in the first shared epoch, and in the first controller phase, whose trainer is killed; then pauses."""

    def __init__(self, search: Search) -> None:
        self.search = search
        self.doing: list[str] = []
        self.told: list[str] = []  # What each answer came from.
        self.has_paused = False

    def ask(self) -> None:
        space = build_space(read_enas_config(self.search.config).space)
        option = AskedScore.objects.count()
        decisions = [min(option, len(decision.options) - 1) for decision in space.decisions]
        asked_scores.ask(self.search.pk, space.decode(decisions))

    def sees(self, message: Message) -> bool:
        """Whether the trainer dies now."""
        asked, doing = AskedScore.objects.count(), self.doing[-1]
        if "scored" in message:
            self.told.append(doing)
        elif "checkpoint" in message and doing == "share" and asked == 0:
            self.ask()
        elif "checkpoint" in message and doing == "teach" and asked == 1:
            self.ask()
            return True
        elif message.get("event", {}).get("kind") == "controller_phase_ended" and not self.has_paused:
            self.has_paused = True
            lifecycle.pause(self.search.pk)
        return False


class WatchedTrainer(TrainerProcess):
    person: Person
    is_dead = False

    def send(self, request: Message) -> None:
        if request["do"] not in ("ask", "interrupt"):
            self.person.doing.append(request["do"])
        super().send(request)

    def receive(self, timeout_seconds: float) -> Message | None:
        if self.is_dead:
            raise TrainerGone("the trainer was killed by SIGKILL")
        message = super().receive(timeout_seconds)
        if message is not None and self.person.sees(message):
            os.killpg(self.pid, signal.SIGKILL)
            self.is_dead = True
        return message


# As in test_real_shared.py.
METHODS = [pytest.param(method, marks=() if method == "enas-recurrent" else long) for method in SEARCHES]


@pytest.mark.parametrize("method", METHODS)
def test_whenever_a_score_is_asked_for_it_comes_and_the_search_computes_the_same(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    settings.ARTIFACTS_DIR = tmp_path / "artifacts"
    monkeypatch.setattr(driver, "HEARTBEAT_SECONDS", 0.0)
    config = read_enas_config({"method": method} | SEARCHES[method] | {"deriving": {"candidates": 5, "train": 0}})
    search = start_search(User.objects.create(name="owner"), config)
    person = WatchedTrainer.person = Person(search)

    def start_trainer(threads: int) -> TrainerProcess:
        return WatchedTrainer(
            spool=tmp_path / "spool", data_sets=tmp_path, log=tmp_path / "trainer.log", threads=threads, device="cpu",
            program=(sys.executable, "-c", EAGER),
        )  # fmt: skip

    worker = WorkingProcess(
        name="test:1", spool=tmp_path / "spool", start_trainer=start_trainer, is_stopping=lambda: False
    )
    try:
        worker.look()
        assert Stream.objects.get(pk=search.pk).state == "paused"
        person.ask()
        worker.look()
        lifecycle.resume(search.pk)
        worker.look()
        search.refresh_from_db()
        assert (search.state, search.reason) == ("finished", "")
        person.ask()
        worker.look()
    finally:
        worker.end()
    assert person.told == ["share", "score", "score", "score"]  # What was told to the dead one is no phase's again.
    rows = list(AskedScore.objects.order_by("asked"))
    assert [row.state for row in rows] == ["answered"] * 4, [row.reason for row in rows]
    ats = [row.answer["at"]["epoch"] for row in rows if row.answer]
    assert ats == [1, 1, 1, 2]
    assert [row.best is None for row in rows] == [True, False, False, False]
    assert rows[3].best is not None and rows[3].best["what"] == "the best candidate"
    search.refresh_from_db()
    assert search.fingerprint == in_the_terminal(config, tmp_path / "terminal", tmp_path)
    assert checker.check(Stream.objects.get(pk=search.pk)) == []
