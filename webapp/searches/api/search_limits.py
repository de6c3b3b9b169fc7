"""The limits of a search: changed while it runs, and told as a file with which a terminal repeats it."""

import json
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.responses import Status

from webapp.searches import lifecycle, limits
from webapp.searches.api.architecture_files import attachment_headers
from webapp.searches.api.once import HEADER, once
from webapp.searches.api.replies import LimitsReply, NewLimits, Refusal
from webapp.searches.models import Search


def add_limits(router: Router, own: Callable[[HttpRequest, uuid.UUID], Search]) -> None:
    """own: the search that this user may see, refused as not found else."""

    @router.post(
        "/{uuid:search_id}/limits", response={200: LimitsReply, 404: Refusal, 409: Refusal, 422: Refusal},
        summary="Change the limits of a search", openapi_extra=HEADER, url_name="change-limits",
    )  # fmt: skip
    @once
    def change(request: HttpRequest, search_id: uuid.UUID, body: NewLimits) -> Status:
        """While it runs or is paused. What is drawn already stays; what is under way is finished."""
        search = own(request, search_id)
        lifecycle.change_limits(search.pk, body.wanted)
        search.refresh_from_db()
        return Status(200, LimitsReply(id=search.pk, **limits.limits_of(search)))

    @router.get(
        "/{uuid:search_id}/changes", response={200: None, 404: Refusal}, summary="What was changed while it ran",
        url_name="search-changes",
    )  # fmt: skip
    def changes(request: HttpRequest, search_id: uuid.UUID) -> HttpResponse:
        """A file for `search CONFIG --changes FILE` in a terminal, which comes to the same fingerprint with it.

        Workers and hours are not in it: they change nothing that is computed, but for the total that an end of the
        hours brings, which is there.
        """
        content = json.dumps(own(request, search_id).changes, indent=2) + "\n"
        return HttpResponse(content, content_type="application/json", headers=attachment_headers("changes.json"))
