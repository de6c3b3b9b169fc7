"""The commands that searches and trainings share: pause, resume, stop, change what is written on them, and delete."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Path, Router
from ninja.responses import Status

from webapp.searches import deletion, lifecycle
from webapp.searches.api.allowed import changeable, owned
from webapp.searches.api.once import HEADER, once
from webapp.searches.api.replies import Outlook, Refusal, StateReply
from webapp.searches.api.streams import add_changes
from webapp.searches.models import Stream

DELETING = (
    "Workers lose it at their next heartbeat; it is gone some seconds later. Deleting it twice is deleting it once."
)


@dataclass(frozen=True, slots=True)
class Commanded:
    """A kind of stream that takes commands.

    noun: what it is called. seen: the stream that this user may see, refused as not found else. pausing: when a pause
    takes hold, in a sentence.
    """

    noun: str
    seen: Callable[[HttpRequest, uuid.UUID], Stream]
    pausing: str

    @property
    def path(self) -> str:
        return f"/{{uuid:{self.noun}_id}}"

    @property
    def id(self) -> Any:
        """The type of the parameter that the path names."""
        return Annotated[uuid.UUID, Path(alias=f"{self.noun}_id")]

    def named(self, command: str) -> dict[str, str]:
        """The name of an operation, for addresses and in the API's description."""
        return {"url_name": f"{command}-{self.noun}"}


def add_commands(router: Router, kind: Commanded) -> None:
    """Let this router, which is of one kind of stream, take all of them."""
    _add_state_changes(router, kind)
    add_changes(router, kind, kind.seen)
    _add_deletion(router, kind)


def _add_state_changes(router: Router, kind: Commanded) -> None:
    StreamId = kind.id
    replies = {200: StateReply, 403: Refusal, 404: Refusal, 409: Refusal}

    def state(request: HttpRequest, stream_id: uuid.UUID) -> Status:
        return Status(200, StateReply(id=stream_id, state=kind.seen(request, stream_id).state))

    @router.post(
        f"{kind.path}/pause", response=replies, summary=f"Pause a {kind.noun}", description=kind.pausing,
        openapi_extra=HEADER, **kind.named("pause"),
    )  # fmt: skip
    @once
    def pause(request: HttpRequest, stream_id: StreamId) -> Status:
        lifecycle.pause(changeable(request, kind.seen(request, stream_id)).pk)
        return state(request, stream_id)

    @router.post(
        f"{kind.path}/resume", response=replies, summary=f"Resume a {kind.noun}",
        openapi_extra=HEADER, **kind.named("resume"),
    )  # fmt: skip
    @once
    def resume(request: HttpRequest, stream_id: StreamId) -> Status:
        lifecycle.resume(changeable(request, kind.seen(request, stream_id)).pk)
        return state(request, stream_id)

    @router.post(
        f"{kind.path}/stop", response=replies, summary=f"Stop a {kind.noun} for good",
        openapi_extra=HEADER, **kind.named("stop"),
    )  # fmt: skip
    @once
    def stop(request: HttpRequest, stream_id: StreamId) -> Status:
        lifecycle.stop(changeable(request, kind.seen(request, stream_id)).pk)
        return state(request, stream_id)


def _add_deletion(router: Router, kind: Commanded) -> None:
    StreamId = kind.id
    refused = {403: Refusal, 404: Refusal}

    @router.get(
        f"{kind.path}/outlook", response={200: Outlook, **refused}, summary="What deleting would take away",
        **kind.named("outlook"),
    )  # fmt: skip
    def outlook(request: HttpRequest, stream_id: StreamId) -> Outlook:
        """Deletes nothing."""
        found = deletion.outlook(owned(request, kind.seen(request, stream_id)))
        return Outlook(goes=found.goes, stays=found.stays)

    @router.delete(
        kind.path, response={202: StateReply, **refused}, summary=f"Delete a {kind.noun} and its files for good",
        description=DELETING, **kind.named("delete"),
    )  # fmt: skip
    def delete(request: HttpRequest, stream_id: StreamId) -> Status:
        deletion.delete(owned(request, kind.seen(request, stream_id)).pk)
        return Status(202, StateReply(id=stream_id, state=Stream.State.DELETING))
