"""A whole search with shared weights in the terminal: the search, then its best candidates from scratch."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from search_engine.config.changes import Change
from search_engine.config.searches import AnyEnasSearchConfig
from search_engine.terminal.derived_trainings import train_derived
from search_engine.terminal.shared_progress import follow_shared_search
from search_engine.terminal.shared_search_folder import SharedSearchFolder
from search_engine.training.numerics import set_numerics
from search_engine.training.shared_building import prepare_shared


def run_shared_search(
    config: AnyEnasSearchConfig,
    place: Path,
    *,
    changes: Sequence[Change] | None = None,
    data_folder: Path,
    is_interrupted: Callable[[], bool],
) -> dict[str, Any] | None:
    """Search, or go on searching, and train what was derived; None where it was interrupted.

    changes: all that there are; None for those that the folder knows.
    Returns the fingerprint, the best candidate, and what each of the trained ones reached.
    """
    set_numerics(config.reproducibility.threads)
    device = torch.device("cpu")
    folder = SharedSearchFolder(place, config, changes)
    try:
        if folder.is_derived:
            print("The candidates of this search were scored already.", file=sys.stderr)
        else:
            data = prepare_shared(config, folder=data_folder, device=device)
            events = folder.run(data, device=device, should_stop=is_interrupted)
            follow_shared_search(folder.epochs, folder.steps_told, events)
        if not folder.is_derived:
            return None
        best, fingerprint = folder.best(max(1, config.deriving.train)), folder.fingerprint
    finally:
        folder.close()
    trained = train_derived(
        config, best[: config.deriving.train], place, data_folder=data_folder, device=device,
        is_interrupted=is_interrupted,
    )  # fmt: skip
    return None if trained is None else {"fingerprint": fingerprint, "best": best[0], "trained": list(trained)}
