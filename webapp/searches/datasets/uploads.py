"""A user's own images from the first byte of the archive to a data set, and away again.

arriving -> checking -> checked -> ready, or refused. Each step is one conditional update: nothing happens twice.
"""

import os
import shutil
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F

from search_engine.data.own_set import SetRecord, digest_of
from search_engine.data.upload_check import PREVIEW, SET
from search_engine.errors import UserError
from webapp.searches import artifacts, clock
from webapp.searches.datasets import quarantine
from webapp.searches.models import OwnData, Search, Stream, Training

PIECE_BYTES = 4 << 20  # Of an archive, in one request.
FREE_FACTOR = 3  # Of the archive's size must be free: itself, the set that comes out, and room for others.
LONGEST_TITLE = 80


class Conflict(Exception):
    """It cannot be done now; the message says why."""


def begin(owner: Any, filename: str, size: int) -> OwnData:
    """Announce an archive of so many bytes. Raises UserError at a wrong field, Conflict while another is under way."""
    most = settings.MOST_UPLOAD_BYTES
    if not 0 < size <= most:
        raise UserError("size", f"is {size:,} bytes; must be between 1 and {most:,}.")
    if not filename.lower().endswith(".zip"):
        raise UserError("filename", "must end in .zip: an archive with a folder per class.")
    settings.QUARANTINE_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
    if shutil.disk_usage(settings.QUARANTINE_DIR).free < FREE_FACTOR * size:
        raise UserError("size", f"is {size:,} bytes; the server's disk has no room for it.")
    now, name = clock.now(), os.path.basename(filename.replace("\\", "/"))
    name = "".join(character for character in name if character.isprintable())[-120:]
    try:
        with transaction.atomic():
            row = OwnData.objects.create(
                owner=owner, title=name[:-4][:LONGEST_TITLE] or "Images", filename=name, size=size, created=now,
                touched=now,
            )  # fmt: skip
    except IntegrityError as error:
        raise Conflict(
            "Another archive of yours is on its way or being checked. Wait for it, or give it up."
        ) from error
    quarantine.make(row.pk)
    return row


def add_piece(row: OwnData, offset: int, content: bytes) -> bool:
    """Take the bytes from `offset` on; returns whether the archive is whole now, and waits to be checked.

    Raises Conflict where these are not the bytes that come next.
    """
    if row.state != OwnData.State.ARRIVING or offset != row.received or offset + len(content) > row.size:
        raise Conflict(f"{row.received:,} of {row.size:,} bytes are here; a piece must begin there.")
    try:
        quarantine.write(row.pk, offset, content)
    except FileNotFoundError as error:
        raise Conflict("This upload was given up.") from error
    is_whole = offset + len(content) == row.size
    state = OwnData.State.CHECKING if is_whole else OwnData.State.ARRIVING
    still = OwnData.objects.filter(pk=row.pk, state=OwnData.State.ARRIVING, received=offset)
    if not still.update(received=F("received") + len(content), state=state, touched=clock.now()):
        raise Conflict("The same piece arrived twice at the same time.")
    return is_whole


def use(row: OwnData, title: str) -> OwnData:
    """Keep a checked set under this title; from now on searches can name it. The same set is kept once."""
    title = checked_title(title)
    if row.state != OwnData.State.CHECKED:
        raise Conflict("Only an archive that was checked can be used.")
    data_id = row.pk  # A row that is deleted forgets it.
    result = quarantine.result_of(data_id)
    sha256 = digest_of(result / SET)
    there = OwnData.objects.filter(owner=row.owner, sha256=sha256, state=OwnData.State.READY).first()
    if there is None:
        record = SetRecord.from_json(row.report["set"])
        preview = artifacts.put(result / PREVIEW)
        artifacts.put(result / SET)
        there = row
        row.title, row.sha256, row.preview, row.state = title, sha256, preview, OwnData.State.READY
        row.description = record.description(sha256).to_json()
        row.save(update_fields=["title", "sha256", "preview", "state", "description"])
    else:
        row.delete()
    quarantine.clear(data_id)
    return there


def rename(row: OwnData, title: str) -> None:
    row.title = checked_title(title)
    row.save(update_fields=["title"])


def delete(row: OwnData) -> None:
    """Give an upload up, or delete a set. What was found with it stays, and is still described.

    Raises Conflict while it is being checked, or while a search or training that uses it is open.
    """
    if row.state == OwnData.State.CHECKING:
        raise Conflict("It is being checked. That takes a moment; delete it then.")
    if row.state != OwnData.State.READY:
        data_id = row.pk
        row.delete()
        quarantine.clear(data_id)
        return
    if count := uses(row, only_open=True):
        several = "s" if count > 1 else ""
        raise Conflict(f"{count} running or paused search{'es' if several else ''} or training{several} use it.")
    if uses(row, only_open=False):
        OwnData.objects.filter(pk=row.pk).update(state=OwnData.State.DELETED)
    else:
        row.delete()


def uses(row: OwnData, *, only_open: bool) -> int:
    """How many searches and trainings of its owner name it."""
    states = Stream.OPEN if only_open else tuple(Stream.State)
    named = {"owner": row.owner, "state__in": states, "config__data__name": f"own-{row.sha256}"}
    return Search.objects.filter(**named).count() + Training.objects.filter(**named).count()


def checked_title(title: str) -> str:
    """Raises UserError at the field title."""
    title = " ".join(title.split())
    if not title or len(title) > LONGEST_TITLE or not title.isprintable():
        raise UserError("title", f"must have 1 to {LONGEST_TITLE} characters that can be seen.")
    return title
