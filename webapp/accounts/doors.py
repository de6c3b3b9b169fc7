"""Where invitations and one-time sign-in links lead: the secret stands behind the #, and is handed in from there."""

import json
import re
from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_POST, require_safe

from search_engine.errors import UserError
from webapp.accounts import throttle
from webapp.accounts.access import refuse, too_many
from webapp.accounts.invitations import InvitationGone, accept, find_invitation
from webapp.accounts.sessions import begin_session
from webapp.accounts.ways_back import use_way_back

View = Callable[..., HttpResponseBase]

_HALF_SIGN = re.compile("[\ud800-\udfff]")  # JSON can name them, and no text can be encoded with one.
NO_WAY_BACK = "This link no longer works: it was used, has expired, was replaced by a newer one, or is not complete."


def door(view: View) -> View:
    """A page for whoever comes by a link, the same for every one; its script hands in what stands behind the #."""
    return login_not_required(never_cache(ensure_csrf_cookie(require_safe(view))))


def handed_in(view: View) -> View:
    """What takes a secret that stood behind a #."""
    return login_not_required(never_cache(require_POST(view)))


@door
def invited_page(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/invited.html")


@handed_in
def look_at_invitation(request: HttpRequest) -> JsonResponse:
    """{"secret"} -> {"invited_by", "is_admin"}; nothing is used up."""
    try:
        invitation = find_invitation(sent_text(request.body, "secret"))
    except InvitationGone as error:
        return failed(request, str(error))
    return JsonResponse({"invited_by": invitation.invited_by.name, "is_admin": invitation.is_admin})


@handed_in
def accept_invitation(request: HttpRequest) -> JsonResponse:
    """{"secret", "name", "password"} -> {"url"}: the new user is signed in. password may be empty."""
    secret, name, password = (sent_text(request.body, field) for field in ("secret", "name", "password"))
    try:
        user = accept(secret, name, password)
    except InvitationGone as error:
        return failed(request, str(error))
    except UserError as error:
        return refuse(422, error.message, error.field)
    answer = JsonResponse({"url": "/"})
    begin_session(request, answer, user)
    return answer


@door
def way_back_page(request: HttpRequest) -> HttpResponse:
    """A press signs in, and not the look at the page: what looks at links in messages does not use them up."""
    return render(request, "accounts/way_back.html")


@handed_in
def come_back(request: HttpRequest) -> JsonResponse:
    """{"secret"} -> {"url"}, once."""
    user = use_way_back(sent_text(request.body, "secret"))
    if user is None:
        return failed(request, NO_WAY_BACK)
    answer = JsonResponse({"url": "/account"})
    begin_session(request, answer, user)
    return answer


def failed(request: HttpRequest, sentence: str) -> JsonResponse:
    """The refusal of a secret that opens nothing; whoever brings many of them is told to wait."""
    try:
        throttle.attempt(throttle.by_address(request))
    except throttle.TooMany as error:
        return too_many(error)
    return refuse(404, sentence)


def sent_text(body: bytes, name: str) -> str:
    """What a body, as JSON, says under a name; "" where it says nothing, or no text that could be kept."""
    try:
        sent: Any = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    value = sent.get(name) if isinstance(sent, dict) else None
    return value if isinstance(value, str) and not _HALF_SIGN.search(value) else ""
