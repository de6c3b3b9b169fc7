"""The client's requests, answered by the application in this process, through every middleware."""

import re
from typing import Any

import httpx
from asgiref.sync import async_to_sync
from django.test import Client

from webapp.searches.api.routes import api

WRITES = ("POST", "PUT", "PATCH", "DELETE")


class ApiTransport(httpx.BaseTransport):
    """Notes the names of the operations that were asked for, as the API's description has them."""

    def __init__(self) -> None:
        self._client = Client(enforce_csrf_checks=True)
        self._names = _operations()
        self.asked: set[str] = set()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        path = request.url.path
        name = next(
            name for pattern, method, name in self._names if method == request.method and pattern.fullmatch(path)
        )
        self.asked.add(name)
        answer = self._client.generic(
            request.method,
            request.url.raw_path.decode(),
            request.content,
            content_type=request.headers.get("Content-Type", "application/octet-stream"),
            headers={key: value for key, value in request.headers.items() if key not in ("content-type", "host")},
        )
        content = async_to_sync(_read)(answer) if answer.streaming else answer.content
        return httpx.Response(answer.status_code, headers=dict(answer.headers), content=content)


async def _read(answer: Any) -> bytes:
    return b"".join([piece async for piece in answer.streaming_content])


def _operations() -> list[tuple[re.Pattern[str], str, str]]:
    """Pattern of the path, method and name; paths with more fixed words first."""
    found = [
        (re.compile(re.sub(r"{\w+}", "[^/]+", re.escape(path).replace(r"\{", "{").replace(r"\}", "}"))), method.upper(),
         told["operationId"], path.count("{"))
        for path, methods in api.get_openapi_schema()["paths"].items()
        for method, told in methods.items()
    ]  # fmt: skip
    return [(pattern, method, name) for pattern, method, name, _ in sorted(found, key=lambda each: each[3])]
