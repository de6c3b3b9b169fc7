"""One whole search of a comparison, in a folder of its own."""

from collections.abc import Callable
from pathlib import Path

import torch

from search_engine.config.search import SearchConfig
from search_engine.data.own_set import describe_in
from search_engine.evaluators.standalone import StandaloneEvaluator
from search_engine.events import Event
from search_engine.terminal.progress import follow_search
from search_engine.terminal.search_folder import SearchFolder
from search_engine.training.numerics import set_numerics


def run_to_its_end(
    config: SearchConfig, folder: Path, *, data_folder: Path, is_interrupted: Callable[[], bool]
) -> tuple[Event, ...] | None:
    """Search, or go on searching, and return all that happened; None where it was interrupted.

    A search that has ended is only read. Raises UserError where the folder holds something else.
    """
    search = SearchFolder(folder, config)
    try:
        if not search.is_finished:
            set_numerics(config.reproducibility.threads)
            evaluator = StandaloneEvaluator(config, device=torch.device("cpu"), folder=data_folder)
            data = describe_in(config.data.name, data_folder).to_json()
            events = search.run(evaluator, data=data, should_stop=is_interrupted)
            follow_search(search, events, is_interrupted)
        return search.events if search.is_finished else None
    finally:
        search.close()
