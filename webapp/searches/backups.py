"""Everything that one would miss, in one file: all rows, and the files that they name, each with its SHA-256.

Written while searches run: rows are read as of one moment, and before anything that they name can be removed each file
gets a second name, under which it is copied. Read back into an empty database, of either kind, whichever it came from.
Left out: sessions, failed attempts to get in, workers and their hosts, uploads that are under way, notices (where
people want them is kept), and files that can be downloaded again.
"""

import hashlib
import json
import os
import secrets
import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from django.apps import apps
from django.conf import settings
from django.core import serializers
from django.core.management import CommandError, call_command
from django.core.serializers.base import DeserializationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import Error, connection, transaction
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import F, Model, QuerySet

from webapp.accounts.models import Failures
from webapp.notices.models import Delivery, Notice
from webapp.searches import artifacts
from webapp.searches.models import Host, Job, OwnData, Worker

APPS = ("accounts", "searches", "notices")
FORMAT = 1
MANIFEST, ROWS, FILES = "manifest.json", "rows.jsonl", "files/"
PIECE = 1024**2  # Bytes.


class CannotRestore(Exception):
    """A file that is no backup of this version, is damaged, or has nowhere to go: a sentence."""


@dataclass(frozen=True, slots=True)
class Written:
    """What a backup holds. missing: SHA-256 of files that rows name and the store did not have, or not whole."""

    rows: int
    files: int
    missing: list[str]


def write(target: Path) -> Written:
    """Write a backup; it has its name only when it is whole. What was there under that name is replaced."""
    draft = target.absolute().with_name(f".{target.name}-{secrets.token_hex(8)}")
    with artifacts.passing_folder("backup") as folder:
        artifacts.note_draft(Path(folder), draft)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)  # For its owner alone.
        try:
            with os.fdopen(descriptor, "wb") as file:
                written = _write(file, Path(folder))
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, target)
        except BaseException:
            os.unlink(draft)
            raise
    return written


def restore(source: Path) -> Written:
    """Bring everything back into the database and the store of this installation. Raises CannotRestore.

    Leases of workers that were at it then are over: their jobs are due, from the checkpoints that came along.
    """
    try:
        with zipfile.ZipFile(source) as archive:
            manifest = json.loads(archive.read(MANIFEST))
            _check(archive, manifest)
            for sha256 in manifest["files"]:
                _restore_file(archive, sha256)
            _restore_rows(archive)
            return Written(manifest["rows"]["count"], len(manifest["files"]), manifest["missing"])
    except artifacts.StoreAway as away:
        raise CannotRestore(f"{away} The database stays empty; restore again later.") from away
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, OSError, NotImplementedError) as error:
        raise CannotRestore(f"{source} is no backup that can be read: {error}.") from error


# --- Writing ----------------------------------------------------------------------------------------------------------


def _write(file: IO[bytes], folder: Path) -> Written:
    """folder: of the store, where files have their second names."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        with _one_moment():
            missing = artifacts.name_twice(folder)
            migrations, count = _migrations(), sum(rows.count() for rows in _rows())
            digest = _write_rows(archive)
        files = []
        for path in sorted(folder.iterdir()):
            if path.name == artifacts.DRAFT:
                continue
            (files if _write_file(archive, path) else missing).append(path.name)
        manifest = {
            "format": FORMAT, "code_version": settings.CODE_VERSION, "migrations": migrations, "files": files,
            "rows": {"count": count, "sha256": digest}, "missing": missing,
        }  # fmt: skip
        archive.writestr(MANIFEST, json.dumps(manifest, indent=1))
    return Written(count, len(files), missing)


@contextmanager
def _one_moment() -> Iterator[None]:
    """Inside the block rows are read as they were at its first question; nobody waits for it."""
    with connection.cursor() as cursor:
        if connection.vendor != "sqlite":
            with transaction.atomic():
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
                yield
            return
        cursor.execute("BEGIN DEFERRED")  # Not Django's own transaction, which would keep every writer waiting.
        try:
            yield
        finally:
            cursor.execute("ROLLBACK")


def _rows() -> Iterator[QuerySet[Model]]:
    """The rows that a backup holds, one kind after the other."""
    for app in APPS:
        for model in apps.get_app_config(app).get_models():
            rows = model._base_manager.order_by("pk")
            if model is OwnData:
                rows = rows.exclude(state__in=OwnData.IN_QUARANTINE)
            if model not in (Worker, Host, Notice, Delivery, Failures):
                yield rows


def _migrations() -> list[str]:
    applied = MigrationRecorder(connection).applied_migrations()
    return sorted(f"{app}.{name}" for app, name in applied if app in APPS)


class _Exact(DjangoJSONEncoder):
    """Django's own cuts times down to milliseconds."""

    def default(self, o: Any) -> Any:
        return o.isoformat() if isinstance(o, datetime) else super().default(o)


class _Digesting:
    """A text stream into a file of the archive that also makes its SHA-256."""

    def __init__(self, file: IO[bytes]) -> None:
        self.sha256 = hashlib.sha256()
        self._file = file

    def write(self, text: str) -> None:
        data = text.encode()
        self.sha256.update(data)
        self._file.write(data)


def _write_rows(archive: zipfile.ZipFile) -> str:
    """One row a line, as Django writes and reads them; the SHA-256 of all."""
    with archive.open(ROWS, "w", force_zip64=True) as file:
        stream = _Digesting(file)
        for rows in _rows():
            serializers.serialize("jsonl", rows.iterator(chunk_size=1000), stream=stream, cls=_Exact)
    return stream.sha256.hexdigest()


def _write_file(archive: zipfile.ZipFile, path: Path) -> bool:
    """Copy a file that is named by its SHA-256; whether it is what its name says. Weights do not get smaller."""
    entry = zipfile.ZipInfo(FILES + path.name)
    digest = hashlib.sha256()
    try:
        with artifacts.named_twice(path) as source, archive.open(entry, "w", force_zip64=True) as target:
            while piece := source.read(PIECE):
                digest.update(piece)
                target.write(piece)
    except artifacts.ArtifactMissing:
        return False
    return digest.hexdigest() == path.name


# --- Reading back -----------------------------------------------------------------------------------------------------


def _check(archive: zipfile.ZipFile, manifest: dict[str, Any]) -> None:
    """Whether it can be restored here, before anything is written."""
    if manifest["format"] != FORMAT:
        raise CannotRestore(f"The backup has format {manifest['format']}; this version reads {FORMAT}.")
    if manifest["migrations"] != _migrations():
        raise CannotRestore(
            f"The backup was made by version {manifest['code_version']}, whose database looks otherwise. Restore it "
            "with that version, then update."
        )
    full = [rows.model._meta.verbose_name_plural for rows in _rows() if rows.exists()]
    if full:
        raise CannotRestore(
            f"A backup is restored into an empty database, and this one has {' and '.join(map(str, full))}. "
            "Set CELLWRIGHT_DATA to a new folder."
        )
    with archive.open(ROWS) as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != manifest["rows"]["sha256"]:
            raise CannotRestore("The rows in the backup are damaged: they are not what was written.")


def _restore_file(archive: zipfile.ZipFile, sha256: str) -> None:
    with artifacts.passing_folder("restore") as folder:
        draft = Path(folder) / "file"
        with archive.open(FILES + sha256) as source, draft.open("wb") as target:
            shutil.copyfileobj(source, target, PIECE)
        if artifacts.put(draft) != sha256:
            raise CannotRestore(f"The file {sha256} in the backup is damaged.")


@transaction.atomic
def _restore_rows(archive: zipfile.ZipFile) -> None:
    with artifacts.passing_folder("restore") as folder:
        archive.extract(ROWS, folder)
        try:
            call_command("loaddata", str(Path(folder) / ROWS), verbosity=0)
        except (CommandError, DeserializationError, Error) as error:
            raise CannotRestore(f"The rows of the backup cannot be read: {error}.") from error
    held = Job.objects.filter(state=Job.State.LEASED)
    held.update(state=Job.State.DUE, fence=F("fence") + 1, lease_until=None)
