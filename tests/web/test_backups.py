"""A backup holds one moment of everything, and a restored installation goes on as if nothing had happened."""

import io
import json
import os
import signal
import subprocess
import sys
import threading
import zipfile

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import connections

from tests.faults.steady_worker import work_off
from tests.web.test_deletion import new_search, new_training, stored
from webapp.accounts.models import ApiToken, User
from webapp.searches import artifacts, backups, checker, leases, mending
from webapp.searches.models import Artifact, Event, Job, OwnData, Search, Stream, Worker

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def owner(settings, tmp_path):
    settings.ARTIFACTS_DIR = tmp_path / "store"
    settings.DATA_FOLDER = tmp_path / "data"
    return User.objects.create(name="owner")


def rows():
    """Every row that a backup holds, as values."""
    return {
        (model._meta.label, str(row["pk"])): row
        for app in backups.APPS
        for model in apps.get_app_config(app).get_models()
        if model is not Worker
        for row in model._base_manager.values("pk", *(field.attname for field in model._meta.concrete_fields))
    }


def lose_everything(settings, tmp_path):
    """A new machine: an empty database and an empty store."""
    call_command("flush", verbosity=0, interactive=False)
    settings.ARTIFACTS_DIR = tmp_path / "new store"
    settings.DATA_FOLDER = tmp_path / "new data"


def refusal(file):
    with pytest.raises(CommandError) as refused:
        call_command("restore", str(file), stdout=io.StringIO())
    return str(refused.value)


def test_everything_comes_back_and_the_search_ends_with_the_same_fingerprint(owner, settings, tmp_path):
    ApiToken.objects.create(user=owner, name="t", sha256="d" * 64)
    search = new_search(owner)
    new_training(owner)
    work_off(tmp_path / "work", jobs=4)
    before, named = rows(), artifacts.files_of(search.pk)
    call_command("backup", str(tmp_path / "backup.zip"), stdout=io.StringIO())
    work_off(tmp_path / "work")
    undisturbed = Search.objects.get().fingerprint
    log = list(Event.objects.order_by("stream_id", "number").values_list("stream_id", "number", "kind", "payload"))
    lose_everything(settings, tmp_path)

    told = io.StringIO()
    call_command("restore", str(tmp_path / "backup.zip"), stdout=told)
    assert told.getvalue().startswith(f"{len(before)} rows and ")
    assert rows() == before
    assert named and stored() >= named and mending.findings() == []
    work_off(tmp_path / "more")
    assert Search.objects.get().fingerprint == undisturbed
    again = Event.objects.order_by("stream_id", "number").values_list("stream_id", "number", "kind", "payload")
    assert [each[:3] for each in again] == [each[:3] for each in log]
    assert [checker.check(stream) for stream in Stream.objects.all()] == [[], []]


def test_what_happens_during_a_backup_is_not_in_it_and_waits_for_nothing(owner, settings, tmp_path, monkeypatch):
    search = new_search(owner)
    work_off(tmp_path / "work", jobs=4)
    before = rows()
    name_twice = artifacts.name_twice

    def meanwhile():
        work_off(tmp_path / "elsewhere")
        artifacts.sweep(older_than_seconds=-1)  # Files that the backup needs are replaced, and go.
        connections.close_all()

    def go_on(folder):
        missing = name_twice(folder)
        other = threading.Thread(target=meanwhile)
        other.start()
        other.join(timeout=60)
        assert not other.is_alive()
        return missing

    monkeypatch.setattr(artifacts, "name_twice", go_on)
    written = backups.write(tmp_path / "backup.zip")
    assert Stream.objects.get().state == "finished" and written.missing == []
    undisturbed = Search.objects.get().fingerprint
    lose_everything(settings, tmp_path)
    backups.restore(tmp_path / "backup.zip")
    assert rows() == before and checker.check(search) == []
    work_off(tmp_path / "more")
    assert Search.objects.get().fingerprint == undisturbed


def test_leases_are_over_and_their_jobs_go_on_from_their_checkpoints(owner, settings, tmp_path):
    new_training(owner)
    (tmp_path / "draft").write_bytes(b"halfway")
    checkpoint = artifacts.put(tmp_path / "draft")
    Job.objects.update(checkpoint=checkpoint)
    claim = leases.claim("w", ("train",))
    Worker.objects.create(name="w", host="h", device="cpu", seen=1.0)
    backups.write(tmp_path / "backup.zip")
    lose_everything(settings, tmp_path)
    backups.restore(tmp_path / "backup.zip")
    job = Job.objects.get()
    assert (job.state, job.checkpoint, job.attempts) == ("due", checkpoint, 0)
    assert job.fence > claim.fence and artifacts.is_whole(checkpoint)
    assert not Worker.objects.exists()


KILLED = """
import os, signal, sys
from pathlib import Path
import django
django.setup()
from webapp.searches import artifacts, backups
artifacts.name_twice = lambda folder: os.kill(os.getpid(), signal.SIGKILL)
backups.write(Path(sys.argv[1]))
"""


def test_a_killed_backups_draft_beside_its_target_goes_with_what_it_left_in_the_store(owner, settings, tmp_path):
    places = tmp_path / "backups"
    places.mkdir()
    (places / ".backup.zip-of-mine").touch()
    killed = subprocess.run(
        [sys.executable, "-c", KILLED, "backup.zip"], cwd=places, check=False,
        env=os.environ | {
            "CELLWRIGHT_DATA": str(tmp_path), "DJANGO_SETTINGS_MODULE": "webapp.settings",
            "PYTHONPATH": str(settings.HOME),
        },
    )  # fmt: skip
    assert killed.returncode == -signal.SIGKILL and len(list(places.iterdir())) == 2
    settings.ARTIFACTS_DIR = next(tmp_path.glob("**/backup-*")).parent
    assert len(mending.findings()) == 1 and len(mending.mend()) == 1
    assert [path.name for path in places.iterdir()] == [".backup.zip-of-mine"]
    assert mending.findings() == []


def test_the_draft_of_a_backup_that_is_being_written_stays(owner, tmp_path, monkeypatch):
    removed = []
    monkeypatch.setattr(artifacts, "name_twice", lambda folder: removed.extend(artifacts.remove_left_folders()) or [])
    backups.write(tmp_path / "backup.zip")
    assert removed == [] and zipfile.is_zipfile(tmp_path / "backup.zip")


def test_an_upload_that_is_under_way_is_left_out(owner, settings, tmp_path):
    OwnData.objects.create(owner=owner, title="t", filename="f", size=1, created=1.0, touched=1.0)
    backups.write(tmp_path / "backup.zip")
    lose_everything(settings, tmp_path)
    backups.restore(tmp_path / "backup.zip")
    assert User.objects.get().name == "owner" and not OwnData.objects.exists()


def test_a_missing_and_a_damaged_file_are_named_and_the_rest_is_saved(owner, settings, tmp_path):
    training = new_training(owner)
    work_off(tmp_path / "work")
    for label in ("gone", "flipped"):
        (tmp_path / "draft").write_bytes(label.encode())
        artifacts.offer(training, label, artifacts.put(tmp_path / "draft"), label)
    gone, flipped = (Artifact.objects.get(label=label).sha256 for label in ("gone", "flipped"))
    artifacts.local_path(gone).unlink()
    artifacts.local_path(flipped).write_bytes(b"floppy")
    told = io.StringIO()
    with pytest.raises(CommandError, match="2 files are named by rows") as complaint:
        call_command("backup", str(tmp_path / "backup.zip"), stdout=told)
    assert gone in str(complaint.value) and flipped in str(complaint.value)
    lose_everything(settings, tmp_path)
    told = io.StringIO()
    call_command("restore", str(tmp_path / "backup.zip"), stdout=told)
    assert "2 files were not in the backup" in told.getvalue()
    assert len(stored()) == 1 and Stream.objects.get().state == "finished"


def test_a_backup_is_there_whole_or_not_at_all_and_for_its_owner_alone(owner, tmp_path, monkeypatch):
    new_search(owner)
    target = tmp_path / "backup.zip"
    backups.write(target)
    assert target.stat().st_mode & 0o777 == 0o600
    first = target.read_bytes()

    def full(archive):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backups, "_write_rows", full)
    with pytest.raises(CommandError, match="could not be written .*: No space left on device"):
        call_command("backup", str(target), stdout=io.StringIO())
    assert target.read_bytes() == first
    assert [path.name for path in tmp_path.iterdir() if "backup" in path.name] == ["backup.zip"]
    assert list((tmp_path / "store").glob("backup-*")) == []
    new_search(owner)  # The moment that was held is let go: one can write.


def altered(source, target, name, change):
    """The backup with one entry changed."""
    with zipfile.ZipFile(source) as before, zipfile.ZipFile(target, "w") as after:
        for entry in before.namelist():
            content = before.read(entry)
            after.writestr(entry, change(content) if entry.startswith(name) else content)
    return target


def with_manifest(**values):
    return lambda content: json.dumps(json.loads(content) | values).encode()


@pytest.mark.parametrize(
    ("name", "change", "sentence"),
    [
        ("rows", lambda content: content.replace(b"running", b"stopped"), "The rows in the backup are damaged"),
        ("files/", lambda content: b"x" + content[1:], "in the backup is damaged"),
        ("manifest", with_manifest(format=2), "has format 2; this version reads 1"),
        ("manifest", with_manifest(migrations=[], code_version="0.0"), "made by version 0.0, whose database"),
        ("manifest", with_manifest(files=["../../etc"]), "is no backup that can be read"),
        ("manifest", lambda content: b"{}", "is no backup that can be read"),
    ],
)
def test_what_is_damaged_or_of_another_version_is_refused(owner, settings, tmp_path, name, change, sentence):
    new_search(owner)
    work_off(tmp_path / "work", jobs=1)
    backups.write(tmp_path / "backup.zip")
    lose_everything(settings, tmp_path)
    assert sentence in refusal(altered(tmp_path / "backup.zip", tmp_path / "altered.zip", name, change))
    assert not Stream.objects.exists() and not User.objects.exists()


def test_what_is_no_zip_or_not_there_is_refused(owner, settings, tmp_path):
    lose_everything(settings, tmp_path)
    (tmp_path / "text").write_text("no backup")
    assert "is no backup that can be read" in refusal(tmp_path / "text")
    assert "is no backup that can be read" in refusal(tmp_path / "nowhere")


def test_nothing_that_is_there_is_ever_overwritten(owner, settings, tmp_path):
    search = new_search(owner)
    backups.write(tmp_path / "backup.zip")
    before = rows()
    assert "into an empty database, and this one has users and " in refusal(tmp_path / "backup.zip")
    assert rows() == before and checker.check(search) == []
