"""Files by their content: put a file in and get its SHA-256, open it by that. A folder today.

A file is whole on the disk before anybody can name it: temporary name, fsync, rename, fsync of the folder. What no row
names is removed by `sweep`, later than any transaction that may still want to name it.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import socket
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import psutil
from django.conf import settings
from django.db.models import QuerySet

from search_engine import storage
from webapp.searches import clock
from webapp.searches.models import Artifact, Finalist, ImportedArchitecture, Job, OwnData, Search, Stream, Training

DRAFT = "draft"  # In a passing folder: the path of a file elsewhere.
SAFETENSORS, ZIP = "application/octet-stream", "application/zip"
SWEEP_SECONDS = 24 * 3600.0  # How old a file without a row must be before it goes.

MENDED_SECONDS = 60.0  # How old it must be for a person who has files and rows mended.

REPLACED_SECONDS = (
    10.0  # How old a file must be to go at once when it was replaced: somebody may have just put it again.
)

_SHA256 = re.compile(r"[0-9a-f]{64}")
_PASSING = re.compile(
    r"(?:backup|restore)-(?:(?P<pid>[0-9]+)@(?P<host>.+)-)?[^-]+"
)  # Earlier versions named no process.


class ArtifactMissing(Exception):
    """The store has no such file."""


def put(path: Path) -> str:
    """Move this file into the store; its SHA-256. Putting the same content twice is one file."""
    sha256 = _digest(path)
    target = _place(sha256)
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = _draft_of(path, target.parent)
    try:
        with _only_one():
            storage.rename(draft, target)  # Over an equal file at most, which becomes young again.
    except OSError:
        draft.unlink(missing_ok=True)
        raise
    for folder in (target.parent, _root()):
        storage.sync_folder(folder)
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
    """Where the file can be read. Raises ArtifactMissing."""
    path = _place(sha256)
    if not path.is_file():
        raise ArtifactMissing(f"the store has no file {sha256}")
    return path


def is_there(sha256: str) -> bool:
    """Whether the store has the file."""
    return _place(sha256).is_file()


def size(sha256: str) -> int:
    """Bytes of the file. Raises ArtifactMissing."""
    return local_path(sha256).stat().st_size


def is_whole(sha256: str) -> bool:
    """Whether the file still is what its name says; reads all of it. Raises ArtifactMissing."""
    return _digest(local_path(sha256)) == sha256


def sweep(older_than_seconds: float = SWEEP_SECONDS) -> list[Path]:
    """Remove files that no row names, and drafts, when they are older than this; what was removed.

    The time must be longer than any worker takes from putting a file to naming it in a row.
    """
    removed = []
    for path in forgotten(older_than_seconds):
        with _only_one():
            if _is_older(path, older_than_seconds):  # Nobody has put it again since.
                path.unlink()
                removed.append(path)
    return removed


def forgotten(older_than_seconds: float = SWEEP_SECONDS) -> list[Path]:
    """What a sweep would remove now."""
    named = _named_by_rows()
    unnamed = (path for path in sorted(_root().glob("??/*")) if path.parent.name + path.name not in named)
    return [path for path in unnamed if _is_older(path, older_than_seconds)]


def passing_folder(kind: Literal["backup", "restore"]) -> tempfile.TemporaryDirectory[str]:
    """A folder of the store for as long as this process needs it; of one that is killed it is found by its name."""
    _root().mkdir(parents=True, exist_ok=True)
    return tempfile.TemporaryDirectory(prefix=f"{kind}-{os.getpid()}@{socket.gethostname()}-", dir=_root())


def note_draft(folder: Path, draft: Path) -> None:
    """Have this file, which is about to be made outside the store, removed together with a folder that is left."""
    (folder / DRAFT).write_bytes(os.fsencode(draft))


def _remove_draft_of(folder: Path) -> None:
    with contextlib.suppress(OSError):  # There is no note, or the place is one that is not reached from here.
        Path(os.fsdecode((folder / DRAFT).read_bytes())).unlink()


def left_folders() -> list[Path]:
    """Such folders of processes of this host that were killed, and any that are older than a sweep needs."""
    return [path for path in sorted(_root().glob("*-*")) if path.is_dir() and _is_left(path)]


def remove_left_folders() -> list[Path]:
    """What was removed."""
    removed = left_folders()
    for folder in removed:
        _remove_draft_of(folder)
        shutil.rmtree(folder, ignore_errors=True)
    return removed


def _is_left(folder: Path) -> bool:
    named = _PASSING.fullmatch(folder.name)
    if named is None:
        return False
    if named["host"] == socket.gethostname():
        return not psutil.pid_exists(int(named["pid"]))
    return _is_older(folder, SWEEP_SECONDS)


def drop_replaced(sha256: str) -> bool:
    """Remove a file that another took the place of, unless a row names it or it is young; whether it went.

    Checkpoints of shared weights are large and many: they cannot wait for the sweep, which removes what stays here.
    """
    path = _place(sha256)
    with _only_one():
        if not path.exists() or path.stat().st_mtime > time.time() - REPLACED_SECONDS or sha256 in _named_by_rows():
            return False
        path.unlink()
    return True


def _is_older(path: Path, seconds: float) -> bool:
    return path.exists() and path.stat().st_mtime < time.time() - seconds


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
    is_empty = True
    for sha256 in sorted(own_files_of(stream_id)):
        path = _place(sha256)
        with _only_one():
            if path.exists() and path.stat().st_mtime > time.time() - REPLACED_SECONDS:
                is_empty = False
            else:
                path.unlink(missing_ok=True)
    return is_empty


def name_twice(folder: Path) -> list[str]:
    """Give every file that a row names a second name in this folder of the store, so that it stays although it is
    removed; the SHA-256 of those that are not there."""
    missing = []
    for sha256 in sorted(_named_by_rows() - {""}):
        try:
            os.link(_place(sha256), folder / sha256)
        except FileNotFoundError:
            missing.append(sha256)
    return missing


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


def _root() -> Path:
    return Path(settings.ARTIFACTS_DIR)


def _place(sha256: str) -> Path:
    if not _SHA256.fullmatch(sha256):
        raise ArtifactMissing(f"{sha256!r} is no SHA-256: it has 64 digits from 0 to f")
    return _root() / sha256[:2] / sha256[2:]


def _draft_of(path: Path, folder: Path) -> Path:
    """The file under a temporary name in this folder, written through to the disk, young; the given one is gone."""
    descriptor, draft = tempfile.mkstemp(prefix="draft-", dir=folder)
    os.close(descriptor)
    try:
        storage.before("write", Path(draft))
        shutil.move(path, draft)  # A rename on one file system, else a copy.
        with open(draft, "rb") as file:
            storage.sync(file.fileno(), Path(draft))
        os.utime(draft)
    except OSError:  # A full disk must not be filled further by what nobody needs.
        os.unlink(draft)
        raise
    return Path(draft)


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextlib.contextmanager
def _only_one() -> Iterator[None]:
    """Keeps a sweep from removing a file at the moment in which it is put again."""
    _root().mkdir(parents=True, exist_ok=True)
    with (_root() / "lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
