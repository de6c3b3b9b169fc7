"""Nobody gets anywhere without signing in, except where a view says so with `login_not_required`.

A link that shows one search or training is a second door beside it, see webapp.searches.link_door.
"""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponseBase, JsonResponse

from webapp.accounts import throttle
from webapp.accounts.models import ApiToken
from webapp.accounts.tokens import find_token

SAFE = ("GET", "HEAD", "OPTIONS")
DOWNLOADS = frozenset(  # Whatever comes as a file, by the names of its addresses.
    {
        "api:artifact", "api:architecture-bundle", "api:architecture-file", "api:child-file", "api:training-file",
        "api:children-csv", "api:data-refused", "api:rewards-figure", "api:rewards-page", "api:search-changes",
    }
)  # fmt: skip
# What nobody does by a token: a stolen one would make others that outlive it.
OF_PEOPLE = ("/api/account", "/api/people")


class DeniedByDefault(LoginRequiredMiddleware):
    """Asks every view for a session, or for a bearer token under /api/.

    A token makes request.user the token's owner and needs no CSRF header, because no browser sends it by itself.
    So the API asks for `ninja.security.django_auth` alone. Strangers are sent to the sign-in page, programs get 401.
    A token does what its scopes say: reading needs "read", files need "download", everything else "write".
    """

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        kind, _, text = request.headers.get("Authorization", "").partition(" ")
        if _is_api(request) and kind.lower() == "bearer":
            token = find_token(text.strip())
            if token is None:
                return _wrong_token(request)
            refusal = _beyond(token, request)
            if refusal:
                return refuse(403, refusal)
            request.user = token.user
            request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
        elif getattr(request.user, "linked_streams", ()):  # The door before this gate let it through.
            return None
        return super().process_view(request, view, args, kwargs)

    def handle_no_permission(self, request: HttpRequest, view: Callable[..., Any]) -> HttpResponseBase:
        return _not_signed_in() if _is_api(request) else super().handle_no_permission(request, view)


def needed_scope(request: HttpRequest) -> str:
    """Which of ApiToken.SCOPES a token must have for this request."""
    if request.method not in SAFE:
        return "write"
    match = request.resolver_match
    return "download" if match is not None and match.view_name in DOWNLOADS else "read"


def _beyond(token: ApiToken, request: HttpRequest) -> str:
    """A sentence on why this token may not; "" where it may."""
    if request.method not in SAFE and request.path_info.startswith(OF_PEOPLE):
        return "No token can do this; sign in with a browser."
    scope = needed_scope(request)
    if scope in token.scopes:
        return ""
    return f'This token lacks the scope "{scope}", which says: {ApiToken.SCOPES[scope]}.'


def _wrong_token(request: HttpRequest) -> JsonResponse:
    """A right token never waits for the wrong ones of others at its address: it was looked up before this."""
    try:
        throttle.attempt(throttle.by_address(request))
    except throttle.TooMany as error:
        return too_many(error)
    return _not_signed_in()


def too_many(error: throttle.TooMany) -> JsonResponse:
    """The refusal as JSON, with the header that says when to come again."""
    answer = refuse(429, str(error))
    answer["Retry-After"] = str(error.seconds)
    return answer


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")


def _not_signed_in() -> JsonResponse:
    return JsonResponse({"detail": "Sign in, or send a valid bearer token."}, status=401)


def refuse(status: int, sentence: str, field: str = "") -> JsonResponse:
    """In the form that every refusal of the API has."""
    return JsonResponse({"errors": [{"field": field, "message": sentence}]}, status=status)
