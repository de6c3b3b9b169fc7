"""Bearer tokens of the API: made once, shown once, kept as a digest."""

import hashlib
import secrets
from datetime import timedelta

from django.utils import timezone

from webapp.accounts.models import ApiToken, User

USE_NOTED_EVERY = timedelta(minutes=1)  # A write per call would make every reader a writer.


def make_token(user: User, name: str) -> str:
    """A new token of this user, as text that is never shown again."""
    token = "cw_" + secrets.token_urlsafe(32)
    ApiToken.objects.create(user=user, name=name, sha256=_digest(token))
    return token


def user_of_token(token: str) -> User | None:
    """Whose token this is; None for an unknown one or one of somebody who left."""
    row = ApiToken.objects.select_related("user").filter(sha256=_digest(token), user__is_active=True).first()
    if row is None:
        return None
    now = timezone.now()
    if row.last_used is None or now - row.last_used > USE_NOTED_EVERY:
        ApiToken.objects.filter(pk=row.pk).update(last_used=now)
    return row.user


def _digest(token: str) -> str:
    # The token has 256 random bits, so a plain digest cannot be guessed back.
    return hashlib.sha256(token.encode()).hexdigest()
