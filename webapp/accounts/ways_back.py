"""One-time links for somebody who lost access, made by an administrator, who hands them over in their own way."""

import logging
from datetime import timedelta

from django.utils import timezone

from webapp.accounts.digests import digest, new_secret
from webapp.accounts.models import User, WayBack

HOURS = 24

log = logging.getLogger(__name__)


def make_way_back(user: User, by: User) -> tuple[WayBack, str]:
    """A link for a user, and its secret, which is never shown again. One that was made before opens nothing more."""
    WayBack.objects.filter(user=user).delete()
    secret = new_secret()
    now = timezone.now()
    row = WayBack.objects.create(
        user=user, made_by=by, sha256=digest(secret), created=now, expires=now + timedelta(hours=HOURS)
    )
    log.info("User %s made a one-time sign-in link for user %s", by.pk, user.pk)
    return row, secret


def use_way_back(secret: str) -> User | None:
    """Whom it signs in, this once; None where there is no such link now."""
    now = timezone.now()
    valid = WayBack.objects.filter(
        used=None, expires__gt=now, user__is_active=True, made_by__is_active=True, made_by__is_admin=True
    )
    row = valid.select_related("user").filter(sha256=digest(secret)).first()
    if row is None or not WayBack.objects.filter(pk=row.pk, used=None).update(used=now):
        return None
    return row.user
