"""Signing in, by the link of the terminal or by name and password, and signing out."""

from django.contrib.auth import logout
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters, sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from webapp.accounts import throttle
from webapp.accounts.passwords import user_of_password
from webapp.accounts.sessions import begin_session, mark_for
from webapp.accounts.sign_in import user_of_link

WRONG = "There is nobody of this name with this password."


@login_not_required
@never_cache
@sensitive_post_parameters("password")
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_page(request: HttpRequest) -> HttpResponse:
    """Where the link is to be found, and a form for those who have a password."""
    if request.method != "POST":
        return _page(request)
    return _try_password(request, request.POST.get("name", "").strip(), request.POST.get("password", ""))


@sensitive_variables("password")
def _try_password(request: HttpRequest, name: str, password: str) -> HttpResponse:
    try:
        user = user_of_password(request, name, password, mark_for(request, name))
    except throttle.TooMany as error:
        answer = _page(request, problem=str(error), name=name, status=429)
        answer["Retry-After"] = str(error.seconds)
        return answer
    if user is None:
        return _page(request, problem=WRONG, name=name, status=403)
    answer = HttpResponseRedirect(_next(request))
    begin_session(request, answer, user)
    return answer


@login_not_required
@never_cache
@require_safe
def follow_link(request: HttpRequest, token: str) -> HttpResponse:
    """One click: the link is the secret, it is bound to the data folder and stands in no log."""
    user = user_of_link(token)
    if user is None:
        try:
            throttle.attempt(throttle.by_address(request))
        except throttle.TooMany as error:
            answer = _page(request, problem=str(error), status=429)
            answer["Retry-After"] = str(error.seconds)
            return answer
        return _page(request, refused=True, status=403)
    answer = HttpResponseRedirect("/")
    begin_session(request, answer, user)
    return answer


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """Ends the session; open sockets of it are closed at their next look."""
    logout(request)
    return HttpResponseRedirect("/sign-in")


def _page(
    request: HttpRequest, *, refused: bool = False, problem: str = "", name: str = "", status: int = 200
) -> HttpResponse:
    context = {"refused": refused, "problem": problem, "name": name, "next": _next(request)}
    return render(request, "accounts/sign_in.html", context, status=status)


def _next(request: HttpRequest) -> str:
    """The page that was asked for before; only one of ours."""
    wanted = request.POST.get("next") or request.GET.get("next") or "/"
    hosts = {request.get_host()}
    return wanted if url_has_allowed_host_and_scheme(wanted, hosts, require_https=request.is_secure()) else "/"
