"""How long a search or a training still takes, by what is known now."""

import uuid
from collections.abc import Callable
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Path, Router
from pydantic import BaseModel

from webapp.searches.api.replies import Refusal
from webapp.searches.api.searches import seen_search
from webapp.searches.api.trainings import seen_training
from webapp.searches.models import Stream
from webapp.searches.time_left import now as time_left

of_searches = Router(tags=["Searches"])
of_trainings = Router(tags=["Trainings"])


class TimeLeftReply(BaseModel):
    """seconds: until it should end, as of `at` (seconds since 1970), some seconds ago; null where `why`, a sentence,
    says what is missing, and for what does not run."""

    seconds: float | None
    why: str
    at: float


def _add_route(router: Router, noun: str, seen: Callable[[HttpRequest, uuid.UUID], Stream]) -> None:
    StreamId = Annotated[uuid.UUID, Path(alias=f"{noun}_id")]

    @router.get(
        f"/{{uuid:{noun}_id}}/time-left", response={200: TimeLeftReply, 404: Refusal}, url_name=f"{noun}-time-left",
        summary=f"How long a {noun} still takes",
    )  # fmt: skip
    def left(request: HttpRequest, stream_id: StreamId) -> dict[str, Any]:
        """Told from what was done so far, the workers that are there, and others that share them."""
        stream, look = seen(request, stream_id), time_left.recent()
        why = look.why.get(stream.pk, "") if stream.state == Stream.State.RUNNING else f"It is {stream.state}."
        return {"seconds": None if why else look.left.get(stream.pk), "why": why, "at": look.at}


_add_route(of_searches, "search", seen_search)
_add_route(of_trainings, "training", seen_training)
