"""What every answer tells a browser, whatever the address and however the request fails; and the shipped settings."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import Client
from django.urls import URLPattern

from tests.web.example_search import a_search, a_training
from tests.web.test_routes_deny_by_default import example, routes
from webapp.reach import why_unsafe
from webapp.supervisor import preflight

ROOT = Path(__file__).resolve().parents[2]
SECRET = "k3Tq9-0vXw8bLr5ZpYc2HnJm7sDfGa1QeUiOoPtRyBxVzCwEuNlM"
EVERYWHERE = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "object-src": "'none'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "form-action": "'self'",
}


def check_headers(answer: Any, what: str) -> None:
    for name, value in EVERYWHERE.items():
        assert answer.headers.get(name) == value, (what, answer.status_code, name)
    assert "camera=()" in answer.headers["Permissions-Policy"], what
    parts = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
    assert {name: parts.get(name) for name in POLICY} == POLICY, what
    assert "unsafe" not in answer.headers["Content-Security-Policy"], what
    assert "Access-Control-Allow-Origin" not in answer.headers, what


@pytest.mark.django_db
@pytest.mark.parametrize("is_signed_in", [False, True])
def test_every_address_answers_with_all_headers(client: Client, owner: Any, is_signed_in: bool) -> None:
    addresses = [example(route) for route, _ in routes()]
    assert len(addresses) > 100
    statuses = set()
    for address in addresses:
        for method in ("get", "post"):
            if is_signed_in:
                client.force_login(owner)  # Again and again, because one of the addresses signs out.
            answer = getattr(client, method)(address)
            statuses.add(answer.status_code)
            check_headers(answer, f"{method} {address}")
    assert {404, 405} <= statuses if is_signed_in else {302, 401} <= statuses


@pytest.mark.django_db
def test_pages_pictures_and_files_that_are_there_have_them_too(signed_in: Client, owner: Any, store: Path) -> None:
    search = a_search(owner, children=2)
    training = a_training(owner, search)
    found = {}
    for address in (
        "/", f"/searches/{search.pk}", f"/searches/{search.pk}/children/0/0", f"/trainings/{training.pk}",
        f"/searches/{search.pk}/children/0/0/both.svg", f"/api/searches/{search.pk}/children/0/0/picture.svg",
        f"/api/searches/{search.pk}/children/0/0/architecture.json", "/api/openapi.json", "/api/docs", "/docs/terms",
        "/architectures/nasnet-a", "/architectures/nasnet-a/whole.svg", "/api/architectures/nasnet-a/picture.svg",
        "/data/samples/fashion-mnist-10k.png",
    ):  # fmt: skip
        answer = signed_in.get(address)
        assert answer.status_code == 200, address
        check_headers(answer, address)
        found[address] = answer
        if address.startswith("/api/") and "json" not in answer["Content-Type"] and address != "/api/docs":
            assert answer["Content-Disposition"].startswith("attachment"), address


@pytest.mark.django_db
def test_static_files_have_them_too(client: Client, settings: Any) -> None:
    for name in ("mark.svg", "css/base.css", "js/api.js"):
        answer = client.get(settings.STATIC_URL + name)
        assert answer.status_code == 200, name
        check_headers(answer, name)
        answer.close()


@pytest.mark.django_db
def test_refusals_before_any_view_have_them_too(signed_in: Client) -> None:
    for answer, status in (
        (signed_in.get("/", headers={"Host": "evil.example"}), 400),
        (signed_in.get("/api/searches", headers={"Host": "evil.example"}), 400),
        (signed_in.get("/no/such/page"), 404),
        (signed_in.get("/api/no-such-address"), 404),
        (signed_in.get(f"{'/x' * 2000}"), 404),
        (signed_in.post("/api/searches", b"x" * 2_000_000, content_type="application/json"), 413),
    ):
        assert answer.status_code == status
        check_headers(answer, str(status))


@pytest.mark.django_db
def test_a_form_without_its_token_is_refused_on_a_page_of_ours(owner: Any) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    answer = client.post("/sign-out")
    assert answer.status_code == 403 and b"This form has expired" in answer.content
    assert b"<style" not in answer.content  # Which the policy would refuse.
    check_headers(answer, "csrf")
    assert client.get("/").status_code == 200  # Still signed in.


class Leak(Exception):
    """Would be seen if a traceback were shown."""


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/", "/api/searches"])
def test_an_error_that_nobody_expected_tells_an_id_and_nothing_else(
    owner: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, address: str
) -> None:
    secret = "postgresql://ann:hunter2@db"

    def fail(*args: Any, **kwargs: Any) -> None:
        raise Leak(secret)

    monkeypatch.setattr("webapp.searches.models.Owned.visible_to", fail)
    client = Client(raise_request_exception=False)
    client.force_login(owner)
    answer = client.get(address)
    told = answer.content.decode()
    assert answer.status_code == 500
    check_headers(answer, "500")
    for word in ("hunter2", "Traceback", "Leak", "models.py", "/webapp/"):
        assert word not in told
    (error_id,) = re.findall(r"[0-9a-f]{12}(?=[.<])", told)
    assert f"Error {error_id}: Leak" in caplog.text and secret in caplog.text
    if address.startswith("/api/"):
        assert set(json.loads(told)) == {"errors"}


@pytest.mark.django_db
def test_an_error_in_any_view_shows_no_traceback(owner: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every view is made to fail once."""
    client = Client(raise_request_exception=False)
    seen = 0

    def fail(request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        raise Leak("hunter2")

    for route, pattern in routes():
        assert isinstance(pattern, URLPattern)
        fail.login_required = getattr(pattern.callback, "login_required", True)  # type: ignore[attr-defined]
        monkeypatch.setattr(pattern, "callback", fail)
        client.force_login(owner)
        answer = client.get(example(route))
        if answer.status_code == 404:  # An address that another route takes first, or a name that does not exist.
            continue
        seen += 1
        assert answer.status_code == 500, route
        assert b"hunter2" not in answer.content and b"Traceback" not in answer.content, route
    assert seen > 100


def test_the_health_address_tells_nothing(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    class Away:
        def cursor(self) -> None:
            from django.db import DatabaseError

            raise DatabaseError("hunter2")

    monkeypatch.setattr("webapp.health.connection", Away())
    answer = client.get("/health")
    assert (answer.status_code, answer.content) == (503, b"unwell")


def test_djangos_own_check_of_a_deployment_has_nothing_to_say(tmp_path: Path) -> None:
    done = _manage("check", "--deploy", "--fail-level", "WARNING", folder=tmp_path, CELLWRIGHT_TLS="1",
                   ALLOWED_HOSTS="cells.example")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "no issues" in done.stdout


@pytest.mark.parametrize("variables", [{"DEBUG": "1"}, {"SECRET_KEY": "changeme"}, {"SECRET_KEY": "a" * 60}])
def test_an_unsafe_site_that_others_can_reach_does_not_start(tmp_path: Path, variables: dict[str, str]) -> None:
    done = _manage("check", folder=tmp_path, ALLOWED_HOSTS="cells.example", **variables)
    assert done.returncode != 0
    assert next(iter(variables)) in done.stderr and len(done.stderr.strip().splitlines()) == 1


def test_what_is_unsafe_and_where() -> None:
    good = {"is_debug": False, "secret": SECRET}
    assert why_unsafe(["0.0.0.0", "cells.example", "*"], **good) == ""
    for host in ("0.0.0.0", "::", "192.168.1.2", "cells.example", "*", ".example", "localhost.evil.example"):
        assert "DEBUG" in why_unsafe(["localhost", host], is_debug=True, secret=SECRET)
        assert "SECRET_KEY" in why_unsafe([host], is_debug=False, secret="short")
    assert why_unsafe(["localhost", "127.0.0.1", "127.8.0.1", "[::1]", "::1"], is_debug=True, secret="") == ""
    with pytest.raises(preflight.CannotStart, match="DEBUG"):
        preflight.check_what_others_reach("0.0.0.0", is_debug=True, secret=SECRET)


@pytest.mark.django_db
def test_with_tls_everything_but_the_health_address_goes_to_https(client: Client, settings: Any) -> None:
    settings.SECURE_SSL_REDIRECT, settings.SECURE_REDIRECT_EXEMPT = True, [r"^health$"]
    settings.SECURE_HSTS_SECONDS, settings.SECURE_HSTS_INCLUDE_SUBDOMAINS = 365 * 24 * 3600, True
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    assert client.get("/sign-in").headers["Location"] == "https://testserver/sign-in"
    assert client.get("/health").status_code == 200
    behind = client.get("/sign-in", headers={"X-Forwarded-Proto": "https"})
    assert behind.status_code == 200
    assert behind.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"


def _manage(*arguments: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    ours = {name: value for name, value in os.environ.items() if name not in ("SECRET_KEY", "DEBUG", "ALLOWED_HOSTS")}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT, env=ours | {"CELLWRIGHT_DATA": str(folder)} | variables, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
