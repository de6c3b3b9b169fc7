"""Steering a search while it runs, over HTTP."""

import uuid
from collections.abc import Callable

from django.http import HttpRequest
from ninja import Router
from ninja.responses import Status

from webapp.searches import lifecycle, steering
from webapp.searches.api.once import HEADER, once
from webapp.searches.api.replies import NewProposal, ProposalReply, Refusal, Steering, SteeringReply
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

    @router.post(
        "/{uuid:search_id}/proposals", response={201: ProposalReply, 404: Refusal, 409: Refusal, 422: Refusal},
        summary="Propose an architecture to a search", openapi_extra=HEADER, url_name="propose",
    )  # fmt: skip
    @once
    def propose(request: HttpRequest, search_id: uuid.UUID, body: NewProposal) -> Status:
        """It is trained as one more child, beside the next step that is drawn. It may be the best and a finalist; the
        controller learns nothing from it, because it did not draw it."""
        search = own(request, search_id)
        lifecycle.propose(search.pk, body.architecture)
        search.refresh_from_db()
        step, slot = steering.place_of_last_proposal(search)
        return Status(201, ProposalReply(id=search.pk, step=step, slot=slot, url=f"/searches/{search.pk}"))
