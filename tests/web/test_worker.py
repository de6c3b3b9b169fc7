"""A worker against a trainer that answers from memory: what it asks and hands in, and what it does when things die."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError

from search_engine.config.search import SearchConfig
from search_engine.runner import child_finished, controller_updated, fingerprint_after, run, step_proposed
from search_engine.strategies.base import Evaluation
from tests.faults.fake_engine import DATA, DECISIONS, FakeEvaluator, FakeStrategy, decode, small_config
from webapp.accounts.sign_in import get_or_create_user
from webapp.searches import event_log, leases, lifecycle, storage_pauses
from webapp.searches.models import Job, Search, Worker
from webapp.searches.workers import driver, worker
from webapp.searches.workers.trainer_process import Message, TrainerGone

pytestmark = pytest.mark.django_db(transaction=True)


class FakeTrainer:
    """Computes by the fake engine, a message at a time. `before` is called with each message before it is given out."""

    def __init__(self, spool: Path, threads: int, before: Callable[[Message], None]) -> None:
        self.threads = threads
        self.requests: list[Message] = []
        self.is_killed = False
        self._spool = spool
        self._before = before
        self._messages: Iterator[Message] = iter(())
        self._is_interrupted = False

    def send(self, request: Message) -> None:
        self.requests.append(request)
        if request["do"] == "interrupt":
            self._is_interrupted = True
        else:
            self._is_interrupted = False
            self._messages = getattr(self, "_" + request["do"])(request)

    def receive(self, timeout_seconds: float) -> Message | None:
        message = next(self._messages)
        self._before(message)
        return message

    def has_ended(self) -> bool:
        return self.is_killed

    def kill(self) -> None:
        self.is_killed = True

    def _measure(self, request: Message) -> Iterator[Message]:
        yield {"progress": 1}
        yield {"done": {"speed": [1e-4, 1e-11, 1e-10]}}

    def _learn(self, request: Message) -> Iterator[Message]:
        strategy = FakeStrategy(SearchConfig.model_validate(request["config"]))
        shown = -1
        if request["step"] >= 0:
            strategy.load_state_dict({}, json.loads(Path(request["state"]).read_text()))
            shown = strategy.pending()[-1].step
            proposals = strategy.ask()
            told = [
                Evaluation(**{**each, "twin": each["twin"] and tuple(each["twin"])}) for each in request["evaluations"]
            ]
            update = strategy.tell(told)
            fingerprint = fingerprint_after(request["fingerprint"], proposals, told, update)
            yield {"event": controller_updated(update, fingerprint).to_json()}
        for drawn in strategy.pending():
            if drawn.step > shown:
                yield {"event": step_proposed(drawn).to_json()}
        yield {"done": {"state": self._keep(dict(strategy.state_dict()[1]))}}

    def _evaluate(self, request: Message) -> Iterator[Message]:
        config = SearchConfig.model_validate(request["config"])
        evaluator, step, slot = FakeEvaluator(config), request["step"], request["slot"]
        done = json.loads(Path(request["checkpoint"]).read_text())["epoch"] if request["checkpoint"] else 0
        for epoch in range(done + 1, config.recipe.epochs + 1):
            yield {"progress": epoch}
            is_last = epoch == config.recipe.epochs
            kept = None if is_last else self._keep({"epoch": epoch, "step": step, "slot": slot})
            yield {"event": evaluator.epoch(step, slot, epoch).to_json(), "checkpoint": kept}
            if self._is_interrupted and not is_last:
                yield {"interrupted": {}}
                return
        verdict = evaluator.verdict(step, slot, decode(request["decisions"]).hash)
        yield {"event": child_finished(verdict).to_json()}
        yield {"done": {}}

    def _keep(self, value: Any) -> str:
        content = json.dumps(value).encode()
        sha256 = hashlib.sha256(content).hexdigest()
        self._spool.mkdir(parents=True, exist_ok=True)
        (self._spool / sha256).write_bytes(content)
        return sha256


class Workshop:
    """One worker of this process and all trainers it started."""

    def __init__(self, folder: Path, name: str = "test:1") -> None:
        self.trainers: list[FakeTrainer] = []
        self.before: Callable[[Message], None] = lambda message: None
        self.is_stopping = False
        self.worker = worker.WorkingProcess(
            name=name, spool=folder / "spool", start_trainer=self._start, is_stopping=lambda: self.is_stopping
        )
        self._spool = folder / "spool"

    def _start(self, threads: int) -> FakeTrainer:
        self.trainers.append(FakeTrainer(self._spool, threads, lambda message: self.before(message)))
        return self.trainers[-1]

    def fail_once(self, when: Callable[[Message], bool], error: Exception) -> None:
        def before(message: Message) -> None:
            if when(message):
                self.before = lambda message: None
                raise error

        self.before = before


@pytest.fixture
def workshop(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Workshop:
    settings.ARTIFACTS_DIR = tmp_path / "artifacts"
    monkeypatch.setattr(worker, "BREATH_SECONDS", 0.0)
    return Workshop(tmp_path)


def start(**changes: Any) -> Search:
    config = small_config(**changes)
    return lifecycle.create_search(get_or_create_user("owner"), config, decisions=DECISIONS, data=DATA)


def undisturbed(search: Search) -> str:
    """The fingerprint of the same search in one process without faults."""
    config = SearchConfig.model_validate(search.config)
    events = run(FakeStrategy(config), FakeEvaluator(config), should_stop=lambda: False, save=lambda *_: None)
    while True:
        try:
            next(events)
        except StopIteration as end:
            return end.value


def kinds(search: Search) -> list[str]:
    return [event["kind"] for event in event_log.read(search.pk, 0, 10_000)]


def is_end_of_epoch(epoch: int) -> Callable[[Message], bool]:
    return lambda message: message.get("event", {}).get("epoch") == epoch


def test_one_look_does_a_whole_search_and_computes_what_one_process_computes(workshop: Workshop) -> None:
    search = start()
    workshop.worker.look()
    search.refresh_from_db()
    assert (search.state, search.fingerprint) == ("finished", undisturbed(search))
    assert len(workshop.trainers) == 1


def test_a_look_without_work_measures_once_how_quick_the_worker_is(workshop: Workshop) -> None:
    Worker.objects.create(name="test:1", host="test", device="cpu", seen=0.0)
    workshop.worker.look()
    workshop.worker.look()
    assert Worker.objects.get().speed == [1e-4, 1e-11, 1e-10]
    assert workshop.trainers[0].requests == [{"do": "measure"}]


def test_a_worker_that_was_forgotten_tells_again_how_quick_it_is(workshop: Workshop) -> None:
    for _ in range(2):
        Worker.objects.all().delete()
        Worker.objects.create(name="test:1", host="test", device="cpu", seen=0.0)
        workshop.worker.look()
        assert Worker.objects.get().speed == [1e-4, 1e-11, 1e-10]
    assert workshop.trainers[0].requests == [{"do": "measure"}]


def test_work_goes_before_measuring(workshop: Workshop) -> None:
    start()
    workshop.worker.look()
    assert [request["do"] for request in workshop.trainers[0].requests][0] == "learn"
    assert [request["do"] for request in workshop.trainers[0].requests][-1] == "measure"


def test_a_dead_trainer_costs_one_epoch_and_changes_no_number(workshop: Workshop) -> None:
    search = start()
    workshop.fail_once(is_end_of_epoch(2), TrainerGone("the trainer was killed by SIGKILL"))
    workshop.worker.look()
    search.refresh_from_db()
    assert (search.state, search.fingerprint) == ("finished", undisturbed(search))
    lost = [event for event in event_log.read(search.pk, 0, 10_000) if event["kind"] == "job_lost"]
    assert [event["reason"] for event in lost] == ["the trainer was killed by SIGKILL"]
    assert workshop.trainers[0].is_killed and len(workshop.trainers) == 2
    assert workshop.trainers[1].requests[0]["checkpoint"] is not None  # It goes on after the first epoch.


def test_a_trainer_that_died_while_idle_is_replaced_and_costs_no_job_a_loss(workshop: Workshop) -> None:
    workshop.worker.warm_up()
    workshop.trainers[0].kill()
    search = start()
    workshop.worker.look()
    search.refresh_from_db()
    assert (search.state, search.fingerprint) == ("finished", undisturbed(search))
    assert "job_lost" not in [event["kind"] for event in event_log.read(search.pk, 0, 10_000)]
    assert [bool(trainer.requests) for trainer in workshop.trainers] == [False, True]


def test_a_trainer_that_always_dies_ends_the_search_with_a_reason(workshop: Workshop) -> None:
    def die(message: Message) -> None:
        raise TrainerGone("the trainer ended with status 1; see its log")

    workshop.before = die
    search = start()
    workshop.worker.look()
    search.refresh_from_db()
    assert search.state == "failed"
    assert "ended with status 1" in search.reason


def test_a_job_that_somebody_else_has_by_now_is_left_and_its_trainer_is_replaced(workshop: Workshop) -> None:
    search = start()

    def steal(message: Message) -> None:
        if is_end_of_epoch(2)(message):
            workshop.before = lambda message: None
            Job.objects.filter(state=Job.State.LEASED).update(lease_until=0.0)
            assert len(leases.expire()) == 1

    workshop.before = steal
    workshop.worker.look()
    search.refresh_from_db()
    assert (search.state, search.fingerprint) == ("finished", undisturbed(search))
    assert workshop.trainers[0].is_killed


def test_a_pause_interrupts_at_the_end_of_an_epoch_and_a_resume_goes_on_there(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "HEARTBEAT_SECONDS", 0.0)
    search = start(epochs=4)

    def pause(message: Message) -> None:
        if is_end_of_epoch(2)(message):
            workshop.before = lambda message: None
            lifecycle.pause(search.pk)

    workshop.before = pause
    workshop.worker.look()
    job = Job.objects.get(kind="evaluate", slot=0)
    assert (job.state, job.attempts) == ("due", 0) and job.checkpoint
    assert {"do": "interrupt"} in workshop.trainers[0].requests
    assert not workshop.trainers[0].is_killed

    lifecycle.resume(search.pk)
    workshop.worker.look()
    search.refresh_from_db()
    assert (search.state, search.fingerprint) == ("finished", undisturbed(search))
    epochs = [e["epoch"] for e in event_log.read(search.pk, 0, 10_000) if e["kind"] == "epoch_ended" and e["slot"] == 0]
    assert epochs[:4] == [1, 2, 3, 4]  # None was done twice.


def test_a_drained_worker_gives_its_child_back_at_the_end_of_an_epoch_and_another_goes_on_there(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(driver, "HEARTBEAT_SECONDS", 0.0)
    search = start(epochs=4)
    for name in ("test:1", "test:2"):
        Worker.objects.create(name=name, host="h", device="cpu", seen=1.0)

    def drain(message: Message) -> None:
        if is_end_of_epoch(2)(message):
            workshop.before = lambda message: None
            Worker.objects.filter(name="test:1").update(is_drained=True)

    workshop.before = drain
    workshop.worker.look()
    job = Job.objects.get(kind="evaluate", slot=0)
    assert (job.state, job.attempts) == ("due", 0) and job.checkpoint
    assert not workshop.trainers[0].is_killed
    workshop.worker.look()
    assert Job.objects.get(pk=job.pk).state == "due"  # It claims nothing.

    other = Workshop(tmp_path / "other", name="test:2")
    other.worker.look()
    search.refresh_from_db()
    assert (search.state, search.fingerprint) == ("finished", undisturbed(search))
    epochs = [e["epoch"] for e in event_log.read(search.pk, 0, 10_000) if e["kind"] == "epoch_ended" and e["slot"] == 0]
    assert epochs[:4] == [1, 2, 3, 4]  # None was done twice.


def test_a_heartbeat_between_a_verdict_and_the_trainers_last_word_costs_no_trainer(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The lease ends with the verdict, so renewing it then would look as if somebody else had the job."""
    monkeypatch.setattr(driver, "HEARTBEAT_SECONDS", 0.0)
    search = start()
    workshop.worker.look()
    search.refresh_from_db()
    assert (search.state, search.fingerprint) == ("finished", undisturbed(search))
    assert len(workshop.trainers) == 1 and not workshop.trainers[0].is_killed


def test_a_stopped_search_is_left_at_the_next_heartbeat(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "HEARTBEAT_SECONDS", 0.0)
    search = start()

    def stop(message: Message) -> None:
        if is_end_of_epoch(1)(message):
            workshop.before = lambda message: None
            lifecycle.stop(search.pk)

    workshop.before = stop
    workshop.worker.look()
    search.refresh_from_db()
    assert search.state == "stopped"
    assert workshop.trainers[0].is_killed
    assert not Job.objects.filter(state__in=("due", "leased")).exists()


def test_a_process_that_shall_end_gives_its_job_back_without_counting_it_as_lost(workshop: Workshop) -> None:
    search = start()

    def end(message: Message) -> None:
        workshop.is_stopping = is_end_of_epoch(1)(message)

    workshop.before = end
    workshop.worker.look()
    job = Job.objects.get(kind="evaluate", slot=0)
    assert (job.state, job.attempts) == ("due", 0)
    assert workshop.trainers[0].is_killed
    assert "job_lost" not in kinds(search)


def test_a_trainer_without_progress_is_killed_as_stalled(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "STALLED_SECONDS", -1.0)
    monkeypatch.setattr(FakeTrainer, "receive", lambda self, timeout_seconds: None)
    monkeypatch.setattr(worker, "MEASURE_SECONDS", 0.0)
    search = start()
    workshop.worker.look()
    search.refresh_from_db()
    assert search.state == "failed"
    assert "made no progress" in search.reason


def test_counting_without_growing_is_no_progress(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "STALLED_SECONDS", 0.05)
    claim = _claimed()
    alive = FakeTrainer(workshop._spool, 1, lambda message: None)
    monkeypatch.setattr(alive, "receive", lambda timeout_seconds: {"progress": 7})
    with pytest.raises(TrainerGone, match="made no progress"):
        driver.Driver(claim, alive, workshop._spool, lambda: False).run({"do": "measure"})


def test_what_a_user_asked_for_wrongly_fails_the_search_with_the_trainers_sentence(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = {"refused": {"field": "data.name", "message": "is not what its name says."}}
    monkeypatch.setattr(FakeTrainer, "_learn", lambda self, request: iter([refused]))
    search = start()
    workshop.worker.look()
    search.refresh_from_db()
    assert (search.state, search.reason) == ("failed", "data.name: is not what its name says.")


def test_a_file_that_is_not_what_its_name_says_is_never_kept(workshop: Workshop) -> None:
    search = start()

    def spoil(message: Message) -> None:
        for path in workshop._spool.glob("*"):
            path.write_bytes(b"spoiled")

    workshop.before = spoil
    workshop.worker.look()
    search.refresh_from_db()
    assert search.state == "failed"
    assert "SHA-256" in search.reason


def test_a_damaged_checkpoint_costs_time_and_changes_no_number(workshop: Workshop, settings: Any) -> None:
    search = start()

    def damage_and_die(message: Message) -> None:
        if is_end_of_epoch(2)(message):
            workshop.before = lambda message: None
            sha256 = Job.objects.exclude(checkpoint="").get().checkpoint
            (settings.ARTIFACTS_DIR / sha256[:2] / sha256[2:]).write_bytes(b"damaged")
            raise TrainerGone("the trainer was killed by SIGKILL")

    workshop.before = damage_and_die
    workshop.worker.look()
    search.refresh_from_db()
    assert (search.state, search.fingerprint) == ("finished", undisturbed(search))
    assert workshop.trainers[1].requests[0]["checkpoint"] is None


def test_damage_behind_the_workers_look_is_a_loss_that_is_done_again_and_the_file_is_then_mended(
    workshop: Workshop, settings: Any
) -> None:
    search = start()

    def damage(message: Message) -> None:
        if is_end_of_epoch(2)(message):
            workshop.before = lambda message: None
            sha256 = Job.objects.exclude(checkpoint="").get().checkpoint
            (settings.ARTIFACTS_DIR / sha256[:2] / sha256[2:]).write_bytes(b"damaged")
            message.clear()
            message["damaged"] = {"message": "is damaged"}

    workshop.before = damage
    workshop.worker.look()
    search.refresh_from_db()
    assert (search.state, search.fingerprint) == ("finished", undisturbed(search))
    told = {event["kind"]: event for event in event_log.read(search.pk, 0, 10_000)}
    assert told["job_lost"]["reason"] == "a file that it goes on from got damaged just before it was read"
    assert told["file_damaged"]["what"].startswith("checkpoint of child")


def test_no_work_begins_on_a_full_disk(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    search = start()
    with monkeypatch.context() as full:
        full.setattr(storage_pauses, "LEAST_FREE_BYTES", 2**63)
        workshop.worker.look()
        assert Job.objects.get().state == "due"
    workshop.worker.look()
    search.refresh_from_db()
    assert search.state == "finished"


def test_another_number_of_threads_gets_another_trainer(workshop: Workshop) -> None:
    search = start()
    Search.objects.filter(pk=search.pk).update(config=search.config | {"reproducibility": {"seed": 1, "threads": 2}})
    workshop.worker.warm_up()
    workshop.worker.look()
    assert [trainer.threads for trainer in workshop.trainers][:2] == [1, 2]
    assert workshop.trainers[0].is_killed


def test_a_bug_while_handing_in_leaves_no_busy_trainer_behind(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = {"event": {"kind": "unheard_of"}}
    monkeypatch.setattr(FakeTrainer, "_learn", lambda self, request: iter([unknown]))
    start()
    with pytest.raises(ValueError, match="unheard_of"):
        workshop.worker.look()
    assert workshop.trainers[0].is_killed


def test_presence_makes_the_row_of_a_worker_and_renews_it() -> None:
    presence = worker.Presence("host:1", "host", "cpu")
    presence.start()
    presence.end()
    assert not presence.is_alive()
    row = Worker.objects.get()
    assert (row.name, row.host, row.device, row.speed) == ("host:1", "host", "cpu", [])
    assert row.memory and row.seen > 1_700_000_000


@pytest.mark.parametrize("away", [OperationalError, InterfaceError])
def test_presence_outlives_a_database_that_is_away_also_for_its_clock(
    away: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_clock() -> float:
        raise away("the server closed the connection unexpectedly")

    presence = worker.Presence("host:1", "host", "cpu")
    with monkeypatch.context() as patched:
        patched.setattr(worker.clock, "now", no_clock)
        presence.say()
    assert not Worker.objects.exists()
    presence.say()
    assert Worker.objects.get().name == "host:1"


def _claimed() -> leases.Claim:
    start()
    claim = leases.claim("test:1", worker.KINDS)
    assert claim is not None
    return claim


def test_a_trainer_computes_while_its_beginning_is_written_down(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked_before: list[str] = []
    record = driver.results.record_started

    def recording(job_id: int, fence: int) -> None:
        asked_before.append(workshop.trainers[-1].requests[-1]["do"])
        record(job_id, fence)

    monkeypatch.setattr(driver.results, "record_started", recording)
    start(children=2, step_size=2)
    workshop.worker.look()
    assert asked_before == ["evaluate"] * 2


def test_the_last_epoch_of_a_child_is_written_with_its_verdict_and_no_other_is(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One commit less a child. It left no checkpoint, so nothing is lost that could be gone on from."""
    by_themselves: list[int] = []
    record = driver.results.record_epoch

    def recording(job_id: int, fence: int, ended: Any, checkpoint: str | None) -> None:
        by_themselves.append(ended.epoch)
        record(job_id, fence, ended, checkpoint)

    monkeypatch.setattr(driver.results, "record_epoch", recording)
    search = start(children=2, step_size=2, epochs=3)
    workshop.worker.look()
    kinds = [each["kind"] for each in event_log.read(search.pk, 0, 10_000)]
    assert by_themselves == [1, 2, 1, 2]
    assert kinds.count("epoch_ended") == 6 and kinds.count("child_finished") == 2
