"""Steering a search while it runs, over HTTP."""

import uuid
from collections.abc import Callable

from django.http import HttpRequest
from ninja import Router
from ninja.responses import Status

from webapp.searches import lifecycle, steering
from webapp.searches.api.once import HEADER, once
from webapp.searches.api.replies import Refusal, Steering, SteeringReply
from webapp.searches.models import Search


def add_steering(router: Router, own: Callable[[HttpRequest, uuid.UUID], Search]) -> None:
    """own: the search that this user may see, refused as not found else."""

    @router.post(
        "/{uuid:search_id}/steer", response={200: SteeringReply, 404: Refusal, 409: Refusal, 422: Refusal},
        summary="Ban options of a search, or take that back", openapi_extra=HEADER, url_name="steer-search",
    )  # fmt: skip
    @once
    def steer(request: HttpRequest, search_id: uuid.UUID, body: Steering) -> Status:
        """While it runs or is paused. What is drawn already stays; it holds from the next update on."""
        search = own(request, search_id)
        lifecycle.steer(search.pk, body.bans)
        search.refresh_from_db()
        in_force = {where: list(banned) for where, banned in steering.bans_of(search).items()}
        return Status(200, SteeringReply(id=search.pk, bans=in_force))
