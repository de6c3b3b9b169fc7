"""Where uploads wait to be checked: one folder for each, under a name of ours; nobody is ever served from it."""

import os
import shutil
from pathlib import Path
from uuid import UUID

from django.conf import settings


def folder_of(data_id: UUID) -> Path:
    return Path(settings.QUARANTINE_DIR) / str(data_id)


def upload_of(data_id: UUID) -> Path:
    """The bytes as they come: an archive, or the files of a text one after another."""
    return folder_of(data_id) / "archive.zip"  # This name stands in a set of images that comes of it.


def result_of(data_id: UUID) -> Path:
    """The folder into which the check writes."""
    return folder_of(data_id) / "result"


def make(data_id: UUID) -> None:
    """A folder that only this program's user can read, with an empty file."""
    folder_of(data_id).mkdir(parents=True, mode=0o700)
    upload_of(data_id).touch(mode=0o600)


def write(data_id: UUID, offset: int, content: bytes) -> None:
    """Put bytes of the upload where they belong. Raises FileNotFoundError where it was given up."""
    descriptor = os.open(upload_of(data_id), os.O_WRONLY)
    try:
        written = 0
        while written < len(content):
            written += os.pwrite(descriptor, content[written:], offset + written)
    finally:
        os.close(descriptor)


def clear(data_id: UUID) -> None:
    """Nothing of it stays."""
    shutil.rmtree(folder_of(data_id), ignore_errors=True)


def all_ids() -> list[UUID]:
    """Of what lies there."""
    root = Path(settings.QUARANTINE_DIR)
    return [UUID(each.name) for each in root.iterdir()] if root.is_dir() else []
