"""Scores that people ask of shared weights: of a search that runs, is paused, has ended, and whose trainer dies."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError
from django.test import Client

from search_engine.config.searches import read_enas_config
from search_engine.errors import UserError
from search_engine.spaces.build import build_space
from tests.web.test_shared_worker import PhaseTrainer, Workshop, start, undisturbed
from webapp.searches import artifacts, asked_scores, checker, deletion, event_log, leases, lifecycle, mending
from webapp.searches.models import AskedScore, Job, Search, Stream
from webapp.searches.workers import driver, worker
from webapp.searches.workers.trainer_process import Message, TrainerGone

pytestmark = pytest.mark.django_db(transaction=True)
AT = {"epoch": 1, "minibatches": 1, "of": 3}


class AskedTrainer(PhaseTrainer):
    """Answers between the messages of a phase, or in the job that does nothing else."""

    def __init__(self, spool: Path, before: Callable[[Message], None]) -> None:
        super().__init__(spool, before)
        self._asked: list[Message] = []

    def send(self, request: Message) -> None:
        if request["do"] == "ask":
            self.requests.append(request)
            self._asked.append(request)
            return
        if request["do"] != "interrupt":
            self._asked.clear()
        super().send(request)

    def receive(self, timeout_seconds: float) -> Message | None:
        if self._asked:
            message = {"scored": answer_to(self._asked.pop(0))}
            self._before(message)
            return message
        return super().receive(timeout_seconds)

    def _score(self, request: Message) -> Iterator[Message]:
        self._told(request)
        for question in request["asked"]:
            yield {"scored": answer_to(question) | {"at": AT | {"minibatches": 3}}}
        yield {"done": {}}


def answer_to(question: Message) -> Message:
    best = None if question["best"] is None else 0.5
    told = {"reward": 0.25, "best": best, "policy": 0.125, "at": AT, "over": 4, "draws": 8}
    return {"id": question["id"], **told}


class AskedWorkshop(Workshop):
    def _start(self, threads: int) -> PhaseTrainer:
        self.trainers.append(AskedTrainer(self._spool, lambda message: self.before(message)))
        return self.trainers[-1]


@pytest.fixture
def workshop(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> AskedWorkshop:
    settings.ARTIFACTS_DIR = tmp_path / "artifacts"
    monkeypatch.setattr(worker, "BREATH_SECONDS", 0.0)
    monkeypatch.setattr(driver, "HEARTBEAT_SECONDS", 0.0)  # It hears of everything at once.
    return AskedWorkshop(tmp_path)


def architecture(search: Search, option: int = 0) -> Any:
    space = build_space(read_enas_config(search.config).space)
    return space.decode([min(option, len(decision.options) - 1) for decision in space.decisions])


def ask(search: Search, option: int = 0) -> AskedScore:
    return asked_scores.ask(search.pk, architecture(search, option))


def paused_behind_an_epoch(workshop: AskedWorkshop) -> Search:
    """A search whose first shared epoch is over, and that is paused since."""
    search = start()

    def pause(message: Message) -> None:
        if message.get("event", {}).get("kind") == "controller_phase_ended":
            workshop.before = lambda message: None
            lifecycle.pause(search.pk)

    workshop.before = pause
    workshop.worker.look()
    search.refresh_from_db()
    assert (search.state, search.epochs_shared) == ("paused", 1)
    return search


def finished(workshop: AskedWorkshop) -> Search:
    search = start(epochs=1)
    workshop.worker.look()
    search.refresh_from_db()
    assert search.state == "finished"
    return search


def kinds(workshop: AskedWorkshop) -> list[str]:
    return [request["do"] for request in workshop.requests]


def test_a_running_search_answers_in_the_middle_of_its_phase_and_ends_with_the_same_fingerprint(
    workshop: AskedWorkshop,
) -> None:
    search = start()

    def ask_now(message: Message) -> None:
        if "checkpoint" in message:
            workshop.before = lambda message: None
            ask(search)

    workshop.before = ask_now
    workshop.worker.look()
    search.refresh_from_db()
    assert (search.state, search.fingerprint) == ("finished", undisturbed(search))
    assert kinds(workshop) == ["share", "ask", "teach", "share", "teach", "derive"]
    row = AskedScore.objects.get()
    assert (row.state, row.best, row.answer["reward"]) == ("answered", None, 0.25)
    assert Job.objects.get(stream_id=search.pk, kind="score").state == "done"
    assert checker.check(search.stream) == []


def test_a_search_that_runs_compares_with_the_best_of_its_last_phase(workshop: AskedWorkshop) -> None:
    search = start()

    def ask_in_the_second_epoch(message: Message) -> None:
        if "checkpoint" in message and len(kinds(workshop)) == 3:
            workshop.before = lambda message: None
            ask(search)

    workshop.before = ask_in_the_second_epoch
    workshop.worker.look()
    row = AskedScore.objects.get()
    assert row.best["what"] == "the best of the controller phase of epoch 1" and row.answer["best"] == 0.5


def test_a_paused_search_answers_from_its_stored_weights_and_stays_as_it_is(workshop: AskedWorkshop) -> None:
    search = paused_behind_an_epoch(workshop)
    row, log = ask(search), search.last_event
    workshop.worker.look()
    row.refresh_from_db()
    search.refresh_from_db()
    assert (row.state, row.answer["at"]) == ("answered", {"epoch": 1, "minibatches": 3, "of": 3})
    assert kinds(workshop)[-1] == "score" and workshop.requests[-1]["step"] == 0
    assert (search.state, search.last_event) == ("paused", log)
    lifecycle.resume(search.pk)
    workshop.worker.look()
    search.refresh_from_db()
    assert (search.state, search.fingerprint) == ("finished", undisturbed(search))
    assert checker.check(search.stream) == []


def test_a_finished_search_answers_and_compares_with_its_best_candidate(workshop: AskedWorkshop) -> None:
    search = finished(workshop)
    row = ask(search)
    assert checker.check(search.stream) == [] and leases.claimable().count() == 1
    workshop.worker.look()
    row.refresh_from_db()
    assert (row.state, row.best["what"]) == ("answered", "the best candidate")
    best = search.children.order_by("-reward", "slot")[0]
    assert row.best["hash"] == best.hash
    search.refresh_from_db()
    assert search.state == "finished" and checker.check(search.stream) == []


def test_a_stopped_search_answers_from_the_epochs_that_were_over(workshop: AskedWorkshop) -> None:
    search = paused_behind_an_epoch(workshop)
    row = ask(search)
    lifecycle.stop(search.pk)  # With a question open, which stays.
    workshop.worker.look()
    row.refresh_from_db()
    assert row.state == "answered" and checker.check(search.stream) == []


def test_a_search_that_ended_before_its_first_epoch_refuses_in_a_sentence(workshop: AskedWorkshop) -> None:
    search = start()
    row = ask(search)
    assert leases.claimable().get().kind == "share"  # Nothing is stored yet: it is for the phase to answer.
    lifecycle.stop(search.pk)
    workshop.worker.look()
    row.refresh_from_db()
    assert row.state == "refused"
    assert row.reason == "There are no shared weights: the search ended before its first shared epoch did."
    with pytest.raises(UserError, match="it has no shared weights to ask"):
        ask(search)
    assert kinds(workshop) == []


def test_a_trainer_that_dies_with_a_question_open_answers_it_from_the_stored_weights(workshop: AskedWorkshop) -> None:
    """And not by a phase again: an architecture that ends processes would end the search."""
    search = start()

    def die_of_the_question(message: Message) -> None:
        if "scored" in message:
            workshop.before = lambda message: None
            raise TrainerGone("the trainer was killed by SIGKILL")
        if "checkpoint" in message and not AskedScore.objects.exists():
            ask(search)

    workshop.before = die_of_the_question
    workshop.worker.look()
    search.refresh_from_db()
    assert (search.state, search.fingerprint) == ("finished", undisturbed(search))
    assert kinds(workshop) == ["share", "ask", "share", "score", "teach", "share", "teach", "derive"]
    assert AskedScore.objects.get().state == "answered"
    lost = [event["what"] for event in event_log.read(search.pk, 0, 1000) if event["kind"] == "job_lost"]
    assert lost == ["shared epoch 0"]


def test_a_question_that_ends_every_trainer_is_refused_and_costs_the_search_nothing(workshop: AskedWorkshop) -> None:
    search = paused_behind_an_epoch(workshop)
    row = ask(search)

    def die(message: Message) -> None:
        if "scored" in message:
            raise TrainerGone("the trainer was killed by SIGKILL")

    workshop.before = die
    for _ in range(4):
        workshop.worker.look()
    row.refresh_from_db()
    search.refresh_from_db()
    assert row.reason == (
        "Scoring was tried 3 times and lost each time, the last time because of this: the trainer was killed by "
        "SIGKILL."
    )
    assert (search.state, kinds(workshop).count("score")) == ("paused", 3)
    workshop.before = lambda message: None
    assert ask(search).pk != row.pk
    workshop.worker.look()
    assert list(AskedScore.objects.order_by("asked").values_list("state", flat=True)) == ["refused", "answered"]


def test_what_is_asked_while_others_are_scored_is_answered_too(workshop: AskedWorkshop) -> None:
    search = finished(workshop)
    ask(search, 0)

    def ask_another(message: Message) -> None:
        if "scored" in message:
            workshop.before = lambda message: None
            ask(search, 1)

    workshop.before = ask_another
    workshop.worker.look()
    assert [row.state for row in AskedScore.objects.all()] == ["answered", "answered"]
    assert kinds(workshop)[-2:] == ["score", "score"]


def test_damaged_weights_refuse_the_score_and_not_the_search(workshop: AskedWorkshop, settings: Any) -> None:
    search = finished(workshop)
    row = ask(search)
    (settings.ARTIFACTS_DIR / search.weights[:2] / search.weights[2:]).write_text("damaged")
    workshop.worker.look()
    row.refresh_from_db()
    assert row.reason == "The file of the shared weights, or that of the controller, is damaged or gone."
    search.refresh_from_db()
    assert search.state == "finished" and not artifacts.is_whole(search.weights)


def test_a_person_may_ask_for_a_few_at_a_time_and_for_the_same_once(workshop: AskedWorkshop) -> None:
    search = finished(workshop)
    rows = [ask(search, option).pk for option in (0, 1, 0)]
    assert rows[0] == rows[2] != rows[1]
    other = start()
    for number in range(asked_scores.MOST_WAITING - 2):
        AskedScore.objects.create(search=other, architecture={}, hash=str(number), asked=1.0)
    with pytest.raises(UserError, match="10 scores that you asked for are not there yet"):
        ask(search, 2)


def test_old_answers_go_when_there_are_many(workshop: AskedWorkshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked_scores, "MOST_KEPT", 1)
    search = finished(workshop)
    for option in (0, 1, 2):
        ask(search, option)
        workshop.worker.look()
    ask(search, 3)
    assert sorted(AskedScore.objects.values_list("state", flat=True)) == ["answered", "waiting"]


def test_fsck_finds_questions_that_nobody_is_to_answer_and_has_them_answered(workshop: AskedWorkshop) -> None:
    search = finished(workshop)
    row = ask(search)
    Job.objects.filter(kind="score").delete()
    assert checker.check(search.stream) == [
        "Scores were asked for, 1 of them are not there, and nobody is to compute them."
    ]
    assert any("scores that were asked for" in sentence for sentence in mending.mend())
    assert checker.check(search.stream) == []
    workshop.worker.look()
    row.refresh_from_db()
    assert row.state == "answered"


def test_a_deleted_search_takes_its_scores_along(workshop: AskedWorkshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "REPLACED_SECONDS", -1.0)
    search = finished(workshop)
    ask(search)
    assert "1 score that its shared weights were asked for." in deletion.outlook(Stream.objects.get(pk=search.pk)).goes
    deletion.delete(search.pk)
    assert not leases.claimable().exists()
    with pytest.raises(UserError, match="being deleted"):
        ask(search)
    assert deletion.remove_deleted() == 1
    assert not AskedScore.objects.exists()


def test_a_row_says_how_it_was_answered(workshop: AskedWorkshop) -> None:
    search = start()
    with pytest.raises(IntegrityError):
        AskedScore.objects.create(search=search, architecture={}, hash="x", asked=1.0, state="answered")


# --- Over the API. ----------------------------------------------------------------------------------------------------


def send(client: Client, search: Search, value: Any) -> tuple[int, Any]:
    answer = client.post(f"/api/searches/{search.pk}/scores", json.dumps(value), content_type="application/json")
    return answer.status_code, answer.json()


def test_a_score_is_asked_for_and_read_over_the_api(workshop: AskedWorkshop, client: Client) -> None:
    search = finished(workshop)
    client.force_login(search.owner)
    status, reply = send(client, search, {"architecture": architecture(search).to_json()})
    assert (status, reply["state"], reply["score"], reply["measured"]) == (201, "waiting", None, "accuracy")
    assert reply["sentences"] == ["It comes as soon as a worker is free."]
    address = f"/api/searches/{search.pk}/scores/{reply['id']}"
    assert client.get(f"/api/searches/{search.pk}/scores").json()["is_open"]
    workshop.worker.look()
    reply = client.get(address).json()
    assert (reply["state"], reply["score"], reply["best"], reply["policy"]) == ("answered", 0.25, 0.5, 0.125)
    images = 4 * search.config["phases"]["score_batch"]
    assert reply["sentences"][:2] == [
        f"It scores 25.00 % on {images:,} held-out images, under the weights at the end of epoch 1.",
        "On the same minibatches, the best candidate scores 50.00 %, and 8 architectures drawn from the policy score "
        "12.50 % on average.",
    ]
    found = client.get(f"/api/searches/{search.pk}/scores").json()
    assert (found["scores"], found["is_open"]) == ([reply], False)
    picture = client.get(reply["picture"])
    assert picture.status_code == 200 and b"<svg" in picture.content


def test_what_cannot_be_scored_is_refused_at_its_field(workshop: AskedWorkshop, client: Client) -> None:
    search = finished(workshop)
    client.force_login(search.owner)
    recurrent = read_enas_config({"method": "enas-recurrent"})
    space = build_space(recurrent.space)
    foreign = space.decode([0] * len(space.decisions)).to_json()
    for value, field, message in (
        (foreign, "architecture", "is not in the space of this search ("),
        ({"kind": "macro"}, "architecture", ""),
    ):
        status, reply = send(client, search, {"architecture": value})
        assert status == 422, reply
        assert reply["errors"][0]["field"].startswith(field) and message in reply["errors"][0]["message"]
    assert not AskedScore.objects.exists()


def test_nobody_asks_the_search_of_somebody_else(workshop: AskedWorkshop, client: Client) -> None:
    search = finished(workshop)
    asked = ask(search)
    client.force_login(type(search.owner).objects.create(name="somebody else"))
    assert send(client, search, {"architecture": architecture(search).to_json()})[0] == 404
    base = f"/api/searches/{search.pk}/scores"
    for address in (base, f"{base}/{asked.pk}", f"/searches/{search.pk}/scores/{asked.pk}.svg"):
        assert client.get(address).status_code == 404
