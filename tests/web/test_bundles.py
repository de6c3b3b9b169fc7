"""The bundle of a finished training: handed in with it, listed first, downloaded by its owner."""

import gc
import hashlib
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from search_engine.events import TrainingFinished
from tests.web.example_search import a_search, a_training
from webapp.accounts.sign_in import get_or_create_user
from webapp.searches import artifacts, checker, leases, results
from webapp.searches.api.files import FileChunks
from webapp.searches.models import Stream
from webapp.searches.workers.driver import Driver
from webapp.searches.workers.trainer_requests import request_for

pytestmark = pytest.mark.django_db(transaction=True)


class Trainer:
    """One that hands in a finished training at once."""

    threads = 1

    def __init__(self, spool: Path, bundle: bytes | None) -> None:
        spool.mkdir(exist_ok=True)
        network = self.kept(spool, b"weights")
        finished = TrainingFinished(
            test_accuracy=0.5, test_examples=2, held_out_accuracy=0.5, checkpoint=network, seconds=1.0
        )
        told = None if bundle is None else self.kept(spool, bundle)
        self.messages = [{"event": finished.to_json(), "bundle": told}, {"done": {"checkpoint": network}}]

    def kept(self, spool: Path, content: bytes) -> str:
        name = hashlib.sha256(content).hexdigest()
        (spool / name).write_bytes(content)
        return name

    def send(self, request):
        assert request["attempt"] == 1

    def receive(self, timeout_seconds):
        return self.messages.pop(0)


def finished_training(folder: Path, bundle: bytes | None):
    owner = get_or_create_user("owner")
    training = a_training(owner, a_search(owner, children=1))
    claim = leases.claim("worker", ("train",))
    Driver(claim, Trainer(folder, bundle), folder, lambda: False).run(request_for(claim))
    assert checker.check(Stream.objects.get(pk=training.pk)) == []
    return training


def test_a_bundle_is_downloaded_as_a_zip_by_its_owner_alone(client: Client, tmp_path: Path) -> None:
    training = finished_training(tmp_path / "spool", b"PK bundle")
    client.force_login(training.owner)
    listed = {row["label"]: row for row in client.get(f"/api/trainings/{training.pk}/artifacts").json()["artifacts"]}
    assert set(listed) == {"Weights", "Bundle"}
    bundle = listed["Bundle"]
    assert (bundle["filename"], bundle["media_type"], bundle["size"]) == ("bundle.zip", "application/zip", 9)
    answer = client.get(bundle["url"])
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/zip")
    assert artifacts.local_path(bundle["sha256"]).read_bytes() == b"PK bundle"
    client.force_login(get_or_create_user("stranger"))
    assert client.get(bundle["url"]).status_code == 404


def test_a_training_without_a_bundle_is_finished_all_the_same(client: Client, tmp_path: Path) -> None:
    training = finished_training(tmp_path / "spool", None)
    client.force_login(training.owner)
    listed = client.get(f"/api/trainings/{training.pk}/artifacts").json()["artifacts"]
    assert [row["label"] for row in listed] == ["Weights"]
    assert Stream.objects.get(pk=training.pk).state == "finished"


class Bundler(Trainer):
    """One that is asked for the bundle of a finished training. bundle: None where making it fails."""

    def __init__(self, spool: Path, bundle: bytes | None) -> None:
        spool.mkdir(exist_ok=True)
        self.requests: list[dict[str, object]] = []
        self.messages = [{"done": {"bundle": None if bundle is None else self.kept(spool, bundle)}}]

    def send(self, request):
        self.requests.append(request)


def ask(client: Client, training) -> dict[str, str]:
    answer = client.post(
        f"/api/trainings/{training.pk}/bundle",
        {},
        content_type="application/json",
        HTTP_IDEMPOTENCY_KEY=str(uuid.uuid4()),
    )
    assert answer.status_code == 202, answer.content
    return answer.json()["bundle"]


def bundle_of(client: Client, training) -> str:
    assert checker.check(Stream.objects.get(pk=training.pk)) == []
    return client.get(f"/api/trainings/{training.pk}/artifacts").json()["bundle"]


def test_an_older_training_gets_its_bundle_when_it_is_asked_for(client: Client, tmp_path: Path) -> None:
    training = finished_training(tmp_path / "spool", None)
    client.force_login(training.owner)
    last = training.__class__.objects.get(pk=training.pk).last_event
    assert bundle_of(client, training) == "absent"
    assert leases.claim("worker", ("train",)) is None
    assert ask(client, training) == ask(client, training) == bundle_of(client, training) == "waiting"
    claim = leases.claim("worker", ("train",))
    assert bundle_of(client, training) == "making"
    trainer = Bundler(tmp_path / "spool", b"PK late")
    Driver(claim, trainer, tmp_path / "spool", lambda: False).run(request_for(claim))
    (request,) = trainer.requests
    assert (request["do"], request["attempt"]) == ("bundle", 1)
    assert Path(request["network"]).read_bytes() == b"weights"
    assert bundle_of(client, training) == ask(client, training) == "there"
    row = training.__class__.objects.get(pk=training.pk)
    assert (row.state, row.last_event, row.test_accuracy) == ("finished", last, 0.5)
    assert leases.claim("worker", ("train",)) is None


def test_a_bundle_that_cannot_be_made_is_told_and_can_be_asked_for_again(client: Client, tmp_path: Path) -> None:
    training = finished_training(tmp_path / "spool", None)
    client.force_login(training.owner)
    ask(client, training)
    for attempt in range(1, leases.ATTEMPTS + 1):
        claim = leases.claim("worker", ("train",))
        assert claim.attempt == attempt
        leases.lose(claim.job_id, claim.fence, "it died")
    assert bundle_of(client, training) == "failed" and leases.claim("worker", ("train",)) is None
    assert ask(client, training) == "waiting"
    claim = leases.claim("worker", ("train",))
    Driver(claim, Bundler(tmp_path / "spool", None), tmp_path / "spool", lambda: False).run(request_for(claim))
    assert bundle_of(client, training) == "failed"
    ask(client, training)
    claim = leases.claim("worker", ("train",))
    results.record_failure(claim.job_id, claim.fence, "A file that it needs is missing.")
    assert bundle_of(client, training) == "failed" and Stream.objects.get(pk=training.pk).state == "finished"


def test_a_bundle_of_a_training_that_did_not_finish_is_refused(client: Client) -> None:
    owner = get_or_create_user("owner")
    training = a_training(owner, a_search(owner, children=1))
    client.force_login(owner)
    answer = client.post(f"/api/trainings/{training.pk}/bundle", {}, content_type="application/json")
    assert answer.status_code == 409 and "only a finished one" in answer.content.decode()
    assert client.get(f"/api/trainings/{training.pk}/artifacts").json()["bundle"] == "impossible"
    client.force_login(get_or_create_user("stranger"))
    assert client.post(f"/api/trainings/{training.pk}/bundle", {}, content_type="application/json").status_code == 404


def test_a_file_that_nobody_reads_is_closed_with_its_answer_and_when_nobody_has_that(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    answered, forgotten = [(tmp_path / "file").open("rb") for _ in range(2)]
    FileChunks(answered).close()
    chunks: Any = FileChunks(forgotten)
    chunks.answer = [chunks]  # As an answer and its pieces hold each other.
    del chunks
    gc.collect()
    assert answered.closed and forgotten.closed
