"""Searches, with their children and finalists."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from webapp.searches.models.streams import SHA256_LENGTH, Owned, Stream


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
