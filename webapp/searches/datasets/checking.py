"""Has an upload looked into by a throw-away process, and writes down what that found.

The process has limits of its own (search_engine.data.confinement) and knows neither the database nor a secret; here it
is watched, told from outside when its time is up, and what it reports is read as something a stranger may have written.
"""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection

from search_engine.data.archive import shown
from search_engine.data.own_set import OwnSet
from search_engine.data.own_text import kept_files
from search_engine.data.text_check import TextRecord
from search_engine.data.upload_check import AT, MOST_LISTED, PREVIEW, REPORT, SET
from search_engine.errors import DataError
from webapp.parent_death import die_with_parent
from webapp.searches import clock
from webapp.searches.datasets import quarantine
from webapp.searches.models import OwnData

MEMORY_BYTES = 2 << 30  # Of address space: an image of 16 million pixels needs a fifth of a gigabyte.
SECONDS = 1800  # By the clock, and of processor time.
FILE_BYTES = 8 << 30
TELL_SECONDS = 1.0
LONGEST_REPORT = 4 << 20
DIED = "The check was ended: the upload needs more memory or time than a check may take."
DIED_AT = "The check was ended at {}: the upload needs more memory or time than a check may take."
_SHA256 = re.compile("[0-9a-f]{64}")
_LONGEST_REASON = 200
_LONGEST_ERROR = 500  # It may name two files.


def start(data_id: UUID) -> None:
    """Check it in the background. The thread lives as long as the process it started, which dies with it."""
    threading.Thread(target=_check_and_close, args=(data_id,), name="upload-check", daemon=True).start()


def check(data_id: UUID) -> None:
    """Check an upload that waits for it, to the end."""
    row = OwnData.objects.filter(pk=data_id, state=OwnData.State.CHECKING).first()
    if row is None:
        return
    quarantine.result_of(data_id).mkdir()
    status = _run(row)
    report = _report(row) if status == 0 else {"error": _death(row)}
    state = OwnData.State.REFUSED if report["error"] else OwnData.State.CHECKED
    OwnData.objects.filter(pk=data_id, state=OwnData.State.CHECKING).update(
        state=state, report=report, touched=clock.now()
    )
    if state == OwnData.State.REFUSED:
        quarantine.clear(data_id)
    else:
        with suppress(FileNotFoundError):
            quarantine.upload_of(data_id).unlink()  # What came of it is all that is needed from now on.


def _check_and_close(data_id: UUID) -> None:
    try:
        check(data_id)
    finally:
        connection.close()


def _run(row: OwnData) -> int:
    """The exit status of the process, which is killed when its time is up."""
    with (quarantine.folder_of(row.pk) / "errors.txt").open("wb") as errors:
        process = subprocess.Popen(
            _command(row),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=settings.HOME,
            env={"PATH": os.defpath, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},  # No secret of ours.
            start_new_session=True,
            preexec_fn=die_with_parent(),
        )
    alarm = threading.Timer(SECONDS, lambda: os.killpg(process.pid, signal.SIGKILL))
    alarm.daemon = True
    alarm.start()
    try:
        assert process.stdout is not None
        with process.stdout as lines:
            _follow(row.pk, lines)
        return process.wait()
    finally:
        alarm.cancel()
        if process.poll() is None:
            process.kill()
            process.wait()


def _command(row: OwnData) -> list[str]:
    limits = {"--memory": MEMORY_BYTES, "--seconds": SECONDS, "--file-bytes": FILE_BYTES}
    paths = [str(quarantine.upload_of(row.pk)), str(quarantine.result_of(row.pk))]
    sort = f"--title={row.title}"
    if row.kind == OwnData.Kind.TEXT:
        sort = f"--files={json.dumps([[file['name'], file['size']] for file in row.files])}"
    command = [sys.executable, "-m", "search_engine.data.upload_check", *paths, sort]
    return command + [word for name, value in limits.items() for word in (name, str(value))]


def _follow(data_id: UUID, lines: Any) -> None:
    """Write down how far it is, about once a second."""
    told = 0.0
    for line in lines:
        if time.monotonic() - told < TELL_SECONDS:
            continue
        told = time.monotonic()
        with suppress(ValueError, TypeError, KeyError):
            counts = json.loads(line[:200])
            progress = {"done": int(counts["done"]), "of": int(counts["of"])}
            OwnData.objects.filter(pk=data_id).update(progress=progress, touched=clock.now())


def _death(row: OwnData) -> str:
    """The sentence on a check that came to no end, with the file that it was looking at."""
    with suppress(OSError, UnicodeDecodeError), (quarantine.result_of(row.pk) / AT).open(encoding="utf-8") as file:
        if name := shown(file.read(_LONGEST_REASON)):
            return DIED_AT.format(name)
    return DIED


def _report(row: OwnData) -> dict[str, Any]:
    """What it found, believed only as far as the files bear it out."""
    result = quarantine.result_of(row.pk)
    try:
        with (result / REPORT).open("rb") as file:
            found = json.loads(file.read(LONGEST_REPORT))
        refused = [
            {"name": str(each["name"])[:_LONGEST_REASON], "reason": str(each["reason"])[:_LONGEST_REASON]}
            for each in found["refused"][:MOST_LISTED]
        ]
        report: dict[str, Any] = {
            "error": str(found["error"])[:_LONGEST_ERROR],
            "refused": refused,
            "refused_count": int(found["refused_count"]),
            "accepted": int(found["accepted"]),
            "without_network": bool(found["without_network"]),
            "set": None,
        }
        if not report["error"] and row.kind == OwnData.Kind.TEXT:
            report |= _text(found, result)
        elif not report["error"]:
            report["set"] = OwnSet(result / SET).record.to_json()
            (result / PREVIEW).stat()
    except (OSError, ValueError, TypeError, KeyError, AttributeError, DataError):
        return {"error": DIED}
    return report


def _text(found: dict[str, Any], result: Path) -> dict[str, Any]:
    """Of a text: what was counted, and the name under which its files lie there."""
    sha256, record = str(found["sha256"]), TextRecord.from_json(found["text"])
    files = kept_files(sha256, result) if _SHA256.fullmatch(sha256) else []
    if len(files) != record.files or not all(file.is_file() for file in files):
        raise ValueError("no text there")
    return {"text": record.to_json(), "sha256": sha256}
