"""What the gallery holds: the published architectures, and those that a user keeps."""

import functools
import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from search_engine.architectures.reading import Architecture, architecture_from_json
from search_engine.catalogue.published import Published, PublishedResult, published_names, read_published
from webapp.searches.models import ImportedArchitecture

KIND_TITLES = {
    "cells": "Cells for images",
    "macro": "Whole network for images",
    "nas_bench_201": "NAS-Bench-201 cell",
    "recurrent": "Recurrent cell for text",
}
_ARXIV = re.compile(r"arXiv:(\d{4}\.\d{4,5})")


@dataclass(frozen=True, slots=True, kw_only=True)
class GalleryEntry:
    """An architecture with a page. Exactly one of `published` and `imported` says where it comes from.

    key: what stands in its address, the catalogue's name or the row's number.
    """

    key: str
    title: str
    architecture: Architecture
    published: Published | None = None
    imported: ImportedArchitecture | None = None

    @property
    def url(self) -> str:
        return f"/architectures/{self.key}"

    @property
    def bundle_url(self) -> str:
        """Where the bundle is downloaded that it came in; "" where there are no weights."""
        return f"/api{self.url}/bundle" if self.imported and self.imported.bundle else ""

    @property
    def kind_title(self) -> str:
        return KIND_TITLES[self.architecture.kind]

    @property
    def thumbnail(self) -> str:
        """The piece that stands for it where there is little room, as `drawing.svg.pictures` names it."""
        return "normal" if self.architecture.kind == "cells" else "whole"

    @property
    def is_text(self) -> bool:
        return self.architecture.kind == "recurrent"

    @property
    def authors(self) -> str:
        """Who published it, and when."""
        return self.published.source.split(",")[0] if self.published else ""

    @property
    def created(self) -> datetime | None:
        return datetime.fromtimestamp(self.imported.created, UTC) if self.imported else None

    @property
    def arxiv(self) -> str:
        """The number of the paper that it was published in, such as "1707.07012"; "" where there is none."""
        found = self.published and _ARXIV.search(self.published.source)
        return found.group(1) if found else ""

    @property
    def source_around_arxiv(self) -> tuple[str, str]:
        """What stands before and behind that number in its source."""
        assert self.published is not None
        before, _, after = self.published.source.partition(f"arXiv:{self.arxiv}")
        return before, after

    @property
    def best_result(self) -> PublishedResult | None:
        """The published result with the smallest error or perplexity on the first data set that its results name."""
        results = self.published.results if self.published else ()
        first = [result for result in results if result.data == results[0].data]
        return min(first, key=lambda result: result.value, default=None)


@functools.cache
def published_entries() -> tuple[GalleryEntry, ...]:
    """The catalogue, in its order. Its files are part of the program and never change while it runs."""
    return tuple(_published(read_published(name)) for name in published_names())


@functools.cache
def _published_by_hash() -> dict[str, GalleryEntry]:
    """The first of equal ones."""
    return {entry.architecture.hash: entry for entry in reversed(published_entries())}


def own_entries(user: Any) -> list[GalleryEntry]:
    """What this user keeps, newest first."""
    return [own_entry(row) for row in ImportedArchitecture.objects.visible_to(user).order_by("-created", "pk")]


def own_entry(row: ImportedArchitecture) -> GalleryEntry:
    architecture = architecture_from_json(row.architecture)
    return GalleryEntry(key=str(row.pk), title=row.name, architecture=architecture, imported=row)


def find_entry(user: Any, key: str) -> GalleryEntry | None:
    """The architecture of this name or number, where this user may see it."""
    number = uuid_or_none(key)
    if number is None:
        return next((entry for entry in published_entries() if entry.key == key), None)
    row = ImportedArchitecture.objects.visible_to(user).filter(pk=number).first()
    return row and own_entry(row)


def entry_like(user: Any, architecture: Architecture) -> GalleryEntry | None:
    """What the gallery has already that is the same architecture: published first, then this user's own."""
    found = architecture.hash
    row = ImportedArchitecture.objects.visible_to(user).filter(hash=found).first()
    return _published_by_hash().get(found) or (row and own_entry(row))


def uuid_or_none(key: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(key)
    except ValueError:
        return None


def _published(published: Published) -> GalleryEntry:
    return GalleryEntry(
        key=published.name, title=published.title, architecture=published.architecture, published=published
    )
