"""Work: jobs and scores that are asked for, and the machines and workers that do them."""

import uuid
from typing import Any, ClassVar, Self

from django.db import models
from django.db.models import Q

from webapp.searches.models.searches import Search
from webapp.searches.models.streams import SHA256_LENGTH, Owned, Stream

NO_CHECKPOINTS = {"checkpoint": "", "checkpoint_before": ""}  # Of a job that nobody goes on with.
NO_PLACE = -1  # Step and slot of a job that has none: unique constraints take NULLs for different from each other.


class Job(models.Model):
    """A unit of work. Whoever holds its lease has its fence number; a write with another number is refused."""

    class Kind(models.TextChoices):
        LEARN = "learn"
        EVALUATE = "evaluate"
        RETRAIN = "retrain"
        TRAIN = "train"
        SHARE = "share"
        TEACH = "teach"
        DERIVE = "derive"
        SCORE = "score"  # What people asked the shared weights, while no phase of their search is under way.

    class State(models.TextChoices):
        DUE = "due"
        LEASED = "leased"
        DONE = "done"
        DROPPED = "dropped"

    OWNER: ClassVar = "stream__owner"
    PHASES: ClassVar = (Kind.SHARE, Kind.TEACH, Kind.DERIVE)  # Of a search with shared weights, one after another.

    stream = models.ForeignKey(Stream, on_delete=models.CASCADE, related_name="jobs")
    kind = models.CharField(max_length=8, choices=Kind)
    # -1 for a training, for the learn job that draws the first steps, and for the derivation of candidates.
    step = models.IntegerField(default=NO_PLACE)
    slot = models.IntegerField(default=NO_PLACE)  # Of the child that it evaluates; of a finalist, its rank; else -1.
    state = models.CharField(max_length=8, choices=State, default=State.DUE)
    fence = models.BigIntegerField(default=0)  # Grows with every claim and whenever a lease is taken away.
    worker = models.CharField(max_length=120, blank=True)  # Who holds it, or did it last.
    lease_until = models.FloatField(null=True)
    claimed = models.FloatField(null=True)  # Since when whoever holds it has it, or when they took it last.
    turns = models.BigIntegerField(default=0, db_default=0)  # That it had since it was claimed last (see turns).
    lost = models.FloatField(null=True)  # When it was lost last; None for one that never was.
    progress = models.BigIntegerField(default=0)  # Grows while work goes on; means nothing else.
    attempts = models.IntegerField(default=0)  # How often it was lost since it last made a checkpoint.
    lost_on = models.JSONField(default=list)  # Hosts of its last losses, the newest last; the last `attempts` count.
    checkpoint = models.CharField(max_length=SHA256_LENGTH, blank=True)  # File to go on from; "" at first.
    # The file before it, in case that one is damaged.
    checkpoint_before = models.CharField(max_length=SHA256_LENGTH, blank=True, default="")

    objects = Owned.as_manager()

    class Meta:
        # What is due is a small part of all jobs. A claim finds a stream's first one, and what was lost, at one look.
        indexes = [
            models.Index(fields=["state", "kind"], name="job_by_state"),
            models.Index(fields=["stream", "step", "slot"], condition=Q(state="due"), name="job_due_by_place"),
            models.Index(fields=["id"], condition=Q(state="due", attempts__gt=0), name="job_due_again"),
            models.Index(fields=["lost"], condition=Q(lost__isnull=False), name="job_by_loss"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["stream", "kind", "step", "slot"], name="job_is_unique"),
            models.CheckConstraint(
                condition=(Q(state="leased", lease_until__isnull=False) & ~Q(worker=""))
                | (~Q(state="leased") & Q(lease_until=None)),
                name="job_is_leased_by_somebody",
            ),
        ]

    @property
    def what(self) -> str:
        """What the job is, as events and the log name it."""
        if self.kind == self.Kind.EVALUATE:
            return f"child {self.step}.{self.slot}"
        if self.kind == self.Kind.RETRAIN:
            return f"finalist {self.slot}"
        if self.kind == self.Kind.TRAIN:
            return "training"
        if self.kind == self.Kind.SCORE:
            return "scores that were asked for"
        if self.kind in self.PHASES:
            return _PHASES[self.Kind(self.kind)].format(self.step)
        return "first draw" if self.step == NO_PLACE else f"update {self.step}"


_PHASES: dict[Job.Kind, str] = {
    Job.Kind.SHARE: "shared epoch {}",
    Job.Kind.TEACH: "controller phase {}",
    Job.Kind.DERIVE: "choice of candidates",
}


class Tally(models.Model):
    """What figures that only grow have of streams that were deleted (see metrics)."""

    EVENTS: ClassVar = "events"
    CHILDREN: ClassVar = "children"  # That had a reward.

    name = models.CharField(primary_key=True, max_length=20)
    count = models.BigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "tallies"


class Asked(Owned):
    """Scores that somebody asked for."""

    def waiting(self, search_id: Any) -> Self:
        return self.filter(search_id=search_id, state=AskedScore.State.WAITING)

    def refuse(self, reason: str, at: float) -> None:
        """None of these will be answered. reason: a sentence; at: the time."""
        self.update(state=AskedScore.State.REFUSED, reason=reason, answered=at)


class AskedScore(models.Model):
    """An architecture that a person brought, and what the shared weights of a search say of it (see asked_scores)."""

    class State(models.TextChoices):
        WAITING = "waiting"
        ANSWERED = "answered"
        REFUSED = "refused"

    OWNER: ClassVar = "search__owner"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    search = models.ForeignKey(Search, on_delete=models.CASCADE, related_name="asked_scores")
    architecture = models.JSONField()
    hash = models.CharField(max_length=SHA256_LENGTH)
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    reason = models.TextField(blank=True)  # Why it was refused, a sentence; else "".
    # A trainer in the middle of a phase was told of it: from then on only a job of its own answers it, so that an
    # architecture that ends a process cannot end the phase again and again.
    was_told = models.BooleanField(default=False)
    best = models.JSONField(null=True)  # What it is compared with: {"architecture", "hash", "what"}; None for nothing.
    answer = models.JSONField(null=True)  # As search_engine.asked_scores gives it, without its id.
    asked = models.FloatField()
    answered = models.FloatField(null=True)

    objects = Asked.as_manager()

    class Meta:
        indexes = [models.Index(fields=["search", "asked"], name="score_by_asked")]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="waiting", answer__isnull=True, reason="", answered__isnull=True)
                | Q(state="answered", answer__isnull=False, reason="", answered__isnull=False)
                | (Q(state="refused", answer__isnull=True, answered__isnull=False) & ~Q(reason="")),
                name="score_says_how_it_was_answered",
            ),
        ]


class Host(models.Model):
    """A machine with workers, once jobs were lost there or somebody drained something there (see hosts).

    drained: the numbers of its processes that are drained each by itself, whichever pid they have. losses: the last of
    those in a row, the newest last, each {"job", "reason", "at"}.
    """

    name = models.CharField(primary_key=True, max_length=120)
    is_drained = models.BooleanField(default=False)  # All its workers are, and those that are still to come.
    drained = models.JSONField(default=list)
    losses = models.JSONField(default=list)
    in_a_row = models.PositiveIntegerField(default=0)  # Losses since something last went well there.
    set_aside = models.FloatField(null=True)  # Since when it gets no work; None for a host that does.
    tries = models.PositiveIntegerField(default=0)  # How often in a row it was set aside; each wait is longer.
    free_at = models.FloatField(null=True)  # When it may claim one job, to see whether that goes well.
    trial = models.CharField(max_length=120, blank=True)  # The worker that may, or did.


class Worker(models.Model):
    """A worker process, as it describes itself."""

    name = models.CharField(primary_key=True, max_length=120)
    host = models.CharField(max_length=120)
    device = models.CharField(max_length=40)
    speed = models.JSONField(default=list, db_default=[])  # A TrainingSpeed as a list; empty until it measured its own.
    memory = models.BigIntegerField(null=True)  # Bytes of the device; None where it cannot be told.
    memory_used = models.BigIntegerField(null=True)  # Of those, by whatever runs there.
    own_memory = models.BigIntegerField(null=True)  # Bytes that the worker and its trainer hold.
    load = models.FloatField(null=True)  # Of all cores of its host, in [0, 1], since it last said so.
    cores = models.PositiveSmallIntegerField(null=True)  # Of its host.
    number = models.PositiveSmallIntegerField(default=0)  # Of the process on its host, from 1; 0 where nobody said.
    seen = models.FloatField()
    is_drained = models.BooleanField(default=False)  # It gives back what it does, and claims nothing.

    @property
    def job(self) -> Job | None:
        """What it does now."""
        return Job.objects.filter(worker=self.name, state=Job.State.LEASED).first()
