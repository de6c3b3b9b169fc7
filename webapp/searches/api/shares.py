"""Persons with whom a search or a training is shared: who they are, and what they may do."""

import uuid
from collections.abc import Callable
from typing import Annotated, Literal

from django.http import HttpRequest
from ninja import Path, Router
from pydantic import BaseModel, Field

from search_engine.errors import UserError
from webapp.accounts.models import User
from webapp.searches import clock
from webapp.searches.api.allowed import owned
from webapp.searches.api.refusals import Refused, not_found
from webapp.searches.api.replies import Body, Refusal
from webapp.searches.api.searches import seen_search
from webapp.searches.api.trainings import seen_training
from webapp.searches.models import Share, Stream

of_searches = Router(tags=["Searches"])
of_trainings = Router(tags=["Trainings"])
MOST_SHARES = 200  # Of one stream.


class NewShare(Body):
    """With whom, by name, and what they may do: look at it, or change it as if it were their own."""

    user: Annotated[str, Field(min_length=1, max_length=150)]
    role: Literal["reader", "co-owner"]


class ShareReply(BaseModel):
    """Since when in seconds since 1970."""

    user: str
    role: str
    created: float


class ShareList(BaseModel):
    """By name."""

    shares: list[ShareReply]


def _add_routes(router: Router, noun: str, seen: Callable[[HttpRequest, uuid.UUID], Stream]) -> None:
    StreamId = Annotated[uuid.UUID, Path(alias=f"{noun}_id")]
    path = f"/{{uuid:{noun}_id}}/shares"

    @router.get(
        path, response={200: ShareList, 403: Refusal, 404: Refusal}, url_name=f"{noun}-shares",
        summary=f"With whom a {noun} is shared",
    )  # fmt: skip
    def listed(request: HttpRequest, stream_id: StreamId) -> ShareList:
        return _list_of(owned(request, seen(request, stream_id)))

    @router.put(
        path, response={200: ShareList, 403: Refusal, 404: Refusal, 409: Refusal, 422: Refusal},
        url_name=f"share-{noun}",
        summary=f"Share a {noun} with a person, or change what they may do",
    )  # fmt: skip
    def share(request: HttpRequest, stream_id: StreamId, body: NewShare) -> ShareList:
        """Twice the same is once. The other networks and data of its owner are not shared with it."""
        stream = owned(request, seen(request, stream_id))
        person = User.objects.filter(name=body.user, is_active=True).first()
        if person is None:
            raise Refused(422, [UserError("user", f'is "{body.user}"; there is nobody of this name.')])
        if person.pk == stream.owner_id:
            raise Refused(422, [UserError("user", "is its owner, who may do everything already.")])
        if stream.shares.exclude(user=person).count() >= MOST_SHARES:
            raise Refused(409, [UserError("", f"It is shared with {MOST_SHARES} persons, which is the most.")])
        now = {"role": body.role, "created": clock.now()}
        Share.objects.update_or_create(
            stream_id=stream.pk, user=person, defaults={"role": body.role}, create_defaults=now
        )
        return _list_of(stream)

    @router.delete(
        f"{path}/{{user}}", response={200: ShareList, 403: Refusal, 404: Refusal}, url_name=f"unshare-{noun}",
        summary=f"Share a {noun} with a person no longer",
    )  # fmt: skip
    def unshare(request: HttpRequest, stream_id: StreamId, user: str) -> ShareList:
        """Pages that they have open are closed within seconds. Whoever was shared with may leave by themselves."""
        stream = seen(request, stream_id)
        if user != request.user.get_username():
            owned(request, stream)
        if not stream.shares.filter(user__name=user).delete()[0]:
            raise not_found("share")
        return _list_of(stream) if stream.owner_id == request.user.pk else ShareList(shares=[])


def _list_of(stream: Stream) -> ShareList:
    rows = Share.objects.filter(stream_id=stream.pk).select_related("user").order_by("user__name")
    return ShareList(shares=[ShareReply(user=row.user.name, role=row.role, created=row.created) for row in rows])


_add_routes(of_searches, "search", seen_search)
_add_routes(of_trainings, "training", seen_training)
