"""The page of the machines: who is there to work, what each does, and who waits. Its element asks the API."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET


@require_GET
def machines(request: HttpRequest) -> HttpResponse:
    return render(request, "machines.html")
