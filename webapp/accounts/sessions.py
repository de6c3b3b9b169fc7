"""What happens when somebody has proved who they are: the session, and a mark by which this browser is known again."""

import secrets

from django.conf import settings
from django.contrib.auth import login
from django.core import signing
from django.http import HttpRequest, HttpResponseBase

from webapp.accounts.models import User

MARK = "browser"
_SALT = "cellwright.browser"
_MARK_SECONDS = 365 * 24 * 3600


def begin_session(request: HttpRequest, answer: HttpResponseBase, user: User) -> None:
    """The session of before, if there was one of somebody else, ends; the answer carries the browser's mark."""
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    mark = signing.dumps({"name": user.name, "mark": secrets.token_urlsafe(16)}, salt=_SALT)
    answer.set_cookie(  # type: ignore[attr-defined]
        MARK, mark, max_age=_MARK_SECONDS, path=settings.LOGIN_URL, httponly=True, samesite="Lax", secure=settings.TLS
    )


def mark_for(request: HttpRequest, name: str) -> str:
    """The mark of this browser, if it was given when somebody of this name signed in; "" else.

    So what others try against a name keeps nobody out who came from here before (see throttle).
    """
    try:
        known = signing.loads(request.COOKIES.get(MARK, ""), salt=_SALT, max_age=_MARK_SECONDS)
    except signing.BadSignature:
        return ""
    return str(known["mark"]) if known["name"] == name else ""
