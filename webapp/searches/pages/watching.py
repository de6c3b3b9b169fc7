"""What a page shows to somebody who only looks: by a link, or at a replay. Nothing there can be done."""

from typing import Any

from django.http import HttpRequest

from webapp.searches.models import Stream


def watched(
    request: HttpRequest, stream: Stream, context: dict[str, Any], *, is_replay: bool = False
) -> dict[str, Any]:
    """The context with what page and scripts must know of whoever looks.

    A guest came by a link, to a stream of somebody else: whatever would lead to another stream is left out. A replay
    shows what one stream's events tell, so what others tell of it, such as a comparison, is left out there as well.
    """
    is_guest = stream.owner_id != request.user.pk
    if not is_guest and not is_replay:
        return context
    looks = {
        "only_looks": True,
        "is_guest": is_guest,
        "is_replay": is_replay,
        "compares": False,
        "has_companion": False,
    }
    return {**context, "page": context["page"] | looks, "accompanies": None, "origin": None, "is_left_alone": False}
