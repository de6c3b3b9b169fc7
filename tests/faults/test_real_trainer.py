"""Real job rows, a real worker and a real trainer against `search_engine.runner.run` in this process."""

from pathlib import Path
from typing import Any

import pytest
import torch

from search_engine.config.reading import read_config
from search_engine.config.search import SearchConfig
from search_engine.data.batches import prepare
from search_engine.evaluators.finalists import FinalistTraining
from search_engine.evaluators.reusing import Reusing
from search_engine.evaluators.standalone import StandaloneEvaluator
from search_engine.events import FinalistShown
from search_engine.final_round import FinalRound
from search_engine.runner import run
from search_engine.strategies.build import build_strategy
from search_engine.training.numerics import set_numerics
from search_engine.training.trained_network import read_trained_network
from webapp.accounts.models import User
from webapp.searches import artifacts, checker
from webapp.searches.models import Artifact, Child, Finalist, Stream
from webapp.searches.start import start_search
from webapp.searches.workers.trainer_process import TrainerProcess
from webapp.searches.workers.worker import WorkingProcess

# Two operations in one block: cells are drawn again and again. The last step has one child less than the others.
LEARNING = {
    "space": {"blocks": 1, "operations": ["identity", "conv_3x3"], "combinations": ["add"]},
    "strategy": {"kind": "ppo", "step_size": 6, "lookahead": 1, "learning_rate": 0.05, "epochs": 3},
    "child": {"normal_cells": 1, "reductions": 1, "filters": 4},
    "recipe": {"epochs": 2, "batch_size": 25, "learning_rate": 0.1},
    "data": {"image_size": 8, "train_examples": 100, "held_out_examples": 100},
    "budget": {"children": 17, "reuse": "copy"},
    "finals": {"children": 2, "epochs": 3, "normal_cells": 2, "filters": 6},
    "reproducibility": {"seed": 5},
}
# Weights that grow threefold at each of fifty steps: every child diverges, and no twin copies anything.
DIVERGING = LEARNING | {
    "finals": {"children": 0},
    "recipe": {
        "epochs": 1,
        "batch_size": 2,
        "learning_rate": 10.0,
        "momentum": 0.0,
        "weight_decay": 0.4,
        "schedule": "constant",
    },
    "strategy": {"kind": "random", "step_size": 3, "lookahead": 1},
    "budget": {"children": 5, "reuse": "copy"},
}

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


@pytest.mark.parametrize(
    ("wanted", "told", "finalists"),
    [(LEARNING, {"twin_step__isnull": False}, 2), (DIVERGING, {"reason": "diverged"}, 0)],
)
def test_a_search_by_jobs_with_twins_and_lookahead_computes_what_one_process_computes(
    tmp_path: Path, settings: Any, wanted: dict[str, Any], told: dict[str, Any], finalists: int
) -> None:
    settings.ARTIFACTS_DIR = tmp_path / "artifacts"
    config = read_config(SearchConfig, wanted)
    search = start_search(User.objects.create(name="owner"), config)
    work_off(tmp_path)
    search.refresh_from_db()
    assert (search.state, search.fingerprint) == ("finished", in_one_process(config, tmp_path))
    assert checker.check(Stream.objects.get(pk=search.pk)) == []
    assert Child.objects.filter(search=search, **told).exists(), "what this search is for did not happen"
    assert Finalist.objects.filter(search=search, accuracy__isnull=False).count() == finalists
    if finalists:
        result = Artifact.objects.get(stream_id=search.pk, label="Result")
        network = read_trained_network(artifacts.local_path(result.sha256))
        assert network.config == config.final_training(network.config.architecture)


def work_off(folder: Path) -> None:
    """Do all that is due with one real trainer."""

    def start_trainer(threads: int) -> TrainerProcess:
        return TrainerProcess(
            spool=folder / "spool", data_sets=folder, log=folder / "trainer.log", threads=threads, device="cpu"
        )

    worker = WorkingProcess(
        name="test:1", spool=folder / "spool", start_trainer=start_trainer, is_stopping=lambda: False
    )
    try:
        worker.look()
    finally:
        worker.end()


def in_one_process(config: SearchConfig, folder: Path) -> str:
    set_numerics(config.reproducibility.threads)
    device = torch.device("cpu")
    data = prepare(config.data, seed=config.reproducibility.seed, folder=folder, device=device)
    standalone = StandaloneEvaluator(config, device=device, folder=folder, data=data)
    evaluator = Reusing(standalone, lookahead=config.strategy.lookahead)

    def train(finalist: FinalistShown) -> Any:
        kwargs = finalist.model_dump(exclude={"reward", "hash"})
        return (yield from FinalistTraining(config, **kwargs, data=data, device=device).epochs())

    events = run(
        build_strategy(config), evaluator, should_stop=lambda: False, save=lambda *_: None,
        final_round=FinalRound(config.finals.children, train) if config.finals.children else None,
    )  # fmt: skip
    while True:
        try:
            next(events)
        except StopIteration as end:
            fingerprint: str = end.value
            return fingerprint
