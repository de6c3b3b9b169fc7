"""The API without a server: what a command asks for is answered in its own process, by the same functions.

So a command may do what its user may do, and is refused in the same sentences. The gate is left out: whoever can start
`manage.py` has the database before them.
"""

import asyncio
import io
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
from django.core.handlers.wsgi import WSGIRequest
from django.db import InterfaceError, OperationalError, connection
from django.urls import Resolver404, resolve

from webapp.client.cellwright import Cellwright

HERE = "http://here"


def site_of(user: Any) -> Cellwright:
    """The client, acting as this user."""
    return Cellwright(HERE, "none", transport=InProcess(user))


class InProcess(httpx.BaseTransport):
    def __init__(self, user: Any) -> None:
        self._user = user

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        ours = _as_django_has_it(request)
        ours.user = self._user
        ours._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
        try:
            ours.resolver_match = match = resolve(request.url.path)
            answer = match.func(ours, *match.args, **match.kwargs)
        except Resolver404:
            return httpx.Response(404, json={"detail": f"There is nothing at {request.url.path}."}, request=request)
        except (OperationalError, InterfaceError) as error:
            connection.close()  # The database is away: the client asks again, over a new one.
            raise httpx.ReadError(str(error), request=request) from error
        content = _pieces(answer.streaming_content) if answer.streaming else answer.content
        return httpx.Response(answer.status_code, headers=dict(answer.headers), content=content, request=request)


def _as_django_has_it(request: httpx.Request) -> WSGIRequest:
    content = request.read()
    headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in request.headers.items()}
    return WSGIRequest(
        headers
        | {
            "REQUEST_METHOD": request.method,
            "PATH_INFO": request.url.path,
            "QUERY_STRING": request.url.query.decode(),
            "CONTENT_TYPE": request.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(content)),
            "SERVER_NAME": "here",
            "SERVER_PORT": "80",
            "wsgi.input": io.BytesIO(content),
        }
    )


def _pieces(content: AsyncIterator[bytes]) -> Iterator[bytes]:
    """In one event loop from first to last: one that ends closes what was begun in it."""
    loop = asyncio.new_event_loop()
    try:
        while piece := loop.run_until_complete(anext(content, b"")):
            yield piece
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
