"""The gallery: all architectures, one of them, and the page on which one is pasted."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from search_engine.catalogue.published import LEFT_OUT
from search_engine.export.recorded import Recorded
from search_engine.formats.dialects import DIALECTS, dialect
from webapp.searches.api.architecture_files import safe_name
from webapp.searches.architectures.gallery import (
    KIND_TITLES,
    GalleryEntry,
    find_entry,
    own_entries,
    published_entries,
)
from webapp.searches.architectures.keeping import LONGEST_NAME, MOST_TEXT_BYTES, NO_NAME
from webapp.searches.pages.architecture_parts import parts_of, svg_of


@require_GET
def gallery(request: HttpRequest) -> HttpResponse:
    """Cards of all architectures, or of one kind."""
    kind = request.GET.get("kind", "")
    if kind and kind not in KIND_TITLES:
        raise Http404
    own = own_entries(request.user)
    kinds = [(name, title, _count((*own, *published_entries()), name)) for name, title in KIND_TITLES.items()]
    context = {
        "kind": kind,
        "left_out": LEFT_OUT,
        "kinds": [(name, title, count) for name, title, count in kinds if count],
        "total": len(own) + len(published_entries()),
        "has_own": bool(own),
        "own": _of_kind(own, kind),
        "published": _of_kind(published_entries(), kind),
    }
    return render(request, "architectures/gallery.html", context)


@require_GET
def import_page(request: HttpRequest) -> HttpResponse:
    """Where an architecture is pasted, or a bundle is brought."""
    context = {
        "dialects": DIALECTS,
        "most_bytes": MOST_TEXT_BYTES,
        "most_bundle_bytes": settings.MOST_BUNDLE_BYTES,
        "most_bundle_megabytes": settings.MOST_BUNDLE_BYTES // 10**6,
        "longest_name": LONGEST_NAME,
        "no_name": NO_NAME,
    }
    return render(request, "architectures/import.html", context)


@require_GET
def architecture_page(request: HttpRequest, key: str) -> HttpResponse:
    """One architecture: picture, what it is, results, exports, counts."""
    entry = _entry(request, key)
    source = {"name": entry.key} if entry.published else {"id": entry.key}
    parts = parts_of(
        entry.architecture, base=f"/api{entry.url}", name=safe_name(entry.title, "architecture"), source=source
    )
    context: dict[str, Any] = {"entry": entry, "longest_name": LONGEST_NAME, "no_name": NO_NAME, **parts}
    if entry.imported:
        context |= {
            "dialect_title": dialect(entry.imported.dialect).title,
            "trainings": entry.imported.trainings.count(),
            "recorded": Recorded(**entry.imported.recorded).sentences() if entry.imported.recorded else (),
        }
    return render(request, "architectures/one.html", context)


@require_GET
def architecture_picture(request: HttpRequest, key: str, which: str) -> HttpResponse:
    """The drawing of all of it, "whole", or of a piece, such as "normal"."""
    return svg_of(_entry(request, key).architecture, which, whole="whole")


def _entry(request: HttpRequest, key: str) -> GalleryEntry:
    entry = find_entry(request.user, key)
    if entry is None:
        raise Http404
    return entry


def _of_kind(entries: Any, kind: str) -> list[GalleryEntry]:
    return [entry for entry in entries if kind in ("", entry.architecture.kind)]


def _count(entries: Any, kind: str) -> int:
    return len(_of_kind(entries, kind))
