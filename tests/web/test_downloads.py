"""What a person takes away: whole, under a sensible name, and safe to open."""

import asyncio
import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.test import AsyncClient, Client

from search_engine.catalogue.published import read_published
from search_engine.events import ChildFinished
from search_engine.formats import dialects
from tests.web.example_search import a_search, a_training
from webapp.accounts.models import User
from webapp.accounts.sign_in import get_or_create_user
from webapp.searches import artifacts, clock, event_log
from webapp.searches.models import Artifact, Stream


@pytest.mark.django_db
def test_an_architecture_is_taken_away_in_every_dialect_that_holds_it_and_as_a_picture(
    signed_in: Client, owner: User
) -> None:
    search = a_search(owner, children=1, name="My first: search?")
    training = a_training(owner, search)
    architecture = read_published("nasnet-a").architecture.with_strict_concat()
    search.children.update(architecture=architecture.to_json())
    training.config["architecture"] = architecture.to_json()
    training.save(update_fields=["config"])
    for base, stem in (
        (f"/api/searches/{search.pk}/children/0/0", "my-first-search-0-0"),
        (f"/api/trainings/{training.pk}", "best-of-two-minute-demo"),
    ):
        answers = {name: signed_in.get(f"{base}/{name}") for name in ("architecture.json", "darts.txt", "picture.svg")}
        assert dialects.read(answers["architecture.json"].content.decode()).architecture == architecture
        assert dialects.read(answers["darts.txt"].content.decode()).architecture == architecture
        assert answers["picture.svg"].content.startswith(b"<svg")
        for name, answer in answers.items():
            assert answer.headers["Content-Disposition"] == f'attachment; filename="{stem}-{name}"'
            assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.django_db
def test_where_a_dialect_cannot_hold_an_architecture_the_answer_says_why(signed_in: Client, owner: User) -> None:
    search = a_search(owner, children=1)
    architecture = search.children.get().architecture
    architecture["normal"]["blocks"][0]["combination"] = "concat"
    search.children.update(architecture=architecture)
    answer = signed_in.get(f"/api/searches/{search.pk}/children/0/0/darts.txt")
    assert answer.status_code == 422
    sentence = "DARTS adds in every block; block 0 of the normal cell concatenates."
    assert answer.json() == {"errors": [{"field": "", "message": sentence}]}


@pytest.mark.django_db
def test_the_table_of_children_is_whole_and_reads_back(signed_in: Client, owner: User) -> None:
    search = a_search(owner, children=12)
    answer = signed_in.get(f"/api/searches/{search.pk}/children.csv")
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert [(int(row["step"]), int(row["slot"])) for row in rows] == [divmod(index, 10) for index in range(12)]
    for row, child in zip(rows, search.children.order_by("step", "slot"), strict=True):
        assert float(row["reward"]) == child.reward and float(row["log_probability"]) == child.log_probability
        assert json.loads(row["architecture"]) == child.architecture
        assert json.loads(row["decisions"]) == child.decisions


@pytest.mark.django_db
def test_the_curve_of_rewards_is_a_page_to_take_away(signed_in: Client, owner: User) -> None:
    search = a_search(owner)
    verdict = ChildFinished(step=0, slot=3, reward=0.625, parameters=10, mult_adds=20, seconds=1.0)
    event_log.append(search.pk, [verdict])
    answer = signed_in.get(f"/api/searches/{search.pk}/rewards.html")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    page = answer.content.decode()
    assert "best so far" in page and "mean of step" not in page  # One child, no step was told.


@pytest.mark.django_db
@pytest.mark.parametrize("reason", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx"])
def test_a_spreadsheet_finds_no_formula_in_the_table(signed_in: Client, owner: User, reason: str) -> None:
    search = a_search(owner, children=1)
    search.children.update(reward=None, reason=reason)
    row = next(csv.DictReader(io.StringIO(signed_in.get(f"/api/searches/{search.pk}/children.csv").content.decode())))
    assert row["reason"] == f"'{reason}"
    assert row["log_probability"] == "-20.5"  # A number below zero stays one.


def an_artifact(owner: User, folder: Path, content: bytes) -> Artifact:
    path = folder / "weights"
    path.write_bytes(content)
    search = a_search(owner, children=1)
    return Artifact.objects.create(
        stream=Stream.objects.get(pk=search.pk), label="Weights", sha256=artifacts.put(path), size=len(content),
        media_type="application/octet-stream", filename="weights.safetensors", created=clock.now(),
    )  # fmt: skip


async def downloaded(user: User, artifact: Artifact) -> tuple[int, dict[str, str], bytes]:
    client = AsyncClient()
    await client.aforce_login(user)
    answer = await client.get(f"/api/artifacts/{artifact.pk}")
    if not answer.streaming:
        return answer.status_code, dict(answer.headers), answer.content
    return answer.status_code, dict(answer.headers), b"".join([chunk async for chunk in answer.streaming_content])


@pytest.mark.django_db(transaction=True)
def test_a_file_of_weights_comes_whole_and_to_its_owner_alone(owner: User, settings: Any, tmp_path: Path) -> None:
    settings.ARTIFACTS_DIR = tmp_path / "artifacts"
    content = bytes(range(256)) * 3000  # More than one piece.
    artifact = an_artifact(owner, tmp_path, content)
    status, headers, body = asyncio.run(downloaded(owner, artifact))
    assert (status, body) == (200, content)
    assert headers["Content-Disposition"] == 'attachment; filename="weights.safetensors"'
    assert headers["Content-Length"] == str(len(content))
    assert asyncio.run(downloaded(get_or_create_user("stranger"), artifact))[0] == 404


@pytest.mark.django_db(transaction=True)
def test_a_file_that_is_gone_is_said_to_be_gone(owner: User, settings: Any, tmp_path: Path) -> None:
    settings.ARTIFACTS_DIR = tmp_path / "artifacts"
    artifact = an_artifact(owner, tmp_path, b"x")
    artifacts.local_path(artifact.sha256).unlink()
    assert asyncio.run(downloaded(owner, artifact))[0] == 410


@pytest.mark.django_db
def test_the_files_of_a_search_are_listed(signed_in: Client, owner: User, settings: Any, tmp_path: Path) -> None:
    settings.ARTIFACTS_DIR = tmp_path / "artifacts"
    artifact = an_artifact(owner, tmp_path, b"12345")
    listed = signed_in.get(f"/api/searches/{artifact.stream_id}/artifacts").json()["artifacts"]
    assert [(file["label"], file["size"], file["url"]) for file in listed] == [
        ("Weights", 5, f"/api/artifacts/{artifact.pk}")
    ]
