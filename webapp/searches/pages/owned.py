"""A row of the person who looks; for anybody else it does not exist."""

import uuid
from typing import Any

from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from webapp.searches.models import Child, Search, Stream


def owned(model: type[Stream], request: HttpRequest, stream_id: Any) -> Any:
    """The search or training, where this user may see it; else the page does not exist."""
    try:
        key = stream_id if isinstance(stream_id, uuid.UUID) else uuid.UUID(stream_id)
    except ValueError as error:
        raise Http404 from error
    return get_object_or_404(model.objects.visible_to(request.user), pk=key)


def owned_child(request: HttpRequest, search_id: Any, step: int, slot: int) -> tuple[Search, Child]:
    search = owned(Search, request, search_id)
    return search, get_object_or_404(Child, search=search, step=step, slot=slot)
