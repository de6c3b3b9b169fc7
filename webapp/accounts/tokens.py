"""Bearer tokens of the API: made once, shown once, kept as a digest, each with what it may do and until when."""

from collections.abc import Collection
from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from search_engine.errors import UserError
from webapp.accounts.digests import digest, new_secret
from webapp.accounts.models import ApiToken, User

USE_NOTED_EVERY = timedelta(minutes=1)  # A write per call would make every reader a writer.
MOST_TOKENS = 100  # Of one user.
LONGEST_NAME = 80  # Characters.
MOST_DAYS = 3650


def make_token(user: User, name: str, scopes: Collection[str] = tuple(ApiToken.SCOPES), days: int | None = None) -> str:
    """A new token of this user, as text that is never shown again. days: until it expires, if it does.

    Raises UserError.
    """
    if not name.strip() or len(name) > LONGEST_NAME:
        raise UserError("name", f"must have between 1 and {LONGEST_NAME} characters.")
    if not scopes or not set(scopes) <= set(ApiToken.SCOPES):
        raise UserError("scopes", f"must be at least one of {', '.join(ApiToken.SCOPES)}.")
    if days is not None and not 1 <= days <= MOST_DAYS:
        raise UserError("days", f"must be between 1 and {MOST_DAYS}, or none.")
    if user.tokens.count() >= MOST_TOKENS:
        raise UserError("", f"There are {MOST_TOKENS} tokens already; revoke one first.")
    text = "cw_" + new_secret()
    expires = None if days is None else timezone.now() + timedelta(days=days)
    in_order = [scope for scope in ApiToken.SCOPES if scope in scopes]
    ApiToken.objects.create(user=user, name=name.strip(), sha256=digest(text), scopes=in_order, expires=expires)
    return text


def find_token(text: str) -> ApiToken | None:
    """The row of a token that is valid now; None for an unknown one, and for one of somebody who left."""
    row = _valid().select_related("user").filter(sha256=digest(text)).first()
    if row is None:
        return None
    now = timezone.now()
    if row.last_used is None or now - row.last_used > USE_NOTED_EVERY:
        ApiToken.objects.filter(pk=row.pk).update(last_used=now)
    return row


def _valid() -> QuerySet[ApiToken]:
    return ApiToken.objects.filter(Q(expires=None) | Q(expires__gt=timezone.now()), user__is_active=True)
