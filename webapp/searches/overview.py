"""Searches and trainings with the few figures that a list shows, newest first."""

from typing import Any

from django.db.models import Count, IntegerField, Max, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from webapp.searches.models import Child, Event, Search, Training

# As Child.is_measured, for the database.
MEASURED: dict[str, Any] = {"reward__isnull": False, "reason": "", "twin_step": None}


def searches_of(user: Any) -> QuerySet[Search]:
    """The user's searches, each with `done` (children with a verdict) and `best_reward` (None before the first)."""
    children = Child.objects.filter(search=OuterRef("pk")).order_by().values("search")
    done = children.filter(is_final=True).annotate(count=Count("pk")).values("count")
    best = children.filter(**MEASURED).annotate(best=Max("reward")).values("best")
    return (
        Search.objects.visible_to(user)
        .annotate(done=Coalesce(Subquery(done, output_field=IntegerField()), 0), best_reward=Subquery(best))
        .order_by("-created", "pk")
    )


def trainings_of(user: Any) -> QuerySet[Training]:
    """The user's trainings, each with `epochs_done`."""
    ended = Event.objects.filter(stream=OuterRef("pk"), kind="epoch_ended").order_by("-number")
    epochs = Coalesce(Subquery(ended.values("payload__epoch")[:1], output_field=IntegerField()), 0)
    trainings = Training.objects.visible_to(user).select_related("child").annotate(epochs_done=epochs)
    return trainings.order_by("-created", "pk")
