"""Bearer tokens: shown once, kept as a digest, good for what their scopes say of the API and nothing else."""

import json
import re
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone

from tests.web.test_routes_deny_by_default import example, routes
from webapp.accounts.access import DOWNLOADS, SAFE, DeniedByDefault
from webapp.accounts.models import ApiToken, User
from webapp.accounts.sign_in import get_or_create_user
from webapp.accounts.tokens import find_token, make_token

pytestmark = pytest.mark.django_db


def test_a_token_names_its_user_and_is_kept_as_a_digest_alone() -> None:
    user = get_or_create_user("owner")
    token = make_token(user, "notebook")
    found = find_token(token)
    assert found is not None and found.user == user
    row = ApiToken.objects.get()
    assert token not in str(vars(row)) and row.name == "notebook"


def test_an_unknown_token_names_nobody() -> None:
    make_token(get_or_create_user("owner"), "notebook")
    for token in ("", "cw_", "cw_unknown", ApiToken.objects.get().sha256):
        assert find_token(token) is None


def test_a_token_of_somebody_who_left_names_nobody() -> None:
    user = get_or_create_user("owner")
    token = make_token(user, "notebook")
    User.objects.update(is_active=False)
    assert find_token(token) is None


def test_use_is_noted_but_not_at_every_call() -> None:
    token = make_token(get_or_create_user("owner"), "notebook")
    find_token(token)
    first = ApiToken.objects.get().last_used
    find_token(token)
    assert first is not None and ApiToken.objects.get().last_used == first


def test_the_command_shows_a_token_that_works() -> None:
    output = StringIO()
    call_command("token", "notebook", stdout=output)
    found = find_token(output.getvalue().strip())
    assert found is not None and found.user.name == "owner" and found.scopes == ["read", "download", "write"]


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


# --- Scopes -----------------------------------------------------------------------------------------------------------

PICTURES = {"data-preview", "samples-of-data"}  # Shown on pages, as little else than what reading tells.


def operations() -> list[tuple[str, str, str, bool]]:
    """(method, address, name of the first operation there, whether it is a file) of everything that the API offers."""
    from webapp.searches.api.routes import api

    patterns = {}
    for route, pattern in routes():
        if route.startswith("api/"):
            patterns.setdefault(route, pattern.name)
    found = []
    for prefix, router in api._routers:
        for path, view in router.path_operations.items():
            for operation in view.operations:
                is_file = 200 in operation.response_models and operation.response_models[200] is None
                address = re.sub(r"{(\w+:)?(\w+)}", r"<\1\2>", f"api{prefix}{path}").replace("//", "/")
                found += [(method, address, patterns[address], is_file) for method in operation.methods]
    return found


def token_with(*scopes: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {make_token(get_or_create_user('owner'), 'test', scopes)}"}


def test_whatever_comes_as_a_file_is_listed_as_a_download() -> None:
    files = {name for method, _, name, is_file in operations() if is_file and method == "GET"}
    assert {f"api:{name}" for name in files - PICTURES} == DOWNLOADS and files >= PICTURES
    assert len(operations()) > 60


def test_no_operation_is_reached_without_its_scope(client: Client) -> None:
    without = {scope: token_with(*({"read", "download", "write"} - {scope})) for scope in ApiToken.SCOPES}
    for method, address, name, _ in operations():
        needed = "write" if method not in SAFE else "download" if f"api:{name}" in DOWNLOADS else "read"
        answer = client.generic(method, example(address), b"{}", "application/json", headers=without[needed])
        assert answer.status_code == 403, (method, address, answer.status_code)
        sentence = answer.json()["errors"][0]["message"]
        assert f'"{needed}"' in sentence or "No token can do this" in sentence, (method, address, sentence)


def test_a_scope_is_enough_for_what_it_names(client: Client) -> None:
    nothing = "00000000-0000-0000-0000-000000000000"
    assert client.get("/api/searches", headers=token_with("read")).status_code == 200
    assert client.get(f"/api/artifacts/{nothing}", headers=token_with("download")).status_code == 404
    answer = client.post("/api/searches", b"{}", content_type="application/json", headers=token_with("write"))
    assert answer.status_code == 422


def test_no_token_changes_an_account_or_makes_a_way_in(client: Client) -> None:
    every = token_with("read", "download", "write")
    refused = 0
    for method, address, _, _ in operations():
        if not address.startswith(("api/account", "api/people")) or method in SAFE:
            continue
        answer = client.generic(method, example(address), b"{}", "application/json", headers=every)
        assert (answer.status_code, answer.json()["errors"][0]["message"]) == (
            403, "No token can do this; sign in with a browser.",
        ), (method, address)  # fmt: skip
        refused += 1
    assert refused >= 9
    assert ApiToken.objects.count() == 1


def test_a_token_ends_with_its_time() -> None:
    token = make_token(get_or_create_user("owner"), "for a week", days=7)
    assert find_token(token) is not None
    ApiToken.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert find_token(token) is None


def test_the_command_takes_scopes_and_days_and_says_what_is_wrong_with_them() -> None:
    output = StringIO()
    call_command("token", "reader", scopes="download,read", days=2, stdout=output)
    row = find_token(output.getvalue().strip())
    assert row is not None and row.scopes == ["read", "download"] and row.expires is not None
    with pytest.raises(CommandError, match="at least one of read, download, write"):
        call_command("token", "reader", scopes="reed")
    with pytest.raises(CommandError, match="between 1 and 3650"):
        call_command("token", "reader", days=0)


def test_a_token_is_made_listed_and_revoked_by_its_owner(signed_in: Client, owner: User) -> None:
    body = json.dumps({"name": "notebook", "scopes": ["read"], "days": 30})
    made = signed_in.post("/api/account/tokens", body, content_type="application/json")
    assert made.status_code == 201
    token = made.json()["token"]
    headers = {"Authorization": f"Bearer {token}"}
    assert Client().get("/api/account", headers=headers).json()["name"] == "owner"
    listed = signed_in.get("/api/account/tokens")
    assert token not in listed.content.decode()
    (row,) = listed.json()["tokens"]
    assert row["scopes"] == ["read"] and row["last_used"] is not None and row["expires"] is not None
    other = Client()
    other.force_login(get_or_create_user("other"))
    assert other.delete(f"/api/account/tokens/{row['id']}").status_code == 404
    assert signed_in.delete(f"/api/account/tokens/{row['id']}").json() == {"tokens": []}
    assert Client().get("/api/account", headers=headers).status_code == 401


@pytest.mark.parametrize(
    ("body", "field"),
    [({"name": "", "scopes": ["read"]}, "name"), ({"name": " ", "scopes": ["read"]}, "name"),
     ({"name": "x", "scopes": []}, "scopes"), ({"name": "x", "scopes": ["admin"]}, "scopes.0"),
     ({"name": "x", "scopes": ["read"], "days": 0}, "days")],
)  # fmt: skip
def test_a_wrong_token_is_refused_at_its_field(signed_in: Client, body: dict[str, object], field: str) -> None:
    answer = signed_in.post("/api/account/tokens", json.dumps(body), content_type="application/json")
    assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == field
    assert ApiToken.objects.count() == 0
