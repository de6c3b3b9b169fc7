"""The jobs of a trainer, each a generator of messages: JSON objects, whoever carries them (trainer.py).

Files that a job makes are kept in the spool under their SHA-256; files it needs come as paths. Data stay in memory from
job to job.
"""

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from search_engine import checkpoints
from search_engine.config.changes import read_changes
from search_engine.config.enas_search import EnasRecurrentSearchConfig
from search_engine.config.language import TextDataConfig
from search_engine.config.reading import read_config
from search_engine.config.search import SearchConfig
from search_engine.config.searches import AnyEnasSearchConfig
from search_engine.config.training import TrainingConfig
from search_engine.config.trainings import AnyTrainingConfig, read_training_config
from search_engine.data.resident import ResidentData
from search_engine.data.token_streams import TextParts, prepare_text
from search_engine.errors import ConfigError, UserError
from search_engine.evaluators.finalists import FinalistTraining, not_fitting
from search_engine.evaluators.standalone import StandaloneEvaluator, child_checkpoint
from search_engine.export.bundle import make_bundle
from search_engine.export.onnx_file import NoOnnx
from search_engine.returning import Returning
from search_engine.runner import child_finished, controller_updated, fingerprint_after, step_proposed
from search_engine.shared_jobs import CHECKPOINT_SECONDS, SharedJobs
from search_engine.spaces.nasnet import NasnetSpace
from search_engine.strategies.base import Evaluation, Proposal
from search_engine.strategies.build import build_strategy, encode_strategy, load_strategy
from search_engine.training.for_keeps import TrainingForKeeps
from search_engine.training.kept import KeptTraining, finish
from search_engine.training.language_for_keeps import LanguageTraining
from search_engine.training.numerics import set_numerics
from search_engine.training.shared_building import SharedData
from search_engine.training.speed_measurement import measure_speed
from search_engine.training.trained_network import read_trained_network

BUNDLE_SECONDS = 600.0  # So long may a bundle take; a trainer that needs longer is taken for one that hangs.
ONNX_WAS_LOST = NoOnnx("There is no ONNX file: the process that first wrote one did not live to its end.")

Message = dict[str, Any]
INTERRUPTED: Message = {"interrupted": {}}


class Trainer:
    """The jobs. Each is a generator of messages, the last of which says how it ended."""

    def __init__(
        self, *, spool: Path, data_folder: Path, device: torch.device, checkpoint_seconds: float = CHECKPOINT_SECONDS
    ) -> None:
        """checkpoint_seconds: how often phases of a search with shared weights leave a checkpoint."""
        self._spool = spool
        self._device = device
        self._data_folder = data_folder
        self._resident = ResidentData(folder=data_folder, device=device)
        self._text: TextParts | None = None  # Of the training on text that is under way, or was the last.
        self._stretches_before = 0  # Of the texts before it.
        self._steps_done = 0
        self._bundle_began: float | None = None
        self.is_interrupted = threading.Event()
        self.has_failed = threading.Event()
        self.asked: queue.SimpleQueue[Message] = queue.SimpleQueue()  # Scores, of the job that is under way.
        self._shared = SharedJobs(
            keep=self._keep,
            data_of=self._shared_data,
            is_interrupted=self.is_interrupted.is_set,
            device=device,
            checkpoint_seconds=checkpoint_seconds,
            asked=self.take_asked,
        )

    @property
    def progress(self) -> int:
        """Grows with everything done; that it stands still means that the process hangs."""
        stretches = self._stretches_before + (0 if self._text is None else self._text.batches_served)
        return self._resident.progress + stretches + self._shared.progress + self._steps_done + self._bundle_seconds

    def take_asked(self) -> list[Message]:
        """The scores that were asked for since the last time."""
        taken: list[Message] = []
        with contextlib.suppress(queue.Empty):
            while True:
                taken.append(self.asked.get_nowait())
        return taken

    def job(self, request: Message) -> Iterator[Message]:
        """The messages of one job. Raises UserError for what a user can mend; anything else is a bug."""
        jobs: dict[str, Callable[[Message], Iterator[Message]]] = {
            "learn": self._learn,
            "evaluate": self._evaluate,
            "retrain": self._retrain,
            "share": self._shared.share,
            "teach": self._shared.teach,
            "derive": self._shared.derive,
            "score": self._shared.score,
            "train": self._train,
            "bundle": self._bundle,
            "measure": self._measure,
        }
        return jobs[request["do"]](request)

    def _learn(self, request: Message) -> Iterator[Message]:
        """Tell the strategy a step and draw what follows; step -1 draws the first steps and tells nothing."""
        config = _search_config(request)
        strategy = build_strategy(config, read_changes(request.get("changes", []), config))
        step, shown = request["step"], -1
        if step >= 0:
            load_strategy(Path(request["state"]), strategy)
            shown = strategy.pending()[-1].step
            proposals = strategy.ask()
            evaluations = [_evaluation(step, value) for value in request["evaluations"]]
            update = strategy.tell(evaluations)
            fingerprint = fingerprint_after(request["fingerprint"], proposals, evaluations, update)
            yield {"event": controller_updated(update, fingerprint).to_json()}
        for drawn in strategy.pending():
            if drawn.step > shown:
                yield {"event": step_proposed(drawn).to_json()}
        self._steps_done += 1
        yield {"done": {"state": self._keep(encode_strategy(strategy, {}))}}

    def _evaluate(self, request: Message) -> Iterator[Message]:
        """Train a child and measure its reward, leaving a checkpoint after every epoch but the last."""
        config = _search_config(request)
        proposal = _proposal(config, request)
        data = self._resident.get(config.data, config.reproducibility.seed)
        evaluator = StandaloneEvaluator(config, device=self._device, folder=self._data_folder, data=data)
        checkpoint = None if request["checkpoint"] is None else checkpoints.load(Path(request["checkpoint"]))
        epochs = Returning(evaluator.train_child(proposal, checkpoint))
        for event, trainee in epochs:
            is_last = event.epoch == event.epochs
            kept = None
            if not is_last:
                kept = self._keep(checkpoints.encode(*child_checkpoint(proposal, trainee, evaluator.latency)))
            yield {"event": event.to_json(), "checkpoint": kept}
            if self.is_interrupted.is_set() and not is_last:
                yield INTERRUPTED
                return
        yield {"event": child_finished(epochs.returned).to_json()}
        yield {"done": {}}

    def _retrain(self, request: Message) -> Iterator[Message]:
        """Train a finalist from scratch, leaving a checkpoint after every epoch but the last, then its network."""
        config = _search_config(request)
        data = self._resident.get(config.data, config.reproducibility.seed)
        checkpoint = None if request["checkpoint"] is None else checkpoints.load(Path(request["checkpoint"]))
        try:
            training = FinalistTraining(
                config, **request["finalist"], data=data, device=self._device, checkpoint=checkpoint
            )  # fmt: skip
        except ConfigError as error:
            yield {"event": not_fitting(request["finalist"]["rank"], error).to_json()}
            yield {"done": {}}
            return
        epochs = Returning(training.epochs())
        for event in epochs:
            is_last = event.epoch == event.epochs
            yield {"event": event.to_json(), "checkpoint": None if is_last else self._keep(training.checkpoint())}
            if self.is_interrupted.is_set() and not is_last:
                yield INTERRUPTED
                return
        verdict = epochs.returned
        if verdict.accuracy is not None:
            verdict = verdict.model_copy(update={"checkpoint": self._keep(training.network_file())})
        yield {"event": verdict.to_json()}
        yield {"done": {}}

    def _train(self, request: Message) -> Iterator[Message]:
        """Train a network for keeps, leaving a checkpoint after every epoch and the network at the end.

        bundle: false where nobody wants one; a request that says nothing gets one.
        """
        config = read_training_config(request["config"])
        set_numerics(config.reproducibility.threads)
        training = self._built(config)
        if request["checkpoint"] is not None:
            training.restore(*checkpoints.load(Path(request["checkpoint"])))
        attempt = request["attempt"]  # Since the last checkpoint: of the bundle, unless there are epochs before it.
        for event in training.epochs():
            attempt = 1
            yield {"event": event.to_json(), "checkpoint": self._keep(checkpoints.encode(*training.checkpoint()))}
            if self.is_interrupted.is_set() and event.epoch < event.epochs:
                yield INTERRUPTED
                return
        finished, content = finish(training)
        network = self._keep(content)
        bundle = self._bundled(self._spool / network, attempt) if request.get("bundle", True) else None
        yield {"event": finished.to_json(), "bundle": bundle}
        yield {"done": {"checkpoint": network}}

    def _bundle(self, request: Message) -> Iterator[Message]:
        """The bundle of a training that is finished; null after two losses."""
        yield {"done": {"bundle": self._bundled(Path(request["network"]), request["attempt"])}}

    def _built(self, config: AnyTrainingConfig) -> KeptTraining:
        """A training with its data: images stay here from job to job, a text is read anew."""
        if isinstance(config, TrainingConfig):
            data = self._resident.get(config.data, config.reproducibility.seed)
            return TrainingForKeeps(config, data=data, device=self._device)
        return LanguageTraining(config, data=self._read_text(config.data), device=self._device)

    def _shared_data(self, config: AnyEnasSearchConfig) -> SharedData:
        if isinstance(config, EnasRecurrentSearchConfig):
            return self._read_text(config.data)
        return self._resident.get(config.data, config.reproducibility.seed)

    def _read_text(self, config: TextDataConfig) -> TextParts:
        text = prepare_text(config, folder=self._data_folder, device=self._device)
        self._stretches_before += 0 if self._text is None else self._text.batches_served
        self._text = text
        return text

    def _bundled(self, network: Path, attempt: int) -> str | None:
        """The trained network as a zip that runs alone: the name of its file. network: the file of the training.

        attempt: how often, from 1, it was begun. What ended the process that first made it may have been the ONNX
        file, so the second attempt does without it; the third does without a bundle. None then.
        """
        if attempt > 2:
            return None
        trained = read_trained_network(network)
        self._bundle_began = time.monotonic()
        try:
            bundle = make_bundle(trained, write_onnx=None if attempt == 1 else lambda *_: ONNX_WAS_LOST)
            return self._keep(bundle.content)
        except UserError as error:  # Our bug, which must not end the training: the next attempt does with less.
            raise AssertionError("the bundle of a network that was just trained was refused") from error
        finally:
            self._steps_done, self._bundle_began = self._steps_done + self._bundle_seconds, None

    @property
    def _bundle_seconds(self) -> int:
        """Of a bundle in the making: nothing inside can be counted, so for a while every second counts as progress."""
        began = self._bundle_began
        return 0 if began is None else int(min(time.monotonic() - began, BUNDLE_SECONDS))

    def _measure(self, request: Message) -> Iterator[Message]:
        """How fast this device trains, for estimates of how long a search takes."""
        yield {"done": {"speed": measure_speed(self._device)}}

    def _keep(self, content: bytes) -> str:
        return checkpoints.write_under_digest(self._spool, content)


def _search_config(request: Message) -> SearchConfig:
    """The configuration of a job; from here on the process rounds as it says."""
    config = read_config(SearchConfig, request["config"])
    set_numerics(config.reproducibility.threads)
    return config


def _proposal(config: SearchConfig, request: Message) -> Proposal:
    decisions = tuple(request["decisions"])
    architecture = NasnetSpace(config.space).decode(decisions)
    # Under which probability it was drawn does not matter to its reward.
    return Proposal(request["step"], request["slot"], decisions, 0.0, architecture)


def _evaluation(step: int, value: Message) -> Evaluation:
    """A verdict as the parent knows it: slot, reward, reason, and whatever else ChildFinished carries."""
    twin = value.get("twin")
    return Evaluation(
        step=step,
        slot=value["slot"],
        reward=value["reward"],
        reason=value["reason"],
        twin=None if twin is None else (twin[0], twin[1]),
    )
