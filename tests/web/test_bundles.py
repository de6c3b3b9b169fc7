"""The bundle of a finished training: handed in with it, listed first, downloaded by its owner."""

import hashlib
from pathlib import Path

import pytest
from django.test import Client

from search_engine.events import TrainingFinished
from tests.web.example_search import a_search, a_training
from webapp.accounts.sign_in import get_or_create_user
from webapp.searches import artifacts, checker, leases
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
