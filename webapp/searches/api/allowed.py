"""What somebody may see but not do is refused with a sentence; what they may not see does not exist for them."""

from typing import TypeVar

from django.http import HttpRequest

from search_engine.errors import UserError
from webapp.searches import roles
from webapp.searches.api.refusals import Refused
from webapp.searches.models import Stream

AnyStream = TypeVar("AnyStream", bound=Stream)


def changeable(request: HttpRequest, stream: AnyStream) -> AnyStream:
    """The stream, which this user may see; refused where they may not change it."""
    if not roles.may_change(request.user, stream):
        raise Refused(403, [UserError("", f"You may look at this {stream.kind}; only its owners can change it.")])
    return stream


def owned(request: HttpRequest, stream: AnyStream) -> AnyStream:
    """The stream, which this user may see; refused where it is not theirs."""
    if roles.role_of(request.user, stream) != roles.OWNER:
        raise Refused(403, [UserError("", f"Only the owner of this {stream.kind} can do that.")])
    return stream
