"""Searches with shared weights by real job rows, a real worker and trainers that are killed, against the terminal."""

import os
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import torch

from search_engine.config.searches import read_enas_config
from search_engine.terminal.shared_search_folder import SharedSearchFolder
from search_engine.training.numerics import set_numerics
from search_engine.training.shared_building import prepare_shared
from tests.web.slow_sizes import long
from webapp.accounts.models import User
from webapp.searches import artifacts, checker, event_log, leases
from webapp.searches.models import Artifact, Child, Stream, Training
from webapp.searches.start import start_search
from webapp.searches.workers.trainer_process import Message, TrainerGone, TrainerProcess
from webapp.searches.workers.worker import WorkingProcess

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]
# A trainer that leaves a checkpoint after every minibatch and round.
EAGER = """
import sys
import search_engine.shared_jobs
import search_engine.trainer
search_engine.shared_jobs.CHECKPOINT_SHARE = 0
search_engine.trainer.main(["--checkpoint-seconds", "0", *sys.argv[1:]])
"""
SIZES: dict[str, Any] = {
    "phases": {"rounds": 6, "score_batch": 20},
    "deriving": {"candidates": 5, "train": 1},
    "reproducibility": {"seed": 5},
}
IMAGES: dict[str, Any] = SIZES | {
    "strategy": {"kind": "reinforce", "step_size": 3, "learning_rate": 0.02},
    "shared": {"epochs": 2, "batch_size": 25},
    "data": {"image_size": 8, "train_examples": 200, "held_out_examples": 60},
    "derived_recipe": {"epochs": 1, "batch_size": 25},
}
SEARCHES: dict[str, dict[str, Any]] = {
    "enas-micro": IMAGES | {
        "space": {"nodes": 2}, "supernet": {"normal_cells": 1, "reductions": 1, "filters": 4},
        "derived": {"skeleton": "enas", "normal_cells": 1, "reductions": 1, "filters": 4},
    },
    "enas-macro": IMAGES | {
        "space": {"layers": 3}, "supernet": {"filters": 4}, "derived": {"kind": "macro", "filters": 4},
    },
    "enas-recurrent": SIZES | {
        "strategy": {"kind": "reinforce", "step_size": 3, "learning_rate": 0.02},
        "space": {"nodes": 3}, "supernet": {"hidden": 8},
        "shared": {"epochs": 2, "minibatches": 6}, "derived": {"hidden": 8},
        "derived_recipe": {
            "epochs": 1, "scoring_batch": 512, "test_batch": 512, "batch_size": 512, "learning_rate": 2.0,
        },
    },
}  # fmt: skip


class KilledTrainer(TrainerProcess):
    """A trainer that gets `kill -9` right after its third checkpoint, in each kind of phase once.

    What it had said before it died and nobody had read yet is lost, as a worker that dies with it would lose it.
    """

    seen: Counter[str] = Counter()
    doing = ""
    is_dead = False

    def send(self, request: Message) -> None:
        self.doing = request["do"]
        super().send(request)

    def receive(self, timeout_seconds: float) -> Message | None:
        if self.is_dead:
            raise TrainerGone("the trainer was killed by SIGKILL")
        message = super().receive(timeout_seconds)
        if message is not None and "checkpoint" in message and "event" not in message:
            self.seen[self.doing] += 1
            if self.seen[self.doing] == 3:
                os.killpg(self.pid, signal.SIGKILL)
                self.is_dead = True
        return message


# In `make test` each method has one of three: cells here, the macro search in the campaign of kills, the recurrent one
# where scores are asked for.
METHODS = [pytest.param(method, marks=() if method == "enas-micro" else long) for method in SEARCHES]


@pytest.mark.parametrize("method", METHODS)
def test_whatever_is_killed_a_search_computes_what_the_terminal_computes(
    tmp_path: Path, settings: Any, method: str
) -> None:
    settings.ARTIFACTS_DIR = tmp_path / "artifacts"
    config = read_enas_config({"method": method} | SEARCHES[method])
    search = start_search(User.objects.create(name="owner"), config)
    KilledTrainer.seen = Counter()
    work_off(tmp_path)
    search.refresh_from_db()
    events = event_log.read(search.pk, 0, 10_000)
    assert (search.state, search.reason) == ("finished", "")
    assert [event["what"] for event in events if event["kind"] == "job_lost"] == [
        "shared epoch 0", "controller phase 0",
    ]  # fmt: skip
    assert search.fingerprint == in_the_terminal(config, tmp_path / "terminal", tmp_path)
    assert checker.check(Stream.objects.get(pk=search.pk)) == []
    (training,) = Training.objects.filter(child__search=search)
    assert training.state == "finished", training.reason
    assert Artifact.objects.filter(stream_id=training.pk, label="Bundle").exists()
    best = Child.objects.filter(search=search).order_by("-reward", "slot").first()
    assert training.child == best
    assert (best.perplexity is not None) == (method == "enas-recurrent")
    assert artifacts.is_whole(search.weights) and artifacts.is_whole(search.strategy_state)


def work_off(folder: Path) -> None:
    """Do all that is due with real trainers, of which some are killed."""

    def start_trainer(threads: int) -> TrainerProcess:
        return KilledTrainer(
            spool=folder / "spool", data_sets=folder, log=folder / "trainer.log", threads=threads, device="cpu",
            program=(sys.executable, "-c", EAGER),
        )  # fmt: skip

    worker = WorkingProcess(
        name="test:1", spool=folder / "spool", start_trainer=start_trainer, is_stopping=lambda: False
    )
    try:
        worker.look()
    finally:
        worker.end()
    assert leases.claim("nobody", ("share", "teach", "derive", "train")) is None


def in_the_terminal(config: Any, place: Path, data_folder: Path) -> str:
    set_numerics(config.reproducibility.threads)
    device = torch.device("cpu")
    folder = SharedSearchFolder(place, config)
    try:
        data = prepare_shared(config, folder=data_folder, device=device)
        for _ in folder.run(data, device=device, should_stop=lambda: False):
            """It goes on by itself."""
        return folder.fingerprint
    finally:
        folder.close()
