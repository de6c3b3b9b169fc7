"""A trained network out of whatever file holds one: that of a training, or a bundle."""

from pathlib import Path

from search_engine.config.trainings import reads_text
from search_engine.errors import CheckpointError
from search_engine.export.bundle_file import is_bundle, read_bundle
from search_engine.training.trained_language_network import TrainedLanguageNetwork
from search_engine.training.trained_network import TrainedNetwork, read_trained_network


def read_kept_network(path: Path) -> TrainedNetwork | TrainedLanguageNetwork:
    """path: a file, or the folder of a training. Raises CheckpointError where there is none, or a damaged one."""
    path = path / "network.safetensors" if path.is_dir() else path
    return bundled_network(path) if is_bundle(path) else read_trained_network(path)


def bundled_network(path: Path) -> TrainedNetwork | TrainedLanguageNetwork:
    """Raises CheckpointError where the file is no bundle, or holds numbers of another network."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    bundle = read_bundle(path)
    try:
        kind = TrainedLanguageNetwork if reads_text(bundle.metadata["config"]) else TrainedNetwork
        trained = kind(load(bundle.weights), bundle.metadata)
        trained.network()
    except (SafetensorError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(str(path), "is damaged: its weights cannot be read.") from error
    return trained
