"""The second door: what a session may look at by a link that it opened, without an account.

Everything stays closed that is not listed here. An address that is listed shows the streams of the session's links and
nothing else: for any other stream the answer is the one for a stream that does not exist.
"""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from ninja.security.session import SessionAuth

from webapp.searches.share_links import streams_opened

_METHODS = ("GET", "HEAD")
OPEN_TO_LINKS = frozenset(
    {
        "search-page", "search-replay", "training-page", "training-replay", "child-page",
        "picture", "example-picture", "epoch-picture",
        "api:search-events", "api:search-states", "api:search-timeline", "api:children", "api:replayed-children",
        "api:child", "api:child-file", "api:search-policy", "api:search-decisions", "api:search-curve",
        "api:training-events", "api:training-states", "api:training-timeline", "api:training-file",
    }
)  # fmt: skip


class LinkDoor:
    """Stands before the gate. Where a link may show what is asked for, request.user knows the streams that it shows."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self._get_response(request)

    def process_view(self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any) -> None:
        match = request.resolver_match
        if match is None or match.view_name not in OPEN_TO_LINKS or request.method not in _METHODS:
            return
        linked = streams_opened(request.session)
        if linked:
            request.user.linked_streams = linked  # type: ignore[union-attr]


class Admitted(SessionAuth):
    """For the API: whoever the gate let through, signed in or by a link."""

    def authenticate(self, request: HttpRequest, key: str | None) -> object | None:
        return request.user if request.user.is_authenticated or hasattr(request.user, "linked_streams") else None
