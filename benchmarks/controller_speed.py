"""How fast controllers draw: architectures per CPU-second, with log-probabilities and entropies."""

import statistics
import time
from typing import Literal

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
from search_engine.strategies.controller import Controller
from search_engine.strategies.controller_strategy import build_controller
from search_engine.strategies.program_controller import ProgramController

BATCH, ROUNDS, BATCHES_PER_ROUND = 20, 7, 10
Kind = Literal["nasnet", "enas-micro", "enas-macro", "enas-recurrent"]
KINDS: tuple[Kind, ...] = ("nasnet", "enas-micro", "enas-macro", "enas-recurrent")


def measure() -> dict[Kind, float]:
    """Architectures per CPU-second by space, each in its default size: median of 7 rounds of 10 batches of 20.

    A fresh controller, one thread.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return {kind: _rate(kind) for kind in KINDS}
    finally:
        torch.set_num_threads(threads)


def _rate(kind: Kind) -> float:
    generator = torch.Generator().manual_seed(1)
    controller = _fresh(kind, generator)
    _seconds(controller, generator)  # The first calls set up what later ones reuse.
    return statistics.median(BATCH * BATCHES_PER_ROUND / _seconds(controller, generator) for _ in range(ROUNDS))


def _fresh(kind: Kind, generator: torch.Generator) -> Controller | ProgramController:
    if kind == "nasnet":
        return build_controller(build_space(NasnetSpaceConfig()).decisions, PpoConfig(), None, generator)
    spaces = (EnasMicroSpaceConfig(), EnasMacroSpaceConfig(), EnasRecurrentSpaceConfig())
    space = next(space for space in spaces if space.kind == kind)
    preset = default(kind)
    return build_controller(build_space(space).decisions, preset.strategy, preset.controller, generator)


def _seconds(controller: Controller | ProgramController, generator: torch.Generator) -> float:
    started = time.process_time()
    for _ in range(BATCHES_PER_ROUND):
        _, scores = controller.draw(BATCH, generator)
        assert bool(scores.joint.isfinite().all()) and bool(scores.entropies.isfinite().all())
    return time.process_time() - started
