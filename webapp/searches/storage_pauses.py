"""When a disk refuses: the stream is paused with the reason, nothing is counted as a loss, and it goes on by itself.

A paused stream with a reason was paused here, and is resumed here; one without was paused by a person, and is left
alone. The disk is that of the store and of the database: it must have room, and take a small file. A bucket that does
not answer is the same.
"""

import os
import shutil
import uuid
from collections.abc import Callable
from functools import partial
from pathlib import Path

from django.db import DatabaseError, connection, transaction

from search_engine import storage
from search_engine.events import StateChanged
from webapp.searches import artifacts, clock, event_log, leases, lifecycle, planner, running_time
from webapp.searches.models import Event, Stream

LEAST_FREE_BYTES = 100 * 1024**2
GOES_ON = "It goes on by itself when files can be written again."
WAIT_SECONDS, LONGEST_WAIT_SECONDS = 4.0, 300.0  # Before it goes on: doubled with each such pause of the last hour.
HOUR = 3600.0

# SQLITE_READONLY, SQLITE_IOERR, SQLITE_FULL; PostgreSQL's disk_full and io_error.
_SQLITE = {8: "The database can only be read.", 10: "The database could not write or read its file.",
           13: "The disk of the database is full."}  # fmt: skip
_POSTGRESQL = {"53100": "The disk of the database is full.", "58030": "The database could not write or read a file."}


class StorageRefused(Exception):
    """A trainer could not write a file. The message is a sentence for the user."""


def sentence_of(error: BaseException) -> str | None:
    """What is wrong with a disk, if that is what this error says; None for any other error."""
    if isinstance(error, StorageRefused | artifacts.StoreAway):
        return str(error)
    if isinstance(error, DatabaseError):
        cause = error.__cause__
        sqlite = _SQLITE.get(getattr(cause, "sqlite_errorcode", 0) & 0xFF)
        return sqlite or _POSTGRESQL.get(getattr(cause, "sqlstate", None) or "")
    return storage.storage_sentence(error)


def give_back(job_id: int, fence: int, sentence: str) -> None:
    """A job whose files could not be written is due again, which counts as no loss; its stream is paused.

    Raises LeaseLost when someone else has the job by now.
    """
    with transaction.atomic():
        job = leases.holding(job_id, fence)
        leases.put_back(job)
        _pause(job.stream_id, sentence)


def pause_all(sentence: str) -> None:
    """Pause whatever runs. What is under way stops at its next checkpoint, where that can be written, or is given
    back."""
    for stream_id in Stream.objects.filter(state=Stream.State.RUNNING).values_list("pk", flat=True):
        with transaction.atomic():
            _pause(stream_id, sentence)


def resume_what_waits() -> None:
    """Let go on what a disk paused, unless that was a moment ago. Whoever calls this has seen no trouble; whether a
    store that answers also takes files is asked here, where somebody waits for it."""
    waiting = Stream.objects.filter(state=Stream.State.PAUSED).exclude(reason="").order_by("created")
    due = [stream_id for stream_id in waiting.values_list("pk", flat=True) if _has_waited(stream_id)]
    if due and artifacts.trouble(writes=True) is None:
        for stream_id in due:
            _resume(stream_id)


def trouble() -> str | None:
    """What is wrong with the store, or with the disk of the database; None when both take files."""
    return _first(partial(artifacts.trouble, writes=False), *(partial(trouble_of, folder) for folder in _folders()))


def trouble_here(spools: Path, *, was_refused: bool) -> str | None:
    """The same for a worker, which writes into folders of its host as well; was_refused: it was, the last time."""
    look_at = trouble_of if was_refused else too_little_room
    folders = [*artifacts.written_folders(), spools]
    of_store = partial(artifacts.trouble, writes=True) if was_refused else lambda: None
    return _first(of_store, *(partial(look_at, folder) for folder in folders))


def _first(*looks: Callable[[], str | None]) -> str | None:
    return next(filter(None, (look() for look in looks)), None)


def trouble_of(folder: Path) -> str | None:
    """What is wrong with the disk of this folder, a sentence; a small file is written to see it."""
    probe = folder / "probe"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with probe.open("wb") as file:
            storage.write(file, b"Whether files can be written here.")
            storage.sync(file.fileno(), probe)
    except OSError as error:
        sentence = storage.storage_sentence(error)
        if sentence is None:
            raise
        return sentence
    finally:
        probe.unlink(missing_ok=True)  # Another process may have been faster.
    return too_little_room(folder)


def too_little_room(folder: Path) -> str | None:
    there = next(each for each in (folder, *folder.parents) if each.exists())
    if shutil.disk_usage(there).free >= LEAST_FREE_BYTES:
        return None
    return f"The disk has less than {LEAST_FREE_BYTES // 1024**2} MB left."


def _folders() -> set[Path]:
    folders = set(artifacts.shared_folders())
    name = str(connection.settings_dict["NAME"])
    if connection.vendor == "sqlite" and os.path.isabs(name):
        folders.add(Path(name).parent)
    return folders


def _pause(stream_id: uuid.UUID, sentence: str) -> None:
    planner.locked_stream(stream_id)
    reason = f"{sentence} {GOES_ON}"
    running = Stream.objects.filter(pk=stream_id, state=Stream.State.RUNNING)
    if running.update(state=Stream.State.PAUSED, reason=reason, **running_time.ends()):
        event_log.append(stream_id, [StateChanged(state=Stream.State.PAUSED.value, reason=reason)])


def _has_waited(stream_id: uuid.UUID) -> bool:
    """Whether the last pause is long enough ago: the longer, the more often the disk refused in the last hour.

    A pause in times to come was before the clock was set back, and nobody waits for those.
    """
    now = clock.now()
    changes = Event.objects.filter(stream_id=stream_id, kind="state_changed", at__gt=now - HOUR, at__lte=now)
    pauses = [at for payload, at in changes.order_by("-number").values_list("payload", "at") if payload["reason"]]
    wait = min(WAIT_SECONDS * 2 ** (len(pauses) - 1), LONGEST_WAIT_SECONDS)
    return not pauses or now - pauses[0] >= wait


def _resume(stream_id: uuid.UUID) -> None:
    """Unless a person resumed, stopped, or made it a pause of their own meanwhile."""
    with transaction.atomic():
        stream = planner.locked_stream(stream_id)
        if stream.state == Stream.State.PAUSED and stream.reason:
            lifecycle.resume(stream_id)
