"""Steering a search while it runs, over HTTP."""

import uuid
from collections.abc import Callable
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Router
from ninja.responses import Status
from pydantic import BaseModel, Field

from webapp.searches import lifecycle, steering
from webapp.searches.api.allowed import changeable
from webapp.searches.api.once import HEADER, once
from webapp.searches.api.replies import Body, Refusal
from webapp.searches.models import Search

Word = Annotated[str, Field(max_length=80)]


class Steering(Body):
    """What is to be banned, by a kind of decisions ("operation", "input") or the name of one ("normal 1 input 2").

    A list takes the place of what was banned there before; an empty one takes that back. To pin an option, ban all
    others.
    """

    bans: dict[Word, Annotated[list[Word], Field(max_length=100)]]


class SteeringReply(BaseModel):
    """What is banned now, or from the next update of the controller on."""

    id: uuid.UUID
    bans: dict[str, list[str]]


class NewProposal(Body):
    """An architecture of the search's space, as JSON; see /api/architectures for other forms of it."""

    architecture: dict[str, Any]


class ProposalReply(BaseModel):
    """Step and slot of the child that it will be."""

    id: uuid.UUID
    step: int
    slot: int
    url: str


def add_steering(router: Router, seen: Callable[[HttpRequest, uuid.UUID], Search]) -> None:
    """seen: the search that this user may see, refused as not found else."""
    refused = {403: Refusal, 404: Refusal, 409: Refusal, 422: Refusal}

    @router.post(
        "/{uuid:search_id}/steer", response={200: SteeringReply, **refused},
        summary="Ban options of a search, or take that back", openapi_extra=HEADER, url_name="steer-search",
    )  # fmt: skip
    @once
    def steer(request: HttpRequest, search_id: uuid.UUID, body: Steering) -> Status:
        """While it runs or is paused. What is drawn already stays; it holds from the next update on."""
        search = changeable(request, seen(request, search_id))
        lifecycle.steer(search.pk, body.bans)
        search.refresh_from_db()
        in_force = {where: list(banned) for where, banned in steering.bans_of(search).items()}
        return Status(200, SteeringReply(id=search.pk, bans=in_force))

    @router.post(
        "/{uuid:search_id}/proposals", response={201: ProposalReply, **refused},
        summary="Propose an architecture to a search", openapi_extra=HEADER, url_name="propose",
    )  # fmt: skip
    @once
    def propose(request: HttpRequest, search_id: uuid.UUID, body: NewProposal) -> Status:
        """It is trained as one more child, beside the next step that is drawn. It may be the best and a finalist; the
        controller learns nothing from it, because it did not draw it."""
        search = changeable(request, seen(request, search_id))
        lifecycle.propose(search.pk, body.architecture)
        search.refresh_from_db()
        step, slot = steering.place_of_last_proposal(search)
        return Status(201, ProposalReply(id=search.pk, step=step, slot=slot, url=f"/searches/{search.pk}"))
