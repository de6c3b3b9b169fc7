"""Where a link that shows a stream leads: its secret stands behind the #, and is handed in from there."""

import json

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_POST, require_safe

from webapp.searches import share_links

GONE = "This link shows nothing: it was revoked, has expired, or is not complete."


@login_not_required
@never_cache
@ensure_csrf_cookie
@require_safe
def shared(request: HttpRequest) -> HttpResponse:
    """The same page for every link, known or not; its script hands in what stands behind the #."""
    return render(request, "shared.html")


@login_not_required
@never_cache
@require_POST
def open_shared(request: HttpRequest) -> JsonResponse:
    """{"secret"} -> {"url"}: the session may look at that from now on."""
    link = share_links.open_link(request.session, _secret(request.body))
    if link is None:
        return JsonResponse({"errors": [{"field": "", "message": GONE}]}, status=404)
    kind = "searches" if link.stream.kind == link.stream.Kind.SEARCH else "trainings"
    return JsonResponse({"url": f"/{kind}/{link.stream_id}"})


def _secret(body: bytes) -> str:
    """What a body asks with; "", which opens nothing, where it does not ask."""
    try:
        sent = json.loads(body)
    except ValueError:
        return ""
    secret = sent.get("secret") if isinstance(sent, dict) else None
    return secret if isinstance(secret, str) else ""
