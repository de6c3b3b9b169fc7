"""A trainer in the test's own process that does every kind of job from memory and writes its files as the real one."""

from collections.abc import Iterator
from pathlib import Path

from search_engine import checkpoints
from search_engine.config.search import SearchConfig
from search_engine.events import TrainingFinished
from search_engine.storage import storage_sentence
from tests.faults import fake_shared
from tests.faults.fake_engine import FakeEvaluator, small_config
from tests.faults.jobs import epoch_of
from tests.web import test_shared_worker, test_worker
from webapp.searches.workers.trainer_process import Message


class MemoryTrainer(test_worker.FakeTrainer, test_shared_worker.PhaseTrainer):
    """`done`: which jobs were asked for, by name."""

    def __init__(self, spool: Path, threads: int) -> None:
        super().__init__(spool, threads, lambda message: None)
        spool.mkdir(parents=True, exist_ok=True)

    def receive(self, timeout_seconds: float) -> Message | None:
        try:
            return super().receive(timeout_seconds)
        except OSError as error:
            return {"storage": {"message": storage_sentence(error)}}

    def _retrain(self, request: Message) -> Iterator[Message]:
        config, finalist = SearchConfig.model_validate(request["config"]), request["finalist"]
        evaluator, rank = FakeEvaluator(config), finalist["rank"]
        for epoch in range(epoch_of(request["checkpoint"]) + 1, config.finals.epochs + 1):
            kept = None if epoch == config.finals.epochs else self._keep({"epoch": epoch, "finalist": rank})
            yield {"event": evaluator.finalist_epoch(rank, epoch).to_json(), "checkpoint": kept}
        verdict = evaluator.finalist_verdict(rank, finalist["step"], finalist["slot"])
        if verdict.accuracy is not None:
            verdict = verdict.model_copy(update={"checkpoint": self._keep({"network of finalist": rank})})
        yield {"event": verdict.to_json()}
        yield {"done": {}}

    def _train(self, request: Message) -> Iterator[Message]:
        epochs = request["config"]["recipe"]["epochs"]
        evaluator = FakeEvaluator(small_config(epochs=epochs))
        for epoch in range(epoch_of(request["checkpoint"]) + 1, epochs + 1):
            kept = self._keep({"epoch": epoch})
            yield {"event": evaluator.epoch(None, None, epoch).to_json(), "checkpoint": kept}
        network = self._keep({"network": epochs})
        bundle = self._keep({"bundle": epochs}) if request["bundle"] else None
        finished = TrainingFinished(
            test_accuracy=0.5, test_examples=100, held_out_accuracy=0.5, checkpoint=network, seconds=1.0
        )
        yield {"event": finished.to_json(), "bundle": bundle}
        yield {"done": {"checkpoint": network}}

    def _bundle(self, request: Message) -> Iterator[Message]:
        yield {"done": {"bundle": self._keep({"bundle of": Path(request["network"]).name})}}

    def _keep(self, value: object) -> str:
        return checkpoints.write_under_digest(self._spool, fake_shared.encode(value))  # type: ignore[arg-type]
