"""Everybody, for administrators: quotas, who may administer, who is active, invitations, and a way back in.

For everybody else these routes are not there. An administrator sees nobody's searches here.
"""

import uuid
from typing import Annotated

from django.http import HttpRequest
from ninja import Router
from ninja.responses import Status
from pydantic import BaseModel, Field, StrictBool

from search_engine.errors import UserError
from webapp.accounts.invitations import LONGEST_NOTE, MOST_DAYS, USUAL_DAYS, invite, open_invitations
from webapp.accounts.models import Invitation, User
from webapp.accounts.people import LastAdministrator, change_person
from webapp.accounts.ways_back import make_way_back
from webapp.searches.api.people_replies import PersonChange, PersonList, PersonReply, Quotas, QuotasReply
from webapp.searches.api.refusals import Refused, not_found
from webapp.searches.api.replies import Body, Refusal
from webapp.searches.api.searches import After, Limit
from webapp.searches.link_door import Admitted


class Administrators(Admitted):
    """For everybody else nothing is there, whatever they send: this is asked before a body is read."""

    def authenticate(self, request: HttpRequest, key: str | None) -> object | None:
        user = super().authenticate(request, key)
        if not getattr(user, "is_admin", False):
            raise not_found("page")
        return user


router = Router(tags=["People"], auth=Administrators())


class NewInvitation(Body):
    """note: for whom, as you want to read it later. is_admin and quotas: of the user that it makes."""

    note: Annotated[str, Field(max_length=LONGEST_NOTE)] = ""
    is_admin: StrictBool = False
    quotas: Quotas = Quotas()
    days: Annotated[int, Field(ge=1, le=MOST_DAYS, strict=True)] = USUAL_DAYS


class InvitationReply(BaseModel):
    """An open invitation without its secret, which is not kept. Times in seconds since 1970."""

    id: uuid.UUID
    note: str
    invited_by: str
    is_admin: bool
    quotas: QuotasReply
    created: float
    expires: float


class NewInvitationReply(InvitationReply):
    """path: the link itself, below this server's address. It is shown this once."""

    path: str


class InvitationList(BaseModel):
    """Newest first."""

    invitations: list[InvitationReply]


class WayBackReply(BaseModel):
    """path: the link, below this server's address; it is shown this once. expires: in seconds since 1970."""

    path: str
    expires: float


@router.get("", response={200: PersonList, 404: Refusal}, summary="All people, by name", url_name="people")
def list_people(request: HttpRequest, limit: Limit = 100, offset: After = 0) -> PersonList:
    """For administrators, as everything here."""
    users = User.objects.order_by("name")
    return PersonList(people=PersonReply.of_all(users[offset : offset + limit]), total=users.count())


@router.get("/invitations", response={200: InvitationList, 404: Refusal}, summary="Open invitations",
            url_name="invitations")  # fmt: skip
def list_invitations(request: HttpRequest) -> InvitationList:
    return InvitationList(invitations=[InvitationReply(**_told(each)) for each in open_invitations()])


@router.post("/invitations", response={201: NewInvitationReply, 404: Refusal, 422: Refusal}, url_name="invite",
             summary="Make an invitation, good for one person")  # fmt: skip
def new_invitation(request: HttpRequest, body: NewInvitation) -> Status:
    """It takes no Idempotency-Key: a kept reply would keep the secret. Takes no token: sign in with a browser."""
    invitation, secret = invite(
        request.user, note=body.note, is_admin=body.is_admin, quotas=body.quotas.in_columns(), days=body.days
    )
    return Status(201, NewInvitationReply(**_told(invitation), path=f"/invited#{secret}"))


@router.delete("/invitations/{uuid:invitation_id}", response={200: InvitationList, 404: Refusal},
               summary="Revoke an invitation", url_name="revoke-invitation")  # fmt: skip
def revoke_invitation(request: HttpRequest, invitation_id: uuid.UUID) -> InvitationList:
    """Answers with what is left. Takes no token: sign in with a browser."""
    if not Invitation.objects.filter(pk=invitation_id, accepted_by=None).delete()[0]:
        raise not_found("invitation")
    return list_invitations(request)


@router.patch("/{uuid:user_id}", response={200: PersonReply, 404: Refusal, 409: Refusal, 422: Refusal},
              summary="Change what a person may use and do", url_name="change-person")  # fmt: skip
def change(request: HttpRequest, user_id: uuid.UUID, body: PersonChange) -> PersonReply:
    """Whoever is deactivated keeps all they have, and may come back. Takes no token: sign in with a browser."""
    try:
        return PersonReply.of(change_person(_person(user_id), body.wanted))
    except LastAdministrator as error:
        raise Refused(409, [UserError("", str(error))]) from error


@router.post("/{uuid:user_id}/sign-in-link", response={201: WayBackReply, 404: Refusal, 409: Refusal},
             summary="Make a one-time sign-in link for somebody", url_name="make-way-back")  # fmt: skip
def way_back(request: HttpRequest, user_id: uuid.UUID) -> Status:
    """For somebody who lost access. It works for a day, and replaces one that was made before.

    It takes no Idempotency-Key: a kept reply would keep the secret. Takes no token: sign in with a browser.
    """
    user = _person(user_id)
    if not user.is_active:
        raise Refused(409, [UserError("", "This person is deactivated; let them in again first.")])
    row, secret = make_way_back(user, request.user)
    return Status(201, WayBackReply(path=f"/sign-in/once#{secret}", expires=row.expires.timestamp()))


def _person(user_id: uuid.UUID) -> User:
    user = User.objects.filter(pk=user_id).first()
    if user is None:
        raise not_found("person")
    return user


def _told(invitation: Invitation) -> dict[str, object]:
    return {
        "id": invitation.pk,
        "note": invitation.note,
        "invited_by": invitation.invited_by.name,
        "is_admin": invitation.is_admin,
        "quotas": QuotasReply.of(invitation),
        "created": invitation.created.timestamp(),
        "expires": invitation.expires.timestamp(),
    }
