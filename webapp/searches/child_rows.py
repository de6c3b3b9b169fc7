"""The children of a search as rows: sorted, in pages, and as a table for other programs."""

import csv
import io
import json
from typing import Literal

from django.db.models import F, QuerySet

from webapp.searches.models import Child, Event, Search

Sort = Literal["reward", "parameters", "mult_adds", "seconds", "step"]
Order = Literal["asc", "desc"]

_COLUMNS = (
    "step", "slot", "reward", "reason", "twin_step", "twin_slot", "hash", "parameters", "mult_adds", "seconds",
    "log_probability", "decisions", "architecture", "accuracy", "over", "latency", "perplexity", "off_policy",
)  # fmt: skip
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def sorted_children(search: Search, sort: Sort, order: Order) -> QuerySet[Child]:
    """Children with a verdict. What has no value comes last in either order; equals stand in the order of drawing."""
    key = F(sort)
    first = key.desc(nulls_last=True) if order == "desc" else key.asc(nulls_last=True)
    slot = "-slot" if (sort, order) == ("step", "desc") else "slot"
    return search.children.filter(is_final=True).order_by(first, "step", slot)


def taking(children: QuerySet[Child], decision: int, option: int) -> QuerySet[Child]:
    """Those that took this option in this decision, both counted from 0; none where there is no such."""
    return children.filter(**{f"decisions__{decision}": option})


def places_at(search: Search, at: int) -> set[tuple[int, int]]:
    """Step and slot of the children that had a verdict after event `at`."""
    verdicts = Event.objects.filter(stream_id=search.pk, kind="child_finished", number__lte=at)
    return set(verdicts.values_list("payload__step", "payload__slot"))


def children_csv(search: Search) -> str:
    """All children with a verdict, in the order of drawing."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    for row in sorted_children(search, "step", "asc").values_list(*_COLUMNS).iterator(chunk_size=500):
        writer.writerow([_cell(value) for value in row])
    return text.getvalue()


def _cell(value: object) -> object:
    """A text that a spreadsheet would take for a formula gets an apostrophe; numbers stay numbers."""
    if isinstance(value, (list, dict)):
        return json.dumps(value, separators=(",", ":"))
    if isinstance(value, str) and value.startswith(_FORMULA):
        return f"'{value}"
    return value
