"""Links by which people become users: made by an administrator, good for one person, kept as a digest.

The secret stands behind the # of the link, which no browser sends; the page there hands it in by a POST.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils import timezone

from search_engine.errors import UserError
from webapp.accounts.digests import digest, new_secret
from webapp.accounts.models import Invitation, User
from webapp.accounts.names import TAKEN, checked_name
from webapp.accounts.passwords import checked_password

USUAL_DAYS, MOST_DAYS = 7, 365
LONGEST_NOTE = 80  # Characters.
MOST_OPEN = 200  # Of all together.


class InvitationGone(Exception):
    """There is no such invitation now: a sentence."""

    def __init__(self) -> None:
        super().__init__("This invitation no longer works: it was used, was revoked, has expired, or is not complete.")


def invite(
    by: User, *, note: str = "", is_admin: bool = False, quotas: Mapping[str, Any] | None = None, days: int = USUAL_DAYS
) -> tuple[Invitation, str]:
    """A new invitation and its secret, which is never shown again. quotas: by User.QUOTAS. Raises UserError."""
    if open_invitations().count() >= MOST_OPEN:
        raise UserError("", f"{MOST_OPEN} invitations are open already; revoke some first.")
    Invitation.objects.filter(accepted_by=None, expires__lte=timezone.now()).delete()
    secret = new_secret()
    invitation = Invitation.objects.create(
        invited_by=by, sha256=digest(secret), note=note.strip(), is_admin=is_admin,
        expires=timezone.now() + timedelta(days=days), **(quotas or {}),
    )  # fmt: skip
    return invitation, secret


def open_invitations() -> QuerySet[Invitation]:
    """Those that still stand, newest first: of administrators who are administrators now."""
    by = {"invited_by__is_active": True, "invited_by__is_admin": True}
    rows = Invitation.objects.filter(accepted_by=None, expires__gt=timezone.now(), **by)
    return rows.select_related("invited_by").order_by("-created", "pk")


def find_invitation(secret: str) -> Invitation:
    """The open invitation of this secret. Raises InvitationGone."""
    invitation = open_invitations().filter(sha256=digest(secret)).first()
    if invitation is None:
        raise InvitationGone
    return invitation


def accept(secret: str, name: str, password: str = "") -> User:
    """Make the user that this invitation is for. password: "" for none. Raises InvitationGone and UserError.

    Of two who press at the same moment one becomes a user, and nothing is left of the other.
    """
    invitation = find_invitation(secret)
    quotas = {quota: getattr(invitation, quota) for quota in User.QUOTAS}
    user = User(name=checked_name(name), is_admin=invitation.is_admin, **quotas)
    if password:
        user.set_password(checked_password(password, user))
    else:
        user.set_unusable_password()
    try:
        with transaction.atomic():
            user.save(force_insert=True)
            _use(invitation, user)
    except IntegrityError as error:
        raise TAKEN from error
    return user


def _use(invitation: Invitation, user: Any) -> None:
    """Only one transaction can: the other one waits for the row and finds it used. No join, which would not be looked
    at again after waiting."""
    stands = Invitation.objects.filter(pk=invitation.pk, accepted_by=None, expires__gt=timezone.now())
    if not stands.update(accepted_by=user):
        raise InvitationGone
