"""Which architecture a request means: a child of a search, one of the gallery, or one that came along."""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest

from search_engine.errors import ConfigError
from webapp.searches.api.children import child_of
from webapp.searches.api.refusals import not_found
from webapp.searches.api.replies import NamedArchitecture
from webapp.searches.api.searches import seen_search
from webapp.searches.architectures.gallery import find_entry
from webapp.searches.models import Child, ImportedArchitecture


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """An architecture as JSON, perhaps wrong, and where it comes from; None where the request names none.

    published: its name in the catalogue, "" where it is not from there.
    """

    architecture: dict[str, Any] | None
    child: Child | None = None
    imported: ImportedArchitecture | None = None
    published: str = ""


def origin_of(request: HttpRequest, body: NamedArchitecture) -> Origin:
    """Refused as not found where the user may not see it; ConfigError where two are named, or half a child."""
    ways = [body.search, body.name, body.id, body.architecture]
    if sum(way is not None for way in ways) > 1:
        raise ConfigError("", "Two architectures are named: give one of search, name, id and architecture.")
    if body.search is not None:
        if body.step is None or body.slot is None:
            raise ConfigError("", "A search is named without the step and slot of one of its children.")
        child = child_of(seen_search(request, body.search), body.step, body.slot)
        return Origin(architecture=child.architecture, child=child)
    if body.name is None and body.id is None:
        return Origin(architecture=body.architecture)
    entry = find_entry(request.user, body.name if body.name is not None else str(body.id))
    if entry is None:
        raise not_found("architecture")
    published = entry.published.name if entry.published else ""
    return Origin(architecture=entry.architecture.to_json(), imported=entry.imported, published=published)
