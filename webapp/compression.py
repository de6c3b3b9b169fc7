"""Pages, answers and scripts travel compressed: a tenth to a third of their size. Files to download go as they are.

Django adds a random length to what it compresses, so that the length tells nothing of a secret beside what a stranger
chose. Static files never change while the process runs, so each is compressed once.
"""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware, re_accepts_gzip
from django.utils.text import compress_string

TYPES = (
    "text/html", "text/css", "text/csv", "text/plain", "text/javascript", "application/javascript", "application/json",
    "image/svg+xml",
)  # fmt: skip


class Compressed(GZipMiddleware):
    """Outermost, so that it sees answers as they leave."""

    _files: dict[str, bytes] = {}  # noqa: RUF012 - one for the process: every static file that was asked for.

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        kind = response.get("Content-Type", "").split(";")[0]
        if kind not in TYPES or response.has_header("Content-Encoding"):
            return response
        if not response.streaming:
            return super().process_response(request, response)
        is_static = request.path.startswith(settings.STATIC_URL) and not settings.DEBUG
        if not is_static or response.status_code != 200 or request.method != "GET":
            return response
        response.headers["Vary"] = "Accept-Encoding"
        if not re_accepts_gzip.search(request.headers.get("Accept-Encoding", "")):
            return response
        return self._compressed_file(request.path, response)

    def _compressed_file(self, path: str, response: HttpResponseBase) -> HttpResponse:
        content = self._files.get(path)
        if content is None:
            content = self._files[path] = compress_string(b"".join(response))
        headers = dict(response.headers) | {"Content-Encoding": "gzip", "Content-Length": str(len(content))}
        response.close()
        return HttpResponse(content, headers=headers)
