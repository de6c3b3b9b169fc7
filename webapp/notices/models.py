"""The rows: targets that people chose, notices in the outbox, and the delivery of each to each.

A notice outlives the search that it tells of, so it names it and does not refer to its row. Times are seconds since
1970 by the database's clock.
"""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

TOPICS = {
    "ended": "finished or stopped",
    "failed": "failed",
    "stalled": "stands still, or was paused by itself",
}


class Target(models.Model):
    """Where somebody wants to be told, and of what. topics: of TOPICS.

    url: of a webhook. label: what people call it; of a browser, which one it is. secrets_made: how often a webhook got
    a new secret; the secret itself follows from it and is not kept (see webhook.secret_of).
    """

    class Kind(models.TextChoices):
        BROWSER = "browser"
        EMAIL = "email"
        WEBHOOK = "webhook"

    MOST: ClassVar = 10  # Of one person.

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notice_targets")
    kind = models.CharField(max_length=8, choices=Kind)
    label = models.CharField(max_length=80, blank=True)
    url = models.CharField(max_length=500, blank=True)
    topics = models.JSONField(default=list)
    secrets_made = models.PositiveIntegerField(default=1)
    created = models.FloatField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner"], condition=Q(kind="email"), name="one_email_target_each"),
        ]


class Notice(models.Model):
    """Something that happened. kind: of KINDS. stream, number: the event that it tells of, or the last one before a
    stall; None and 0 for a test. path: of the page, below the site's address.
    """

    KINDS: ClassVar = {
        "finished": "ended", "stopped": "ended", "failed": "failed", "paused": "stalled", "stalled": "stalled",
    }  # fmt: skip
    TEST: ClassVar = "test"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=8)
    stream = models.UUIDField(null=True)
    number = models.BigIntegerField(default=0)
    title = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    path = models.CharField(max_length=200)
    at = models.FloatField()

    class Meta:
        indexes = [models.Index(fields=["owner", "at"], name="notice_by_owner")]
        constraints = [models.UniqueConstraint(fields=["stream", "number", "kind"], name="notice_is_told_once")]


class Delivery(models.Model):
    """One notice on its way to one target. id: the same at every try, so that a receiver can tell a repetition.

    attempts: begun so far, and with `state` the fence of whoever sends. next_at: of the next try, or when one that
    was begun counts as broken off. error: why the last try failed, a sentence.
    """

    class State(models.TextChoices):
        DUE = "due"
        SENDING = "sending"
        SENT = "sent"
        FAILED = "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="deliveries")
    target = models.ForeignKey(Target, on_delete=models.CASCADE, related_name="deliveries")
    state = models.CharField(max_length=8, choices=State, default=State.DUE)
    attempts = models.PositiveIntegerField(default=0)
    next_at = models.FloatField()
    error = models.TextField(blank=True)
    sent_at = models.FloatField(null=True)

    class Meta:
        indexes = [models.Index(fields=["state", "next_at"], name="delivery_by_state")]
        constraints = [models.UniqueConstraint(fields=["notice", "target"], name="notice_goes_once_to_each")]
