"""Bearer tokens: shown once, kept as a digest, good for the API and nothing else."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory

from webapp.accounts.access import DeniedByDefault
from webapp.accounts.models import ApiToken, User
from webapp.accounts.sign_in import get_or_create_user
from webapp.accounts.tokens import make_token, user_of_token

pytestmark = pytest.mark.django_db


def test_a_token_names_its_user_and_is_kept_as_a_digest_alone() -> None:
    user = get_or_create_user("owner")
    token = make_token(user, "notebook")
    assert user_of_token(token) == user
    row = ApiToken.objects.get()
    assert token not in str(vars(row)) and row.name == "notebook"


def test_an_unknown_token_names_nobody() -> None:
    make_token(get_or_create_user("owner"), "notebook")
    for token in ("", "cw_", "cw_unknown", ApiToken.objects.get().sha256):
        assert user_of_token(token) is None


def test_a_token_of_somebody_who_left_names_nobody() -> None:
    user = get_or_create_user("owner")
    token = make_token(user, "notebook")
    User.objects.update(is_active=False)
    assert user_of_token(token) is None


def test_use_is_noted_but_not_at_every_call() -> None:
    token = make_token(get_or_create_user("owner"), "notebook")
    user_of_token(token)
    first = ApiToken.objects.get().last_used
    user_of_token(token)
    assert first is not None and ApiToken.objects.get().last_used == first


def test_the_command_shows_a_token_that_works() -> None:
    output = StringIO()
    call_command("token", "notebook", stdout=output)
    user = user_of_token(output.getvalue().strip())
    assert user is not None and user.name == "owner"


def test_the_api_answers_strangers_and_wrong_tokens_with_401(client: Client) -> None:
    for headers in ({}, {"Authorization": "Bearer cw_wrong"}, {"Authorization": "Basic abc"}):
        answer = client.get("/api/searches", headers=headers)
        assert answer.status_code == 401, headers
        assert answer.headers["Content-Type"].startswith("application/json")


def test_a_token_opens_the_api_and_needs_no_csrf_header() -> None:
    client = Client(enforce_csrf_checks=True)
    headers = {"Authorization": f"Bearer {make_token(get_or_create_user('owner'), 'notebook')}"}
    assert client.get("/api/searches", headers=headers).status_code == 200
    answer = client.post("/api/searches", {}, content_type="application/json", headers=headers)
    assert answer.status_code not in (401, 403)


def test_a_session_needs_the_csrf_header_at_the_api() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(get_or_create_user("owner"))
    assert client.get("/api/searches").status_code == 200
    assert client.post("/api/searches", {}, content_type="application/json").status_code == 403


def test_a_token_is_no_key_to_the_pages(client: Client) -> None:
    headers = {"Authorization": f"Bearer {make_token(get_or_create_user('owner'), 'notebook')}"}
    assert client.get("/", headers=headers).status_code == 302


def test_a_wrong_token_does_not_fall_back_to_a_session() -> None:
    request = RequestFactory().get("/api/searches", headers={"Authorization": "Bearer cw_wrong"})
    request.user = get_or_create_user("owner")
    answer = DeniedByDefault(lambda request: HttpResponse()).process_view(request, _view, (), {})
    assert answer is not None and answer.status_code == 401


def _view(request: HttpRequest) -> HttpResponse:
    return HttpResponse()
