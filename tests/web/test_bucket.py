"""Artifacts in a bucket, on a real S3 server: the same as in a folder, from hosts that have no folder in common."""

import hashlib
import io
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from botocore.exceptions import ClientError
from django.core.management import CommandError, call_command
from django.test import Client
from storages.backends.s3 import S3Storage

from search_engine.data.downloads import SOURCES, Source, fetch
from search_engine.data.own_text import name_of, place_of_text, read_own_text
from search_engine.errors import DataError
from tests.faults.fake_engine import DATA, DECISIONS, small_config
from tests.faults.memory_trainer import MemoryTrainer
from tests.web import s3_server
from tests.web.slow_sizes import long
from webapp import ready
from webapp.accounts.models import User
from webapp.accounts.sign_in import get_or_create_user
from webapp.searches import artifacts, checker, lifecycle, mending, quotas, storage_pauses
from webapp.searches.datasets import local_copy
from webapp.searches.datasets.local_copy import bring_data
from webapp.searches.models import Artifact, Event, ImportedArchitecture, Search, Stream
from webapp.searches.pages.views import _evaluation
from webapp.searches.stores import bucket as bucket_file
from webapp.searches.stores import objects
from webapp.searches.stores.bucket import BucketStore
from webapp.searches.stores.host_cache import HostCache
from webapp.searches.workers import reconciler, worker

AWAY = "The artifact store does not answer."
OLD = -10.0  # Seconds: everything is older.


@pytest.fixture(scope="session")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with s3_server.running_server(tmp_path_factory.mktemp("s3")) as port:
        yield port


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody tries twice; the product does."""
    monkeypatch.setattr(objects, "PATIENT", objects.PATIENT | {"retries": {"total_max_attempts": 1}})
    monkeypatch.setattr(objects, "HASTY", objects.HASTY | {"read_timeout": 20})  # Many tests run at once.


@pytest.fixture
def cable(port: int) -> Iterator[s3_server.Cable]:
    cable = s3_server.Cable(port)
    yield cable
    cable.end()


@pytest.fixture
def bucket(cable: s3_server.Cable, settings: Any, tmp_path: Path) -> s3_server.Cable:
    """The installation's files lie in a prefix of the bucket of their own; the line to it."""
    settings.ARTIFACTS_BUCKET = s3_server.at(cable.port, tmp_path.name)
    settings.ARTIFACTS_DIR = tmp_path / "never made"
    settings.DATA_FOLDER = tmp_path / "data"
    on_host(settings, tmp_path / "here")
    return cable


def on_host(settings: Any, cache: Path) -> None:
    """Act as a host with this cache."""
    settings.CACHE_DIR = cache
    settings.DATA_SETS_DIR = cache / "data-sets"


def put(folder: Path, content: bytes = b"weights") -> str:
    path = folder / "given"
    path.write_bytes(content)
    return artifacts.put(path)


def overwrite(port: int, prefix: str, sha256: str, content: bytes) -> None:
    key = f"{prefix}/{sha256[:2]}/{sha256[2:]}"
    s3_server.client_of(port).put_object(Bucket=s3_server.BUCKET, Key=key, Body=content)


def keys(port: int, prefix: str) -> list[str]:
    found = s3_server.client_of(port).list_objects_v2(Bucket=s3_server.BUCKET, Prefix=f"{prefix}/")
    return [each["Key"].removeprefix(f"{prefix}/") for each in found.get("Contents", ())]


# --- Files -------------------------------------------------------------------------------------------------------


def test_a_file_is_found_by_its_content_from_every_host(bucket: Any, settings: Any, tmp_path: Path) -> None:
    sha256 = put(tmp_path)
    assert sha256 == hashlib.sha256(b"weights").hexdigest() and not (tmp_path / "given").exists()
    on_host(settings, tmp_path / "there")
    assert not list((tmp_path / "there").rglob(sha256[2:]))
    assert artifacts.is_there(sha256) and artifacts.size(sha256) == 7 and artifacts.is_whole(sha256)
    assert artifacts.local_path(sha256).read_bytes() == b"weights"
    with artifacts.opened(sha256) as file:
        assert file.read() == b"weights"
    assert not settings.ARTIFACTS_DIR.exists()


def test_who_put_a_file_reads_it_without_the_server(bucket: Any, tmp_path: Path) -> None:
    sha256 = put(tmp_path)
    bucket.cut()
    assert artifacts.is_whole(sha256) and artifacts.local_path(sha256).read_bytes() == b"weights"
    assert artifacts.size(sha256) == 7


@long
def test_a_file_that_travels_in_parts_arrives_whole(bucket: Any, settings: Any, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(objects, "LARGE", 5 << 20)  # The least that S3 allows.
    content = hashlib.shake_256(b"large").digest(11 << 20)
    sha256 = put(tmp_path, content)
    on_host(settings, tmp_path / "there")
    assert artifacts.local_path(sha256).read_bytes() == content


def test_a_file_that_is_not_there_is_missing(bucket: Any) -> None:
    for ask in (artifacts.size, artifacts.local_path, artifacts.is_whole, artifacts.is_stored_whole, artifacts.opened):
        with pytest.raises(artifacts.ArtifactMissing):
            ask("a" * 64)
        with pytest.raises(artifacts.ArtifactMissing, match="no SHA-256"):
            ask("../" + "a" * 61)
    assert not artifacts.is_there("a" * 64)


@pytest.mark.parametrize("content", [b"weightz", pytest.param(b"weigh", marks=long)])
def test_a_file_that_got_damaged_there_is_noticed_everywhere_and_mended_by_putting_it_again(
    bucket: Any, port: int, settings: Any, tmp_path: Path, content: bytes
) -> None:
    sha256 = put(tmp_path)
    overwrite(port, tmp_path.name, sha256, content)
    assert artifacts.is_whole(sha256)  # What this host has of it is.
    assert not artifacts.is_stored_whole(sha256)
    on_host(settings, tmp_path / "there")
    assert not artifacts.is_whole(sha256)
    with pytest.raises(artifacts.ArtifactMissing, match="damaged"):
        artifacts.local_path(sha256)
    put(tmp_path)
    assert artifacts.is_whole(sha256) and artifacts.is_stored_whole(sha256)


@long  # The cache's own tests have it.
def test_a_copy_that_got_damaged_here_is_fetched_again(bucket: Any, tmp_path: Path) -> None:
    sha256 = put(tmp_path)
    artifacts.local_path(sha256).write_bytes(b"weightz")
    assert artifacts.is_whole(sha256) and artifacts.local_path(sha256).read_bytes() == b"weights"


def test_a_file_that_is_put_while_somebody_removes_it_stays(bucket: Any, port: int, tmp_path: Path) -> None:
    """The note is there, the remover has seen an old file: whatever it does now, the file is there in the end."""
    sha256 = put(tmp_path)
    client, prefix = s3_server.client_of(port), tmp_path.name
    note = f"{prefix}/removing/{sha256}/somebody"
    client.put_object(Bucket=s3_server.BUCKET, Key=note, Body=b"")
    putting = threading.Thread(target=put, args=(tmp_path,))
    putting.start()
    putting.join(0.3)
    assert putting.is_alive()
    client.delete_object(Bucket=s3_server.BUCKET, Key=f"{prefix}/{sha256[:2]}/{sha256[2:]}")
    client.delete_object(Bucket=s3_server.BUCKET, Key=note)
    putting.join(10)
    assert not putting.is_alive() and artifacts.is_stored_whole(sha256)


@long
def test_a_note_of_somebody_who_died_holds_nobody_up(bucket: Any, port: int, tmp_path: Path, monkeypatch) -> None:
    sha256 = put(tmp_path)
    monkeypatch.setitem(bucket_file.NOTES_LAST, bucket_file.REMOVING, OLD)
    note = f"{tmp_path.name}/removing/{sha256}/somebody"
    s3_server.client_of(port).put_object(Bucket=s3_server.BUCKET, Key=note, Body=b"")
    assert put(tmp_path) == sha256
    assert keys(port, tmp_path.name) == [f"{sha256[:2]}/{sha256[2:]}"]


def test_parts_of_an_upload_that_was_cut_off_are_swept(bucket: Any, port: int, tmp_path: Path, db: None) -> None:
    client, where = s3_server.client_of(port), {"Bucket": s3_server.BUCKET}
    client.create_multipart_upload(**where, Key=f"{tmp_path.name}/ab/cd")
    artifacts.sweep()  # Somebody may still be at it.
    found = client.list_multipart_uploads(**where, Prefix=f"{tmp_path.name}/")
    assert len(found["Uploads"]) == 1
    artifacts.sweep(OLD)
    assert "Uploads" not in client.list_multipart_uploads(**where, Prefix=f"{tmp_path.name}/")


# --- What can go wrong with the server -----------------------------------------------------------------------------


def test_a_server_that_goes_in_the_middle_of_an_upload_leaves_nothing(bucket: Any, port: int, tmp_path: Path) -> None:
    content = hashlib.shake_256(b"much").digest(1 << 20)
    bucket.cut(after=300_000)
    with pytest.raises(artifacts.StoreAway) as refused:
        put(tmp_path, content)
    assert storage_pauses.sentence_of(refused.value) == AWAY
    assert keys(port, tmp_path.name) == []
    assert (tmp_path / "given").read_bytes() == content  # It can be put again.
    bucket.mend()
    assert artifacts.is_stored_whole(artifacts.put(tmp_path / "given"))


def test_a_server_that_goes_in_the_middle_of_a_download_leaves_nothing(
    bucket: Any, settings: Any, tmp_path: Path
) -> None:
    sha256 = put(tmp_path)
    on_host(settings, tmp_path / "there")
    bucket.cut()
    for ask in (artifacts.local_path, artifacts.is_whole, artifacts.is_there, artifacts.is_stored_whole):
        with pytest.raises(artifacts.StoreAway, match="does not answer"):
            ask(sha256)
    assert [path for path in (tmp_path / "there").rglob("*") if path.is_file() and path.stat().st_size] == []
    bucket.mend()
    assert artifacts.is_whole(sha256)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"secret": "another"}, "The artifact store refuses access to the bucket artifacts with these keys."),
        ({"name": "no-such-bucket"}, "The artifact store has no bucket no-such-bucket."),
    ],
)
def test_what_is_set_wrongly_is_told_in_a_sentence_and_is_no_missing_file(
    port: int, bucket: Any, settings: Any, tmp_path: Path, wrong: dict[str, str], sentence: str
) -> None:
    settings.ARTIFACTS_BUCKET = s3_server.at(port, tmp_path.name, **wrong)
    assert artifacts.trouble(writes=False) == sentence and not artifacts.is_reachable()
    assert artifacts.trouble(writes=True) is not None
    for ask in (artifacts.size, artifacts.local_path, lambda sha256: put(tmp_path)):
        with pytest.raises(artifacts.StoreAway) as refused:
            ask("a" * 64)  # Where writing is not allowed, this server does not say whether there is such a bucket.
        assert str(refused.value) in (
            sentence,
            sentence.replace("has no bucket", "refuses access to the bucket")[:-1] + " with these keys.",
        )


@long
@pytest.mark.parametrize(
    ("status", "code", "sentence"),
    [
        (404, "NoSuchBucket", "The artifact store has no bucket artifacts."),
        (503, "SlowDown", "The artifact store refuses a file (SlowDown)."),
        (507, "QuotaExceeded", "The artifact store refuses a file (QuotaExceeded)."),
    ],
)
def test_other_servers_refuse_in_other_ways(
    bucket: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, code: str, sentence: str
) -> None:
    def refuse(*_: Any) -> None:
        answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
        raise ClientError(answer, "PutObject")

    monkeypatch.setattr(S3Storage, "save", refuse)
    with pytest.raises(artifacts.StoreAway) as refused:
        put(tmp_path)
    assert str(refused.value) == sentence


@pytest.mark.django_db(transaction=True)
def test_what_an_administrator_asks_for_ends_with_a_sentence_while_the_server_is_away(
    bucket: Any, settings: Any, tmp_path: Path
) -> None:
    owner, backup = get_or_create_user("owner"), tmp_path / "backup.zip"
    ImportedArchitecture.objects.create(
        owner=owner, hash="h", bundle=put(tmp_path), architecture={}, text="", created=0.0
    )
    call_command("backup", str(backup), stdout=io.StringIO())
    on_host(settings, tmp_path / "there")
    bucket.cut()
    assert quotas.usage_of(owner).bytes == 0  # Pages say what is used as far as they know it.
    assert refusal("backup", str(tmp_path / "other.zip")) == f"{AWAY} No backup was written; try again later."
    assert not (tmp_path / "other.zip").exists()
    assert refusal("fsck") == f"{AWAY} Nothing can be said of the files; try again later."
    call_command("flush", verbosity=0, interactive=False)
    assert refusal("restore", str(backup)) == f"{AWAY} The database stays empty; restore again later."


def refusal(command: str, *file: str) -> str:
    with pytest.raises(CommandError) as refused:
        call_command(command, *file, stdout=io.StringIO())
    return str(refused.value)


@pytest.mark.django_db
def test_whoever_asks_whether_all_is_ready_is_told(bucket: Any, client: Client, monkeypatch) -> None:
    monkeypatch.setattr(ready, "FRESH_SECONDS", 0.0)
    assert client.get("/ready").content == b"database: ok\nbroker: unused\nartifacts: ok\n"
    bucket.cut()
    answer = client.get("/ready")
    assert (answer.status_code, answer.content) == (503, b"database: ok\nbroker: unused\nartifacts: away\n")


# --- Searches ------------------------------------------------------------------------------------------------------


@pytest.fixture
def search(bucket: Any, transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Search:
    monkeypatch.setattr(reconciler, "_trouble", -1e9)
    monkeypatch.setattr(reconciler, "ring_workers", lambda times: None)
    return lifecycle.create_search(
        get_or_create_user("owner"), small_config(children=4, step_size=2), decisions=DECISIONS, data=DATA
    )


def a_worker(folder: Path) -> worker.WorkingProcess:
    spool = folder / "spool" / "w"
    return worker.WorkingProcess(
        name="w:1", spool=spool, start_trainer=lambda threads: MemoryTrainer(spool, threads), is_stopping=lambda: False
    )


def state_of(search: Search) -> tuple[str, str]:
    return Stream.objects.values_list("state", "reason").get(pk=search.pk)


@long
def test_a_search_is_worked_on_by_two_hosts_and_is_sound(
    search: Search, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each in its turn does one job, and has nothing but its own cache."""
    claim, may_claim = worker.leases.claim, [True]

    def claim_one(*arguments: Any) -> Any:
        return claim(*arguments) if may_claim.pop() else None

    monkeypatch.setattr(worker.leases, "claim", claim_one)
    hosts = {name: a_worker(tmp_path / "of" / name) for name in ("one", "two")}
    for turn in range(40):
        name = ("one", "two")[turn % 2]
        on_host(settings, tmp_path / name)
        hosts[name]._speed = []
        may_claim[:] = [False, True]
        hosts[name].look()
    assert state_of(search) == ("finished", "")
    assert all(list((tmp_path / name).glob("??/*")) for name in hosts)
    on_host(settings, tmp_path / "third")
    assert checker.check(search) == [] and mending.findings() == []
    assert Artifact.objects.get(stream=search, label="Controller").size > 0


def test_a_server_that_is_away_pauses_a_search_with_the_reason_and_it_goes_on_by_itself(
    search: Search, bucket: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bucket.cut(after=2_000)
    a_worker(tmp_path).look()
    paused = ("paused", f"{AWAY} It goes on by itself when files can be written again.")
    assert state_of(search) == paused
    Event.objects.update(at=0.0)
    reconciler.look()
    assert state_of(search) == paused  # It is still away.
    with monkeypatch.context() as answering:
        answering.setattr(BucketStore, "trouble", lambda self, writes: "It takes nothing." if writes else None)
        reconciler.look()
    assert state_of(search) == paused  # It answered, and took no files.
    bucket.mend()
    reconciler.look()
    assert state_of(search) == ("running", "")
    a_worker(tmp_path).look()
    assert state_of(search) == ("finished", "") and checker.check(search) == []


@long
def test_a_worker_that_was_refused_asks_the_server_before_it_takes_a_job(
    search: Search, bucket: Any, tmp_path: Path
) -> None:
    bucket.cut()
    mine = a_worker(tmp_path)
    mine.look()
    lifecycle.resume(search.pk)  # A person does not want to wait.
    fences = list(search.jobs.values_list("fence", flat=True))
    mine.look()
    assert list(search.jobs.values_list("fence", flat=True)) == fences  # Nobody claimed anything.
    bucket.mend()
    mine.look()
    assert state_of(search) == ("finished", "")


@long
def test_what_no_row_names_is_swept_and_what_was_replaced_goes_when_it_is_old(
    search: Search, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_worker(tmp_path).look()
    unnamed = put(tmp_path, b"unnamed")
    assert artifacts.sweep() == [] and not artifacts.drop_replaced(unnamed)  # It is young.
    named = artifacts.files_of(search.pk)
    assert [place.name for place in artifacts.sweep(OLD) if place.name == unnamed[2:]]
    assert named and all(artifacts.is_stored_whole(sha256) for sha256 in named)
    monkeypatch.setattr(artifacts, "REPLACED_SECONDS", OLD)
    unnamed = put(tmp_path, b"replaced")
    assert artifacts.drop_replaced(unnamed) and not artifacts.is_there(unnamed)
    assert not artifacts.drop_replaced(next(iter(named)))
    assert not artifacts.drop_files_of(search.pk) or not any(map(artifacts.is_there, named))


@long
def test_replaced_files_of_a_server_that_is_away_undo_no_commit(bucket: Any, tmp_path: Path, db: None) -> None:
    sha256 = put(tmp_path)
    bucket.cut()
    assert not artifacts.drop_replaced(sha256)


def test_a_backup_holds_what_is_removed_while_it_is_written_and_comes_back_into_another_place(
    search: Search, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_worker(tmp_path).look()
    named, name_twice = artifacts.files_of(search.pk), artifacts.name_twice

    def name_and_sweep(folder: Path) -> list[str]:
        missing = name_twice(folder)
        unnamed = put(tmp_path, b"unnamed")
        assert artifacts.sweep(OLD) == [] and artifacts.is_there(unnamed)  # Nobody removes anything meanwhile.
        return missing

    monkeypatch.setattr(artifacts, "name_twice", name_and_sweep)
    out = io.StringIO()
    call_command("backup", str(tmp_path / "backup.zip"), stdout=out)
    with zipfile.ZipFile(tmp_path / "backup.zip") as archive:
        assert {name.removeprefix("files/") for name in archive.namelist() if name.startswith("files/")} == named
    assert artifacts.sweep(OLD)  # Now what no row names goes.
    call_command("flush", verbosity=0, interactive=False)
    settings.ARTIFACTS_BUCKET = s3_server.at(settings.ARTIFACTS_BUCKET.endpoint.rpartition(":")[2], "elsewhere")
    on_host(settings, tmp_path / "new")
    call_command("restore", str(tmp_path / "backup.zip"), stdout=out)
    assert checker.check(Search.objects.get(pk=search.pk)) == [] and mending.findings() == []
    assert list((tmp_path / "new" / "passing").iterdir()) == []


@long
def test_a_backup_that_was_killed_holds_nobody_up_once_its_host_has_looked(
    bucket: Any, port: int, tmp_path: Path, db: None
) -> None:
    put(tmp_path)
    with artifacts.passing_folder("backup") as folder:
        artifacts.name_twice(Path(folder))
        dead = Path(folder).with_name(f"backup-999999999@{Path(folder).name.split('@')[1]}")
        Path(folder).rename(dead)  # As if this were another process, which is no more.
        s3_server.client_of(port).put_object(
            Bucket=s3_server.BUCKET, Key=f"{tmp_path.name}/passing/{dead.name}", Body=b""
        )
        Path(folder).mkdir()
    assert artifacts.sweep(OLD) == []
    assert artifacts.remove_left_folders() == [dead]
    assert len(artifacts.sweep(OLD)) == 1


# --- Downloads, quotas and own data ----------------------------------------------------------------------------------


@long
def test_a_download_comes_through_the_hosts_cache_and_says_where_that_cannot_be(
    search: Search, bucket: Any, settings: Any, tmp_path: Path
) -> None:
    a_worker(tmp_path).look()
    on_host(settings, tmp_path / "web")
    row, client = Artifact.objects.get(stream=search, label="Controller"), Client()
    client.force_login(User.objects.get(name="owner"))
    bucket.cut()
    answer = client.get(f"/api/artifacts/{row.pk}")
    assert answer.status_code == 503
    assert answer.json() == {"errors": [{"field": "", "message": f"{AWAY} Try again later."}]}
    bucket.mend()
    for _ in range(2):
        assert hashlib.sha256(body_of(client.get(f"/api/artifacts/{row.pk}"))).hexdigest() == row.sha256
        bucket.cut()  # The second time nobody needs the server.


@async_to_sync
async def body_of(answer: Any) -> bytes:
    return b"".join([piece async for piece in answer.streaming_content])


@long
def test_an_own_text_is_linked_from_the_cache_in_its_parts(
    bucket: Any, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = [put(tmp_path, f"the cat sat in the {part} part\n".encode()) for part in ("train", "valid", "test")]
    text = name_of(parts)
    monkeypatch.setattr(local_copy, "files_of_text", lambda sha256: parts if sha256 == text else [])
    on_host(settings, tmp_path / "there")
    settings.MOST_CACHE_BYTES = 1
    for _ in range(2):
        local_copy.bring_data({"data": {"name": "own", "own": text}})
        assert [each[-11:] for each in read_own_text(text, settings.DATA_SETS_DIR)] == [
            "train part\n", "valid part\n", " test part\n",
        ]  # fmt: skip
        artifacts.let_go()
        HostCache(settings.CACHE_DIR, 1).make_room()  # It has to be fetched again.
    assert [path.name for path in place_of_text(text, settings.DATA_SETS_DIR).iterdir() if path.exists()] == []


def test_the_line_for_the_terminal_names_the_place_of_a_host(bucket: Any, settings: Any) -> None:
    data = {"name": f"own-{'a' * 64}"}
    assert _evaluation(data).endswith('--data-folder "$CELLWRIGHT_CACHE"/data-sets')
    settings.CACHE_DIR = settings.DATA_FOLDER / "cache"
    assert _evaluation(data).endswith('--data-folder "$CELLWRIGHT_DATA"/cache/data-sets')


def test_own_images_are_linked_from_the_cache_and_brought_again_when_they_are_evicted(
    bucket: Any, settings: Any, tmp_path: Path
) -> None:
    settings.MOST_CACHE_BYTES = 100
    content = b"not a set, but larger than the cache may be" * 10
    sha256 = put(tmp_path, content)
    config = {"data": {"name": f"own-{sha256}"}}
    on_host(settings, tmp_path / "there")
    link = settings.DATA_SETS_DIR / "own-images" / f"{sha256}.safetensors"
    for _ in range(2):
        bring_data(config)
        assert link.is_symlink() and link.read_bytes() == content
        cache = HostCache(settings.CACHE_DIR, 100)
        cache.make_room()
        assert link.exists()  # This process may still read it.
        artifacts.let_go()
        cache.make_room()
        assert not link.exists()


def test_a_known_set_is_downloaded_by_one_host_alone_and_evicted_like_others(
    bucket: Any, settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MOST_CACHE_BYTES = 100
    content = b"pictures, more of them than the cache may hold" * 10
    nowhere = Source("http://127.0.0.1:9/pictures.gz", "pictures.gz", hashlib.sha256(content).hexdigest())
    monkeypatch.setitem(SOURCES, "mnist", (nowhere,))
    with pytest.raises(DataError):
        fetch(SOURCES["mnist"], settings.DATA_SETS_DIR / "mnist")
    place = settings.DATA_SETS_DIR / "mnist/pictures.gz"
    place.write_bytes(content)  # As its trainer has downloaded it.
    bring_data({"data": {"name": "mnist"}})
    for host in ("here", "there"):
        on_host(settings, tmp_path / host)
        bring_data({"data": {"name": "mnist"}})
        fetch(SOURCES["mnist"], settings.DATA_SETS_DIR / "mnist")
        artifacts.let_go()
        HostCache(settings.CACHE_DIR, 100).make_room()
        assert not (settings.DATA_SETS_DIR / "mnist/pictures.gz").exists()
    bucket.cut()
    bring_data({"data": {"name": "mnist"}})  # Whoever has a line to the authors can go on.
