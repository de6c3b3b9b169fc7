"""Links that show a search or a training to anybody who has them: made, listed and revoked by its owner."""

import uuid
from collections.abc import Callable
from typing import Annotated

from django.http import HttpRequest
from ninja import Path, Router
from ninja.responses import Status
from pydantic import BaseModel, Field

from search_engine.errors import UserError
from webapp.searches import share_links
from webapp.searches.api.allowed import owned
from webapp.searches.api.refusals import Refused, not_found
from webapp.searches.api.replies import Body, Refusal
from webapp.searches.api.searches import seen_search
from webapp.searches.api.trainings import seen_training
from webapp.searches.models import ShareLink, Stream

of_searches = Router(tags=["Searches"])
of_trainings = Router(tags=["Trainings"])
MOST = f"There are {share_links.MOST_LINKS} links already; revoke one first."


class NewLink(Body):
    """days: until the link expires; null for one that stays until it is revoked."""

    days: int | None = Field(default=None, ge=1, le=3650)


class LinkReply(BaseModel):
    """A link without its secret, which is not kept. Times in seconds since 1970; expires: null for never."""

    id: uuid.UUID
    created: float
    expires: float | None


class NewLinkReply(LinkReply):
    """path: the link itself, below this server's address. It is shown this once."""

    path: str


class LinkList(BaseModel):
    links: list[LinkReply]


def _add_routes(router: Router, noun: str, seen: Callable[[HttpRequest, uuid.UUID], Stream]) -> None:
    StreamId = Annotated[uuid.UUID, Path(alias=f"{noun}_id")]
    path = f"/{{uuid:{noun}_id}}/links"
    refused = {403: Refusal, 404: Refusal}

    @router.get(
        path, response={200: LinkList, **refused}, url_name=f"{noun}-links",
        summary=f"Links that show a {noun}, newest first",
    )  # fmt: skip
    def listed(request: HttpRequest, stream_id: StreamId) -> LinkList:
        return _list_of(owned(request, seen(request, stream_id)))

    @router.post(
        path, response={201: NewLinkReply, **refused, 409: Refusal, 422: Refusal}, url_name=f"make-{noun}-link",
        summary=f"Make a link that shows a {noun}, read-only",
    )  # fmt: skip
    def make(request: HttpRequest, stream_id: StreamId, body: NewLink) -> Status:
        """Whoever has it sees the page, its replay and its architectures, and can do nothing.

        It takes no Idempotency-Key: a kept reply would keep the secret. Asking twice makes two links.
        """
        stream = owned(request, seen(request, stream_id))
        if stream.links.count() >= share_links.MOST_LINKS:
            raise Refused(409, [UserError("", MOST)])
        link, secret = share_links.make(stream, body.days)
        return Status(201, NewLinkReply(**_told(link), path=f"/shared#{secret}"))

    @router.delete(
        f"{path}/{{uuid:link_id}}", response={200: LinkList, **refused}, url_name=f"revoke-{noun}-link",
        summary=f"Revoke a link to a {noun}",
    )  # fmt: skip
    def revoke(request: HttpRequest, stream_id: StreamId, link_id: uuid.UUID) -> LinkList:
        """It opens nothing from now on; pages that it opened are closed within seconds. Answers with what is left."""
        stream = owned(request, seen(request, stream_id))
        if not stream.links.filter(pk=link_id).delete()[0]:
            raise not_found("link")
        return _list_of(stream)


def _list_of(stream: Stream) -> LinkList:
    rows = ShareLink.objects.filter(stream_id=stream.pk).order_by("-created")
    return LinkList(links=[LinkReply(**_told(link)) for link in rows])


def _told(link: ShareLink) -> dict[str, object]:
    return {"id": link.pk, "created": link.created, "expires": link.expires}


_add_routes(of_searches, "search", seen_search)
_add_routes(of_trainings, "training", seen_training)
