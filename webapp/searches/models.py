"""The rows: fields, constraints and one-line properties. What changes them is in planner, leases, results, lifecycle.

A stream is what a user owns and watches: a search or a training. Its events are numbered without gaps; its jobs are
what workers do for it. Times are seconds since 1970 by the database's clock (see clock.now).
"""

import uuid
from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.db.models import Q

SHA256_LENGTH = 64  # Hexadecimal digits.
NO_CHECKPOINTS = {"checkpoint": "", "checkpoint_before": ""}  # Of a job that nobody goes on with.
NO_PLACE = -1  # Step and slot of a job that has none: unique constraints take NULLs for different from each other.


class Owned(models.QuerySet):
    """Rows that belong to somebody, directly or through their stream."""

    def visible_to(self, user: Any) -> Self:
        """What this user may see: what they own. Nobody who is not signed in sees anything.

        The one exception is a stream that was shown by a link: the gate names it as `linked_streams` (see
        accounts.access), at addresses that a link opens and nowhere else.
        """
        own = Q(**{self.model.OWNER: user.pk}) if user.is_authenticated else Q(pk__in=())
        if issubclass(self.model, Stream):
            own |= Q(pk__in=getattr(user, "linked_streams", ()))
        return self.filter(own)


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
    last_event = models.BigIntegerField(default=0)
    created = models.FloatField()
    ended = models.FloatField(null=True)
    code_version = models.CharField(max_length=40)  # Of the program that started it.

    objects = Owned.as_manager()

    class Meta:
        indexes = [models.Index(fields=["owner", "created"], name="stream_by_owner")]
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


class Search(Stream):
    """A search. `config` is any of config.searches as JSON and never changes.

    One with shared weights goes through epochs, each a shared epoch and then a controller phase, and has children at
    its end alone: the candidates. There steps_told counts controller phases.
    """

    class Finals(models.TextChoices):
        CHOSEN = "chosen"  # Finalists are trained.
        KEPT = "kept"  # The final round is over.

    stream = models.OneToOneField(
        Stream, parent_link=True, primary_key=True, on_delete=models.CASCADE, related_name="as_search"
    )
    config = models.JSONField()
    changes = models.JSONField(default=list)  # Of its limits, as config.changes.Change as JSON; it only grows.
    total = models.PositiveIntegerField()  # How many children it will try: in force, whatever the configuration says.
    steps_told = models.IntegerField(default=-1)  # As in schedule.Known.
    strategy_state = models.CharField(max_length=SHA256_LENGTH, blank=True)  # File to go on from; "" at first.
    fingerprint = models.CharField(max_length=SHA256_LENGTH, blank=True)  # Of the steps told, and then of all.
    finals = models.CharField(max_length=8, choices=Finals, blank=True)  # "" before the final round, and without one.
    epochs = models.PositiveIntegerField(default=0)  # In force; 0 where every child is trained by itself.
    epochs_shared = models.PositiveIntegerField(default=0)  # Shared epochs that are over.
    weights = models.CharField(max_length=SHA256_LENGTH, blank=True)  # File of the shared weights; "" before the first.
    # The files before these two, from which they are computed again if they get damaged; "" once the search has ended.
    strategy_before = models.CharField(max_length=SHA256_LENGTH, blank=True, default="")
    weights_before = models.CharField(max_length=SHA256_LENGTH, blank=True, default="")


class Child(models.Model):
    """One proposed architecture of a search, with its verdict once it is final."""

    OWNER: ClassVar = "search__owner"

    search = models.ForeignKey(Search, on_delete=models.CASCADE, related_name="children")
    step = models.IntegerField()
    slot = models.IntegerField()
    decisions = models.JSONField()
    architecture = models.JSONField()
    hash = models.CharField(max_length=SHA256_LENGTH)
    log_probability = models.FloatField()
    off_policy = models.BooleanField(default=False)  # A person proposed it: nothing is learned from it.
    is_final = models.BooleanField(default=False)
    reward = models.FloatField(null=True)
    reason = models.TextField(blank=True)  # Why there is no measured reward; "" where there is one.
    twin_step = models.IntegerField(null=True)  # The child whose reward was copied.
    twin_slot = models.IntegerField(null=True)
    parameters = models.BigIntegerField(null=True)  # Unknown until the verdict, and when no worker came so far.
    mult_adds = models.BigIntegerField(null=True)
    seconds = models.FloatField(null=True)
    accuracy = models.FloatField(null=True)  # Where the reward is another figure, because cost weighs in it.
    perplexity = models.FloatField(null=True)  # On the validation part of a text, where the reward is made of it.
    over = models.CharField(max_length=12, blank=True)  # The bound that it is over, for which it was never trained.
    latency = models.JSONField(null=True)  # As events.Latency, where it was measured.

    objects = Owned.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["search", "reward"], name="child_by_reward"),
            models.Index(fields=["search", "hash"], name="child_by_hash"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["search", "step", "slot"], name="child_place_is_unique"),
            models.CheckConstraint(
                condition=Q(is_final=True) | Q(reward=None, reason=""), name="child_verdict_is_final"
            ),
            models.CheckConstraint(
                condition=Q(is_final=False) | Q(reward__isnull=False) | ~Q(reason=""), name="child_verdict_says_why"
            ),
            models.CheckConstraint(
                condition=Q(twin_step=None, twin_slot=None) | Q(twin_step__isnull=False, twin_slot__isnull=False),
                name="child_twin_is_whole",
            ),
        ]

    @property
    def is_measured(self) -> bool:
        """Its reward was measured for itself: a twin may copy it, and it may be the best."""
        return self.reward is not None and self.reason == "" and self.twin_step is None


class Finalist(models.Model):
    """A child that the final round of its search trains again. rank: from 1, which had the best reward."""

    OWNER: ClassVar = "search__owner"

    search = models.ForeignKey(Search, on_delete=models.CASCADE, related_name="finalists")
    rank = models.IntegerField()
    child = models.ForeignKey(Child, on_delete=models.CASCADE, related_name="finals")
    is_final = models.BooleanField(default=False)  # Its verdict is there.
    accuracy = models.FloatField(null=True)  # On the held-out images after its last epoch.
    reason = models.TextField(blank=True)  # Why there is no accuracy; "" where there is one.
    parameters = models.BigIntegerField(null=True)
    mult_adds = models.BigIntegerField(null=True)
    seconds = models.FloatField(null=True)
    checkpoint = models.CharField(max_length=SHA256_LENGTH, blank=True)  # Its network, while it is the best so far.

    objects = Owned.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["search", "rank"], name="finalist_rank_is_unique"),
            models.CheckConstraint(
                condition=Q(is_final=False, accuracy=None, reason="", checkpoint="")
                | Q(is_final=True, accuracy__isnull=False, reason="")
                | (Q(is_final=True, accuracy=None, checkpoint="") & ~Q(reason="")),
                name="finalist_verdict_says_why",
            ),
        ]


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


class Training(Stream):
    """One architecture trained for keeps. `config` is any of config.trainings as JSON and never changes.

    It came from a child, an imported architecture, the catalogue (`published`, its name there), or with the request.
    A finished one has both accuracies or, on text, both perplexities.
    """

    stream = models.OneToOneField(
        Stream, parent_link=True, primary_key=True, on_delete=models.CASCADE, related_name="as_training"
    )
    config = models.JSONField()
    child = models.ForeignKey(Child, null=True, on_delete=models.SET_NULL, related_name="trainings")
    imported = models.ForeignKey(ImportedArchitecture, null=True, on_delete=models.SET_NULL, related_name="trainings")
    published = models.CharField(max_length=80, blank=True)
    deleted_origin = models.CharField(max_length=120, blank=True, default="")  # What its child was called.
    for_meter = models.BooleanField(default=False)  # Trained to see what shared scores say (see meter_trainings).
    hash = models.CharField(max_length=SHA256_LENGTH)
    parameters = models.BigIntegerField()
    mult_adds = models.BigIntegerField()
    checkpoint = models.CharField(max_length=SHA256_LENGTH, blank=True)  # The weights, once finished.
    test_accuracy = models.FloatField(null=True)
    test_examples = models.PositiveIntegerField(null=True)  # Images, or tokens that were guessed.
    held_out_accuracy = models.FloatField(null=True)
    test_perplexity = models.FloatField(null=True)
    held_out_perplexity = models.FloatField(null=True)
    seconds = models.FloatField(null=True)


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
    progress = models.BigIntegerField(default=0)  # Grows while work goes on; means nothing else.
    attempts = models.IntegerField(default=0)  # How often it was lost since it last made a checkpoint.
    lost_on = models.JSONField(default=list)  # Hosts of its last losses, the newest last; the last `attempts` count.
    checkpoint = models.CharField(max_length=SHA256_LENGTH, blank=True)  # File to go on from; "" at first.
    # The file before it, in case that one is damaged.
    checkpoint_before = models.CharField(max_length=SHA256_LENGTH, blank=True, default="")

    objects = Owned.as_manager()

    class Meta:
        indexes = [models.Index(fields=["state", "kind"], name="job_by_state")]
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
    """The folded state of a stream after event `number`, so that nobody has to fold from the beginning."""

    stream = models.OneToOneField(Stream, primary_key=True, on_delete=models.CASCADE, related_name="snapshot")
    number = models.BigIntegerField()
    state = models.JSONField()


class Keyframe(models.Model):
    """The folded state of a stream after event `number`, kept so that any moment is near one (see keyframes).

    state: the JSON of it, deflated. rules: of the fold that made it, see keyframes.rules; no other goes on from it.
    """

    stream = models.ForeignKey(Stream, on_delete=models.CASCADE, related_name="keyframes")
    number = models.BigIntegerField()
    rules = models.CharField(max_length=16)
    state = models.BinaryField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["stream", "rules", "number"], name="keyframe_is_kept_once"),
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
    # What it measured: [[mult-adds of an image forward, mult-adds of such images trained on per second], ...].
    rates = models.JSONField(default=list)
    memory = models.BigIntegerField(null=True)  # Bytes of the device; None where it cannot be told.
    number = models.PositiveSmallIntegerField(default=0)  # Of the process on its host, from 1; 0 where nobody said.
    seen = models.FloatField()
    is_drained = models.BooleanField(default=False)  # It gives back what it does, and claims nothing.

    @property
    def job(self) -> Job | None:
        """What it does now."""
        return Job.objects.filter(worker=self.name, state=Job.State.LEASED).first()


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
