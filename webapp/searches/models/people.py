"""What people bring, show to others, and ask: architectures, data, links, and requests that were answered."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from webapp.searches.models.streams import SHA256_LENGTH, Owned, Stream


class ImportedArchitecture(models.Model):
    """An architecture that somebody pasted, or brought with its weights as a bundle. Only its name changes.

    bundle: SHA-256 of the bundle's file in the store, "" where only the architecture was pasted; recorded: what it says
    of how good its network is (export.recorded.Recorded as JSON).
    """

    OWNER: ClassVar = "owner"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="architectures")
    name = models.CharField(max_length=80)
    architecture = models.JSONField()
    hash = models.CharField(max_length=SHA256_LENGTH)
    dialect = models.CharField(max_length=20)  # As search_engine.formats names the one it was read in.
    text = models.TextField()  # What was pasted.
    bundle = models.CharField(max_length=SHA256_LENGTH, blank=True, default="")
    recorded = models.JSONField(null=True)
    created = models.FloatField()
    code_version = models.CharField(max_length=40)  # Of the program that read it.

    objects = Owned.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "hash", "bundle"], name="architecture_is_kept_once_per_weights")
        ]


class OwnData(models.Model):
    """Images or a text that somebody uploaded, from the first byte to what can be trained on.

    description: as JSON once it is ready: of images a DatasetDescription, of a text a TextRecord. report: what the
    check found. files: of a text, in the order of its bytes, [{"name", "size"}]; once it is ready the one, or train,
    validation and test part, each with its "sha256". sha256 and preview name files of the store, but for a text in
    three files, which has its sha256 from theirs.
    """

    class Kind(models.TextChoices):
        IMAGES = "images"
        TEXT = "text"

    class State(models.TextChoices):
        ARRIVING = "arriving"
        CHECKING = "checking"
        CHECKED = "checked"  # Waits for its owner's word.
        READY = "ready"
        REFUSED = "refused"
        DELETED = "deleted"  # Its files go; what was found with it is still described.

    OWNER: ClassVar = "owner"
    DESCRIBED: ClassVar = (State.READY, State.DELETED)
    IN_QUARANTINE: ClassVar = (State.ARRIVING, State.CHECKING, State.CHECKED)

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="own_data")
    kind = models.CharField(max_length=6, choices=Kind, default=Kind.IMAGES)
    title = models.CharField(max_length=80)
    filename = models.CharField(max_length=120)  # Of the archive; of a text in three, one name after the other.
    files = models.JSONField(default=list)
    size = models.BigIntegerField()  # Bytes of all, as announced.
    received = models.BigIntegerField(default=0)
    state = models.CharField(max_length=8, choices=State, default=State.ARRIVING)
    progress = models.JSONField(default=dict)  # Of the check: files looked at ("done"), of how many ("of").
    report = models.JSONField(default=dict)
    sha256 = models.CharField(max_length=SHA256_LENGTH, blank=True)
    preview = models.CharField(max_length=SHA256_LENGTH, blank=True)
    description = models.JSONField(null=True)
    created = models.FloatField()
    touched = models.FloatField()  # When something last happened to it on its way.

    objects = Owned.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner"], condition=Q(state__in=("arriving", "checking")), name="one_upload_at_a_time"
            ),
            models.UniqueConstraint(
                fields=["owner", "sha256"], condition=Q(state="ready"), name="own_data_is_kept_once"
            ),
        ]


class ShareLink(models.Model):
    """A link that shows one stream to whoever has it, and lets them do nothing. Of its secret the digest is kept."""

    OWNER: ClassVar = "stream__owner"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    stream = models.ForeignKey(Stream, on_delete=models.CASCADE, related_name="links")
    sha256 = models.CharField(max_length=SHA256_LENGTH, unique=True)
    created = models.FloatField()
    expires = models.FloatField(null=True)  # None: not until it is revoked, which removes the row.

    objects = Owned.as_manager()


class Request(models.Model):
    """A POST that was answered, so that the same Idempotency-Key gets the same answer and does nothing again."""

    OWNER: ClassVar = "owner"

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="requests")
    key = models.CharField(max_length=200)
    path = models.CharField(max_length=200)
    body_sha256 = models.CharField(max_length=SHA256_LENGTH)
    status = models.PositiveSmallIntegerField()
    reply = models.JSONField()
    created = models.FloatField()

    objects = Owned.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["owner", "key"], name="request_key_is_unique"),
        ]
