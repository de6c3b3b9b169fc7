"""Where a link that shows a stream leads: its secret stands behind the #, and is handed in from there."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from webapp.accounts.doors import door, failed, handed_in, sent_text
from webapp.searches import share_links

GONE = "This link shows nothing: it was revoked, has expired, or is not complete."


@door
def shared(request: HttpRequest) -> HttpResponse:
    return render(request, "shared.html")


@handed_in
def open_shared(request: HttpRequest) -> JsonResponse:
    """{"secret"} -> {"url"}: the session may look at that from now on."""
    link = share_links.open_link(request.session, sent_text(request.body, "secret"))
    if link is None:
        return failed(request, GONE)
    kind = "searches" if link.stream.kind == link.stream.Kind.SEARCH else "trainings"
    return JsonResponse({"url": f"/{kind}/{link.stream_id}"})
