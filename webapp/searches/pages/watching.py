"""What a page shows to somebody who only looks: by a link, as a reader, or at a replay. Nothing there can be done."""

from typing import Any

from django.http import HttpRequest

from webapp.searches import roles
from webapp.searches.models import Stream


def watched(
    request: HttpRequest, stream: Stream, context: dict[str, Any], *, is_replay: bool = False
) -> dict[str, Any]:
    """The context with what page and scripts must know of whoever looks.

    A guest came by a link or as a reader, to a stream of somebody else: whatever would lead to another stream is left
    out. A replay shows what one stream's events tell, so what others tell of it, such as a comparison, is left out
    there as well. role: as roles.role_of says.
    """
    role = roles.role_of(request.user, stream)
    is_guest = not roles.may_change(request.user, stream)
    gets_files = role != roles.GUEST and not is_replay
    context = {**context, "page": context["page"] | {"role": role, "gets_files": gets_files}}
    if not is_guest and not is_replay:
        return context
    looks = {
        "only_looks": True,
        "is_guest": is_guest,
        "is_replay": is_replay,
        "compares": False,
        "hides_comparison": context["page"].get("compares", False),
        "has_companion": False,
    }
    return {**context, "page": context["page"] | looks, "accompanies": None, "origin": None, "is_left_alone": False}
