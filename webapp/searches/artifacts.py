"""Files by their content: put a file in and get its SHA-256, open it by that. Which ones are needed, rows say.

A file is in the store as a whole before anybody can name it. What no row names is removed by `sweep`, later than any
transaction that may still want to name it. Where the files lie is the business of `stores`: the setting decides.
"""

import contextlib
import functools
import logging
import os
import re
import shutil
import socket
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Literal

import psutil
from django.conf import settings
from django.db.models import QuerySet

from search_engine.data.downloads import SOURCES
from webapp.searches import clock
from webapp.searches.models import Artifact, Finalist, ImportedArchitecture, Job, OwnData, Search, Stream, Training
from webapp.searches.stores.folder import FolderStore
from webapp.searches.stores.store import ArtifactMissing as ArtifactMissing
from webapp.searches.stores.store import Store, digest_of
from webapp.searches.stores.store import StoreAway as StoreAway

DRAFT = "draft"  # In a passing folder: the path of a file elsewhere.
SAFETENSORS, ZIP = "application/octet-stream", "application/zip"
SWEEP_SECONDS = 24 * 3600.0  # How old a file without a row must be before it goes.

MENDED_SECONDS = 60.0  # How old it must be for a person who has files and rows mended.

REPLACED_SECONDS = (
    10.0  # How old a file must be to go at once when it was replaced: somebody may have just put it again.
)

_PASSING = re.compile(
    r"(?:backup|restore)-(?:(?P<pid>[0-9]+)@(?P<host>.+)-)?[^-]+"
)  # Earlier versions named no process.

log = logging.getLogger(__name__)


def put(path: Path) -> str:
    """Move this file into the store; its SHA-256. Putting the same content twice is one file."""
    sha256 = digest_of(path)
    _store().put(path, sha256)
    return sha256


def offer(stream: Stream, label: str, sha256: str, filename: str, media_type: str = SAFETENSORS) -> None:
    """Let the owner download this file; it takes the place of an earlier one of this label."""
    Artifact.objects.update_or_create(
        stream_id=stream.pk,
        label=label,
        defaults={
            "sha256": sha256,
            "size": size(sha256),
            "media_type": media_type,
            "filename": filename,
            "created": clock.now(),
        },
    )


def local_path(sha256: str) -> Path:
    """Where this host can read the file, until this process calls `let_go`. Raises ArtifactMissing."""
    return _store().path_of(sha256)


def opened(sha256: str) -> BinaryIO:
    """The file to be read, also where it is removed meanwhile. Raises ArtifactMissing."""
    return _store().opened(sha256)


def hand_to(sha256: str, target: Path) -> None:
    """Have the file under this path as well, until this process calls `let_go`; without a copy where that can be.
    Raises ArtifactMissing."""
    _store().hand_to(sha256, target)


def let_go() -> None:
    """This process no longer reads any path that it was told."""
    _store().let_go()


def is_there(sha256: str) -> bool:
    """Whether the store has the file."""
    return _store().is_there(sha256)


def size(sha256: str) -> int:
    """Bytes of the file. Raises ArtifactMissing."""
    return _store().size(sha256)


def is_whole(sha256: str) -> bool:
    """Whether what this host can read still is what its name says; reads all of it. Raises ArtifactMissing."""
    return _store().is_whole(sha256)


def is_stored_whole(sha256: str) -> bool:
    """The same of what the store itself has, whatever this host has of it. Raises ArtifactMissing."""
    return _store().is_stored_whole(sha256)


def trouble(*, writes: bool) -> str | None:
    """Why the store takes no files, a sentence, as far as no folder tells. writes: a small one is put to see it."""
    return _store().trouble(writes=writes)


def is_reachable() -> bool:
    """Whether the store can be used, as far as can be told without writing."""
    return _store().is_reachable()


def shared_folders() -> list[Path]:
    """Folders that all hosts have in common, which must take files before anybody can put one."""
    return _store().shared_folders()


def written_folders() -> list[Path]:
    """Those, and the folders of this host of which the same is true."""
    return [*_store().shared_folders(), *_store().own_folders()]


def sweep(older_than_seconds: float = SWEEP_SECONDS) -> list[Path]:
    """Remove files that no row names, and drafts, when they are older than this; what was removed.

    The time must be longer than any worker takes from putting a file to naming it in a row.
    """
    _store().tidy(older_than_seconds)
    return [place for place in forgotten(older_than_seconds) if _store().remove(place, older_than_seconds)]


def forgotten(older_than_seconds: float = SWEEP_SECONDS) -> list[Path]:
    """What a sweep would remove now."""
    named = _named_by_rows() | _files_of_known_data()
    places = _store().older_than(older_than_seconds)
    return [place for place in places if place.parent.name + place.name not in named]


@contextlib.contextmanager
def passing_folder(kind: Literal["backup", "restore"]) -> Iterator[str]:
    """A folder for as long as this process needs it; that of one that is killed is found by its name."""
    place, prefix = _store().folder_for_passing(), f"{kind}-{os.getpid()}@{socket.gethostname()}-"
    with tempfile.TemporaryDirectory(prefix=prefix, dir=place) as folder:
        try:
            yield folder
        finally:
            if kind == "backup":
                _store().end_passing(Path(folder))


def note_draft(folder: Path, draft: Path) -> None:
    """Have this file, which is about to be made outside the store, removed together with a folder that is left."""
    (folder / DRAFT).write_bytes(os.fsencode(draft))


def _remove_draft_of(folder: Path) -> None:
    with contextlib.suppress(OSError):  # There is no note, or the place is one that is not reached from here.
        Path(os.fsdecode((folder / DRAFT).read_bytes())).unlink()


def left_folders() -> list[Path]:
    """Such folders of processes of this host that were killed, and any that are older than a sweep needs."""
    return [path for path in sorted(_store().folder_for_passing().glob("*-*")) if path.is_dir() and _is_left(path)]


def remove_left_folders() -> list[Path]:
    """What was removed."""
    removed = left_folders()
    for folder in removed:
        _remove_draft_of(folder)
        _store().end_passing(folder)
        shutil.rmtree(folder, ignore_errors=True)
    return removed


def _is_left(folder: Path) -> bool:
    named = _PASSING.fullmatch(folder.name)
    if named is None:
        return False
    if named["host"] == socket.gethostname():
        return not psutil.pid_exists(int(named["pid"]))
    return folder.stat().st_mtime < time.time() - SWEEP_SECONDS


def drop_replaced(sha256: str) -> bool:
    """Remove a file that another took the place of, unless a row names it or it is young; whether it went.

    Checkpoints of shared weights are large and many: they cannot wait for the sweep, which removes what stays here.
    It comes behind the commit that replaced the file, so a store that is away just then must not undo anything.
    """
    store = _store()
    try:
        if not store.is_older(store.place_of(sha256), REPLACED_SECONDS) or sha256 in _named_by_rows():
            return False
        return store.remove(store.place_of(sha256), REPLACED_SECONDS)
    except StoreAway as away:
        log.warning("The file %s stays until the next sweep: %s", sha256, away)
        return False


def files_of(stream_id: uuid.UUID) -> set[str]:
    """SHA-256 of every file that rows of this stream name."""
    return {
        sha256
        for rows, field, stream in _named_by_streams()
        for sha256 in rows.filter(**{stream: stream_id}).exclude(**{field: ""}).values_list(field, flat=True)
    }


def own_files_of(stream_id: uuid.UUID) -> set[str]:
    """Those of them that no row of anything else names."""
    return files_of(stream_id) - _named_by_rows(besides=stream_id)


def drop_files_of(stream_id: uuid.UUID) -> bool:
    """Remove the files that are this stream's own; whether all are gone. A young one stays until a later call."""
    store, is_empty = _store(), True
    for sha256 in sorted(own_files_of(stream_id)):
        if not store.remove(store.place_of(sha256), REPLACED_SECONDS) and store.is_there(sha256):
            is_empty = False
    return is_empty


def name_twice(folder: Path) -> list[str]:
    """Give every file that a row names a second name in this passing folder, under which it can be read although it is
    removed; the SHA-256 of those that are not there."""
    return _store().name_twice(folder, sorted(_named_by_rows() - {""}))


def named_twice(path: Path) -> BinaryIO:
    """The content of a file under its second name, to be read. Raises ArtifactMissing."""
    return _store().named_twice(path)


def files_of_data() -> set[str]:
    """What the images and texts that can be used consist of, without their previews."""
    images = OwnData.objects.filter(kind=OwnData.Kind.IMAGES, state=OwnData.State.READY)
    return {*images.values_list("sha256", flat=True), *_files_of_texts()}


def _named_by_streams() -> tuple[tuple[QuerySet[Any], str, str], ...]:
    """Where rows of a stream name files: the rows, their field, and how they know their stream."""
    return (
        (Artifact.objects.all(), "sha256", "stream_id"),
        (Job.objects.all(), "checkpoint", "stream_id"),
        (Job.objects.all(), "checkpoint_before", "stream_id"),
        (Search.objects.all(), "strategy_state", "pk"),
        (Search.objects.all(), "weights", "pk"),
        (Search.objects.all(), "strategy_before", "pk"),
        (Search.objects.all(), "weights_before", "pk"),
        (Training.objects.all(), "checkpoint", "pk"),
        (Finalist.objects.all(), "checkpoint", "search_id"),
    )


def _named_by_rows(besides: uuid.UUID | None = None) -> set[str]:
    """Every file that a row names. besides: a stream whose rows do not count."""
    named = {
        *OwnData.objects.filter(state=OwnData.State.READY).values_list("sha256", flat=True),
        *OwnData.objects.filter(state=OwnData.State.READY).values_list("preview", flat=True),
        *_files_of_texts(),
        *ImportedArchitecture.objects.exclude(bundle="").values_list("bundle", flat=True),
    }
    for rows, field, stream in _named_by_streams():
        counted = rows if besides is None else rows.exclude(**{stream: besides})
        named |= set(counted.exclude(**{field: ""}).values_list(field, flat=True))
    return named


def _files_of_texts() -> set[str]:
    """What the texts that can be used consist of."""
    rows = OwnData.objects.filter(kind=OwnData.Kind.TEXT, state=OwnData.State.READY)
    return {file["sha256"] for files in rows.values_list("files", flat=True) for file in files}


def _files_of_known_data() -> set[str]:
    """What data sets that the program knows are downloaded as; see datasets.shared_downloads."""
    return {source.sha256 for sources in SOURCES.values() for source in sources}


def _root() -> Path:
    return Path(settings.ARTIFACTS_DIR)


def _store() -> Store:
    if settings.ARTIFACTS_BUCKET is None:
        return FolderStore(_root(), lambda: time.time())
    return _bucket_store(settings.ARTIFACTS_BUCKET, Path(settings.CACHE_DIR), settings.MOST_CACHE_BYTES)


@functools.cache
def _bucket_store(bucket: Any, cache: Path, most_bytes: int) -> Store:
    """Once in each process. What it takes is imported by those alone who need it."""
    from webapp.searches.stores.bucket import BucketStore
    from webapp.searches.stores.host_cache import HostCache

    return BucketStore(_objects(bucket), HostCache(cache, most_bytes))


@functools.cache
def _objects(bucket: Any) -> Any:
    from webapp.searches.stores.objects import Objects

    return Objects(bucket)
