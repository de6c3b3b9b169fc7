"""The page of data sets: known ones with sample pictures, one's own, and where a zip is added."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from search_engine.data.descriptions import DESCRIPTIONS, EMBEDDED, DatasetDescription
from search_engine.data.downloads import SOURCES
from search_engine.data.images import load
from search_engine.data.own_set import SetRecord
from search_engine.data.previews import COLUMNS, MOST_ROWS, SIDE, sheet
from webapp.searches.datasets.uploads import LONGEST_TITLE, PIECE_BYTES, uses
from webapp.searches.models import OwnData
from webapp.searches.pages.forms import data_help

SHOWN_REFUSALS = 50  # On the page; the file has more.
_LIKE_EMBEDDED = ("fashion-mnist",)  # The same kind of pictures.


@dataclass(frozen=True, slots=True)
class KnownCard:
    """A known data set. has_samples: pictures can be shown; is_here: nothing is left to be downloaded."""

    description: DatasetDescription
    help: str
    has_samples: bool
    is_here: bool


@dataclass(frozen=True, slots=True)
class ClassRow:
    """A class of one's own images. top: where its pictures begin on the sheet; None where they are not on it."""

    name: str
    train: int
    test: int
    top: int | None


@require_GET
def data_page(request: HttpRequest) -> HttpResponse:
    rows = OwnData.objects.visible_to(request.user).exclude(state=OwnData.State.DELETED).order_by("-created")
    context = {
        "known": [_known(description) for description in DESCRIPTIONS],
        "own": [(row, _facts(row)) for row in rows],
        "most_bytes": settings.MOST_UPLOAD_BYTES,
        "most_megabytes": f"{settings.MOST_UPLOAD_BYTES // 10**6:,}",
        "piece_bytes": PIECE_BYTES,
        "sheet_width": COLUMNS * SIDE,
    }
    return render(request, "data/all.html", context)


@require_GET
def own_data_page(request: HttpRequest, data_id: Any) -> HttpResponse:
    """One's own images: what the check found, or the data set that came of it."""
    rows = OwnData.objects.visible_to(request.user).exclude(state=OwnData.State.DELETED)
    row = get_object_or_404(rows, pk=data_id)
    refused = row.report.get("refused", [])
    context = {
        "row": row,
        "facts": _facts(row),
        "classes": _classes(row),
        "sheet_width": COLUMNS * SIDE,
        "sheet_height": SIDE * min(MOST_ROWS, len(_classes(row))),
        "side": SIDE,
        "refused": refused[:SHOWN_REFUSALS],
        "refused_count": row.report.get("refused_count", 0),
        "longest_title": LONGEST_TITLE,
        "uses": uses(row, only_open=False) if row.sha256 else 0,
    }
    return render(request, "data/one.html", context)


@require_GET
def samples(request: HttpRequest, name: str) -> HttpResponse:
    """Eight pictures of each of the first classes of the embedded images."""
    if name != EMBEDDED:
        raise Http404
    headers = {"Cache-Control": "private, max-age=86400"}
    return HttpResponse(_embedded_sheet(), content_type="image/png", headers=headers)


@lru_cache(maxsize=1)
def _embedded_sheet() -> bytes:
    images = load(EMBEDDED, settings.DATA_SETS_DIR)
    rows = [images.train[np.flatnonzero(images.train_labels == label)[:COLUMNS]] for label in (0, 1, 7, 8)]
    return sheet([list(row) for row in rows])


def _known(description: DatasetDescription) -> KnownCard:
    folder = settings.DATA_SETS_DIR / description.name
    sources = SOURCES.get(description.name, ())
    return KnownCard(
        description,
        data_help(description),
        description.name in (EMBEDDED, *_LIKE_EMBEDDED),
        all((folder / source.file).is_file() for source in sources),
    )


def _facts(row: OwnData) -> list[tuple[str, str]]:
    """What is known of checked images, as names and values."""
    if not row.report.get("set"):
        return []
    record = SetRecord.from_json(row.report["set"])
    smallest, median, largest = record.sides
    sizes = f"{median} pixels" if smallest == largest else f"{smallest} to {largest}, median {median} pixels"
    drawn = f"{record.split.get('share', 0):.0%} of each class, drawn once with seed {record.split.get('seed')}"
    return [
        ("Images", f"{sum(record.train_counts):,} training, {sum(record.test_counts):,} test"),
        ("Classes", f"{len(record.classes):,}"),
        ("Colours", "grey" if record.channels == 1 else "red, green, blue"),
        ("Size", sizes),
        ("Test part", "as the folders name it" if record.split["kind"] == "kept" else drawn),
    ]


def _classes(row: OwnData) -> list[ClassRow]:
    if not row.report.get("set"):
        return []
    record = SetRecord.from_json(row.report["set"])
    counts = zip(record.classes, record.train_counts, record.test_counts, strict=True)
    return [
        ClassRow(name, train, test, SIDE * index if index < MOST_ROWS else None)
        for index, (name, train, test) in enumerate(counts)
    ]
