"""Searches and trainings together: one list, filtered and sorted; and what a person writes on one of them."""

import uuid
from collections.abc import Callable
from typing import Annotated, Any, Literal

from django.db import transaction
from django.http import HttpRequest
from ninja import Query, Router
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from webapp.searches import labels, lifecycle
from webapp.searches.api.allowed import changeable
from webapp.searches.api.replies import Body, Priority, Refusal
from webapp.searches.entries import entries_for
from webapp.searches.models import Stream
from webapp.searches.stream_list import NO_NUL, Wanted, listed, tags_in

router = Router(tags=["Searches and trainings"])

Limit = Annotated[int, Query(ge=1, le=200)]
After = Annotated[int, Query(ge=0, le=2**53)]


class StreamReply(BaseModel):
    """A search or a training, as a list shows it. done of total: children, finalists or epochs, as `unit` says.

    result: as people read it, of the figure that result_title names; best: the same as a number; null before there is
    one. best_so_far: (x, best) wherever the best changed, x in children or epochs, at most 60; a perplexity has a minus
    there. sparkline: the same as an SVG path in a box of 100 x 24. seconds_left: null where nobody can tell, or nothing
    runs. method: of a search. role: yours: "owner", "co-owner" or "reader". archived, created, ended: seconds since
    1970.
    """

    model_config = ConfigDict(from_attributes=True)

    id: uuid.UUID
    kind: Literal["search", "training"]
    method: str
    name: str
    url: str
    state: str
    reason: str
    done: int
    total: int
    unit: str
    seconds_left: float | None
    result: str
    result_title: str
    best: float | None
    best_so_far: list[tuple[float, float]]
    sparkline: str
    owner: str
    role: str
    tags: list[str]
    notes: str
    archived: float | None
    created: float
    ended: float | None
    beside: str


class StreamList(BaseModel):
    """total: of all that was asked for, on whichever page."""

    streams: list[StreamReply]
    total: int


class TagCount(BaseModel):
    tag: str
    count: int


class TagList(BaseModel):
    tags: list[TagCount]


Text = Annotated[str, Field(pattern=NO_NUL)]


class Changes(Body):
    """What is to change; what is left out, or null, stays.

    priority: work of a lower one waits while there is any of a higher one; what is under way is finished first.
    tags: all of them, each one word. archived: what stands in the archive is left out of lists that do not ask for it.
    """

    priority: Priority | None = None
    name: Annotated[Text, Field(max_length=labels.LONGEST_NAME)] | None = None
    tags: Annotated[list[Annotated[Text, Field(max_length=200)]], Field(max_length=100)] | None = None
    notes: Annotated[Text, Field(max_length=labels.LONGEST_NOTES)] | None = None
    archived: StrictBool | None = None


class ChangedReply(BaseModel):
    """As it is now. archived: since when, in seconds since 1970; null for what is not."""

    id: uuid.UUID
    priority: Priority
    name: str
    tags: list[str]
    notes: str
    archived: float | None


@router.get("/streams", response={200: StreamList, 422: Refusal}, summary="Your searches and trainings",
            url_name="streams")  # fmt: skip
def list_streams(request: HttpRequest, wanted: Query[Wanted], limit: Limit = 50, offset: After = 0) -> dict[str, Any]:
    """With those that others share with you. What stands in the archive is left out unless it is asked for."""
    streams = listed(request.user, wanted)
    return {"streams": entries_for(request.user, list(streams[offset : offset + limit])), "total": streams.count()}


@router.get("/streams/tags", response=TagList, summary="The tags of your searches and trainings", url_name="tags")
def tags(request: HttpRequest) -> TagList:
    """Also of those in the archive."""
    return TagList(tags=[TagCount(tag=tag, count=count) for tag, count in tags_in(request.user)])


def add_changes(router: Router, kind: Any, seen: Callable[[HttpRequest, uuid.UUID], Stream]) -> None:
    """Let this router, of one kind of stream, take what changes nothing that is computed. kind: see stream_commands."""
    StreamId = kind.id

    @router.patch(
        kind.path, response={200: ChangedReply, 403: Refusal, 404: Refusal, 409: Refusal, 422: Refusal},
        summary=f"Change the name, tags, notes or priority of a {kind.noun}, or archive it", **kind.named("change"),
    )  # fmt: skip
    def change(request: HttpRequest, stream_id: StreamId, body: Changes) -> ChangedReply:
        """Nothing that is computed changes. With its priority goes all that stands in its group, such as a random
        companion. What runs or is paused cannot be archived."""
        stream = changeable(request, seen(request, stream_id))
        wanted = body.model_dump(exclude_none=True)
        priority = wanted.pop("priority", None)
        with transaction.atomic():
            if priority is not None:
                lifecycle.prioritise(stream.pk, Stream.PRIORITIES[priority])
            if wanted:
                labels.label(stream.pk, wanted)
        stream.refresh_from_db()
        names = ("name", "tags", "notes", "archived")
        told = {name: getattr(stream, name) for name in names}
        return ChangedReply(id=stream_id, priority=stream.priority_word, **told)
