"""The header Idempotency-Key: a route that acts once per key, however often it is asked."""

import functools
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from ninja.responses import Status

from search_engine.errors import UserError
from webapp.searches import idempotency
from webapp.searches.api.refusals import Refused

LONGEST_KEY = 200  # Characters.

HEADER = {
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "schema": {"type": "string", "maxLength": LONGEST_KEY},
            "description": "Any text of your own. The same key with the same body acts once and answers the same "
            "again; with another body it is refused (409).",
        }
    ]
}


def once(route: Callable[..., Status[Any]]) -> Callable[..., Status[Any]]:
    """Let a route that answers by Status(code, model) act once per owner and key. What it refuses may be sent again."""

    @functools.wraps(route)
    def act_once(request: HttpRequest, *args: Any, **arguments: Any) -> Status[Any]:
        key = request.headers.get("Idempotency-Key", "")
        if len(key) > LONGEST_KEY:
            raise Refused(422, [UserError("", f"The Idempotency-Key is longer than {LONGEST_KEY} characters.")])

        def act() -> idempotency.Reply:
            answer = route(request, *args, **arguments)
            return answer.status_code, answer.value.model_dump(mode="json")

        try:
            return Status(*idempotency.once(request.user, key, request.path, request.body, act))
        except idempotency.KeyReused as error:
            raise Refused(409, [UserError("", str(error))]) from error

    return act_once
