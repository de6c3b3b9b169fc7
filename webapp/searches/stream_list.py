"""Which searches and trainings a list shows, and in which order: filtered, sorted and paged in the database."""

import json
import uuid
from collections import Counter
from typing import Any, Literal

from django.db.models import Case, F, FloatField, OuterRef, Q, QuerySet, Subquery, TextField, Value, When
from django.db.models.functions import Cast, Coalesce, Lower
from pydantic import BaseModel, ConfigDict, Field

from webapp.searches.models import Child, Stream
from webapp.searches.overview import MEASURED

MOST_IDS = 100
NO_NUL = r"^[^\x00]*$"  # PostgreSQL knows no such character.

# Of a search with children that are trained one by one, whose configuration names no method.
PLAIN_METHOD = "nasnet"


def _asked(description: str, usual: str = "", **limits: Any) -> Any:
    return Field(usual, description=description, **limits)


class Wanted(BaseModel):
    """What a list is to show. "" stands for all."""

    model_config = ConfigDict(frozen=True)

    state: Literal["", "running", "paused", "stopped", "finished", "failed", "deleting"] = _asked("In this state.")
    kind: Literal["", "search", "training"] = _asked("Searches or trainings alone.")
    method: Literal["", "nasnet", "enas-micro", "enas-macro", "enas-recurrent"] = _asked("Searches of this method.")
    tag: str = _asked("With this tag.", max_length=30, pattern=NO_NUL)
    whose: Literal["", "mine", "shared"] = _asked("What you own, or what others share with you.")
    text: str = _asked("With each of these words in name, notes or tags.", max_length=200, pattern=NO_NUL)
    archived: Literal["no", "yes", "all"] = _asked("What stands in the archive: left out, alone, or too.", "no")
    order: Literal["newest", "oldest", "best", "name"] = _asked(
        "By the time of the start, by name, or the best result first, where perplexities stand behind the others.",
        "newest",
    )
    ids: tuple[uuid.UUID, ...] = Field((), description="Of these alone.", max_length=MOST_IDS)

    @property
    def narrows(self) -> bool:
        """Whether it leaves anything out that the first page shows by itself."""
        return self.model_copy(update={"order": "newest"}) != Wanted()


def listed(user: Any, wanted: Wanted) -> QuerySet[Stream]:
    """In a stable order. What an honesty meter trains stands on the page of its search alone."""
    streams = Stream.objects.visible_to(user).filter(Q(kind="search") | Q(as_training__for_meter=False))
    if wanted.ids:
        streams = streams.filter(pk__in=wanted.ids)
    for name in ("state", "kind"):
        if value := getattr(wanted, name):
            streams = streams.filter(**{name: value})
    if wanted.whose:
        own = Q(owner=user.pk)
        streams = streams.filter(own if wanted.whose == "mine" else ~own)
    if wanted.archived != "all":
        streams = streams.filter(archived__isnull=wanted.archived == "no")
    if wanted.method:
        streams = streams.filter(_of_method(wanted.method))
    if wanted.tag or wanted.text.strip():
        streams = streams.annotate(tags_text=Cast("tags", TextField())).filter(_with_words(wanted))
    return _ordered(streams, wanted.order)


def tags_in(user: Any) -> list[tuple[str, int]]:
    """Each tag that this user may see, also in the archive, with how many searches and trainings have it; rising."""
    counts: Counter[str] = Counter()
    for tags in Stream.objects.visible_to(user).exclude(tags=[]).values_list("tags", flat=True):
        counts.update(tags)
    return sorted(counts.items())


def _of_method(method: str) -> Q:
    if method == PLAIN_METHOD:
        return Q(kind="search", as_search__epochs=0)
    return Q(as_search__config__method=method)


def _with_words(wanted: Wanted) -> Q:
    """Tags are compared as the JSON that holds them, which is theirs alone: no tag holds a quote (see labels)."""
    found = Q()
    if wanted.tag:
        tag = wanted.tag.lower()
        found &= Q(tags_text__contains=json.dumps(tag)) | Q(tags_text__contains=json.dumps(tag, ensure_ascii=False))
    for word in wanted.text.split():
        escaped = json.dumps(word.lower())[1:-1]  # As SQLite keeps it; PostgreSQL keeps the letters themselves.
        found &= (
            Q(name__icontains=word) | Q(notes__icontains=word)
            | Q(tags_text__icontains=word.lower()) | Q(tags_text__icontains=escaped)
        )  # fmt: skip
    return found


def _ordered(streams: QuerySet[Stream], order: str) -> QuerySet[Stream]:
    if order == "best":
        streams = streams.annotate(best=_best())
        return streams.order_by(F("best").desc(nulls_last=True), "-created", "pk")
    if order == "name":
        unnamed = Case(When(name="", then=Value(1)), default=Value(0))
        return streams.order_by(unnamed, Lower("name"), "-created", "pk")
    return streams.order_by("created" if order == "oldest" else "-created", "pk")


def _best() -> Coalesce:
    """Rewards and accuracies, the highest first; then perplexities, the lowest first, for they mean something else."""
    children = Child.objects.filter(search=OuterRef("pk"), **MEASURED).order_by("-reward", "step", "slot")
    perplexity = Coalesce(F("as_training__test_perplexity"), Subquery(children.values("perplexity")[:1]))
    reward = Coalesce(F("as_training__test_accuracy"), Subquery(children.values("reward")[:1]))
    return Coalesce(-perplexity, reward, output_field=FloatField())
