"""Each test breaks one thing behind everybody's back; fsck says so, and mends it where nothing has to be guessed."""

import io
import os
import socket
import subprocess
import time

import pytest
import torch
from django.core.management import CommandError, call_command
from safetensors.torch import save

from search_engine import checkpoints
from search_engine.export.bundle_file import KEPT, WEIGHTS, in_one_order, weights_metadata, zipped
from tests.faults import fake_engine
from tests.faults.steady_worker import work_off
from tests.web.test_deletion import new_search, new_training, stored
from webapp.searches import artifacts, checker, late_bundles, leases, live_state, mending
from webapp.searches.models import Artifact, Event, Job, Search, Snapshot, Stream, Training

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("store")]


@pytest.fixture
def begun(owner, tmp_path):
    """A search with one step told and the next one drawn."""
    search = new_search(owner)
    work_off(tmp_path, jobs=4)
    return search


def fsck(*arguments):
    """The lines that it prints, and its exit status as the shell sees it."""
    out = io.StringIO()
    try:
        call_command("fsck", *arguments, stdout=out)
    except CommandError as error:
        return out.getvalue().splitlines(), error.returncode
    return out.getvalue().splitlines(), 0


def mended(search):
    """What is said of mending, once all is sound behind it."""
    lines, status = fsck("--mend")
    assert status == 0, lines
    assert checker.check(search) == [] and mending.findings() == []
    return [line.removeprefix("Mended: ") for line in lines if line.startswith("Mended: ")]


def test_what_is_sound_is_said_to_be_sound_and_left_alone(begun):
    before = list(Event.objects.values_list("pk", flat=True)), stored()
    assert fsck() == (["All is sound: 1 searches and trainings, and their files."], 0)
    assert fsck("--mend")[1] == 0
    assert (list(Event.objects.values_list("pk", flat=True)), stored()) == before


def test_a_finding_is_one_sentence_and_the_status_is_one_and_nothing_is_changed(begun):
    Stream.objects.filter(pk=begun.pk).update(state="paused")
    lines, status = fsck()
    assert status == 1
    assert lines == [f"Search seed 1 ({begun.pk}): The log ends running (None), the row is paused ()."]
    assert Stream.objects.get().state == "paused"


def test_a_row_follows_its_log_again(begun):
    Stream.objects.filter(pk=begun.pk).update(state="stopped", ended=5.0, reason="Because.")
    (sentence,) = mended(begun)
    assert sentence.endswith("its row says running now, as its log does.")
    assert (Stream.objects.get().state, Stream.objects.get().ended) == ("running", None)


def test_a_wrong_snapshot_is_folded_anew_and_a_right_one_stays(begun):
    live_state.snapshot(Stream.objects.get())
    Job.objects.filter(kind="evaluate", step=1, slot=1).delete()
    assert not any("snapshot" in sentence for sentence in mended(begun))
    saved = Snapshot.objects.get()
    saved.state["done"] = 5
    saved.save()
    (sentence,) = mended(begun)
    assert "snapshot" in sentence and not Snapshot.objects.exists()


def test_work_without_a_job_gets_one_and_the_search_ends_as_if_nothing_had(begun, owner, tmp_path):
    Job.objects.filter(kind="evaluate", step=1, slot=1).delete()
    (sentence,) = mended(begun)
    assert sentence.endswith("what was due and nobody was to do has a job again: 1 of them.")
    work_off(tmp_path)
    straight = new_search(owner)
    work_off(tmp_path)
    prints = Search.objects.values_list("fingerprint", flat=True)
    assert len(prints) == 2 and len(set(prints)) == 1, straight


def test_a_lease_without_an_owner_is_taken_away(begun):
    claim = leases.claim("w", ("evaluate",))
    Job.objects.filter(pk=claim.job_id).update(lease_until=1.0)
    assert fsck()[0][0].endswith("The child 1.0 is held by w, whose lease ran out long ago.")
    mended(begun)
    assert Job.objects.get(pk=claim.job_id).state == "due"
    with pytest.raises(leases.LeaseLost):
        leases.holding(claim.job_id, claim.fence)


def test_jobs_of_what_has_ended_are_dropped(owner, tmp_path):
    search = new_search(owner)
    work_off(tmp_path)
    Job.objects.filter(kind="evaluate", step=1, slot=1).update(state="due")
    (sentence,) = mended(search)
    assert sentence.endswith("what was still to do was dropped, since it has ended: 1 of its jobs.")


def test_a_training_without_a_job_gets_its_own_back(owner, tmp_path):
    training = new_training(owner)
    Job.objects.all().delete()
    mended(training)
    assert work_off(tmp_path) == 1
    assert Stream.objects.get().state == "finished"


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(b"flipped")])
def test_a_lost_or_damaged_checkpoint_is_done_without(owner, tmp_path, damage):
    training = new_training(owner)
    draft = tmp_path / "checkpoint"
    draft.write_bytes(b"halfway")
    sha256 = artifacts.put(draft)
    Job.objects.update(checkpoint=sha256)
    assert mending.findings() == []
    damage(artifacts.local_path(sha256))
    (sentence, *_) = mended(training)
    assert sentence.endswith("training goes back a step, since its checkpoint is lost.")
    assert work_off(tmp_path) == 1


def test_the_checkpoint_before_a_lost_one_takes_its_place(owner, tmp_path):
    training = new_training(owner)
    places = []
    for content in (b"early", b"late"):
        (tmp_path / "draft").write_bytes(content)
        places.append(artifacts.put(tmp_path / "draft"))
    Job.objects.update(checkpoint=places[1], checkpoint_before=places[0])
    artifacts.local_path(places[1]).unlink()
    mended(training)
    assert (Job.objects.get().checkpoint, Job.objects.get().checkpoint_before) == (places[0], "")


def test_a_lost_bundle_is_made_anew_from_the_weights(owner, tmp_path):
    training = new_training(owner)
    work_off(tmp_path)
    Artifact.objects.create(
        stream=training, label="Bundle", sha256="ab" * 32, size=1, media_type="x", filename="x", created=1.0
    )
    (sentence,) = mended(training)
    assert sentence.endswith("its bundle is lost, and is made anew out of its weights.")
    assert list(Artifact.objects.values_list("label", flat=True)) == ["Weights"]
    assert late_bundles.bundle_state(Training.objects.get()) == "waiting"


@pytest.fixture
def bundled(owner, tmp_path):
    """A finished training whose weights and bundle are real files, though of a network of two numbers."""
    new_training(owner)
    work_off(tmp_path)
    tensors, metadata = {"a": torch.ones(2), "b": torch.zeros(3, dtype=torch.int64)}, {"kind": "network", "x": "\u00e9"}
    weights, bundle = tmp_path / "weights", tmp_path / "bundle"
    checkpoints.save(weights, tensors, metadata)
    noted = {KEPT: checkpoints.note_of(tensors, metadata), "hash": "h", "code_version": "c", "results": {}}
    noted["architecture"] = fake_engine.decode((0, 0, 0)).to_json()
    bundle.write_bytes(zipped({WEIGHTS: in_one_order(save(tensors, weights_metadata(noted)))}))
    Training.objects.update(checkpoint=artifacts.put(weights))
    row = Training.objects.get()
    artifacts.offer(row, "Weights", row.checkpoint, "weights.safetensors")
    artifacts.offer(row, "Bundle", artifacts.put(bundle), "bundle.zip", artifacts.ZIP)
    return row


DAMAGES = [lambda path: path.unlink(), lambda path: path.write_bytes(b"flipped")]


@pytest.mark.parametrize("damage", DAMAGES)
def test_lost_weights_come_back_out_of_the_bundle_byte_for_byte(bundled, damage):
    assert mending.findings() == []
    damage(artifacts.local_path(bundled.checkpoint))
    (sentence,) = mended(bundled)
    assert sentence.endswith("its weights were lost, and came back out of its bundle.")
    assert artifacts.is_whole(bundled.checkpoint)


def test_weights_and_bundle_that_are_both_lost_are_said_to_need_a_new_training(bundled):
    for row in Artifact.objects.all():
        artifacts.local_path(row.sha256).write_bytes(b"flipped")
    lines, status = fsck("--mend")
    assert status == 1 and "its bundle is damaged or gone as well" in "".join(lines)
    assert "they have to be trained again, and come out the same" in lines[-1]


def test_a_bundle_of_an_earlier_version_does_not_bring_weights_back_and_says_so(bundled, tmp_path):
    noted = {"hash": "h", "code_version": "c", "results": {}, "architecture": fake_engine.decode((0, 0, 0)).to_json()}
    (tmp_path / "old").write_bytes(zipped({WEIGHTS: in_one_order(save({"a": torch.ones(2)}, weights_metadata(noted)))}))
    artifacts.offer(bundled, "Bundle", artifacts.put(tmp_path / "old"), "bundle.zip", artifacts.ZIP)
    artifacts.local_path(bundled.checkpoint).unlink()
    assert "its bundle was made by an earlier version, and does not tell what the file said." in " ".join(fsck()[0])


def test_lost_files_of_a_search_that_has_ended_need_the_search_again(owner, tmp_path):
    search = new_search(owner)
    work_off(tmp_path)
    artifacts.local_path(Search.objects.get().strategy_state).unlink()
    lines, status = fsck("--mend")
    assert status == 1 and "the same search has to be started again, and comes to the same files" in lines[-1], search


def test_lost_weights_cannot_be_mended_and_the_status_says_so(owner, tmp_path):
    new_training(owner)
    work_off(tmp_path)
    weights = Training.objects.get().checkpoint
    artifacts.local_path(weights).unlink()
    lines, status = fsck("--mend")
    assert status == 1
    assert f"A row names a file that is not there: the store has no file {weights}." in lines[-2]
    assert "there is no bundle to take them from" in lines[-1]
    assert lines[-1].startswith("Still there: ") and Training.objects.get().checkpoint == weights


def test_a_missing_event_is_never_made_up(owner, tmp_path):
    search = new_search(owner)
    work_off(tmp_path)
    Event.objects.filter(stream_id=search.pk, number=4).delete()
    assert fsck("--mend")[1] == 1
    assert not Event.objects.filter(stream_id=search.pk, number=4).exists()


def test_an_old_file_that_no_row_names_is_found_and_a_young_one_is_not(begun, tmp_path):
    for content in (b"old", b"young"):
        (tmp_path / "draft").write_bytes(content)
        sha256 = artifacts.put(tmp_path / "draft")
        if content == b"old":
            os.utime(artifacts.local_path(sha256), (0, 0))
    (line,), status = fsck()
    assert line.endswith("is named by no row.") and status == 1
    assert len(mended(begun)) == 1
    assert artifacts.is_there(sha256)


def test_a_file_without_a_row_goes_at_once_when_it_is_older_than_a_minute(begun, tmp_path):
    (tmp_path / "draft").write_bytes(b"two minutes old")
    sha256 = artifacts.put(tmp_path / "draft")
    two_minutes_ago = time.time() - 2 * artifacts.MENDED_SECONDS
    os.utime(artifacts.local_path(sha256), (two_minutes_ago, two_minutes_ago))
    assert artifacts.forgotten() == []  # The reconciler's own sweep waits for a day.
    (line,), status = fsck()
    assert line.endswith("is named by no row.") and status == 1
    assert len(mended(begun)) == 1
    assert not artifacts.is_there(sha256)


def test_folders_that_killed_processes_left_are_found_and_removed_and_those_of_the_living_stay(
    begun, tmp_path, settings
):
    settings.DATA_FOLDER = tmp_path / "data"
    host, store, spools = socket.gethostname(), settings.ARTIFACTS_DIR, tmp_path / "data" / "spool"
    dead = subprocess.Popen(["true"])
    dead.wait()
    left = [store / f"backup-{dead.pid}@{host}-abc", store / f"restore-{dead.pid}@{host}-abc", store / "backup-old1"]
    left.append(spools / f"{host}:{dead.pid}")
    kept = [
        store / f"backup-{os.getpid()}@{host}-abc",
        store / f"backup-{dead.pid}@elsewhere-abc",
        store / "backup-new1",
    ]
    kept += [spools / f"{host}:{os.getpid()}", spools / f"elsewhere:{dead.pid}"]
    for folder in [*left, *kept]:
        folder.mkdir(parents=True)
        (folder / "file").write_bytes(b"half of it")
    os.utime(store / "backup-old1", (0, 0))
    lines, status = fsck()
    assert (len(lines), status) == (4, 1) and all("left by a process that is no more" in line for line in lines)
    assert len(mended(begun)) == 4
    assert not any(folder.exists() for folder in left) and all(folder.exists() for folder in kept)


def test_every_finding_of_a_search_under_way_is_looked_at_again_under_its_lock(begun, monkeypatch):
    looks = iter([["Something that was just changing."], []])
    monkeypatch.setattr(checker, "check", lambda stream: next(looks))
    assert mending.findings() == []
