"""Signing in by a link: what works, for how long, and what it does not let in."""

import time
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from webapp.accounts.models import User
from webapp.accounts.sign_in import get_or_create_user, link_token

pytestmark = pytest.mark.django_db


def is_signed_in(client: Client) -> bool:
    return "_auth_user_id" in client.session


def test_the_link_signs_in_again_and_again(client: Client) -> None:
    token = link_token(get_or_create_user("owner"))
    for _ in range(2):
        answer = client.get(f"/sign-in/{token}")
        assert (answer.status_code, answer.headers["Location"]) == (302, "/")
        assert is_signed_in(client)


def test_the_link_ends_after_a_day(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    token = link_token(get_or_create_user("owner"))
    began = time.time()
    monkeypatch.setattr(time, "time", lambda: began + 24 * 3600 - 60)
    assert client.get(f"/sign-in/{token}").status_code == 302
    monkeypatch.setattr(time, "time", lambda: began + 24 * 3600 + 60)
    assert client.get(f"/sign-in/{token}").status_code == 403


@pytest.mark.parametrize("spoil", [lambda t: t[:-1], lambda t: "x" + t, lambda t: t.swapcase(), lambda t: "a:b:c"])
def test_a_damaged_link_lets_nobody_in(client: Client, spoil: Any) -> None:
    answer = client.get(f"/sign-in/{spoil(link_token(get_or_create_user('owner')))}")
    assert answer.status_code == 403
    assert not is_signed_in(client)


def test_a_link_of_another_secret_lets_nobody_in(client: Client, settings: Any) -> None:
    token = link_token(get_or_create_user("owner"))
    settings.SECRET_KEY = "another secret"
    assert client.get(f"/sign-in/{token}").status_code == 403


def test_a_link_of_somebody_who_left_lets_nobody_in(client: Client) -> None:
    user = get_or_create_user("owner")
    token = link_token(user)
    User.objects.filter(pk=user.pk).update(is_active=False)
    assert client.get(f"/sign-in/{token}").status_code == 403


def test_a_session_of_before_is_not_taken_over(client: Client) -> None:
    client.get("/sign-in")
    client.session.save()
    before = client.session.session_key
    client.get(f"/sign-in/{link_token(get_or_create_user('owner'))}")
    assert client.session.session_key != before


def test_signing_out_needs_a_post_with_its_token() -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(get_or_create_user("owner"))
    assert client.get("/sign-out").status_code == 405
    assert client.post("/sign-out").status_code == 403
    assert is_signed_in(client)


def test_signing_out_ends_the_session(client: Client) -> None:
    client.force_login(get_or_create_user("owner"))
    assert client.post("/sign-out").status_code == 302
    assert not is_signed_in(client)


def test_the_page_says_where_the_link_is(client: Client) -> None:
    answer = client.get("/sign-in")
    assert answer.status_code == 200
    assert "link" in answer.content.decode()
    assert "no-store" in answer.headers["Cache-Control"]


def test_the_first_user_is_made_once() -> None:
    assert get_or_create_user("owner").pk == get_or_create_user("owner").pk
    assert not get_or_create_user("owner").has_usable_password()


def test_the_command_prints_a_link_for_anybody(client: Client) -> None:
    output = StringIO()
    call_command("sign_in_link", "ann", base="https://cells.example", stdout=output)
    link = output.getvalue().strip()
    assert link.startswith("https://cells.example/sign-in/")
    assert client.get(link.removeprefix("https://cells.example")).status_code == 302
    assert client.session["_auth_user_id"] == str(User.objects.get(name="ann").pk)


def test_the_terminal_signs_in_the_first_administrator_whatever_they_are_called_now(client: Client) -> None:
    first = get_or_create_user("owner")
    User.objects.create(name="later", is_admin=True)
    User.objects.filter(pk=first.pk).update(name="Ada")
    output = StringIO()
    call_command("sign_in_link", base="", stdout=output)
    client.get(output.getvalue().strip())
    assert client.session["_auth_user_id"] == str(first.pk) and User.objects.count() == 2


@pytest.mark.parametrize(("name", "told"), [("a/b", "The name has '/' in it"), ("ann", "ann is deactivated")])
def test_the_terminal_makes_nobody_who_could_not_be_and_lets_nobody_in_who_is_out(name: str, told: str) -> None:
    User.objects.create(name="ann", is_active=False)
    for command in (["sign_in_link", name], ["token", "notebook", "--user", name]):
        with pytest.raises(CommandError, match=told):
            call_command(*command)
    assert User.objects.count() == 1
