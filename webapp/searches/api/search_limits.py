"""The limits of a search: changed while it runs, and told as a file with which a terminal repeats it."""

import json
import uuid
from collections.abc import Callable
from typing import Annotated, Any

from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.responses import Status
from pydantic import BaseModel, Field, StrictInt

from webapp.searches import lifecycle, limits
from webapp.searches.api.allowed import changeable
from webapp.searches.api.architecture_files import attachment_headers
from webapp.searches.api.once import HEADER, once
from webapp.searches.api.replies import FirstLimits, Refusal
from webapp.searches.models import Search


class NewLimits(FirstLimits):
    """What is to change; what is left out stays. children: of a search that trains each by itself; epochs: of one with
    shared weights. A null stands for no limit of workers or hours.

    Hours count while the search is not paused. When they are over, it ends with what is drawn or under way.
    """

    children: Annotated[StrictInt, Field(ge=1, le=1_000_000)] | None = None
    epochs: Annotated[StrictInt, Field(ge=1, le=100_000)] | None = None

    @property
    def wanted(self) -> dict[str, Any]:
        """By name. Children and epochs always have a limit, so null says nothing of them."""
        given = {name: getattr(self, name) for name in self.model_fields_set}
        return {name: value for name, value in given.items() if value is not None or name in ("workers", "hours")}


class LimitsReply(BaseModel):
    """What is in force: the number of children or, with shared weights, of epochs in all; workers and hours."""

    id: uuid.UUID
    children: int | None = None
    epochs: int | None = None
    workers: int | None
    hours: float | None


def add_limits(router: Router, seen: Callable[[HttpRequest, uuid.UUID], Search]) -> None:
    """seen: the search that this user may see, refused as not found else."""

    @router.post(
        "/{uuid:search_id}/limits", response={200: LimitsReply, 403: Refusal, 404: Refusal, 409: Refusal, 422: Refusal},
        summary="Change the limits of a search", openapi_extra=HEADER, url_name="change-limits",
    )  # fmt: skip
    @once
    def change(request: HttpRequest, search_id: uuid.UUID, body: NewLimits) -> Status:
        """While it runs or is paused. What is drawn already stays; what is under way is finished."""
        search = changeable(request, seen(request, search_id))
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
        content = json.dumps(seen(request, search_id).changes, indent=2) + "\n"
        return HttpResponse(content, content_type="application/json", headers=attachment_headers("changes.json"))
