"""The final round of a search in a folder: it goes on in the middle of a finalist.

finalist-3.safetensors  the finalist that is trained now, after its last epoch; finalist-3-before: the one before
result.safetensors      the network of the best finalist so far; in the end, the search's result
"""

import hashlib
from collections.abc import Callable, Generator, Iterable
from pathlib import Path

from search_engine import checkpoints
from search_engine.errors import ConfigError
from search_engine.evaluators.finalists import Checkpoint, FinalistTraining, not_fitting
from search_engine.events import Event, FinalistEpochEnded, FinalistFinished, FinalistShown
from search_engine.final_round import best_finalist
from search_engine.returning import Returning
from search_engine.terminal.generations import forget, newest, replace

RESULT = "result.safetensors"
BuildFinalist = Callable[[FinalistShown, Checkpoint | None], FinalistTraining]


class FinalistFiles:
    """Trains finalists one after the other, and keeps what a later process needs to go on."""

    def __init__(self, folder: Path, build: BuildFinalist, past: Iterable[Event]) -> None:
        """past: events in their order, as a log kept them; those of finalists without a verdict are ignored."""
        self._folder = folder
        self._build = build
        self._epochs: dict[int, list[FinalistEpochEnded]] = {}
        self._past: dict[int, FinalistFinished] = {}
        self._verdicts: list[FinalistFinished] = []
        for event in past:
            if isinstance(event, FinalistEpochEnded):
                self._epochs.setdefault(event.rank, []).append(event)
            elif isinstance(event, FinalistFinished):
                self._past[event.rank] = event

    def train(self, finalist: FinalistShown) -> Generator[Event, None, FinalistFinished]:
        """As final_round.TrainFinalist. Epochs that were done before are told again, not trained again."""
        path = self._folder / f"finalist-{finalist.rank}.safetensors"
        verdict = self._past.get(finalist.rank)
        if verdict is None:
            verdict = yield from self._trained(finalist, path)
        else:
            yield from self._epochs.get(finalist.rank, [])
        self._verdicts.append(verdict)
        forget(path)
        return verdict

    def _trained(self, finalist: FinalistShown, path: Path) -> Generator[Event, None, FinalistFinished]:
        try:
            training = self._build(finalist, newest(path, checkpoints.load))
        except ConfigError as error:
            return not_fitting(finalist.rank, error)
        yield from training.past
        epochs = Returning(training.epochs())
        for event in epochs:
            replace(path, training.checkpoint())
            yield event
        verdict = epochs.returned
        if best_finalist([*self._verdicts, verdict]) is verdict:
            network = training.network_file()
            checkpoints.atomic_write(self._folder / RESULT, network)  # Before the verdict is told: a crash repeats it.
            verdict = verdict.model_copy(update={"checkpoint": hashlib.sha256(network).hexdigest()})
        return verdict
