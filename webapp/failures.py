"""What is answered where a request fails before a view, or inside one: in the API's form under /api/, a page elsewhere.

Nothing of the cause is told. The id in the answer stands in the log, just before the traceback.
"""

import logging
import secrets
import sys

from django.http import HttpRequest, HttpResponse, HttpResponseServerError, JsonResponse
from django.shortcuts import render
from django.views.defaults import page_not_found

log = logging.getLogger(__name__)


def server_error(request: HttpRequest) -> HttpResponse:
    """500, for whatever nobody expected. The page reads no row, since the database may be what failed."""
    error_id = secrets.token_hex(6)
    cause = sys.exc_info()[0]
    log.error("Error %s: %s; its traceback follows", error_id, "unknown" if cause is None else cause.__name__)
    if _is_api(request):
        return _told(f"Something is wrong on the server. Its log tells more at error {error_id}.", 500)
    try:
        return render(None, "500.html", {"error_id": error_id}, status=500)
    except Exception:  # A template that cannot be read must not become a traceback either.
        log.exception("The page of error %s could not be made", error_id)
        return HttpResponseServerError(f"Error {error_id}", content_type="text/plain")


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404, where no route takes the address, or a page found no row."""
    if _is_api(request):
        return _told("There is no such address.", 404)
    return page_not_found(request, exception)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400, such as for a host name that is not ours."""
    if _is_api(request):
        return _told("The request cannot be read, or came under a name that is not this site's.", 400)
    return render(None, "400.html", status=400)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403, for a form that was not sent from one of our pages, or from one of an earlier session."""
    if _is_api(request):
        return _told("The request has no valid CSRF token.", 403)
    return render(None, "403_csrf.html", status=403)


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")


def _told(message: str, status: int) -> JsonResponse:
    return JsonResponse({"errors": [{"field": "", "message": message}]}, status=status)
