"""A person's own text over HTTP: sent, checked, used, trained on, deleted; seen by nobody else, and by no table."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from search_engine.catalogue.published import read_published
from search_engine.config.language import TextDataConfig
from search_engine.config.trainings import read_training_config
from search_engine.data.named_text import named_text
from search_engine.data.own_text import keep_own_text, place_of_text
from search_engine.data.text_reading import read_text
from search_engine.data.texts import COMPARABLE
from search_engine.shared_presets import SHARED_PRESETS
from tests.web.test_own_data import answered, piece, post
from webapp.accounts.models import User
from webapp.accounts.sign_in import get_or_create_user
from webapp.searches import artifacts, event_log, lifecycle, start
from webapp.searches.datasets import checking, quarantine
from webapp.searches.datasets.local_copy import bring_data
from webapp.searches.models import OwnData, Training

pytestmark = pytest.mark.django_db
MINE = b"the cat sat\nthe <b>dog</b>\n" * 400
THREE = {f"ptb.{part}.txt": f"the {part} sat\nthe <unk> dog\n".encode() * 300 for part in ("test", "train", "valid")}
RECURRENT = read_published("enas-recurrent-paper").architecture.to_json()
TINY = {"layout": {"hidden": 8}, "recipe": {"epochs": 1, "batch_size": 8}}


@pytest.fixture(autouse=True)
def folders(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.QUARANTINE_DIR = tmp_path / "quarantine"
    settings.ARTIFACTS_DIR = tmp_path / "artifacts"
    settings.DATA_SETS_DIR = tmp_path / "data-sets"
    monkeypatch.setattr(checking, "start", lambda data_id: None)  # Tests check when they say so, in their own thread.
    start._counted.cache_clear()  # It remembers texts of folders that are gone.


@pytest.fixture
def stranger() -> Client:
    client = Client()
    client.force_login(get_or_create_user("somebody else"))
    return client


def checked(client: Client, files: dict[str, bytes] | None = None) -> dict[str, Any]:
    files = files or {"mine.txt": MINE}
    told = [{"filename": name, "size": len(content)} for name, content in files.items()]
    started = answered(post(client, "/api/data/texts", {"files": told}), 201)
    content = b"".join(files.values())
    half = len(content) // 2
    assert answered(piece(client, started["id"], 0, content[:half]), 200)["state"] == "arriving"
    assert answered(piece(client, started["id"], half, content[half:]), 200)["state"] == "checking"
    checking.check(OwnData.objects.get(pk=started["id"]).pk)
    found: dict[str, Any] = answered(client.get(f"/api/data/{started['id']}"), 200)
    return found


def used(client: Client, files: dict[str, bytes] | None = None, title: str = "My letters") -> dict[str, Any]:
    found = checked(client, files)
    kept: dict[str, Any] = answered(post(client, f"/api/data/{found['id']}/use", {"title": title}), 200)
    return kept


def training_on(kept: dict[str, Any], **data: Any) -> dict[str, Any]:
    named = {"name": kept["name"], "own": kept["sha256"], **data}
    return {"name": "enas-recurrent-paper", "config": TINY | {"data": named}}


def test_a_file_is_checked_used_and_trained_on(signed_in: Client, settings: Any, tmp_path: Path) -> None:
    found = checked(signed_in)
    assert (found["state"], found["kind"], found["title"]) == ("checked", "text", "mine")
    assert found["report"]["text"]["levels"]["words"]["tokens"] == [2240, 280, 280]
    kept = answered(post(signed_in, f"/api/data/{found['id']}/use", {"title": "My letters"}), 200)
    (tmp_path / "mine.txt").write_bytes(MINE)
    assert (kept["state"], kept["name"]) == ("ready", "own")
    assert kept["sha256"] == keep_own_text(tmp_path / "mine.txt", tmp_path)  # As the terminal names it.
    assert quarantine.all_ids() == []
    cost = answered(post(signed_in, "/api/trainings/estimate", training_on(kept)), 200)
    assert cost["errors"] == []
    reply = answered(post(signed_in, "/api/trainings", training_on(kept)), 201)
    training = Training.objects.get(pk=reply["id"])
    data = event_log.read(training.pk, 0, 1)[0]["data"]
    assert (data["vocabulary"], data["train_tokens"]) == (6, 2240)
    assert cost["parameters"] == {"low": training.parameters, "high": training.parameters}
    assert data["unigram_perplexity"]["valid"] == pytest.approx(
        found["report"]["text"]["levels"]["words"]["unigram"][0]
    )
    settings.DATA_SETS_DIR = tmp_path / "worker"
    bring_data(training.config)
    text = read_text(TextDataConfig.model_validate(training.config["data"]), tmp_path / "worker")
    assert len(text.train) == 2240


def test_three_files_keep_their_parts_in_whatever_order_they_come(signed_in: Client, settings: Any) -> None:
    kept = used(signed_in, THREE)
    bring_data({"data": {"name": "own", "own": kept["sha256"]}})
    text = read_text(TextDataConfig(name="own", own=kept["sha256"]), settings.DATA_SETS_DIR)
    assert "train" in text.vocabulary and "valid" not in text.vocabulary
    assert text.description.split == "the three files" and len(text.valid) == 2400
    assert artifacts.sweep(older_than_seconds=-1) == []
    page = signed_in.get(f"/data/{kept['id']}").content.decode()
    assert "ptb.test.txt, ptb.train.txt, ptb.valid.txt" in page and "the valid sat" in page


def test_whoever_else_asks_finds_nothing(signed_in: Client, stranger: Client) -> None:
    kept = used(signed_in)
    assert stranger.get(f"/api/data/{kept['id']}").status_code == 404
    assert stranger.get(f"/data/{kept['id']}").status_code == 404
    assert answered(stranger.get("/api/data"), 200)["own"] == []
    assert "My letters" not in stranger.get("/trainings/new?architecture=enas-recurrent-paper").content.decode()
    [error] = answered(post(stranger, "/api/trainings", training_on(kept)), 422)["errors"]
    assert error == {"field": "data.own", "message": "is a text that is not there, or is not yours."}
    theirs = used(stranger, title="Their letters")  # The same text: one in the store, two names.
    assert theirs["sha256"] == kept["sha256"]
    started = answered(post(stranger, "/api/trainings", training_on(theirs)), 201)
    page = stranger.get(started["url"]).content.decode()
    assert "Their letters" in page and "My letters" not in page


@pytest.mark.parametrize(
    ("files", "field", "sentence"),
    [
        ([], "files", "are 0; must be one, or three"),
        ([("a.txt", 9), ("b.txt", 9)], "files", "are 2; must be one, or three"),
        ([("train.txt", 9), ("dev.txt", 9), ("test.txt", 9)], "files", "have 0 names with the word valid"),
        ([("a.txt", 0)], "files", "is 0 bytes; must be between 1 and"),
        ([("a.txt", 10**12)], "files", "is 1,000,000,000,000 bytes; must be between 1 and"),
    ],
)
def test_what_cannot_be_sent_is_refused_before_the_first_byte(signed_in, files, field, sentence) -> None:
    told = [{"filename": name, "size": size} for name, size in files]
    [error] = answered(post(signed_in, "/api/data/texts", {"files": told}), 422)["errors"]
    assert error["field"] == field and sentence in error["message"]
    assert quarantine.all_ids() == [] and OwnData.objects.count() == 0


def test_what_is_no_text_is_refused_with_its_reason_and_leaves_nothing(signed_in: Client) -> None:
    found = checked(signed_in, {"mine.txt": b"caf\xe9 " * 5000})
    assert found["state"] == "refused"
    assert found["report"]["error"] == "mine.txt is not UTF-8 text: byte 3 cannot be read."
    assert quarantine.all_ids() == []
    assert "byte 3 cannot be read" in signed_in.get(f"/data/{found['id']}").content.decode()


def test_a_process_that_lies_about_a_text_is_not_believed(signed_in: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    true = checked(signed_in)["report"] | {"sha256": "../../../etc"}

    def run(row: OwnData) -> int:
        (quarantine.result_of(row.pk) / "report.json").write_text(json.dumps(true))
        return 0

    monkeypatch.setattr(checking, "_run", run)
    for sha256 in ("../../../etc", "0" * 64):
        true["sha256"] = sha256
        assert checked(signed_in)["report"] == {"error": checking.DIED}


def test_the_page_shows_first_lines_counts_and_what_must_be_beaten(signed_in: Client) -> None:
    found = checked(signed_in)
    page = signed_in.get(f"/data/{found['id']}").content.decode()
    perplexity = found["report"]["text"]["levels"]["words"]["unigram"][0]
    for said in ("2,240", "280", "&lt;b&gt;dog&lt;/b&gt;", "0.0%", f"{perplexity:.1f}", COMPARABLE.split("'")[0]):
        assert said in page, said
    used(signed_in)
    assert "My letters" in signed_in.get("/data").content.decode()


def test_forms_of_trainings_and_of_searches_on_text_offer_it(signed_in: Client) -> None:
    kept = used(signed_in)
    for address in ("/trainings/new?architecture=enas-recurrent-paper", "/searches/new?preset=enas-recurrent-demo"):
        page = signed_in.get(address).content.decode()
        assert "A text of yours" in page and f'value="{kept["sha256"]}"' in page and "My letters" in page, address
    assert kept["sha256"] not in signed_in.get("/trainings/new?architecture=nasnet-a").content.decode()


def test_a_form_without_own_texts_offers_none(signed_in: Client) -> None:
    assert "A text of yours" not in signed_in.get("/trainings/new?architecture=enas-recurrent-paper").content.decode()


@pytest.mark.parametrize(
    ("change", "field", "sentence"),
    [
        ({"held_out_share": 0.0001}, "data.held_out_share", "is 0.0001; a held-out part has 0 tokens then."),
        ({"own": "a" * 64}, "data.own", "is a text that is not there, or is not yours."),
    ],
)
def test_a_mistake_is_told_at_its_field(signed_in: Client, change: Any, field: str, sentence: str) -> None:
    body = training_on(used(signed_in), **change)
    for address, status in (("/api/trainings/estimate", 200), ("/api/trainings", 422)):
        [error] = answered(post(signed_in, address, body), status)["errors"]
        assert error == {"field": field, "message": sentence}


def test_a_batch_larger_than_the_text_is_told_at_its_field(signed_in: Client) -> None:
    body = training_on(used(signed_in))
    body["config"]["recipe"] = {"batch_size": 2000}
    [error] = answered(post(signed_in, "/api/trainings/estimate", body), 200)["errors"]
    assert error["field"] == "recipe.batch_size" and "has 2,240 tokens" in error["message"]


def test_a_text_without_spaces_is_read_by_characters_alone(signed_in: Client) -> None:
    kept = used(signed_in, {"mine.txt": "語文".encode() * 10_000})
    [error] = answered(post(signed_in, "/api/trainings", training_on(kept)), 422)["errors"]
    assert error == {"field": "data.level", "message": "is words; this text has too few words."}
    answered(post(signed_in, "/api/trainings", training_on(kept, level="characters")), 201)


def test_recurrent_searches_start_on_it(signed_in: Client) -> None:
    kept = used(signed_in)
    config = next(each.config for each in SHARED_PRESETS if each.name == "enas-recurrent-demo").model_dump(mode="json")
    config["data"] |= {"name": "own", "own": kept["sha256"]}
    errors = answered(post(signed_in, "/api/searches/estimate", {"config": config}), 200)["errors"]
    assert all(error["field"] in ("phases.score_batch", "shared.batch_size") for error in errors)
    config["phases"]["score_batch"] = config["shared"]["batch_size"] = 8
    started = answered(post(signed_in, "/api/searches", {"config": config}), 201)
    [error] = answered(signed_in.delete(f"/api/data/{kept['id']}"), 409)["errors"]
    assert error["message"] == "1 running or paused search or training use it."
    assert "My letters" in signed_in.get(started["url"]).content.decode()


def test_a_deleted_text_is_gone_from_store_and_machine_and_its_trainings_still_name_it(
    signed_in: Client, settings: Any
) -> None:
    kept = used(signed_in)
    started = answered(post(signed_in, "/api/trainings", training_on(kept)), 201)
    assert place_of_text(kept["sha256"], settings.DATA_SETS_DIR).is_dir()
    lifecycle.stop(Training.objects.get(pk=started["id"]).pk)
    assert signed_in.delete(f"/api/data/{kept['id']}").status_code == 200
    assert not place_of_text(kept["sha256"], settings.DATA_SETS_DIR).exists()
    assert len(artifacts.sweep(older_than_seconds=-1)) == 1
    assert "the cat sat" not in str(list(OwnData.objects.values_list("report", "description")))
    assert "My letters" in signed_in.get(started["url"]).content.decode()
    assert "A text of yours" not in signed_in.get("/trainings/new?architecture=enas-recurrent-paper").content.decode()
    with pytest.raises(artifacts.ArtifactMissing):
        bring_data({"data": {"name": "own", "own": kept["sha256"]}})


def test_nothing_stands_beside_published_figures(signed_in: Client) -> None:
    """The page of a published cell prints figures on the Penn Treebank; trainings stand on pages of their own."""
    kept = used(signed_in)
    started = answered(post(signed_in, "/api/trainings", training_on(kept)), 201)
    for address in (started["url"], f"/data/{kept['id']}", "/trainings/new?architecture=enas-recurrent-paper"):
        page = signed_in.get(address).content.decode().replace(COMPARABLE.replace("'", "&#x27;"), "")
        assert "Penn Treebank" not in page, address
    assert kept["sha256"] not in signed_in.get("/architectures/enas-recurrent-paper").content.decode()


def test_the_line_for_the_terminal_names_the_text_by_its_digest(signed_in: Client, settings: Any) -> None:
    kept = used(signed_in)
    started = answered(post(signed_in, "/api/trainings", training_on(kept)), 201)
    settings.DATA_FOLDER = Path("/elsewhere")
    line = f"--data {kept['sha256']} --data-folder &quot;$CELLWRIGHT_DATA&quot;/data-sets"
    assert line in signed_in.get(started["url"]).content.decode()
    assert named_text(kept["sha256"], settings.DATA_SETS_DIR) == {"name": "own", "own": kept["sha256"]}


def test_a_text_that_went_while_something_is_started_is_told(signed_in: Client, owner: User) -> None:
    kept = used(signed_in)
    config = read_training_config(training_on(kept)["config"] | {"architecture": RECURRENT})
    start.training_figures(config)  # It was counted, and the figures are remembered.
    assert signed_in.delete(f"/api/data/{kept['id']}").status_code == 200
    with pytest.raises(artifacts.ArtifactMissing):
        start.training_figures(config)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", ["/api/trainings", "/api/searches"])
def test_a_text_is_read_before_a_start_takes_the_lock_of_the_database(
    signed_in: Client, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    body = training_on(used(signed_in))
    if path == "/api/searches":
        config = next(each.config for each in SHARED_PRESETS if each.name == "enas-recurrent-demo")
        changed = config.model_dump(mode="json")
        changed["data"], changed["phases"]["score_batch"] = body["config"]["data"], 8
        changed["shared"]["batch_size"] = 8
        body = {"config": changed}
    locked = []

    def read(*arguments: Any) -> Any:
        locked.append(connection.in_atomic_block)
        return read_text(*arguments)

    monkeypatch.setattr(start, "read_text", read)
    headers = {"Idempotency-Key": "one"}
    answer = signed_in.post(path, json.dumps(body), content_type="application/json", headers=headers)
    assert answer.status_code == 201 and locked == [False], answer.content
