"""Campaigns that find nothing prove nothing: each is shown a planted bug and must say so."""

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.faults.campaigns import clients, damage, ending, races
from tests.faults.campaigns.races import Interleaving, Situation
from webapp.accounts.models import User
from webapp.searches import artifacts, deletion, idempotency, lifecycle, planner
from webapp.searches.models import Job, Stream
from webapp.searches.workers import trainer_requests

CHILD = Situation("search", "evaluate", 0, held=1)


def found(folder: Path, *commands: str, act: str = "nothing", place: int = 0, situation: Situation = CHILD) -> Any:
    return races.run_situation(situation, [Interleaving(commands, act, place)], folder).problems


@pytest.mark.django_db
def test_an_honest_order_has_no_problems(tmp_path: Path) -> None:
    assert found(tmp_path, "pause", "resume", act="a result is handed in", place=1) == []


@pytest.mark.django_db
def test_a_resume_of_what_was_stopped_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def resume(stream_id: Any) -> None:
        Stream.objects.filter(pk=stream_id).update(state="running", ended=None)

    monkeypatch.setitem(races.COMMANDS, "resume", resume)
    assert "resume of a stopped one was applied" in " ".join(found(tmp_path, "stop", "resume"))


@pytest.mark.django_db
def test_a_pause_that_is_told_twice_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def pause(stream_id: Any) -> None:
        lifecycle.pause(stream_id)
        Stream.objects.filter(pk=stream_id).update(reason="x")
        lifecycle.pause(stream_id)

    monkeypatch.setitem(races.COMMANDS, "pause", pause)
    assert "told ['paused', 'paused']" in " ".join(found(tmp_path, "pause", "resume"))


@pytest.mark.django_db
def test_a_result_that_is_taken_after_a_stop_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def close(stream: Stream, state: str, reason: str = "") -> Any:
        held = list(Job.objects.filter(stream_id=stream.pk, state="leased").values("pk", "fence", "lease_until"))
        told = honest(stream, state, reason)
        for each in held:
            Job.objects.filter(pk=each.pop("pk")).update(state="leased", **each)
        return told

    honest = planner.close
    monkeypatch.setattr(planner, "close", close)
    assert found(tmp_path, "stop", "prioritise", act="a result is handed in", place=1)


@pytest.mark.django_db
def test_a_deletion_that_leaves_its_files_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "sweep", lambda *_: [])
    monkeypatch.setattr(artifacts, "drop_files_of", lambda stream_id: True)
    learned = Situation("search", "evaluate", 0)
    assert "files of what was deleted are left" in " ".join(found(tmp_path, "pause", "delete", situation=learned))


@pytest.mark.django_db(transaction=True)
def test_a_key_that_is_not_looked_at_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idempotency, "once", lambda owner, key, path, body, act: act())
    world = clients.World(0, tmp_path, clients.fake_engine)
    with world.is_real():
        problems = list(clients.Round(random.Random(0), world, tmp_path, Counter())._start_twice())
    assert any("one start made 3 searches" in problem for problem in problems)


def test_a_log_that_goes_back_from_its_end_is_found() -> None:
    assert list(clients._path_problems(["running", "paused", "finished"])) == []
    assert list(clients._path_problems(["running", "stopped", "running"]))
    refused = clients.Sent("pause", "0", 409, {"errors": [{"message": "This search is stopped; only a running one"}]})
    assert list(clients._answer_problems([refused], ["running", "paused"]))
    applied = [clients.Sent("pause", str(key), 200, {"id": key}) for key in range(2)]
    assert list(clients._answer_problems(applied, ["running", "paused"]))


def test_of_two_under_one_key_the_one_may_be_refused_and_the_other_applied_between_two_pauses() -> None:
    sentence = "This search is running; only a paused one can be resumed."
    refused = {"errors": [{"field": "", "message": sentence}]}
    sent = [
        clients.Sent("resume", "0", 200, {"state": "running"}),
        clients.Sent("pause", "1", 200, {"state": "paused"}),
        clients.Sent("resume", "0", 409, refused),
    ]
    assert [*clients._answer_problems(sent, ["running", "paused", "running"])] == []
    told_twice = ["running", "paused", "running", "paused", "running"]
    assert "resume was applied 1 times and told 2 times" in " ".join(clients._answer_problems(sent, told_twice))


@pytest.mark.django_db(transaction=True)
def test_a_damaged_checkpoint_that_nobody_looks_at_is_found(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ARTIFACTS_DIR = tmp_path / "store"
    monkeypatch.setattr(trainer_requests, "is_whole", lambda claim, sha256: sha256 != "")
    assert list(damage._checkpoint_problems(random.Random(3), tmp_path, Counter()))


@pytest.mark.django_db(transaction=True)
def test_a_deletion_that_cannot_go_on_is_found(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.ARTIFACTS_DIR = tmp_path / "store"
    settings.ARTIFACTS_DIR.mkdir()
    User.objects.create(name="owner")
    monkeypatch.setattr(deletion, "_remove_rows", lambda stream_id: None)
    problems = list(ending.deletions(random.Random(0), 0, tmp_path, Counter()))
    assert "rows are left" in problems[0]
