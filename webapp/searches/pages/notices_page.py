"""The page of notices: where one is told, and what was told. Its element asks the API."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from webapp.notices.models import TOPICS


@require_GET
def notices(request: HttpRequest) -> HttpResponse:
    return render(request, "notices.html", {"topics": TOPICS})
