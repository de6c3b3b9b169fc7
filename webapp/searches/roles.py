"""What a person may do with a search or a training: own it, change it, look at it."""

from typing import Any

from webapp.searches.models import Share, Stream

OWNER, GUEST = "owner", "guest"  # Beside the roles of Share; a guest came by a link.


def role_of(user: Any, stream: Stream) -> str:
    """Of somebody who may see it: "owner", "co-owner", "reader" or "guest"."""
    if stream.owner_id == user.pk:
        return OWNER
    return Share.objects.filter(stream=stream.pk, user=user.pk).values_list("role", flat=True).first() or GUEST


def may_change(user: Any, stream: Stream) -> bool:
    """Whether this user may pause, steer, name it and the like; deleting and sharing are its owner's alone."""
    return role_of(user, stream) in (OWNER, Share.Role.CO_OWNER)
