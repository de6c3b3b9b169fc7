"""A search with shared weights in one folder and one process, which goes on when it is started again.

config.json     what was asked for; changes.json: what was changed on the way, where anything was
events.jsonl    everything that happened
state.json      how far the search is, and which of the files it goes on from; state-before.json: the one before
files           weights, strategy and the checkpoint of the phase that is under way, each under its SHA-256
candidates.csv  one row per candidate; best.json: the best architecture
weights.safetensors, strategy.safetensors  what is in files, once the search is over
trained-1, trained-2, ...  the best candidates, trained from scratch: see training_folder
"""

import hashlib
import json
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch

from search_engine import checkpoints
from search_engine.checkpoints import write_under_digest
from search_engine.config.changes import Change, epochs_in_all
from search_engine.config.searches import AnyEnasSearchConfig
from search_engine.errors import DamagedFile, UserError
from search_engine.events import (
    ChildFinished,
    ControllerPhaseEnded,
    Event,
    ProposalShown,
    StateChanged,
    StepProposed,
    event_from_json,
)
from search_engine.schedule import MeasuredChild, best_children
from search_engine.shared_jobs import SharedJobs
from search_engine.shared_schedule import Derive, DueShared, KnownShared, ShareWeights, TeachController, due_shared
from search_engine.shared_search import search_started
from search_engine.terminal import generations
from search_engine.terminal.change_file import changes_of, events_of, keep_changes, refuse_other_bans
from search_engine.terminal.event_file import EventFile
from search_engine.terminal.result_files import write_best, write_table
from search_engine.terminal.search_folder import claim_folder
from search_engine.training.shared_building import SharedData, data_shown

COLUMNS = ("slot", "reward", "perplexity", "parameters", "mult_adds", "log_probability", "hash", "decisions")
NAMES = {"weights": "weights.safetensors", "strategy": "strategy.safetensors"}


@dataclass(frozen=True, slots=True)
class _State:
    """What state.json holds. events: how many had happened; strategy, weights, checkpoint: names of files, or None."""

    events: int = 0
    fingerprint: str = ""
    steps_told: int = 0
    is_shared: bool = False
    is_derived: bool = False
    strategy: str | None = None
    weights: str | None = None
    checkpoint: str | None = None

    @property
    def files(self) -> set[str]:
        """What it names."""
        return {name for name in (self.strategy, self.weights, self.checkpoint) if name is not None}

    def to_json(self) -> bytes:
        fields = asdict(self)
        return json.dumps(fields | {"sha256": checkpoints.digest({}, fields)}, indent=2).encode() + b"\n"

    @classmethod
    def from_json(cls, path: Path) -> "_State":
        """Raises DamagedFile. An earlier version of the program kept no digest."""
        try:
            fields = json.loads(path.read_bytes())
            stated = fields.pop("sha256", None)
            state = cls(**fields)
        except (ValueError, TypeError, AttributeError) as error:
            raise DamagedFile(str(path), "is damaged, or is not a file of this program.") from error
        if stated not in (None, checkpoints.digest({}, fields)):
            raise DamagedFile(str(path), "is damaged: its content does not match the SHA-256 in it.")
        return state


class SharedSearchFolder:
    """One search and its files."""

    def __init__(self, folder: Path, config: AnyEnasSearchConfig, changes: Sequence[Change] | None = None) -> None:
        """changes: all that there are; None for those that the folder knows.

        Raises UserError where the folder holds another search or is in use, or where the changes come too late,
        CheckpointError where it is damaged.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._files = folder, folder / "files"
        self._files.mkdir(exist_ok=True)
        self.config = config
        with ExitStack() as unless_ready:
            self._log = unless_ready.enter_context(closing(EventFile(folder / "events.jsonl")))
            claim_folder(folder, config, "search")
            self.changes = changes_of(folder, config, changes)
            self._state = self._read_state()
            self._refuse_late_changes()
            self._log.cut(self._state.events)  # What a phase told before it was saved is computed and told again.
            keep_changes(folder, self.changes)
            unless_ready.pop_all()

    @property
    def is_derived(self) -> bool:
        """Whether all is over but the training of the best candidates."""
        return self._state.is_derived

    @property
    def epochs(self) -> int:
        """How many the search has in all."""
        return epochs_in_all(self.config, self.changes)

    @property
    def steps_told(self) -> int:
        """Of how many steps the controller phase is over."""
        return self._state.steps_told

    @property
    def fingerprint(self) -> str:
        return self._state.fingerprint

    @property
    def events(self) -> tuple[Event, ...]:
        return tuple(self._log.events)

    def run(
        self, data: SharedData, *, device: torch.device, should_stop: Callable[[], bool]
    ) -> Generator[Event, None, None]:
        """Search to the end, or until `should_stop`, which is looked at after every minibatch and round."""
        if not self._log.events:
            yield self._logged(search_started(self.config, data_shown(data)))
        for change in events_of(self.changes, self.config):
            if change not in self._log.events:
                yield self._logged(change)
        jobs = SharedJobs(
            keep=lambda content: write_under_digest(self._files, content),
            data_of=lambda _: data,
            is_interrupted=should_stop,
            device=device,
        )
        while (due := due_shared(self._known())) is not None and not should_stop():
            yield from self._run_job(jobs, due)
        if self.is_derived:
            self._name_files()

    def best(self, count: int) -> tuple[dict[str, Any], ...]:
        """The best different candidates: each architecture with its slot, reward and hash."""
        proposals = self._proposals()
        scored = [MeasuredChild(each.reward, 0, each.slot, proposals[each.slot].hash) for each in self._verdicts()
                  if each.reward is not None]  # fmt: skip
        return tuple(
            proposals[each.slot].architecture
            | {"search": {"slot": each.slot, "reward": each.reward, "hash": each.hash}}
            for each in best_children(scored, count)
        )

    def close(self) -> None:
        self._log.close()

    def _run_job(self, jobs: SharedJobs, due: DueShared) -> Generator[Event, None, None]:
        """Do what is due, and save what it left when it ends, or where it was interrupted."""
        fingerprint = self.fingerprint
        for message in self._messages(jobs, due):
            if "event" in message:
                event = event_from_json(message["event"])
                fingerprint = event.fingerprint if isinstance(event, ControllerPhaseEnded) else fingerprint
                yield self._logged(event)
            elif "checkpoint" in message:
                self._save(replace(self._state, checkpoint=message["checkpoint"]))
            elif "done" in message:
                if isinstance(due, Derive):
                    yield self._logged(StateChanged(state="finished"))
                self._save(self._after(due, {"fingerprint": fingerprint} | message["done"]))

    def _messages(self, jobs: SharedJobs, due: DueShared) -> Generator[dict[str, Any], None, None]:
        request = {
            "config": self.config.model_dump(mode="json"),
            "changes": [change.to_json() for change in self.changes],
            "fingerprint": self.fingerprint,
            "strategy": self._path(self._state.strategy),
            "weights": self._path(self._state.weights),
            "checkpoint": self._path(self._state.checkpoint),
        }
        match due:
            case ShareWeights(step):
                yield from jobs.share(request | {"step": step})
            case TeachController(step):
                yield from jobs.teach(request | {"step": step})
            case Derive():
                yield from jobs.derive(request)

    def _after(self, due: DueShared, done: dict[str, Any]) -> _State:
        """done: what the job left, with the fingerprint of all that was computed."""
        state = replace(self._state, checkpoint=None, fingerprint=done["fingerprint"])
        match due:
            case ShareWeights():
                return replace(state, is_shared=True, weights=done["weights"], strategy=done["state"])
            case TeachController(step):
                return replace(state, is_shared=False, steps_told=step + 1, strategy=done["state"])
            case Derive():
                return replace(state, is_derived=True)

    def _known(self) -> KnownShared:
        state = self._state
        return KnownShared(self.epochs, state.steps_told, state.is_shared, state.is_derived)

    def _save(self, state: _State) -> None:
        """The log and the files first, then the state that names them, then away with what it names no more."""
        self._log.sync()
        is_phase_over = state.checkpoint is None
        before = self._state
        self._state = replace(state, events=len(self._log.events) if is_phase_over else self._state.events)
        generations.replace(self._folder / "state.json", self._state.to_json())
        kept = {*before.files, *self._state.files}
        for file in self._files.iterdir():
            if file.name not in kept:
                file.unlink()
        if self._state.is_derived:
            self._write_results()

    def _refuse_late_changes(self) -> None:
        """The strategy has drawn the first round of the next epoch, or none because there was no next epoch."""
        changes = changes_of(self._folder, self.config, None)
        told, before = self._state.steps_told, epochs_in_all(self.config, changes)
        if self._log.events:
            refuse_other_bans(self.config, changes, self.changes, range(told + 1))
        if (told < before) != (told < self.epochs):
            raise UserError("--changes", f"would make it {self.epochs} epochs; {told} of {before} are over already.")

    def _read_state(self) -> _State:
        return generations.newest(self._folder / "state.json", self._read_whole) or _State()

    def _read_whole(self, path: Path) -> _State:
        """Raises DamagedFile where the state, or a file that it names, is not what was written."""
        state = _State.from_json(path)
        for name in () if state.is_derived else state.files:  # Then they have other names.
            file = self._files / name
            if not file.exists() or _sha256(file) != name:
                raise DamagedFile(str(file), "is damaged or gone.")
        return state

    def _path(self, name: str | None) -> str | None:
        return None if name is None else str(self._files / name)

    def _name_files(self) -> None:
        """Give the files of a search that is over their names for people."""
        for part, name in NAMES.items():
            file = self._files / str(getattr(self._state, part))
            if file.exists():
                os.replace(file, self._folder / name)
        for file in self._files.iterdir():  # Those before them.
            file.unlink()

    def _write_results(self) -> None:
        write_table(self._folder / "candidates.csv", COLUMNS, self._rows())
        for best in self.best(1):
            write_best(self._folder, best)

    def _rows(self) -> Iterator[list[Any]]:
        proposals = self._proposals()
        for event in self._verdicts():
            proposal = proposals[event.slot]
            yield [
                *(event.slot, event.reward, event.perplexity, event.parameters, event.mult_adds),
                *(proposal.log_probability, proposal.hash, " ".join(map(str, proposal.decisions))),
            ]

    def _verdicts(self) -> list[ChildFinished]:
        return [event for event in self._log.events if isinstance(event, ChildFinished)]

    def _proposals(self) -> dict[int, ProposalShown]:
        drawn = next(event for event in self._log.events if isinstance(event, StepProposed))
        return {proposal.slot: proposal for proposal in drawn.proposals}

    def _logged(self, event: Event) -> Event:
        self._log.append(event)
        return event


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
