"""Searches and trainings with the few figures that a list shows, newest first."""

from typing import Any

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.fields.json import KT
from django.db.models.functions import Cast, Coalesce

from webapp.searches.models import Child, Event, Finalist, Search, Training

# As Child.is_measured, for the database.
MEASURED: dict[str, Any] = {"reward__isnull": False, "reason": "", "twin_step": None}


def searches_of(user: Any) -> QuerySet[Search]:
    """The user's searches, each with `done` (children with a verdict), `best_reward` (None before the first),
    `best_accuracy` (of that child, only where cost weighs in the reward), `best_perplexity` (of that child, only where
    it is a candidate on text), and `finalists_chosen` and `finalists_done` (0 before the final round, and without one).
    """
    children = Child.objects.filter(search=OuterRef("pk")).order_by().values("search")
    best = Child.objects.filter(search=OuterRef("pk"), **MEASURED).order_by("-reward", "step", "slot")
    finalists = Finalist.objects.filter(search=OuterRef("pk")).order_by().values("search")
    return (
        Search.objects.visible_to(user)
        .annotate(
            done=_counted(children.filter(is_final=True, off_policy=False)),
            best_reward=Subquery(best.values("reward")[:1]),
            best_accuracy=Subquery(best.values("accuracy")[:1]),
            best_perplexity=Subquery(best.values("perplexity")[:1]),
            finalists_chosen=_counted(finalists),
            finalists_done=_counted(finalists.filter(is_final=True)),
        )
        .order_by("-created", "pk")
    )


def _counted(grouped: Any) -> Coalesce:
    """How many rows there are of each search; 0 where there is none."""
    counts = grouped.annotate(count=Count("pk")).values("count")
    return Coalesce(Subquery(counts, output_field=IntegerField()), 0)


def trainings_of(user: Any) -> QuerySet[Training]:
    """The user's trainings, each with `epochs_done`."""
    ended = Event.objects.filter(stream=OuterRef("pk"), kind="epoch_ended").order_by("-number")
    last = ended.annotate(epoch=Cast(KT("payload__epoch"), IntegerField()))  # PostgreSQL takes no JSON for a number.
    epochs = Coalesce(Subquery(last.values("epoch")[:1]), 0)
    trainings = Training.objects.visible_to(user).select_related("child").annotate(epochs_done=epochs)
    return trainings.order_by("-created", "pk")
