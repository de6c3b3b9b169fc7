"""The jobs of a search with shared weights, as messages: the trainer answers with them, the terminal keeps them.

Each is a generator of objects: {"checkpoint": name} now and then, from which any position resumes to the same bits,
{"event": ...}, {"scored": ...} where somebody asked for a score (see asked_scores), and at the end {"done": ...} or
{"interrupted": {}}. Files are kept by whoever runs the jobs, under the SHA-256 of their content; files that a job needs
come as paths.
"""

import hashlib
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import torch

from search_engine import checkpoints
from search_engine.asked_scores import Moment, answers
from search_engine.config.changes import Change, read_changes
from search_engine.config.searches import AnyEnasSearchConfig, read_enas_config
from search_engine.errors import CheckpointError
from search_engine.returning import Returning
from search_engine.shared_phases import EpochPosition, PhasePosition
from search_engine.shared_search import derive, share_weights, teach_controller
from search_engine.strategies.base import Strategy
from search_engine.strategies.build import build_shared_strategy, encode_strategy, load_strategy
from search_engine.training.numerics import set_numerics
from search_engine.training.shared_building import SharedData, build_shared_weights, derived_cost
from search_engine.training.shared_weights import SharedWeights

CHECKPOINT_SECONDS = 10.0  # At most so much work is repeated after a loss,
CHECKPOINT_SHARE = 20  # or so many times what writing a checkpoint took, where that is more.

Message = dict[str, Any]
P = TypeVar("P")
E = TypeVar("E")


class SharedJobs:
    """Runs share, teach, derive and score. One job is under way at a time."""

    def __init__(
        self,
        *,
        keep: Callable[[bytes], str],
        data_of: Callable[[AnyEnasSearchConfig], SharedData],
        is_interrupted: Callable[[], bool],
        device: torch.device,
        checkpoint_seconds: float = CHECKPOINT_SECONDS,
        asked: Callable[[], Sequence[Message]] = tuple,
    ) -> None:
        """keep: writes a file and returns its name, the SHA-256 of its content.

        asked: the scores that were asked for since it was called last, as asked_scores reads them.
        """
        self._keep = keep
        self._data_of = data_of
        self._is_interrupted = is_interrupted
        self._device = device
        self._checkpoint_seconds = checkpoint_seconds
        self._asked = asked
        self._weights: SharedWeights | None = None  # Of the job that is under way, or was the last.
        self._progress_before = 0

    @property
    def progress(self) -> int:
        """All minibatches that were trained or scored."""
        return self._progress_before + (0 if self._weights is None else self._weights.progress)

    def share(self, request: Message) -> Iterator[Message]:
        """Train the shared weights for one epoch. Without a strategy and weights, both start anew."""
        config, changes, step = *_configured(request), request["step"]
        strategy = _strategy(config, changes, request["strategy"])
        weights, position = self._built(config, self._data_of(config)), EpochPosition()
        if request["checkpoint"] is not None:
            tensors, metadata = _checkpoint(request["checkpoint"], "share", step)
            weights.restore(tensors)
            position = EpochPosition(**metadata["position"])
        elif request["weights"] is not None:
            weights.restore(_weights_file(request["weights"]))

        def checkpoint(position: EpochPosition) -> bytes:
            metadata = {"kind": "share", "step": step, "position": position.to_json()}
            return checkpoints.encode(weights.tensors(), metadata)

        def scored(position: EpochPosition) -> Iterator[Message]:
            moment = Moment(step, position.minibatches, weights.minibatches(step))
            return self._answers(config, strategy, weights, moment)

        ended = yield from self._until_end(
            share_weights(config, strategy, weights, step, position, changes=changes), checkpoint, scored
        )
        if ended is None:
            yield {"interrupted": {}}
            return
        kept = self._keep(_file_of(weights, config, step))
        yield {"event": ended.to_json()}
        yield {"done": {"weights": kept, "state": self._keep(encode_strategy(strategy, {}))}}

    def teach(self, request: Message) -> Iterator[Message]:
        """Let the strategy learn from the rounds of a step."""
        config, changes, step = *_configured(request), request["step"]
        strategy, position = _strategy(config, changes, request["strategy"]), PhasePosition()
        if request["checkpoint"] is not None:
            _, metadata = _checkpoint(request["checkpoint"], "teach", step)
            load_strategy(Path(request["checkpoint"]), strategy)
            position = PhasePosition.from_json(metadata["position"])
        weights = self._built(config, self._data_of(config))
        weights.restore(_weights_file(request["weights"]))

        def checkpoint(position: PhasePosition) -> bytes:
            tensors, state = strategy.state_dict()
            metadata = {"kind": "teach", "step": step, "position": position.to_json()}
            return checkpoints.encode(tensors, metadata | {"strategy": state, "extra": {}})

        phase = teach_controller(
            config, strategy, weights, step,
            fingerprint=request["fingerprint"], weights_sha256=_sha256(request["weights"]), position=position,
            changes=changes,
        )  # fmt: skip
        moment = _behind_epoch(weights, step)
        ended = yield from self._until_end(
            phase, checkpoint, lambda _: self._answers(config, strategy, weights, moment)
        )  # fmt: skip
        if ended is None:
            yield {"interrupted": {}}
            return
        yield {"event": ended.to_json()}
        yield {"done": {"state": self._keep(encode_strategy(strategy, {}))}}

    def derive(self, request: Message) -> Iterator[Message]:
        """Draw the candidates and score them; it is short, and starts again where it was left."""
        config, changes = _configured(request)
        strategy, data = _strategy(config, changes, request["strategy"]), self._data_of(config)
        weights = self._built(config, data)
        weights.restore(_weights_file(request["weights"]))
        cost_of, fingerprint = derived_cost(config, data), request["fingerprint"]
        events = Returning(derive(config, strategy, weights, cost_of, fingerprint, changes))
        for event in events:
            yield {"event": event.to_json()}
        yield {"done": {"fingerprint": events.returned}}

    def score(self, request: Message) -> Iterator[Message]:
        """Score what was asked for while no other job of the search is under way. step: of the weights."""
        config, changes = _configured(request)
        strategy = _strategy(config, changes, request["strategy"])
        weights = self._built(config, self._data_of(config))
        weights.restore(_weights_file(request["weights"]))
        moment = _behind_epoch(weights, request["step"])
        for answer in answers(config, strategy, weights, moment, request["asked"]):
            yield {"scored": answer}
        yield {"done": {}}

    def _answers(
        self, config: AnyEnasSearchConfig, strategy: Strategy, weights: SharedWeights, moment: Moment
    ) -> Iterator[Message]:
        for answer in answers(config, strategy, weights, moment, self._asked()):
            yield {"scored": answer}

    def _until_end(
        self,
        positions: Generator[P, None, E],
        checkpoint: Callable[[P], bytes],
        scored: Callable[[P], Iterator[Message]],
    ) -> Generator[Message, None, E | None]:
        """Go through a phase, leaving checkpoints by the clock; what it returns, or None after an interruption.

        scored: the scores that were asked for, under the weights of a position.
        """
        due = time.monotonic() + self._checkpoint_seconds
        phase = Returning(positions)
        for position in phase:
            is_interrupted = self._is_interrupted()
            if is_interrupted or time.monotonic() >= due:
                began = time.monotonic()
                yield {"checkpoint": self._keep(checkpoint(position))}
                now = time.monotonic()
                due = now + max(self._checkpoint_seconds, CHECKPOINT_SHARE * (now - began))
            if is_interrupted:
                return None
            yield from scored(position)
        return phase.returned

    def _built(self, config: AnyEnasSearchConfig, data: SharedData) -> SharedWeights:
        weights = build_shared_weights(config, data, device=self._device)
        before = self.progress
        self._weights, self._progress_before = weights, before
        return weights


def _configured(request: Message) -> tuple[AnyEnasSearchConfig, tuple[Change, ...]]:
    """The configuration of a job and what was changed since; from here on the process rounds as it says."""
    config = read_enas_config(request["config"])
    set_numerics(config.reproducibility.threads)
    return config, read_changes(request.get("changes", []), config)


def _behind_epoch(weights: SharedWeights, step: int) -> Moment:
    minibatches = weights.minibatches(step)
    return Moment(step, minibatches, minibatches)


def _strategy(config: AnyEnasSearchConfig, changes: tuple[Change, ...], path: str | None) -> Strategy:
    """The strategy as a file kept it, or as it is before the first step."""
    strategy = build_shared_strategy(config, changes)
    if path is not None:
        load_strategy(Path(path), strategy)
    return strategy


def _file_of(weights: SharedWeights, config: AnyEnasSearchConfig, step: int) -> bytes:
    """The weights after an epoch, with what they are the weights of. Equal searches make equal bytes, whatever name."""
    sections = {"space": config.space.model_dump(mode="json"), "supernet": config.supernet.model_dump(mode="json")}
    return checkpoints.encode(weights.tensors(), {"kind": "shared weights", "step": step, **sections})


def _weights_file(path: str) -> dict[str, torch.Tensor]:
    tensors, metadata = checkpoints.load(Path(path))
    if metadata.get("kind") != "shared weights":
        raise CheckpointError(path, "holds no shared weights.")
    return tensors


def _checkpoint(path: str, kind: str, step: int) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    tensors, metadata = checkpoints.load(Path(path))
    if (metadata.get("kind"), metadata.get("step")) != (kind, step):
        raise CheckpointError(path, f'is no checkpoint of "{kind}" in step {step}.')
    return tensors, metadata


def _sha256(path: str) -> str:
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
