"""Bundles that somebody brings: read without trust, kept with their weights, downloaded again, and away again."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.example_bundle import CELL, RESULTS, a_bundle
from webapp.accounts.sign_in import get_or_create_user
from webapp.searches import artifacts
from webapp.searches.models import ImportedArchitecture

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def store(settings: Any, tmp_path: Path) -> Path:
    settings.ARTIFACTS_DIR = tmp_path / "artifacts"
    return settings.ARTIFACTS_DIR


@pytest.fixture
def signed_in(client: Client) -> Client:
    client.force_login(get_or_create_user("owner"))
    return client


def sent(client: Client, path: str, content: bytes, **values: str) -> tuple[int, Any]:
    answer = client.post(f"/api/architectures/{path}", {"bundle": SimpleUploadedFile("b.zip", content), **values})
    return answer.status_code, answer.json()


def files_of(store: Path) -> list[Path]:
    return list(store.glob("??/*"))


def downloaded(answer: Any) -> bytes:
    async def gathered() -> bytes:
        return b"".join([chunk async for chunk in answer.streaming_content])

    return async_to_sync(gathered)()


def kept(client: Client, content: bytes, name: str = "Mine") -> dict[str, Any]:
    status, reply = sent(client, "bundles", content, name=name)
    assert status == 201 and reply["is_new"], reply
    return reply


def test_reading_a_bundle_tells_what_it_is_and_keeps_nothing(signed_in: Client, store: Path) -> None:
    status, told = sent(signed_in, "bundles/read", a_bundle())
    assert (status, told["errors"], told["hash"]) == (200, [], CELL.hash)
    assert told["recorded"]["test"] == 0.5 and told["recorded"]["data"] == "Fashion-MNIST"
    assert "0.5000 on the test part" in told["sentences"][1] and told["svg"].startswith("<svg")
    assert files_of(store) == [] and not ImportedArchitecture.objects.exists()


def test_a_kept_bundle_is_an_architecture_with_weights_that_downloads_as_it_came(signed_in: Client) -> None:
    content = a_bundle()
    reply = kept(signed_in, content)
    shown = signed_in.get(f"/api{reply['url']}").json()
    assert (shown["hash"], shown["recorded"]["held_out"]) == (CELL.hash, 0.75)
    answer = signed_in.get(shown["bundle"])
    assert downloaded(answer) == content and answer["Content-Type"] == "application/zip"
    assert answer["Content-Disposition"] == 'attachment; filename="mine-bundle.zip"'
    page = signed_in.get(reply["url"]).content.decode()
    assert "With weights" in page and "0.5000 on the test part (2,000 images)" in page and shown["bundle"] in page
    assert ", with weights" in signed_in.get("/architectures").content.decode()


def test_the_same_bundle_is_kept_once_and_other_weights_stand_beside_it(signed_in: Client, store: Path) -> None:
    first = kept(signed_in, a_bundle())
    status, again = sent(signed_in, "bundles", a_bundle(), name="Again")
    assert (status, again["is_new"], again["id"]) == (200, False, first["id"])
    assert kept(signed_in, a_bundle(results=RESULTS | {"test_accuracy": 0.6}))["id"] != first["id"]
    assert len(files_of(store)) == 2


def test_a_pasted_architecture_has_no_bundle(signed_in: Client) -> None:
    body = json.dumps({"text": json.dumps(CELL.to_json()), "name": "Pasted"})
    url = signed_in.post("/api/architectures", body, content_type="application/json").json()["url"]
    shown = signed_in.get(f"/api{url}").json()
    assert (shown["bundle"], shown["recorded"]) == ("", None)
    assert signed_in.get(f"/api{url}/bundle").status_code == 404
    assert "With weights" not in signed_in.get(url).content.decode()


def test_a_bundle_is_its_owners_alone(signed_in: Client) -> None:
    reply = kept(signed_in, a_bundle())
    stranger = Client()
    stranger.force_login(get_or_create_user("stranger"))
    for path in (reply["url"], f"/api{reply['url']}", f"/api{reply['url']}/bundle"):
        assert stranger.get(path).status_code == 404
    assert Client().get(f"/api{reply['url']}/bundle").status_code == 401


def test_the_weights_outlive_the_sweep_and_go_with_the_architecture(signed_in: Client, store: Path) -> None:
    content = a_bundle()
    reply = kept(signed_in, content)
    assert artifacts.sweep(older_than_seconds=-60) == []
    assert artifacts.is_whole(hashlib.sha256(content).hexdigest())
    assert signed_in.delete(f"/api{reply['url']}").status_code == 200
    assert artifacts.sweep() == []  # Too young: a transaction may still want to name it.
    assert len(artifacts.sweep(older_than_seconds=-60)) == 1 and files_of(store) == []


@pytest.mark.parametrize(
    "content", [b"", b"no zip", a_bundle()[:-100], a_bundle()[:200], a_bundle(results=RESULTS | {"test_accuracy": 2})]
)
def test_what_is_no_bundle_gets_one_sentence_and_leaves_nothing(signed_in: Client, store: Path, content: bytes) -> None:
    status, told = sent(signed_in, "bundles/read", content)
    assert status == 200 and told["recorded"] is None
    (error,) = told["errors"]
    assert error["field"] == "bundle" and error["message"].startswith("is ") and error["message"].endswith(".")
    status, refused = sent(signed_in, "bundles", content, name="Mine")
    assert (status, refused["errors"]) == (422, [error])
    assert files_of(store) == [] and not ImportedArchitecture.objects.exists()


def test_a_bundle_over_the_limit_is_refused_with_the_limit(signed_in: Client, settings: Any) -> None:
    settings.MOST_BUNDLE_BYTES = 1000
    status, told = sent(signed_in, "bundles", a_bundle(), name="Mine")
    size = len(a_bundle())
    wanted = [{"field": "bundle", "message": f"has {size:,} bytes; must have at most 1,000."}]
    assert (status, told["errors"]) == (422, wanted)


def test_a_name_that_is_empty_is_refused_and_the_file_is_not_kept(signed_in: Client, store: Path) -> None:
    status, told = sent(signed_in, "bundles", a_bundle(), name=" ")
    assert (status, told["errors"][0]["field"]) == (422, "name")
    assert files_of(store) == []
