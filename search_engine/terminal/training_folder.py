"""A training for keeps in one folder and one process, which goes on when it is started again.

config.json             what was asked for; architecture.json: the network's cells
events.jsonl            everything that happened
checkpoint.safetensors  weights, momentum and place after the last epoch; checkpoint-before: after the one before
network.safetensors     the trained network; result.json: how good it is
"""

import json
from collections.abc import Generator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

from search_engine import checkpoints
from search_engine.events import Event, TrainingFinished, TrainingStarted
from search_engine.terminal.event_file import EventFile
from search_engine.terminal.generations import newest, replace
from search_engine.terminal.search_folder import claim_folder
from search_engine.training.kept import KeptTraining, finish


class TrainingFolder:
    """One training and its files."""

    def __init__(self, folder: Path, training: KeptTraining) -> None:
        """Raises UserError where the folder holds something else or is in use, CheckpointError where it is damaged."""
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._training = training
        with ExitStack() as unless_ready:
            self._log = unless_ready.enter_context(closing(EventFile(folder / "events.jsonl")))
            claim_folder(folder, training.config, "training")
            self._log.cut(self._restored())
            unless_ready.pop_all()

    @property
    def result(self) -> dict[str, Any] | None:
        """How good the trained network is; None before the last epoch."""
        path = self._folder / "result.json"
        result: dict[str, Any] | None = json.loads(path.read_bytes()) if path.exists() else None
        return result

    def run(self) -> Generator[Event, None, None]:
        """Train to the last epoch and score the test images, once; whoever stops pulling loses no whole epoch."""
        if not self._log.events:
            yield self._logged(self._started())
        for event in self._training.epochs():
            self._log.append(event)
            self._save()
            yield event
        yield self._logged(self._finish())

    def close(self) -> None:
        self._log.close()

    def _restored(self) -> int:
        """Go on from the last checkpoint; how many events there were then."""
        found = newest(self._folder / "checkpoint.safetensors", checkpoints.load)
        if found is None:
            return 0
        tensors, metadata = found
        self._training.restore(tensors, metadata["training"])
        events: int = metadata["events"]
        return events

    def _started(self) -> TrainingStarted:
        self._write_json("architecture.json", self._training.architecture.to_json())
        return self._training.started()

    def _save(self) -> None:
        self._log.sync()
        tensors, metadata = self._training.checkpoint()
        note = {"training": metadata, "kind": metadata["kind"], "events": len(self._log.events)}
        replace(self._folder / "checkpoint.safetensors", checkpoints.encode(tensors, note))

    def _finish(self) -> TrainingFinished:
        event, content = finish(self._training)
        checkpoints.atomic_write(self._folder / "network.safetensors", content)
        shown = event.model_dump(exclude={"kind", "version"})
        measured = {name: value for name, value in shown.items() if value is not None}
        self._write_json("result.json", measured | self._training.figures())
        return event

    def _logged(self, event: Event) -> Event:
        self._log.append(event)
        return event

    def _write_json(self, name: str, value: Any) -> None:
        checkpoints.atomic_write(self._folder / name, json.dumps(value, indent=2).encode() + b"\n")
