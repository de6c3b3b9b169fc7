"""Signing in and out."""

from django.contrib.auth import login, logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from webapp.accounts.sign_in import user_of_link


@login_not_required
@never_cache
@require_safe
def explain_sign_in(request: HttpRequest) -> HttpResponse:
    """Where the link is to be found."""
    return render(request, "accounts/sign_in.html", {"refused": False})


@login_not_required
@never_cache
@require_safe
def sign_in(request: HttpRequest, token: str) -> HttpResponse:
    """One click: the link is the secret, it is bound to the data folder and stands in no log."""
    user = user_of_link(token)
    if user is None:
        return render(request, "accounts/sign_in.html", {"refused": True}, status=403)
    login(request, user, backend="django.contrib.auth.backends.ModelBackend")
    return HttpResponseRedirect("/")


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Ends the session; open sockets of it are closed at their next look."""
    logout(request)
    return HttpResponseRedirect("/sign-in")
