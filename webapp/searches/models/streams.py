"""Streams: what a user owns and watches, with whom they share it, what happened to it, and its files."""

import uuid
from collections.abc import Iterable
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

SHA256_LENGTH = 64  # Hexadecimal digits.


class Owned(models.QuerySet):
    """Rows that belong to somebody, directly or through their stream."""

    def visible_to(self, user: Any) -> Self:
        """What this user may see: what they own, and what stands in a stream that was shared with them. Nobody who is
        not signed in sees anything.

        The one exception is a stream that was shown by a link: the gate names it as `linked_streams` (see
        accounts.access), at addresses that a link opens and nowhere else.
        """
        allowed = self._allowed(user, Share.Role)
        if issubclass(self.model, Stream):
            allowed |= Q(pk__in=getattr(user, "linked_streams", ()))
        return self.filter(allowed)

    def changeable_by(self, user: Any) -> Self:
        """What this user may change: what they own, and what stands in a stream of which they are a co-owner."""
        return self.filter(self._allowed(user, (Share.Role.CO_OWNER,)))

    def _allowed(self, user: Any, roles: Iterable[str]) -> Q:
        """What the user owns, or has one of these roles in."""
        if not user.is_authenticated:
            return Q(pk__in=())
        own = Q(**{self.model.OWNER: user.pk})
        stream = self.model.OWNER.removesuffix("owner").removesuffix("__")  # "" for a stream or a thing of its own.
        if stream or issubclass(self.model, Stream):
            shared = Share.objects.filter(user=user.pk, role__in=list(roles)).values("stream")
            own |= Q(**{f"{stream or 'pk'}__in": shared})
        return own


class Group(models.Model):
    """Streams that belong together, such as a search over several seeds and its random companion."""

    OWNER: ClassVar = "owner"
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="groups")
    name = models.CharField(max_length=80, blank=True)

    objects = Owned.as_manager()


class Stream(models.Model):
    """A search or a training, as far as they are alike: an owner, a state, events and jobs."""

    class Kind(models.TextChoices):
        SEARCH = "search"
        TRAINING = "training"

    class State(models.TextChoices):
        RUNNING = "running"
        PAUSED = "paused"
        STOPPED = "stopped"
        FINISHED = "finished"
        FAILED = "failed"
        DELETING = "deleting"  # Nothing happens to it any more; it goes when its leases have ended (see deletion).

    OPEN: ClassVar = (State.RUNNING, State.PAUSED)  # Something may still happen.
    PRIORITIES: ClassVar = {"first": 1, "normal": 0, "later": -1}
    OWNER: ClassVar = "owner"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="streams")
    group = models.ForeignKey(Group, null=True, on_delete=models.SET_NULL, related_name="streams")
    kind = models.CharField(max_length=8, choices=Kind)
    name = models.CharField(max_length=80, blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.RUNNING)
    # Why it failed or stopped, or why it was paused by itself, a sentence; "" where nothing needs saying. A paused
    # stream without a reason was paused by a person.
    reason = models.TextField(blank=True)
    priority = models.IntegerField(default=0)  # More goes first.
    turns = models.BigIntegerField(default=0)  # That workers gave it (see turns).
    max_workers = models.PositiveIntegerField(null=True)  # So many work for it at a time at most; None for no limit.
    max_hours = models.FloatField(null=True)  # So long may it run in all; None for no limit (see limits).
    ran_seconds = models.FloatField(
        default=0.0
    )  # How long it ran up to the last pause or its end; pauses do not count.
    running_since = models.FloatField(null=True)  # Since when it runs; None while it does not.
    worked_seconds = models.FloatField(default=0.0)  # Of workers, up to their last sign of life (see quotas).
    reserved_seconds = models.FloatField(default=0.0)  # Of workers, as estimated at its start.
    reserved_bytes = models.BigIntegerField(default=0)  # Of files, as estimated at its start.
    tags = models.JSONField(default=list)  # Words, rising.
    notes = models.TextField(blank=True)
    archived = models.FloatField(null=True)  # Since when it stands in the archive; None for what does not.
    last_event = models.BigIntegerField(default=0)
    created = models.FloatField()
    ended = models.FloatField(null=True)
    code_version = models.CharField(max_length=40)  # Of the program that started it.

    objects = Owned.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["owner", "created"], name="stream_by_owner"),
            models.Index(fields=["created"], condition=Q(state="running"), name="stream_running"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state__in=("running", "paused"), ended=None)
                | Q(state__in=("stopped", "finished", "failed", "deleting"), ended__isnull=False),
                name="stream_ends_with_its_state",
            ),
            models.CheckConstraint(condition=Q(kind__in=("search", "training")), name="stream_kind_is_known"),
        ]

    @property
    def is_open(self) -> bool:
        return self.state in self.OPEN

    @property
    def priority_word(self) -> str:
        """One of PRIORITIES, as people choose it."""
        return min(self.PRIORITIES, key=lambda word: abs(self.PRIORITIES[word] - self.priority))


class Share(models.Model):
    """A person whom the owner of a stream lets look at it, or change it as if it were their own.

    Deleting it and sharing it with people stay with the owner.
    """

    class Role(models.TextChoices):
        READER = "reader"
        CO_OWNER = "co-owner"

    stream = models.ForeignKey(Stream, on_delete=models.CASCADE, related_name="shares")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="shared_with_me")
    role = models.CharField(max_length=8, choices=Role)
    created = models.FloatField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["stream", "user"], name="stream_is_shared_once")]


class Event(models.Model):
    """A numbered fact about a stream. `payload` is the event as JSON (search_engine.events) without its kind."""

    OWNER: ClassVar = "stream__owner"

    stream = models.ForeignKey(Stream, on_delete=models.CASCADE, related_name="events")
    number = models.BigIntegerField()  # From 1, without gaps.
    kind = models.CharField(max_length=40)
    payload = models.JSONField()
    at = models.FloatField()

    objects = Owned.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["stream", "number"], name="event_number_is_unique")]


class Snapshot(models.Model):
    """The folded state of a stream after event `number`, so that nobody has to fold from the beginning.

    rules: of the fold that made it, see live_state.rules; no other goes on from it.
    """

    stream = models.OneToOneField(Stream, primary_key=True, on_delete=models.CASCADE, related_name="snapshot")
    number = models.BigIntegerField()
    rules = models.CharField(max_length=16, default="")
    state = models.JSONField()


class Keyframe(models.Model):
    """The folded state of a stream after event `number`, kept so that any moment is near one (see keyframes).

    state: the JSON of it, deflated. rules: as in Snapshot.
    """

    stream = models.ForeignKey(Stream, on_delete=models.CASCADE, related_name="keyframes")
    number = models.BigIntegerField()
    rules = models.CharField(max_length=16)
    state = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["stream", "rules", "number"], name="keyframe_is_kept_once"),
        ]


class Artifact(models.Model):
    """A file that the owner of a stream can download."""

    OWNER: ClassVar = "stream__owner"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    stream = models.ForeignKey(Stream, on_delete=models.CASCADE, related_name="artifacts")
    label = models.CharField(max_length=80)  # What it is, for people; one file of a stream has each label.
    sha256 = models.CharField(max_length=SHA256_LENGTH)
    size = models.BigIntegerField()  # Bytes.
    media_type = models.CharField(max_length=80)
    filename = models.CharField(max_length=120)
    created = models.FloatField()

    objects = Owned.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["stream", "label"], name="artifact_label_is_unique")]
