"""What a replay is made of: a state near any event, the line of all events, and the children as they stood then."""

import uuid
from collections.abc import Callable
from typing import Annotated, Any

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.http import HttpRequest
from ninja import Path, Router
from pydantic import BaseModel

from webapp.searches import keyframes
from webapp.searches.api.children import Page, Place, Size, child_json, those_that_took
from webapp.searches.api.replies import ChildList, Refusal
from webapp.searches.api.searches import After, seen_search
from webapp.searches.api.trainings import seen_training
from webapp.searches.child_rows import Order, Sort, places_at, sorted_children
from webapp.searches.models import Child, Stream
from webapp.searches.timeline import timeline_of

of_searches = Router(tags=["Searches"])
of_trainings = Router(tags=["Trainings"])


class PastState(BaseModel):
    """state: what the page shows after event state.n. at: when that happened. last: the newest event there is."""

    state: dict[str, Any]
    at: float | None
    last: int


class MarkReply(BaseModel):
    """An event that stands out. kind: "step", "best", "loss", "pause", "resume", "change" or "end"."""

    n: int
    at: float
    kind: str


class TimelineReply(BaseModel):
    """ticks: [n, seconds since 1970] of the first, the last and evenly chosen events between; at most a thousand."""

    last: int
    ticks: list[tuple[int, float]]
    marks: list[MarkReply]


def _add_routes(router: Router, noun: str, seen: Callable[[HttpRequest, uuid.UUID], Stream]) -> None:
    StreamId = Annotated[uuid.UUID, Path(alias=f"{noun}_id")]
    path = f"/{{uuid:{noun}_id}}"

    @router.get(
        f"{path}/states", response={200: PastState, 404: Refusal}, url_name=f"{noun}-states",
        summary=f"What the page of a {noun} showed, close before an event",
    )  # fmt: skip
    def states(request: HttpRequest, stream_id: StreamId, at: After = 0) -> PastState:
        """The state after event `at`, or less than a thousand events before it: those lead from there to `at`.

        Where such states are not kept yet, it may be farther away: asked again, it comes nearer.
        """
        stream = seen(request, stream_id)
        state = keyframes.nearest(stream, at)
        return PastState(state=state, at=keyframes.moment(stream, state["n"]), last=stream.last_event)

    @router.get(
        f"{path}/timeline", response={200: TimelineReply, 404: Refusal}, url_name=f"{noun}-timeline",
        summary=f"When the events of a {noun} happened, and which stand out",
    )  # fmt: skip
    def timeline(request: HttpRequest, stream_id: StreamId) -> TimelineReply:
        found = timeline_of(seen(request, stream_id))
        marks = [MarkReply(n=mark.n, at=mark.at, kind=mark.kind) for mark in found.marks]
        return TimelineReply(last=found.last, ticks=found.ticks, marks=marks)


_add_routes(of_searches, "search", seen_search)
_add_routes(of_trainings, "training", seen_training)


@of_searches.get(
    "/{uuid:search_id}/states/children", response={200: ChildList, 404: Refusal}, url_name="replayed-children",
    summary="Children that had a verdict after an event, in pages",
)  # fmt: skip
def children_then(
    request: HttpRequest,
    search_id: uuid.UUID,
    at: After = 0,
    sort: Sort = "reward",
    order: Order = "desc",
    page: Page = 1,
    size: Size = 20,
    decision: Place = None,
    option: Place = None,
) -> dict[str, Any]:
    """As the list of children was after event `at`: a verdict never changes, so only which ones were there differs.

    decision and option, both counted from 0: only the children that took this option there.
    """
    search = seen_search(request, search_id)
    children = those_that_took(sorted_children(search, sort, order), decision, option)
    shown = Paginator(_keys_then(children, places_at(search, at)), size).get_page(page)
    rows = search.children.in_bulk(list(shown))
    return {
        "children": [child_json(search, rows[key]) for key in shown],
        "page": shown.number,
        "pages": shown.paginator.num_pages,
        "size": size,
        "total": shown.paginator.count,
    }


def _keys_then(children: QuerySet[Child], places: set[tuple[int, int]]) -> list[int]:
    """Two plain lists and a set: for 20,000 children a fraction of a second; a join over JSON would take minutes."""
    return [key for key, step, slot in children.values_list("pk", "step", "slot") if (step, slot) in places]
