"""Nobody gets anywhere without signing in, except where a view says so with `login_not_required`.

A link that shows one search or training is a second door beside it, see webapp.searches.link_door.
"""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponseBase, JsonResponse

from webapp.accounts.tokens import user_of_token


class DeniedByDefault(LoginRequiredMiddleware):
    """Asks every view for a session, or for a bearer token under /api/.

    A token makes request.user the token's owner and needs no CSRF header, because no browser sends it by itself.
    So the API asks for `ninja.security.django_auth` alone. Strangers are sent to the sign-in page, programs get 401.
    """

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        kind, _, token = request.headers.get("Authorization", "").partition(" ")
        if _is_api(request) and kind.lower() == "bearer":
            user = user_of_token(token.strip())
            if user is None:
                return _not_signed_in()
            request.user = user
            request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
        elif getattr(request.user, "linked_streams", ()):  # The door before this gate let it through.
            return None
        return super().process_view(request, view, args, kwargs)

    def handle_no_permission(self, request: HttpRequest, view: Callable[..., Any]) -> HttpResponseBase:
        return _not_signed_in() if _is_api(request) else super().handle_no_permission(request, view)


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")


def _not_signed_in() -> JsonResponse:
    return JsonResponse({"detail": "Sign in, or send a valid bearer token."}, status=401)
