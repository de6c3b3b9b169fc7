"""The page of data: known images with samples and known texts, one's own, and where more is added."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from search_engine.data.descriptions import DESCRIPTIONS, DatasetDescription
from search_engine.data.own_set import SetRecord
from search_engine.data.previews import COLUMNS, MOST_ROWS, SIDE
from search_engine.data.texts import TEXTS
from search_engine.errors import ConfigError, DataError
from webapp.searches.datasets.samples import address_of, is_here, sheet_of
from webapp.searches.datasets.uploads import LONGEST_TITLE, PIECE_BYTES, uses
from webapp.searches.models import OwnData
from webapp.searches.pages.forms import data_help, text_help
from webapp.searches.pages.text_found import text_facts, text_found

SHOWN_REFUSALS = 50  # On the page; the file has more.
CHECKED_IMAGES = "Being checked, file by file, in a process of its own"
CHECKED_TEXT = "Being read and counted, in a process of its own"


@dataclass(frozen=True, slots=True)
class KnownCard:
    """A known data set. samples: where its pictures are, or ""; is_here: nothing is left to be downloaded."""

    description: DatasetDescription
    help: str
    samples: str
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
        "known_texts": [(text, text_help(text)) for text in TEXTS],
        "own_images": [(row, _facts(row)) for row in rows if row.kind == OwnData.Kind.IMAGES],
        "own_texts": [(row, text_facts(row)) for row in rows if row.kind == OwnData.Kind.TEXT],
        "most_text_bytes": settings.MOST_TEXT_BYTES,
        "most_text_megabytes": settings.MOST_TEXT_BYTES // 10**6,
        "most_bytes": settings.MOST_UPLOAD_BYTES,
        "most_megabytes": f"{settings.MOST_UPLOAD_BYTES // 10**6:,}",
        "piece_bytes": PIECE_BYTES,
        "sheet_width": COLUMNS * SIDE,
    }
    return render(request, "data/all.html", context)


@require_GET
def own_data_page(request: HttpRequest, data_id: Any) -> HttpResponse:
    """One's own images or text: what the check found, or the data that came of it."""
    rows = OwnData.objects.visible_to(request.user).exclude(state=OwnData.State.DELETED)
    row = get_object_or_404(rows, pk=data_id)
    is_text = row.kind == OwnData.Kind.TEXT
    context = {
        "row": row,
        "checked_how": CHECKED_TEXT if is_text else CHECKED_IMAGES,
        "longest_title": LONGEST_TITLE,
        "uses": uses(row, only_open=False) if row.sha256 else 0,
        **(text_found(row) if is_text else _images_found(row)),
    }
    return render(request, "data/one.html", context)


def _images_found(row: OwnData) -> dict[str, Any]:
    refused = row.report.get("refused", [])
    return {
        "facts": _facts(row),
        "classes": _classes(row),
        "sheet_width": COLUMNS * SIDE,
        "sheet_height": SIDE * min(MOST_ROWS, len(_classes(row))),
        "side": SIDE,
        "refused": refused[:SHOWN_REFUSALS],
        "refused_count": row.report.get("refused_count", 0),
    }


@require_GET
def samples(request: HttpRequest, name: str) -> HttpResponse:
    """Some pictures of a data set whose files are here."""
    try:
        png = sheet_of(request.user, name)
    except (ConfigError, DataError) as error:
        raise Http404 from error
    if png is None:
        raise Http404
    headers = {"Cache-Control": "private, max-age=86400", "X-Content-Type-Options": "nosniff"}
    return HttpResponse(png, content_type="image/png", headers=headers)


def _known(description: DatasetDescription) -> KnownCard:
    return KnownCard(description, data_help(description), address_of(description), is_here(description))


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
