"""A worker against a trainer that does the phases of shared weights from memory."""

import hashlib
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from search_engine.config.enas_search import EnasMicroSearchConfig
from search_engine.config.reading import read_config
from tests.faults import fake_engine, fake_shared
from webapp.accounts.sign_in import get_or_create_user
from webapp.searches import artifacts, checker, event_log, leases, lifecycle
from webapp.searches.models import Child, Job, Search, Stream
from webapp.searches.workers import driver, worker
from webapp.searches.workers.beside import beside
from webapp.searches.workers.trainer_process import Message, TrainerGone

pytestmark = pytest.mark.django_db(transaction=True)


class PhaseTrainer:
    """Computes as fake_shared, a message at a time. `before` is called with each message before it is given out."""

    threads = 1

    def __init__(self, spool: Path, before: Callable[[Message], None]) -> None:
        self.requests: list[Message] = []
        self._spool, self._before = spool, before
        self._messages: Iterator[Message] = iter(())
        self._is_interrupted = False

    def send(self, request: Message) -> None:
        self.requests.append(request)
        self._is_interrupted = request["do"] == "interrupt"
        if not self._is_interrupted:
            self._messages = getattr(self, "_" + request["do"])(request)

    def receive(self, timeout_seconds: float) -> Message | None:
        message = next(self._messages)
        self._before(message)
        return message

    def has_ended(self) -> bool:
        return False

    def kill(self) -> None:
        """It is no process."""

    def _measure(self, request: Message) -> Iterator[Message]:
        yield {"done": {"speed": [1e-4, 1e-11, 1e-10]}}

    def _share(self, request: Message) -> Iterator[Message]:
        config, strategy, weights = self._told(request)
        if request["checkpoint"]:
            weights = fake_shared.read(request["checkpoint"], "weights", config)
        for number in range(weights["at"], fake_shared.MINIBATCHES):
            weights = fake_shared.further(weights, strategy["value"], request["step"], number)
            if number + 1 < fake_shared.MINIBATCHES:
                yield {"checkpoint": self._keep(weights)}
                if self._is_interrupted:
                    yield {"interrupted": {}}
                    return
        yield {"event": fake_shared.shared_epoch_ended(config, request["step"], weights).to_json()}
        yield {"done": {"weights": self._keep(fake_shared.at_rest(weights)), "state": self._keep(strategy)}}

    def _teach(self, request: Message) -> Iterator[Message]:
        config, strategy, weights = self._told(request)
        if request["checkpoint"]:
            strategy = fake_shared.read(request["checkpoint"], "strategy", config)
        for number in range(strategy["at"], config.phases.rounds):
            strategy = fake_shared.further(strategy, weights["value"], request["step"], number)
            if number + 1 < config.phases.rounds:
                yield {"checkpoint": self._keep(strategy)}
        strategy, told = fake_shared.at_rest(strategy), (request["step"], request["fingerprint"])
        ended = fake_shared.controller_phase_ended(config, told[0], strategy, weights, told[1])
        yield {"event": ended.to_json()}
        yield {"done": {"state": self._keep(strategy)}}

    def _derive(self, request: Message) -> Iterator[Message]:
        proposed, verdicts, fingerprint = fake_shared.derived(*self._told(request), request["fingerprint"])
        for event in (proposed, *verdicts):
            yield {"event": event.to_json()}
        yield {"done": {"fingerprint": fingerprint}}

    def _told(self, request: Message) -> tuple[EnasMicroSearchConfig, Any, Any]:
        config = read_config(EnasMicroSearchConfig, request["config"])
        strategy = fake_shared.read(request["strategy"], "strategy", config)
        return config, strategy, fake_shared.read(request["weights"], "weights", config)

    def _keep(self, value: Any) -> str:
        content = fake_shared.encode(value)
        sha256 = hashlib.sha256(content).hexdigest()
        self._spool.mkdir(parents=True, exist_ok=True)
        (self._spool / sha256).write_bytes(content)
        return sha256


class Workshop:
    """One worker of this process and all trainers it started."""

    def __init__(self, folder: Path) -> None:
        self.trainers: list[PhaseTrainer] = []
        self.before: Callable[[Message], None] = lambda message: None
        self._spool = folder / "spool"
        self.worker = worker.WorkingProcess(
            name="test:1", spool=self._spool, start_trainer=self._start, is_stopping=lambda: False
        )

    def _start(self, threads: int) -> PhaseTrainer:
        self.trainers.append(PhaseTrainer(self._spool, lambda message: self.before(message)))
        return self.trainers[-1]

    @property
    def requests(self) -> list[Message]:
        return [request for trainer in self.trainers for request in trainer.requests if request["do"] != "measure"]


@pytest.fixture
def workshop(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    settings.ARTIFACTS_DIR = tmp_path / "artifacts"
    monkeypatch.setattr(worker, "BREATH_SECONDS", 0.0)
    return Workshop(tmp_path)


def start(**sizes: Any) -> Search:
    config = fake_shared.small_config(**{"train": 0} | sizes)
    owner = get_or_create_user("owner")
    return lifecycle.create_search(owner, config, decisions=fake_engine.DECISIONS, data=fake_engine.DATA)


def undisturbed(search: Search) -> str:
    return fake_shared.straight_fingerprints(read_config(EnasMicroSearchConfig, search.config))[-1]


def test_one_look_does_a_whole_search_and_computes_what_one_process_computes(workshop: Workshop) -> None:
    search = start(epochs=2)
    workshop.worker.look()
    search.refresh_from_db()
    assert (search.state, search.fingerprint) == ("finished", undisturbed(search))
    assert [request["do"] for request in workshop.requests] == ["share", "teach", "share", "teach", "derive"]
    first, later = workshop.requests[0], workshop.requests[2]
    assert (first["strategy"], first["weights"], first["checkpoint"]) == (None, None, None)
    assert later["strategy"] is not None and later["weights"] is not None
    assert checker.check(Stream.objects.get(pk=search.pk)) == []


@pytest.mark.parametrize("kind", ["share", "teach"])
def test_a_dead_trainer_costs_what_came_after_the_last_checkpoint(workshop: Workshop, kind: str) -> None:
    search = start()
    seen: list[str] = []

    def die_behind_the_second(message: Message) -> None:
        if workshop.requests[-1]["do"] == kind and "checkpoint" in message:
            seen.append(message["checkpoint"])
            if len(seen) == 2:
                workshop.before = lambda message: None
                raise TrainerGone("the trainer was killed by SIGKILL")

    workshop.before = die_behind_the_second
    workshop.worker.look()
    search.refresh_from_db()
    assert (search.state, search.fingerprint) == ("finished", undisturbed(search))
    again = [request for request in workshop.requests if request["do"] == kind][1]
    assert again["checkpoint"].replace("/", "").endswith(seen[-2])  # The store has it under its SHA-256.


def test_a_pause_takes_effect_at_the_next_checkpoint_and_loses_nothing(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "HEARTBEAT_SECONDS", 0.0)  # It hears of the pause at once.
    search = start()

    def pause(message: Message) -> None:
        if "checkpoint" in message:
            workshop.before = lambda message: None
            lifecycle.pause(search.pk)

    workshop.before = pause
    workshop.worker.look()
    job = Job.objects.get(stream_id=search.pk)
    assert (job.state, job.attempts) == ("due", 0) and job.checkpoint
    assert "job_lost" not in [event["kind"] for event in event_log.read(search.pk, 0, 100)]
    lifecycle.resume(search.pk)
    workshop.worker.look()
    search.refresh_from_db()
    assert (search.state, search.fingerprint) == ("finished", undisturbed(search))


def test_candidates_are_handed_in_together_or_not_at_all(workshop: Workshop) -> None:
    search = start(candidates=3)

    def die_among_them(message: Message) -> None:
        if message.get("event", {}).get("slot") == 1:
            workshop.before = lambda message: None
            assert not Child.objects.exists()
            raise TrainerGone("the trainer was killed by SIGKILL")

    workshop.before = die_among_them
    workshop.worker.look()
    search.refresh_from_db()
    assert (search.state, search.fingerprint) == ("finished", undisturbed(search))
    assert Child.objects.filter(search=search, is_final=True).count() == 3


def test_weights_that_diverge_fail_the_search_with_the_trainers_sentence(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(trainer: PhaseTrainer, request: Message) -> Iterator[Message]:
        message = "is 5; the shared weights diverged in epoch 1: the loss ceased to be finite."
        yield {"refused": {"field": "shared.learning_rate", "message": message}}

    monkeypatch.setattr(PhaseTrainer, "_share", refuse)
    search = start()
    workshop.worker.look()
    search.refresh_from_db()
    assert (search.state, search.reason) == (
        "failed",
        "shared.learning_rate: is 5; the shared weights diverged in epoch 1: the loss ceased to be finite.",
    )


def test_weights_that_are_gone_are_computed_again(workshop: Workshop, settings: Any) -> None:
    search = start()

    def lose_the_weights(message: Message) -> None:
        if "state" in message.get("done", {}) and "weights" not in message["done"]:
            search.refresh_from_db()
            (settings.ARTIFACTS_DIR / search.weights[:2] / search.weights[2:]).unlink()

    workshop.before = lose_the_weights
    workshop.worker.look()
    search.refresh_from_db()
    assert (search.state, checker.check(search.stream)) == ("finished", [])
    assert "file_damaged" in [event["kind"] for event in event_log.read(search.pk, 0, 1000)]


def test_a_damaged_checkpoint_costs_time_and_changes_no_number(workshop: Workshop, settings: Any) -> None:
    search = start()

    def spoil(message: Message) -> None:
        if "event" in message:
            workshop.before = lambda message: None
            checkpoint = Job.objects.get(stream_id=search.pk).checkpoint
            (settings.ARTIFACTS_DIR / checkpoint[:2] / checkpoint[2:]).write_text(json.dumps({"of": "nothing"}))
            raise TrainerGone("the trainer was killed by SIGKILL")

    workshop.before = spoil
    workshop.worker.look()
    search.refresh_from_db()
    assert (search.state, search.fingerprint) == ("finished", undisturbed(search))


def test_a_large_file_is_stored_while_the_lease_is_renewed(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "beside", lambda act, renew: beside(act, renew, every_seconds=0.001))
    renewed: list[int] = []
    renew, put = leases.renew, artifacts.put

    def counted(*arguments: Any) -> str | None:
        renewed.append(1)
        return renew(*arguments)

    def slowly(path: Path) -> str:
        before = len(renewed)
        until = time.monotonic() + 10
        while len(renewed) == before and time.monotonic() < until:
            time.sleep(0.001)
        return put(path)

    monkeypatch.setattr(leases, "renew", counted)
    monkeypatch.setattr(artifacts, "put", slowly)
    search = start(epochs=1)
    workshop.worker.look()
    search.refresh_from_db()
    assert (search.state, search.fingerprint) == ("finished", undisturbed(search))
    assert len(renewed) >= 4  # Two checkpoints, weights and strategy at least.
