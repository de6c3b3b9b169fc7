import errno
import hashlib
import os
import time

import pytest

from tests.faults import fake_engine
from webapp.accounts.models import User
from webapp.searches import artifacts, lifecycle
from webapp.searches.models import Artifact, Job, Search, Training

DAY = 24 * 3600


@pytest.fixture(autouse=True)
def store(settings, tmp_path):
    settings.ARTIFACTS_DIR = tmp_path / "store"
    return settings.ARTIFACTS_DIR


def a_file(folder, content=b"weights"):
    path = folder / "given"
    path.write_bytes(content)
    return path


def make_old(sha256):
    path = artifacts.local_path(sha256)
    os.utime(path, (time.time() - 2 * DAY,) * 2)
    return path


def test_a_file_is_found_by_its_content(tmp_path):
    given = a_file(tmp_path)
    sha256 = artifacts.put(given)
    assert sha256 == hashlib.sha256(b"weights").hexdigest()
    assert artifacts.local_path(sha256).read_bytes() == b"weights"
    assert artifacts.size(sha256) == 7
    assert not given.exists()


def test_the_same_content_is_one_file_and_leaves_no_draft(tmp_path, store):
    assert artifacts.put(a_file(tmp_path)) == artifacts.put(a_file(tmp_path))
    assert len(list(store.glob("??/*"))) == 1


def test_a_damaged_file_is_noticed_and_replaced_when_it_is_put_again(tmp_path):
    sha256 = artifacts.put(a_file(tmp_path))
    assert artifacts.is_whole(sha256)
    artifacts.local_path(sha256).write_bytes(b"weightz")
    assert not artifacts.is_whole(sha256)
    artifacts.put(a_file(tmp_path))
    assert artifacts.is_whole(sha256)


def test_a_file_is_handed_out_without_a_copy_where_that_can_be(tmp_path, monkeypatch):
    sha256, target = artifacts.put(a_file(tmp_path)), tmp_path / "data" / "set"
    for _ in range(2):
        artifacts.hand_to(sha256, target)
        assert target.samefile(artifacts.local_path(sha256))
    artifacts.local_path(sha256).unlink()
    assert target.read_bytes() == b"weights"  # It stays whatever the store does.
    with pytest.raises(artifacts.ArtifactMissing):
        artifacts.hand_to(sha256, target)

    def refuse(source, target):
        raise OSError(errno.EXDEV, "another file system")

    monkeypatch.setattr(artifacts.os, "link", refuse)
    artifacts.hand_to(artifacts.put(a_file(tmp_path)), target)
    assert target.read_bytes() == b"weights" and not target.samefile(artifacts.local_path(sha256))
    assert [path.name for path in target.parent.iterdir()] == ["set"]


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "A" * 64, "a" * 63, "a" * 64 + "\n", "a/" * 32])
def test_nothing_but_a_digest_names_a_file(name):
    with pytest.raises(artifacts.ArtifactMissing):
        artifacts.local_path(name)


def test_a_file_that_is_not_there_is_missing():
    with pytest.raises(artifacts.ArtifactMissing, match="no file a"):
        artifacts.size("a" * 64)


def test_a_crash_before_the_rename_leaves_only_a_draft_that_is_swept(tmp_path, store, monkeypatch, db):
    def crash(source, target):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken, pytest.raises(KeyboardInterrupt):
        broken.setattr(artifacts.os, "replace", crash)
        artifacts.put(a_file(tmp_path))
    (draft,) = store.glob("??/*")
    assert draft.name.startswith("draft-")
    assert artifacts.sweep() == []  # Somebody may still be at it.
    os.utime(draft, (0, 0))
    assert artifacts.sweep() == [draft]


@pytest.mark.django_db
def test_a_sweep_keeps_what_a_row_names_and_what_is_young(tmp_path):
    owner = User.objects.create(name="owner")
    search = lifecycle.create_search(
        owner, fake_engine.small_config(), decisions=fake_engine.DECISIONS, data=fake_engine.DATA
    )
    training = Training.objects.create(
        owner=owner, kind="training", created=0.0, code_version="1", config={}, hash="h", parameters=1, mult_adds=1
    )
    named = {name: artifacts.put(a_file(tmp_path, name.encode())) for name in ("job", "state", "weights", "offered")}
    Job.objects.update(checkpoint=named["job"])
    Search.objects.filter(pk=search.pk).update(strategy_state=named["state"])
    Training.objects.filter(pk=training.pk).update(checkpoint=named["weights"])
    Artifact.objects.create(
        stream_id=search.pk, label="x", sha256=named["offered"], size=1, media_type="x", filename="x", created=0.0
    )
    unnamed, young = (artifacts.put(a_file(tmp_path, name)) for name in (b"unnamed", b"young"))
    for sha256 in (*named.values(), unnamed):
        make_old(sha256)
    place = artifacts.local_path(unnamed)
    assert artifacts.sweep() == [place]
    for sha256 in (*named.values(), young):
        assert artifacts.is_whole(sha256)


@pytest.mark.django_db
def test_an_old_file_that_is_put_again_is_young(tmp_path):
    make_old(artifacts.put(a_file(tmp_path)))
    artifacts.put(a_file(tmp_path))
    assert artifacts.sweep() == []
