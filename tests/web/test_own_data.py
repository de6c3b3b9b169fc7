"""A person's own images over HTTP: sent in pieces, checked, used, named by searches, deleted; seen by nobody else."""

import gzip
import io
import json
import re
import struct
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.test import Client
from PIL import Image

from search_engine.config.data import DataConfig
from search_engine.data.downloads import SOURCES
from search_engine.data.own_set import open_own
from search_engine.errors import ConfigError
from tests.web.example_search import demo_json
from webapp.accounts.models import User
from webapp.accounts.sign_in import get_or_create_user
from webapp.searches import artifacts, clock, lifecycle
from webapp.searches.costs.data_limits import data_errors
from webapp.searches.datasets import checking, described, housekeeping, quarantine, uploads
from webapp.searches.datasets.described import describe, describe_for, own_descriptions
from webapp.searches.datasets.local_copy import bring_data
from webapp.searches.models import OwnData, Search

pytestmark = pytest.mark.django_db
NOTHING = "00000000-0000-0000-0000-000000000000"


@pytest.fixture(autouse=True)
def folders(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.QUARANTINE_DIR = tmp_path / "quarantine"
    settings.ARTIFACTS_DIR = tmp_path / "artifacts"
    settings.DATA_SETS_DIR = tmp_path / "data-sets"
    monkeypatch.setattr(checking, "start", lambda data_id: None)  # Tests check when they say so, in their own thread.


@pytest.fixture
def stranger() -> Client:
    client = Client()
    client.force_login(get_or_create_user("somebody else"))
    return client


def pets(more: dict[str, bytes] | None = None, *, classes: tuple[str, ...] = ("cat", "dog"), each: int = 20) -> bytes:
    file, generator = io.BytesIO(), np.random.default_rng(0)
    with zipfile.ZipFile(file, "w") as archive:
        for name in classes:
            for number in range(each):
                picture = io.BytesIO()
                Image.fromarray(generator.integers(0, 256, (12, 16, 3)).astype(np.uint8)).save(picture, "PNG")
                archive.writestr(f"{name}/{number}.png", picture.getvalue())
        for name, content in (more or {}).items():
            archive.writestr(name, content)
    return file.getvalue()


def answered(answer: Any, status: int) -> Any:
    assert answer.status_code == status, answer.content
    return answer.json()


def post(client: Client, path: str, body: Any) -> Any:
    return client.post(path, json.dumps(body), content_type="application/json")


def piece(client: Client, data_id: str, offset: int, content: bytes) -> Any:
    address = f"/api/data/uploads/{data_id}?offset={offset}"
    return client.put(address, content, content_type="application/octet-stream")


def sent(client: Client, content: bytes, filename: str = "pets.zip") -> str:
    """Announced and sent in two pieces; returns its id."""
    started = answered(post(client, "/api/data/uploads", {"filename": filename, "size": len(content)}), 201)
    half = len(content) // 2
    first = answered(piece(client, started["id"], 0, content[:half]), 200)
    assert (first["state"], first["received"]) == ("arriving", half)
    assert answered(piece(client, started["id"], half, content[half:]), 200)["state"] == "checking"
    data_id: str = started["id"]
    return data_id


def checked(client: Client, content: bytes, filename: str = "pets.zip") -> dict[str, Any]:
    data_id = sent(client, content, filename)
    checking.check(OwnData.objects.get(pk=data_id).pk)
    found: dict[str, Any] = answered(client.get(f"/api/data/{data_id}"), 200)
    return found


def used(client: Client, content: bytes | None = None, title: str = "My pets") -> dict[str, Any]:
    found = checked(client, content or pets())
    kept: dict[str, Any] = answered(post(client, f"/api/data/{found['id']}/use", {"title": title}), 200)
    return kept


def search_with(name: str, **data: int) -> dict[str, Any]:
    wanted = {"image_size": 12, "train_examples": 20, "held_out_examples": 10} | data
    return demo_json(data={"name": name, **wanted})


def test_an_archive_is_checked_used_and_then_named_by_a_search(signed_in: Client, owner: User) -> None:
    found = checked(signed_in, pets({"cat/evil.png": b"#!/bin/sh", "loose.png": b"x"}))
    assert found["state"] == "checked" and found["report"]["accepted"] == 40
    assert found["report"]["refused"] == [
        {"name": "cat/evil.png", "reason": "is no PNG, JPEG, WebP, BMP or GIF image"},
        {"name": "loose.png", "reason": "stands in no class folder"},
    ]
    [error] = answered(post(signed_in, f"/api/data/{found['id']}/use", {"title": " "}), 422)["errors"]
    assert error == {"field": "title", "message": "must have 1 to 80 characters that can be seen."}
    kept = answered(post(signed_in, f"/api/data/{found['id']}/use", {"title": " My  pets "}), 200)
    assert (kept["state"], kept["title"]) == ("ready", "My pets") and kept["name"].startswith("own-")
    assert quarantine.all_ids() == []
    described = describe(kept["name"])
    assert (described.title, described.image_size, described.train_examples) == ("My pets", 12, 32)
    started = answered(post(signed_in, "/api/searches", {"config": search_with(kept["name"])}), 201)
    assert Search.objects.get(pk=started["id"]).config["data"]["name"] == kept["name"]


def test_whoever_else_asks_finds_nothing(signed_in: Client, stranger: Client) -> None:
    kept = used(signed_in)
    for path in ("", "/preview.png", "/refused.csv"):
        assert stranger.get(f"/api/data/{kept['id']}{path}").status_code == 404
    assert stranger.get(f"/data/{kept['id']}").status_code == 404
    assert piece(stranger, kept["id"], 0, b"x").status_code == 404
    assert post(stranger, f"/api/data/{kept['id']}/use", {"title": "x"}).status_code == 404
    assert stranger.delete(f"/api/data/{kept['id']}").status_code == 404
    assert answered(stranger.get("/api/data"), 200)["own"] == []
    assert "My pets" not in stranger.get("/searches/new").content.decode()
    [error] = answered(post(stranger, "/api/searches", {"config": search_with(kept["name"])}), 422)["errors"]
    assert error == {"field": "data.name", "message": "is a set of images that is not there, or is not yours."}
    weighed = answered(post(stranger, "/api/searches/estimate", {"config": search_with(kept["name"])}), 200)
    assert weighed["errors"] == [error]


def test_pieces_come_in_order_and_one_upload_at_a_time(signed_in: Client) -> None:
    content = pets()
    started = answered(post(signed_in, "/api/data/uploads", {"filename": "a.zip", "size": len(content)}), 201)
    assert piece(signed_in, started["id"], 5, content[5:10]).status_code == 409
    assert piece(signed_in, started["id"], 0, content + b"more").status_code == 409
    assert piece(signed_in, started["id"], 0, b"x" * (uploads.PIECE_BYTES + 1)).status_code == 413
    refused = answered(post(signed_in, "/api/data/uploads", {"filename": "b.zip", "size": 10}), 409)
    assert "Another upload of yours" in refused["errors"][0]["message"]
    assert signed_in.delete(f"/api/data/{started['id']}").status_code == 200
    assert quarantine.all_ids() == [] and OwnData.objects.count() == 0
    assert post(signed_in, "/api/data/uploads", {"filename": "b.zip", "size": 10}).status_code == 201


@pytest.mark.parametrize(
    ("body", "field", "sentence"),
    [
        ({"filename": "pets.tar", "size": 10}, "filename", "must end in .zip"),
        ({"filename": "pets.zip", "size": 0}, "size", "must be between 1 and"),
        ({"filename": "pets.zip", "size": 10**13}, "size", "must be between 1 and"),
        ({"filename": "pets.zip"}, "size", "is missing."),
    ],
)
def test_what_cannot_be_sent_is_refused_before_the_first_byte(signed_in, body, field, sentence) -> None:
    [error] = answered(post(signed_in, "/api/data/uploads", body), 422)["errors"]
    assert error["field"] == field and sentence in error["message"]
    assert quarantine.all_ids() == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"PK but no zip", "The archive is no zip archive, or is damaged."),
        (pets()[:-30], "The archive is no zip archive, or is damaged."),
        (pets(classes=("cat",)), "The archive needs two classes at least"),
    ],
)
def test_an_archive_that_is_no_set_is_refused_whole_and_leaves_nothing(signed_in, content, sentence) -> None:
    found = checked(signed_in, content)
    assert found["state"] == "refused" and found["report"]["error"].startswith(sentence)
    assert quarantine.all_ids() == []
    assert sentence in signed_in.get(f"/data/{found['id']}").content.decode()
    assert post(signed_in, f"/api/data/{found['id']}/use", {"title": "x"}).status_code == 409


def test_a_bomb_is_refused_whole_with_the_table_of_its_files_and_can_be_deleted(signed_in: Client) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(30):
            archive.writestr(f"{'ab'[number % 2]}/{number:02}.bmp", bytes(1 << 20))
    found = checked(signed_in, file.getvalue())
    assert found["state"] == "refused" and found["report"]["refused_count"] == 30
    assert "grows most" in found["report"]["error"] and ".bmp" in found["report"]["error"]
    page = signed_in.get(f"/data/{found['id']}").content.decode()
    assert "Refused: 30 files" in page and "<td>unpacks to more than 100 times its size</td>" in page
    assert "Why it was refused" in page and "Delete this upload?" in page and "Give up" not in page


def test_a_check_that_dies_of_its_limits_is_a_refusal(signed_in: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "FILE_BYTES", 700)  # One picture has some 600 bytes; they are written in blocks.
    found = checked(signed_in, pets())
    assert found["state"] == "refused" and list(found["report"]) == ["error"]
    assert re.fullmatch(checking.DIED_AT.format(r"cat/\d+\.png"), found["report"]["error"])
    assert quarantine.all_ids() == []


def test_a_dead_process_names_no_file_that_cannot_be_shown(signed_in: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def run(row: OwnData) -> int:
        (quarantine.result_of(row.pk) / "at").write_bytes(b"\xff" if row.filename == "a.zip" else b"x\n" * 10_000)
        return -9

    monkeypatch.setattr(checking, "_run", run)
    assert checked(signed_in, pets(), "a.zip")["report"] == {"error": checking.DIED}
    assert len(checked(signed_in, pets(), "b.zip")["report"]["error"]) < 300
    assert quarantine.all_ids() == []


def test_a_check_that_takes_too_long_is_killed(signed_in: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checking, "SECONDS", 1)
    monkeypatch.setattr(checking, "_command", lambda row: ["sleep", "60"])
    found = checked(signed_in, pets())
    assert (found["state"], found["report"]) == ("refused", {"error": checking.DIED})


def test_a_process_that_lies_is_not_believed(signed_in: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    lie = {"error": "", "refused": [], "refused_count": 0, "accepted": 9, "without_network": True}

    def run(row: OwnData) -> int:
        (quarantine.result_of(row.pk) / "report.json").write_text(json.dumps(lie))
        (quarantine.result_of(row.pk) / "set.safetensors").write_bytes(b"no set at all")
        return 0

    monkeypatch.setattr(checking, "_run", run)
    assert checked(signed_in, pets())["state"] == "refused"


def test_the_preview_is_drawn_by_us_and_the_refusals_are_a_table(signed_in: Client) -> None:
    found = checked(signed_in, pets({"=cmd()": b"x"}))
    for _ in range(2):
        answer = signed_in.get(f"/api/data/{found['id']}/preview.png")
        assert answer.headers["Content-Type"] == "image/png" and answer.headers["X-Content-Type-Options"] == "nosniff"
        assert Image.open(io.BytesIO(answer.content)).size == (8 * 48, 2 * 48)
        post(signed_in, f"/api/data/{found['id']}/use", {"title": "Pets"})
    table = signed_in.get(f"/api/data/{found['id']}/refused.csv")
    assert table.content.decode().splitlines() == ["file,reason", "'=cmd(),stands in no class folder"]
    assert "attachment" in table.headers["Content-Disposition"]


def test_pages_show_own_sets_their_classes_and_what_was_refused(signed_in: Client) -> None:
    found = checked(signed_in, pets({"<script>.png": b"x"}))
    page = signed_in.get(f"/data/{found['id']}").content.decode()
    for said in ("32 training, 8 test", "20% of each class", "&lt;script&gt;.png", "Use this data", "red, green, blue"):
        assert said in page
    post(signed_in, f"/api/data/{found['id']}/use", {"title": "My pets"})
    for address in ("/data", "/searches/new", "/trainings/new?architecture=nasnet-a"):
        assert "My pets" in signed_in.get(address).content.decode()
    assert signed_in.get(f"/data/{NOTHING}").status_code == 404


def test_every_set_whose_files_are_here_shows_samples_on_the_data_page_and_in_the_forms(
    signed_in: Client, stranger: Client, settings: Any
) -> None:
    kept = used(signed_in)
    folder = settings.DATA_SETS_DIR / "mnist"
    folder.mkdir(parents=True)
    pixels, labels = np.random.default_rng(0).integers(0, 256, (50, 28, 28)).astype(np.uint8), bytes(range(10)) * 5
    for source in SOURCES["mnist"]:
        head = struct.pack(">4I", 2051, *pixels.shape) if "images" in source.file else struct.pack(">2I", 2049, 50)
        (folder / source.file).write_bytes(
            gzip.compress(head + (pixels.tobytes() if "images" in source.file else labels))
        )
    for name in ("fashion-mnist-10k", "mnist", kept["name"]):
        address = f"/data/samples/{name}.png"
        assert Image.open(io.BytesIO(signed_in.get(address).content)).width == 8 * 48
        for page in ("/searches/new", "/trainings/new?architecture=nasnet-a"):
            assert f'src="{address}"' in signed_in.get(page).content.decode()
    assert stranger.get(f"/data/samples/{kept['name']}.png").status_code == 404
    page = signed_in.get("/data").content.decode()
    assert 'src="/data/samples/mnist.png"' in page and "/data/samples/svhn.png" not in page
    for missing in ("svhn", "imagenet", f"own-{'0' * 64}"):
        assert signed_in.get(f"/data/samples/{missing}.png").status_code == 404


def test_samples_of_damaged_files_are_not_there(signed_in: Client, settings: Any) -> None:
    (settings.DATA_SETS_DIR / "cifar-10").mkdir(parents=True)
    (settings.DATA_SETS_DIR / "cifar-10" / "cifar-10-binary.tar.gz").write_bytes(b"no archive")
    assert signed_in.get("/data/samples/cifar-10.png").status_code == 404


def test_the_same_images_are_kept_once(signed_in: Client) -> None:
    first, again = used(signed_in), used(signed_in, title="Pets again")
    assert first["id"] == again["id"] and OwnData.objects.count() == 1
    assert quarantine.all_ids() == []


def test_a_set_in_use_is_not_deleted_and_one_that_was_used_is_still_described(signed_in: Client, owner: User) -> None:
    kept = used(signed_in)
    started = answered(post(signed_in, "/api/searches", {"config": search_with(kept["name"])}), 201)
    [error] = answered(signed_in.delete(f"/api/data/{kept['id']}"), 409)["errors"]
    assert error["message"] == "1 running or paused search or training use it."
    lifecycle.stop(Search.objects.get(pk=started["id"]).pk)
    assert signed_in.delete(f"/api/data/{kept['id']}").status_code == 200
    assert describe(kept["name"]).title == "My pets" and own_descriptions(owner) == []
    with pytest.raises(ConfigError, match="is not there"):
        describe_for(owner, kept["name"])
    assert signed_in.get(f"/api/data/{kept['id']}").status_code == 404
    assert len(artifacts.sweep(older_than_seconds=-1)) == 2  # The set and its preview.


def test_files_of_a_set_that_is_kept_are_not_swept(signed_in: Client) -> None:
    used(signed_in)
    assert artifacts.sweep(older_than_seconds=-1) == []


def test_a_worker_brings_the_set_to_its_machine_once(signed_in: Client, settings: Any) -> None:
    kept = used(signed_in)
    for _ in range(2):
        bring_data({"data": {"name": kept["name"]}})
    assert len(open_own(kept["name"], settings.DATA_SETS_DIR)) == 40
    bring_data({"data": {"name": "cifar-10"}})
    with pytest.raises(artifacts.ArtifactMissing):
        bring_data({"data": {"name": f"own-{'0' * 64}"}})


def test_more_images_than_there_are_and_larger_ones_are_refused_at_their_fields(signed_in, owner) -> None:
    kept = used(signed_in)
    asked = DataConfig(name=kept["name"], image_size=16, train_examples=30, held_out_examples=10)
    errors = {error.field: error.message for error in data_errors(asked, owner)}
    assert errors["data.image_size"] == "is 16; the images of “My pets” have 12 pixels."
    assert errors["data.train_examples"] == (
        "is 30 and 10 more are held out, 40 together; the training part of “My pets” has 32."
    )


def test_the_memory_of_decoded_images_is_part_of_the_estimate(signed_in: Client) -> None:
    kept = used(signed_in)
    small, large = (
        answered(post(signed_in, "/api/searches/estimate", {"config": config}), 200)
        for config in (search_with(kept["name"], train_examples=count) for count in (10, 20))
    )
    assert large["memory_bytes"] - small["memory_bytes"] == 10 * 3 * 12 * 12


def test_the_estimate_says_when_images_do_not_fit_into_memory(signed_in: Client, monkeypatch: Any) -> None:
    kept = used(signed_in)
    body = {"config": search_with(kept["name"], train_examples=10, held_out_examples=10)}
    pixels = (10 + 10 + 8) * 3 * 12 * 12
    said = {}
    for most in (pixels, pixels - 1):
        monkeypatch.setattr(described, "MOST_RESIDENT_BYTES", most)
        notes = answered(post(signed_in, "/api/searches/estimate", body), 200)["notes"]
        said[most] = any("do not fit into memory" in note for note in notes)
    assert said == {pixels: False, pixels - 1: True}


def test_what_nobody_finishes_is_cleared_away(signed_in: Client, owner: User) -> None:
    found = checked(signed_in, pets())
    started = answered(post(signed_in, "/api/data/uploads", {"filename": "b.zip", "size": 10}), 201)
    stray = quarantine.folder_of(type(owner.pk)(int=7))
    stray.mkdir()
    housekeeping.clear_what_nobody_finishes()
    assert {str(each) for each in quarantine.all_ids()} == {found["id"], started["id"]}
    OwnData.objects.update(touched=clock.now() - housekeeping.CHECKED_SECONDS - 1)
    housekeeping.clear_what_nobody_finishes()
    assert quarantine.all_ids() == [] and OwnData.objects.count() == 0


def test_a_check_whose_server_died_is_told_as_interrupted(signed_in: Client) -> None:
    data_id = sent(signed_in, pets())
    assert signed_in.delete(f"/api/data/{data_id}").status_code == 409
    housekeeping.end_interrupted_checks()
    assert answered(signed_in.get(f"/api/data/{data_id}"), 200)["state"] == "checking"
    OwnData.objects.update(touched=clock.now() - checking.SECONDS - 61)
    housekeeping.end_interrupted_checks()
    found = answered(signed_in.get(f"/api/data/{data_id}"), 200)
    assert (found["state"], found["report"]) == ("refused", {"error": housekeeping.INTERRUPTED})
    assert quarantine.all_ids() == []


@pytest.mark.django_db(transaction=True)
def test_the_last_piece_starts_the_check_beside_the_request(signed_in: Client, monkeypatch: Any) -> None:
    monkeypatch.undo()
    content = pets()
    data_id = sent_without_waiting(signed_in, content)
    until = time.monotonic() + 60
    while (state := OwnData.objects.get(pk=data_id).state) == "checking" and time.monotonic() < until:
        time.sleep(0.05)
    assert state == "checked"


def sent_without_waiting(client: Client, content: bytes) -> str:
    started = answered(post(client, "/api/data/uploads", {"filename": "p.zip", "size": len(content)}), 201)
    answered(piece(client, started["id"], 0, content), 200)
    data_id: str = started["id"]
    return data_id


def test_pages_of_what_was_started_with_own_images_name_them_even_when_they_are_deleted(
    signed_in: Client, settings: Any
) -> None:
    kept = used(signed_in)
    config = search_with(kept["name"])
    search = answered(post(signed_in, "/api/searches", {"config": config}), 201)
    training = {"data": config["data"], "layout": {"kind": "cells", "normal_cells": 1, "filters": 4}}
    started = answered(post(signed_in, "/api/trainings", {"name": "nasnet-a", "config": training}), 201)
    command = f"evaluate weights.safetensors --data {kept['name']} --data-folder &quot;$CELLWRIGHT_DATA&quot;/data-sets"
    settings.DATA_FOLDER = Path("/elsewhere")
    assert command in signed_in.get(started["url"]).content.decode()
    settings.DATA_FOLDER = settings.HOME / "var"
    assert "--data-folder var/data-sets" in signed_in.get(started["url"]).content.decode()
    for each in (search, started):
        assert "your own images" in signed_in.get(each["url"]).content.decode()
        lifecycle.stop(each["id"])
    assert signed_in.delete(f"/api/data/{kept['id']}").status_code == 200
    for address in (search["url"], started["url"], f"/searches/new?clone={search['id']}"):
        assert signed_in.get(address).status_code == 200
