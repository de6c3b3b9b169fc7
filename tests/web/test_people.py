"""Accounts: what one changes about oneself, what an administrator changes about others, and who is let out at once."""

import json
import threading
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.db import connection
from django.test import Client

from tests.web.example_search import a_search
from webapp.accounts.models import User
from webapp.accounts.people import LastAdministrator, change_person
from webapp.accounts.sign_in import get_or_create_user
from webapp.accounts.tokens import make_token

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


@pytest.fixture(autouse=True)
def quick_hashes(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def ann(owner: User) -> User:
    return get_or_create_user("ann")


def send(client: Client, method: str, address: str, **body: Any) -> Any:
    return client.generic(method.upper(), address, json.dumps(body), "application/json")


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_the_first_user_is_an_administrator_and_the_next_are_not(owner: User, ann: User) -> None:
    assert owner.is_admin and not ann.is_admin


# --- One's own account ------------------------------------------------------------------------------------------------


def test_name_and_email_are_changed_and_checked(ann: User) -> None:
    client = browser_of(ann)
    assert send(client, "patch", "/api/account", name="Ann B.", email="ann@example.org").status_code == 200
    assert User.objects.filter(name="Ann B.", email="ann@example.org").exists()
    for body, field in (({"name": "owner"}, "name"), ({"name": ""}, "name"), ({"email": "ann@"}, "email"),
                        ({"is_admin": True}, "is_admin")):  # fmt: skip
        refused = send(client, "patch", "/api/account", **body)
        assert refused.status_code == 422 and refused.json()["errors"][0]["field"] == field, body
    assert send(client, "patch", "/api/account", email="").json()["email"] == ""
    assert send(client, "patch", "/api/account", name="ann b.").status_code == 200  # One's own, in other letters.


def test_a_password_is_set_and_ends_the_other_sessions(ann: User) -> None:
    here, elsewhere = browser_of(ann), browser_of(ann)
    assert send(here, "post", "/api/account/password", password="short").json()["errors"][0]["field"] == "password"
    assert send(here, "post", "/api/account/password", password=PASSWORD).json()["has_password"]
    assert here.get("/api/account").status_code == 200
    assert elsewhere.get("/api/account").status_code == 401
    assert authenticate(username="ann", password=PASSWORD) == ann
    refused = send(here, "post", "/api/account/password", password="another long one", current="wrong")
    assert refused.json()["errors"] == [{"field": "current", "message": "is not your password."}]
    changed = send(here, "post", "/api/account/password", password="another long one", current=PASSWORD)
    assert changed.status_code == 200
    assert authenticate(username="ann", password=PASSWORD) is None
    for _ in range(20):  # Somebody else tries, which is no reason to keep out who is signed in.
        Client().post("/sign-in", {"name": "ann", "password": "wrong"})
    again = send(here, "post", "/api/account/password", password=PASSWORD, current="another long one")
    assert again.status_code == 200
    tries = [send(here, "post", "/api/account/password", password=PASSWORD, current="wrong") for _ in range(6)]
    assert tries[-1].status_code == 429 and tries[-1].headers["Retry-After"]


def test_name_and_password_sign_in_and_lead_to_the_page_that_was_asked_for(ann: User, client: Client) -> None:
    ann.set_password(PASSWORD)
    ann.save()
    wrong = client.post("/sign-in", {"name": "ann", "password": "wrong", "next": "/data"})
    assert wrong.status_code == 403 and "There is nobody of this name" in wrong.content.decode()
    assert 'value="/data"' in wrong.content.decode()
    right = client.post("/sign-in", {"name": "ann", "password": PASSWORD, "next": "/data"})
    assert (right.status_code, right.headers["Location"]) == (302, "/data")
    assert client.get("/api/account").json()["name"] == "ann"


@pytest.mark.parametrize("next_page", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_signing_in_leads_to_no_other_site(ann: User, client: Client, next_page: str) -> None:
    ann.set_password(PASSWORD)
    ann.save()
    answer = client.post("/sign-in", {"name": "ann", "password": PASSWORD, "next": next_page})
    assert answer.headers["Location"] == "/"


@pytest.mark.parametrize("name", ["ann", "nobody", "", "a\0b", "x" * 5000])
def test_nobody_without_a_password_signs_in_by_one(ann: User, client: Client, name: str) -> None:
    for password in ("", "!", "x", "x" * 5000):
        assert client.post("/sign-in", {"name": name, "password": password}).status_code == 403


def test_a_password_form_from_another_site_is_refused(ann: User) -> None:
    assert Client(enforce_csrf_checks=True).post("/sign-in", {"name": "ann", "password": "x"}).status_code == 403


def test_other_browsers_are_signed_out_and_tokens_stay(ann: User) -> None:
    here, elsewhere = browser_of(ann), browser_of(ann)
    token = {"Authorization": f"Bearer {make_token(ann, 'notebook')}"}
    assert send(here, "delete", "/api/account/sessions").status_code == 200
    assert here.get("/api/account").status_code == 200
    assert elsewhere.get("/api/account").status_code == 401
    assert Client().get("/api/account", headers=token).status_code == 200
    assert browser_of(User.objects.get(pk=ann.pk)).get("/api/account").status_code == 200


# --- Administrators ---------------------------------------------------------------------------------------------------


def test_nothing_of_it_is_there_for_anybody_else(ann: User, owner: User) -> None:
    client = browser_of(ann)
    assert client.get("/people").status_code == 404
    assert 'href="/people"' not in client.get("/account").content.decode()
    for method, address in (("get", ""), ("get", "/invitations"), ("post", "/invitations"),
                            ("patch", f"/{owner.pk}"), ("patch", f"/{ann.pk}"), ("post", f"/{ann.pk}/sign-in-link"),
                            ("delete", f"/invitations/{ann.pk}")):  # fmt: skip
        refused = send(client, method, f"/api/people{address}", nonsense=True)
        assert refused.status_code == 404, (method, address)
    assert browser_of(owner).get("/people").status_code == 200


def test_people_are_changed_from_our_own_pages_alone_and_listed_by_a_token(ann: User, owner: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    for method, address in (("post", "/api/people/invitations"), ("patch", f"/api/people/{ann.pk}"),
                            ("patch", "/api/account"), ("post", "/api/account/tokens")):  # fmt: skip
        assert send(client, method, address).status_code == 403, address
    for user, status in ((owner, 200), (ann, 404)):
        token = make_token(user, "reader", ["read"])
        answer = Client().get("/api/people", headers={"Authorization": f"Bearer {token}"})
        assert answer.status_code == status


def test_people_are_listed_with_their_quotas_and_what_they_use(ann: User, owner: User) -> None:
    a_search(ann)
    client = browser_of(owner)
    changed = send(client, "patch", f"/api/people/{ann.pk}", quotas={"running": 3, "gigabytes": 0.5})
    assert changed.json()["quotas"] == {"running": 3, "gigabytes": 0.5, "worker_hours": None}
    listed = client.get("/api/people").json()
    assert [each["name"] for each in listed["people"]] == ["ann", "owner"] and listed["total"] == 2
    told = listed["people"][0]
    assert told["used"]["running"] == 1 and told["quotas"]["running"] == 3
    assert "email" not in told and "searches" not in json.dumps(listed)
    send(client, "patch", f"/api/people/{ann.pk}", quotas={"running": None})
    assert User.objects.filter(pk=ann.pk).values(*User.QUOTAS).get() == {
        "most_running": None, "most_bytes": 500_000_000, "most_worker_hours": None,
    }  # fmt: skip
    assert client.get("/api/people?limit=1&offset=1").json()["people"][0]["name"] == "owner"


def test_many_people_cost_as_many_questions_as_few(
    owner: User, signed_in: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(20):
        a_search(User.objects.create(name=f"somebody {number}"))
    with django_assert_max_num_queries(16):
        people = signed_in.get("/api/people").json()["people"]
    assert len(people) == 21 and [each["used"]["running"] for each in people] == [0] + 20 * [1]


@pytest.mark.parametrize("quota", [{"running": -1}, {"running": 1.5}, {"gigabytes": -0.1}, {"worker_hours": "many"},
                                   {"gigabytes": 1e300}, {"disk": 1}])  # fmt: skip
def test_a_quota_that_is_none_is_refused_at_its_field(ann: User, owner: User, quota: dict[str, Any]) -> None:
    refused = send(browser_of(owner), "patch", f"/api/people/{ann.pk}", quotas=quota)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["field"] == f"quotas.{next(iter(quota))}"


def test_whoever_is_deactivated_is_out_at_once_and_comes_back_with_everything(ann: User, owner: User) -> None:
    theirs, admin = browser_of(ann), browser_of(owner)
    ann.set_password(PASSWORD)
    ann.save()
    theirs.force_login(ann)
    token = {"Authorization": f"Bearer {make_token(ann, 'notebook')}"}
    assert send(admin, "patch", f"/api/people/{ann.pk}", is_active=False).json()["is_active"] is False
    assert theirs.get("/api/account").status_code == 401
    assert Client().get("/api/account", headers=token).status_code == 401
    assert Client().post("/sign-in", {"name": "ann", "password": PASSWORD}).status_code == 403
    assert send(admin, "post", f"/api/people/{ann.pk}/sign-in-link").status_code == 409
    send(admin, "patch", f"/api/people/{ann.pk}", is_active=True)
    assert Client().get("/api/account", headers=token).status_code == 200
    assert theirs.get("/api/account").status_code == 200


@pytest.mark.parametrize("change", [{"is_active": False}, {"is_admin": False}])
def test_the_last_active_administrator_stays(ann: User, owner: User, change: dict[str, bool]) -> None:
    client = browser_of(owner)
    refused = send(client, "patch", f"/api/people/{owner.pk}", **change)
    assert refused.status_code == 409 and "last active administrator" in refused.json()["errors"][0]["message"]
    User.objects.filter(pk=ann.pk).update(is_admin=True, is_active=False)
    assert send(client, "patch", f"/api/people/{owner.pk}", **change).status_code == 409
    User.objects.filter(pk=ann.pk).update(is_active=True)
    assert send(client, "patch", f"/api/people/{owner.pk}", **change).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_two_administrators_who_let_each_other_go_leave_one() -> None:
    admins = [User.objects.create(name=name, is_admin=True) for name in ("ann", "ben")]
    refused = []

    def let_go(user: User) -> None:
        try:
            change_person(user, {"is_active": False})
        except LastAdministrator as error:
            refused.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=let_go, args=(user,)) for user in admins]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 1
    assert User.objects.filter(is_active=True, is_admin=True).count() == 1
