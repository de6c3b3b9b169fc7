"""Replays: the page of a search or training as it was after any of its events, with a bar to move by."""

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from webapp.searches import keyframes
from webapp.searches.live_state import State
from webapp.searches.models import Search, Stream, Training
from webapp.searches.pages.owned import owned
from webapp.searches.pages.views import search_shown, training_shown
from webapp.searches.pages.watching import watched

LONGEST_NUMBER = 15  # Digits.


@require_GET
def search_replay(request: HttpRequest, search_id: uuid.UUID) -> HttpResponse:
    """?at=N: after this event; else after the first."""
    search = owned(Search, request, search_id)
    state = _asked(request, search)
    template, context = search_shown(search, state)
    return _shown(request, search, template, context)


@require_GET
def training_replay(request: HttpRequest, training_id: uuid.UUID) -> HttpResponse:
    training = owned(Training, request, training_id)
    shown = training_shown(training, _asked(request, training))
    return _shown(request, training, "training_live.html", shown)


def _asked(request: HttpRequest, stream: Stream) -> State:
    return keyframes.state_of(stream, _number(request))


def _number(request: HttpRequest) -> int:
    """1 where no event is named: the page of a stream without its first one has nothing to show."""
    given = request.GET.get("at", "")
    known = given.isascii() and given.isdigit() and len(given) <= LONGEST_NUMBER
    return max(1, int(given)) if known else 1


def _shown(request: HttpRequest, stream: Stream, template: str, context: dict[str, Any]) -> HttpResponse:
    context = watched(request, stream, context, is_replay=True)
    context["page"] |= {
        "at": keyframes.moment(stream, context["state"]["n"]),
        "last": stream.last_event,
        "wanted": min(_number(request), stream.last_event),
    }
    return render(request, template, context)
