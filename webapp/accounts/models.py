"""Users, how they are invited and come back, the tokens of their programs, and who tried in vain to get in."""

import uuid
from collections.abc import Iterator
from typing import ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager
from django.db import models
from django.utils import timezone
from django.utils.crypto import salted_hmac


class Users(BaseUserManager):
    """Finds users by name, as Django's sign-in asks; adds nothing."""


class User(AbstractBaseUser):
    """A person. Signs in by a link, or by a password; the inherited one stays unusable until they set it.

    is_admin: may invite people, change what they may use, let them go, and drain workers; sees nobody's searches.
    Quotas: None for as much as there is.
    """

    QUOTAS: ClassVar = ("most_running", "most_bytes", "most_worker_hours")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=150, unique=True)
    is_active = models.BooleanField(default=True)
    is_admin = models.BooleanField(default=False)
    email = models.EmailField(blank=True)  # For notices; "" for none.
    most_running = models.PositiveIntegerField(null=True)  # Searches and trainings that are open at a time.
    most_bytes = models.BigIntegerField(null=True)  # Of all files together.
    most_worker_hours = models.FloatField(null=True)  # Ever, over all workers.
    worked_seconds_before = models.FloatField(default=0.0)  # Of workers, for what was deleted since.
    sessions_ended = models.PositiveIntegerField(default=0)  # How often all sessions were ended at once.
    created = models.DateTimeField(default=timezone.now)

    objects = Users()
    USERNAME_FIELD = "name"

    def get_session_auth_hash(self) -> str:
        """What a session must hold to stand: it changes with the password, and when all sessions are ended."""
        return self._of_today(super().get_session_auth_hash())

    def get_session_auth_fallback_hash(self) -> Iterator[str]:
        for each in super().get_session_auth_fallback_hash():
            yield self._of_today(each)

    def _of_today(self, digest: str) -> str:
        if not self.sessions_ended:
            return digest
        return salted_hmac("cellwright.sessions", f"{self.sessions_ended}.{digest}", algorithm="sha256").hexdigest()


class Invitation(models.Model):
    """A link by which one person becomes a user, once. Of its secret the digest is kept.

    Its quotas are those of the user that it makes.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    invited_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="invitations")
    sha256 = models.CharField(max_length=64, unique=True)
    note = models.CharField(max_length=80, blank=True)  # For whom it is, as the inviter remembers it.
    is_admin = models.BooleanField(default=False)
    most_running = models.PositiveIntegerField(null=True)
    most_bytes = models.BigIntegerField(null=True)
    most_worker_hours = models.FloatField(null=True)
    created = models.DateTimeField(default=timezone.now)
    expires = models.DateTimeField()
    accepted_by = models.OneToOneField(User, null=True, on_delete=models.CASCADE, related_name="invitation")


class WayBack(models.Model):
    """A link by which a user who lost access signs in, once. Of its secret the digest is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="ways_back")
    made_by = models.ForeignKey(User, null=True, on_delete=models.SET_NULL, related_name="+")
    sha256 = models.CharField(max_length=64, unique=True)
    created = models.DateTimeField(default=timezone.now)
    expires = models.DateTimeField()
    used = models.DateTimeField(null=True)


def every_scope() -> list[str]:
    """Of a token that may do all that its user may."""
    return list(ApiToken.SCOPES)


class ApiToken(models.Model):
    """A bearer token of the API; only its digest is kept. scopes: what it may do, of SCOPES."""

    SCOPES: ClassVar = {
        "read": "see what you see",
        "download": "download files",
        "write": "start, change and delete",
    }

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=80)
    sha256 = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField(default=every_scope)
    created = models.DateTimeField(default=timezone.now)
    expires = models.DateTimeField(null=True)
    last_used = models.DateTimeField(null=True)


class Failures(models.Model):
    """How often somebody tried in vain to get in, as it stood at `noted`; it fades by itself, see throttle."""

    of = models.CharField(primary_key=True, max_length=100)  # An address, or a digest of a name or of a browser.
    count = models.FloatField()
    noted = models.DateTimeField()
