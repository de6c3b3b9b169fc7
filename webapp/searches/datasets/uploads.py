"""A user's own images or text from the first byte to data that can be used, and away again.

arriving -> checking -> checked -> ready, or refused. Each step is one conditional update: nothing happens twice. What
was checked is kept by `keeping`.
"""

import os
import shutil
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F

from search_engine.data.own_text import parts_by_name
from search_engine.errors import UserError
from webapp.searches import clock, quotas
from webapp.searches.datasets import quarantine
from webapp.searches.datasets.local_copy import drop_local
from webapp.searches.models import OwnData, Search, Stream, Training

PIECE_BYTES = 4 << 20  # Of an upload, in one request.
FREE_FACTOR = 3  # Of the upload's size must be free: itself, what comes out of it, and room for others.
LONGEST_TITLE = 80
_LONGEST_NAME = 120


class Conflict(Exception):
    """It cannot be done now; the message says why."""


def begin(owner: Any, filename: str, size: int) -> OwnData:
    """Announce an archive of images. Raises UserError at a wrong field, Conflict while another upload is under way."""
    if not filename.lower().endswith(".zip"):
        raise UserError("filename", "must end in .zip: an archive with a folder per class.")
    _check_size("size", size, settings.MOST_UPLOAD_BYTES)
    name = _shown(filename)
    return _announced(owner, kind=OwnData.Kind.IMAGES, title=name[:-4] or "Images", filename=name, size=size)


def begin_text(owner: Any, files: Sequence[tuple[str, int]]) -> OwnData:
    """Announce a text: names and bytes of one file, or of three whose names say which is train, valid and test.

    They are sent one after another, in this order. Raises as `begin`.
    """
    if len(files) not in (1, 3):
        raise UserError("files", f"are {len(files)}; must be one, or three: train, valid and test.")
    if len(files) == 3:
        parts_by_name([name for name, _ in files])
    for number, (_, size) in enumerate(files):
        _check_size(f"files.{number}.size" if len(files) > 1 else "files", size, settings.MOST_TEXT_BYTES)
    size = sum(size for _, size in files)
    _check_size("files", size, settings.MOST_TEXT_BYTES)
    names = [_shown(name) for name, _ in files]
    title = os.path.splitext(names[0])[0] if len(files) == 1 else ""
    told = [{"name": name, "size": size} for name, (_, size) in zip(names, files, strict=True)]
    filename = ", ".join(names)
    return _announced(
        owner, kind=OwnData.Kind.TEXT, title=title or "Text", filename=filename[:_LONGEST_NAME], size=size, files=told
    )


def _check_size(field: str, size: int, most: int) -> None:
    if not 0 < size <= most:
        raise UserError(field, f"is {size:,} bytes; must be between 1 and {most:,}.")


def _shown(filename: str) -> str:
    """The end of a file's name without folders, for people."""
    name = os.path.basename(filename.replace("\\", "/"))
    return "".join(character for character in name if character.isprintable())[-_LONGEST_NAME:]


def _announced(owner: Any, *, title: str, size: int, **fields: Any) -> OwnData:
    """The row and its empty place in quarantine."""
    settings.QUARANTINE_DIR.mkdir(parents=True, exist_ok=True, mode=0o700)
    if shutil.disk_usage(settings.QUARANTINE_DIR).free < FREE_FACTOR * size:
        raise UserError("size", f"is {size:,} bytes; the server's disk has no room for it.")
    now = clock.now()
    try:
        with transaction.atomic():
            quotas.reserve(owner, quotas.Weight(bytes=size), starts=False)
            row = OwnData.objects.create(
                owner=owner, title=title[:LONGEST_TITLE], size=size, created=now, touched=now, **fields
            )
    except IntegrityError as error:
        raise Conflict("Another upload of yours is on its way or being checked. Wait for it, or give it up.") from error
    quarantine.make(row.pk)
    return row


def add_piece(row: OwnData, offset: int, content: bytes) -> bool:
    """Take the bytes from `offset` on; returns whether the upload is whole now, and waits to be checked.

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


def rename(row: OwnData, title: str) -> None:
    row.title = checked_title(title)
    row.save(update_fields=["title"])


def delete(row: OwnData) -> None:
    """Give an upload up, or delete what is ready. What was found with it stays, and is still described.

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
    drop_local(row)
    if uses(row, only_open=False):
        OwnData.objects.filter(pk=row.pk).update(
            state=OwnData.State.DELETED, report={}, description=_without_content(row.description)
        )
    else:
        row.delete()


def _without_content(description: dict[str, Any]) -> dict[str, Any]:
    """Counts stay; the first lines of a text go with it."""
    return description | {"lines": []} if "lines" in description else description


def uses(row: OwnData, *, only_open: bool) -> int:
    """How many searches and trainings of its owner name it."""
    states = Stream.OPEN if only_open else tuple(Stream.State)
    name, value = ("own", row.sha256) if row.kind == OwnData.Kind.TEXT else ("name", f"own-{row.sha256}")
    named = {"owner": row.owner, "state__in": states, f"config__data__{name}": value}
    return Search.objects.filter(**named).count() + Training.objects.filter(**named).count()


def checked_title(title: str) -> str:
    """Raises UserError at the field title."""
    title = " ".join(title.split())
    if not title or len(title) > LONGEST_TITLE or not title.isprintable():
        raise UserError("title", f"must have 1 to {LONGEST_TITLE} characters that can be seen.")
    return title
