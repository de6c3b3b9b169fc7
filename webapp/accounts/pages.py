"""The pages about people: one's own account, and for administrators everybody's."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from webapp.accounts.models import ApiToken


@never_cache
@require_safe
def account_page(request: HttpRequest) -> HttpResponse:
    """What it shows it asks the API for."""
    return render(request, "accounts/account.html", {"scopes": ApiToken.SCOPES.items()})


@never_cache
@require_safe
def people_page(request: HttpRequest) -> HttpResponse:
    """Not there for anybody but administrators."""
    if not request.user.is_admin:  # type: ignore[union-attr]
        raise Http404
    return render(request, "accounts/people.html")
