"""A POST that is sent again, because its reply was lost, does nothing again and gets the same reply."""

import hashlib
from collections.abc import Callable
from typing import Any

from django.db import IntegrityError, transaction

from webapp.searches import clock
from webapp.searches.models import Request

Reply = tuple[int, dict[str, Any]]  # Status, and the body as JSON.


class KeyReused(Exception):
    """An Idempotency-Key came before with another request: answering either would be wrong."""

    def __init__(self) -> None:
        super().__init__("This Idempotency-Key was used for another request; use a new one for each request.")


def once(owner: Any, key: str, path: str, body: bytes, act: Callable[[], Reply]) -> Reply:
    """The reply of `act`, which runs once for all requests of this owner with this key.

    key: of the header Idempotency-Key, at most 200 characters; "" runs `act` every time. What `act` writes and its
    reply are committed together; what it raises is kept by nobody, so that the same key may try again.
    """
    if not key:
        return act()
    digest = hashlib.sha256(body).hexdigest()
    try:
        with transaction.atomic():
            earlier = _earlier(owner, key, path, digest)
            if earlier is not None:
                return earlier
            status, reply = act()
            Request.objects.create(
                owner=owner, key=key, path=path, body_sha256=digest, status=status, reply=reply, created=clock.now()
            )  # fmt: skip
            return status, reply
    except IntegrityError:
        # The same request came twice at once, and the other was first: what this one did was rolled back.
        earlier = _earlier(owner, key, path, digest)
        if earlier is None:
            raise
        return earlier


def _earlier(owner: Any, key: str, path: str, digest: str) -> Reply | None:
    request = Request.objects.filter(owner=owner, key=key).first()
    if request is None:
        return None
    if (request.path, request.body_sha256) != (path, digest):
        raise KeyReused
    return request.status, request.reply
