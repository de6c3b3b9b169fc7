"""How fast controllers draw, with log-probabilities and entropies, and learn, in a process as a trainer is started.

One thread, CPU time, each space in its default size with a fresh controller.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import time
from typing import Any, Literal

import torch

from search_engine.config.controller_presets import default
from search_engine.config.space import (
    EnasMacroSpaceConfig,
    EnasMicroSpaceConfig,
    EnasRecurrentSpaceConfig,
    NasnetSpaceConfig,
)
from search_engine.config.strategy import PpoConfig
from search_engine.spaces.build import build_space
from search_engine.strategies.base import Evaluation
from search_engine.strategies.controller import Controller
from search_engine.strategies.controller_strategy import build_controller
from search_engine.strategies.ppo import Ppo
from search_engine.strategies.program_controller import ProgramController
from webapp.searches.workers.trainer_process import as_trainer

BATCH, LARGE_BATCH, ROUNDS, BATCHES_PER_ROUND = 20, 200, 7, 10
UPDATES = 100  # Of a search: the first and the last tenth are compared.
Kind = Literal["nasnet", "enas-micro", "enas-macro", "enas-recurrent"]
KINDS: tuple[Kind, ...] = ("nasnet", "enas-micro", "enas-macro", "enas-recurrent")


def measure() -> dict[str, Any]:
    """{"drawn": {kind: architectures per CPU-second, 20 at once, by round}, "drawn_at_once": NASNet's, 200 at once,
    "update_ms": {"first", "last"}: of each update of NASNet's PPO on 20 architectures, four epochs, with the next draw}
    """
    finished = subprocess.run(
        [sys.executable, "-m", "benchmarks.controller_speed", "--here"], check=True, capture_output=True, text=True,
        timeout=600, env=as_trainer(os.environ, threads=1),
    )  # fmt: skip
    found: dict[str, Any] = json.loads(finished.stdout)
    return found


def _measure_here() -> dict[str, Any]:
    torch.set_num_threads(1)
    times = _update_milliseconds()
    tenth = UPDATES // 10
    return {
        "drawn": {kind: _rates(kind, BATCH, BATCHES_PER_ROUND) for kind in KINDS},
        "drawn_at_once": _rates("nasnet", LARGE_BATCH, 1),
        "update_ms": {"first": times[1 : tenth + 1], "last": times[-tenth:]},  # The very first prepares kernels.
    }


def _rates(kind: Kind, batch: int, batches: int) -> list[float]:
    generator = torch.Generator().manual_seed(1)
    controller = _fresh(kind, generator)
    _seconds(controller, generator, batch, batches)  # The first calls set up what later ones reuse.
    return [batch * batches / _seconds(controller, generator, batch, batches) for _ in range(ROUNDS)]


def _update_milliseconds() -> list[float]:
    rewards = random.Random(1)
    strategy = Ppo(build_space(NasnetSpaceConfig()), PpoConfig(), children=BATCH * (UPDATES + 2), seed=1)
    milliseconds = []
    for _ in range(UPDATES):
        answers = [Evaluation(one.step, one.slot, rewards.random()) for one in strategy.ask()]
        started = time.process_time()
        strategy.tell(answers)
        milliseconds.append(1000 * (time.process_time() - started))
    return milliseconds


def _fresh(kind: Kind, generator: torch.Generator) -> Controller | ProgramController:
    if kind == "nasnet":
        return build_controller(build_space(NasnetSpaceConfig()).decisions, PpoConfig(), None, generator)
    spaces = (EnasMicroSpaceConfig(), EnasMacroSpaceConfig(), EnasRecurrentSpaceConfig())
    space = next(space for space in spaces if space.kind == kind)
    preset = default(kind)
    return build_controller(build_space(space).decisions, preset.strategy, preset.controller, generator)


def _seconds(controller: Controller | ProgramController, generator: torch.Generator, batch: int, batches: int) -> float:
    started = time.process_time()
    for _ in range(batches):
        _, scores = controller.draw(batch, generator)
        assert bool(scores.joint.isfinite().all()) and bool(scores.entropies.isfinite().all())
    return time.process_time() - started


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--here", action="store_true", help="in this process, as it was started")
    print(json.dumps(_measure_here() if parser.parse_args().here else measure()))
