"""What was checked becomes something that a search or a training can name, and is kept once for each owner."""

from pathlib import Path
from typing import Any

from search_engine.data.own_set import SetRecord, digest_of
from search_engine.data.own_text import kept_files, name_of
from search_engine.data.upload_check import PREVIEW, SET
from webapp.searches import artifacts
from webapp.searches.datasets import quarantine
from webapp.searches.datasets.uploads import Conflict, checked_title
from webapp.searches.models import OwnData


def use(row: OwnData, title: str) -> OwnData:
    """Keep what was checked under this title; the answer may be an equal one that is there already."""
    title = checked_title(title)
    if row.state != OwnData.State.CHECKED:
        raise Conflict("Only an upload that was checked can be used.")
    data_id = row.pk  # A row that is deleted forgets it.
    result = quarantine.result_of(data_id)
    is_text = row.kind == OwnData.Kind.TEXT
    sha256 = name_of([digest_of(file) for file in _files(row, result)]) if is_text else digest_of(result / SET)
    there = OwnData.objects.filter(owner=row.owner, sha256=sha256, state=OwnData.State.READY).first()
    if there is None:
        found = _text(row, result) if is_text else _images(row, result, sha256)
        there = row
        row.title, row.sha256, row.state = title, sha256, OwnData.State.READY
        for name, value in found.items():
            setattr(row, name, value)
        row.save(update_fields=["title", "sha256", "state", *found])
    else:
        row.delete()
    quarantine.clear(data_id)
    return there


def _images(row: OwnData, result: Path, sha256: str) -> dict[str, Any]:
    """Fields of the row; the set and its preview are in the store."""
    record = SetRecord.from_json(row.report["set"])
    preview = artifacts.put(result / PREVIEW)
    artifacts.put(result / SET)
    return {"preview": preview, "description": record.description(sha256).to_json()}


def _text(row: OwnData, result: Path) -> dict[str, Any]:
    """The same of a text, whose files are in the store."""
    files = [
        {"name": file.name, "size": file.stat().st_size, "sha256": artifacts.put(file)} for file in _files(row, result)
    ]
    return {"files": files, "description": row.report["text"]}


def _files(row: OwnData, result: Path) -> list[Path]:
    """The one, or train, validation and test part."""
    return kept_files(row.report["sha256"], result)
