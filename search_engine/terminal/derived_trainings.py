"""The best candidates of a search with shared weights, trained from scratch in its folder, each with its bundle."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from search_engine.checkpoints import atomic_write
from search_engine.config.searches import AnyEnasSearchConfig
from search_engine.errors import ConfigError
from search_engine.export.bundle import make_bundle
from search_engine.export.kept_file import read_kept_network
from search_engine.terminal.progress import follow_training
from search_engine.terminal.training_folder import TrainingFolder
from search_engine.training.kept import build_training

BUNDLE = "bundle.zip"
_SECTIONS = {"recipe": "derived_recipe", "layout": "derived"}  # Of a training, by what a search calls them.


def train_derived(
    config: AnyEnasSearchConfig,
    best: tuple[dict[str, Any], ...],
    folder: Path,
    *,
    data_folder: Path,
    device: torch.device,
    is_interrupted: Callable[[], bool],
) -> tuple[dict[str, Any], ...] | None:
    """Train them one after the other, or go on; what each reached or why it failed, or None where it was interrupted.

    best: architectures, best first; what stands in them about the search is not part of them.
    """
    results = []
    for rank, found in enumerate(best, 1):
        architecture = {name: value for name, value in found.items() if name != "search"}
        training = config.final_training(architecture, derived_name(config, rank))
        place = folder / f"trained-{rank}"
        try:
            kept = TrainingFolder(place, build_training(training, folder=data_folder, device=device))
            result = _trained(kept, training.recipe.epochs, is_interrupted)
        except ConfigError as error:  # It diverged, or did not fit: the next best is trained all the same.
            results.append({"folder": str(place), "failed": f"{_field_of_search(error.field)} {error.message}"})
            continue
        if result is None:
            return None
        results.append({"folder": str(place)} | result)
        if not (place / BUNDLE).exists():
            atomic_write(place / BUNDLE, make_bundle(read_kept_network(place)).content)
    return tuple(results)


def _trained(kept: TrainingFolder, epochs: int, is_interrupted: Callable[[], bool]) -> dict[str, Any] | None:
    try:
        if kept.result is None:
            follow_training(epochs, kept.run(), is_interrupted)
        return kept.result
    finally:
        kept.close()


def _field_of_search(field: str) -> str:
    """Where the search decides what this field of a training says."""
    section, *rest = field.split(".")
    return ".".join([_SECTIONS.get(section, section), *rest])


def derived_name(config: AnyEnasSearchConfig, rank: int) -> str:
    """What the training of a candidate is called, by its rank from 1."""
    return f"{config.name or config.method}: best" if rank == 1 else f"{config.name or config.method}: number {rank}"
