"""Trainings for keeps of either sort: on images or on text. Whoever drives one need not know which it is."""

import hashlib
from pathlib import Path

import torch

from search_engine import checkpoints
from search_engine.config.language import LanguageTrainingConfig
from search_engine.config.trainings import AnyTrainingConfig
from search_engine.data.batches import prepare
from search_engine.data.token_streams import prepare_text
from search_engine.events import TrainingFinished
from search_engine.training.for_keeps import TrainingForKeeps
from search_engine.training.language_for_keeps import LanguageTraining

KeptTraining = TrainingForKeeps | LanguageTraining


def build_training(config: AnyTrainingConfig, *, folder: Path, device: torch.device) -> KeptTraining:
    """Read the data and build what is to be trained on them. folder: where downloads and own texts are kept.

    Raises UserError at the field that is wrong.
    """
    if isinstance(config, LanguageTrainingConfig):
        return LanguageTraining(config, data=prepare_text(config.data, folder=folder, device=device), device=device)
    data = prepare(config.data, seed=config.reproducibility.seed, folder=folder, device=device)
    return TrainingForKeeps(config, data=data, device=device)


def finish(training: KeptTraining) -> tuple[TrainingFinished, bytes]:
    """Look at the test part, once: the training's last event, and the file of the trained network."""
    if isinstance(training, LanguageTraining):
        guessed = training.test()
        content = checkpoints.encode(*training.network_file(guessed))
        return training.finished(guessed, hashlib.sha256(content).hexdigest()), content
    result = training.test()
    content = checkpoints.encode(*training.network_file(result))
    return training.finished(result, hashlib.sha256(content).hexdigest()), content
