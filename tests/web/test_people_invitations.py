"""Invitations and ways back: links that make one user, or sign one in, once; and what people may be called."""

import json
import logging
import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from search_engine.errors import UserError
from webapp.accounts import invitations
from webapp.accounts.invitations import InvitationGone, accept, invite, open_invitations
from webapp.accounts.models import Invitation, User, WayBack
from webapp.accounts.names import checked_name
from webapp.accounts.sign_in import get_or_create_user
from webapp.accounts.ways_back import make_way_back, use_way_back

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"


def send(client: Client, address: str, method: str = "post", **body: Any) -> Any:
    return getattr(client, method)(address, json.dumps(body), content_type="application/json")


def test_whoever_is_invited_chooses_a_name_and_is_signed_in(owner: User, client: Client) -> None:
    admin = Client()
    admin.force_login(owner)
    quotas = {"running": 2, "gigabytes": 1.5, "worker_hours": 10.0}
    made = send(admin, "/api/people/invitations", note="Ann", quotas=quotas)
    assert made.status_code == 201
    secret = made.json()["path"].removeprefix("/invited#")
    assert send(client, "/invited/look", secret=secret).json() == {"invited_by": "owner", "is_admin": False}
    answer = send(client, "/invited/accept", secret=secret, name="Ann", password="")
    assert answer.json() == {"url": "/"}
    account = client.get("/api/account").json()
    assert account["name"] == "Ann" and not account["is_admin"] and account["quotas"] == quotas
    assert User.objects.get(name="Ann").most_bytes == 1_500_000_000
    assert Invitation.objects.get().accepted_by == User.objects.get(name="Ann")
    assert send(Client(), "/invited/look", secret=secret).status_code == 404


def test_an_invitation_is_listed_without_its_secret_and_revoked(owner: User, signed_in: Client) -> None:
    path = send(signed_in, "/api/people/invitations", note="Ben", days=1).json()["path"]
    secret = path.partition("#")[2]
    assert secret not in json.dumps([str(value) for value in Invitation.objects.values_list().get()])
    listed = signed_in.get("/api/people/invitations")
    assert secret not in listed.content.decode()
    (row,) = listed.json()["invitations"]
    assert row["note"] == "Ben" and row["expires"] - row["created"] == pytest.approx(24 * 3600, abs=5)
    assert signed_in.delete(f"/api/people/invitations/{row['id']}").json() == {"invitations": []}
    assert signed_in.delete(f"/api/people/invitations/{row['id']}").status_code == 404
    refused = send(Client(), "/invited/accept", secret=secret, name="Ben")
    assert refused.status_code == 404 and "no longer works" in refused.json()["errors"][0]["message"]
    assert not User.objects.filter(name="Ben").exists()


def test_an_invitation_ends_with_its_time_and_with_its_administrator(owner: User) -> None:
    _, secret = invite(owner)
    for change in ({"is_active": False}, {"is_admin": False}):
        User.objects.filter(pk=owner.pk).update(**change)
        with pytest.raises(InvitationGone):
            accept(secret, "Ann")
        User.objects.filter(pk=owner.pk).update(is_active=True, is_admin=True)
    assert open_invitations().count() == 1
    Invitation.objects.update(expires=timezone.now() - timedelta(seconds=1))
    with pytest.raises(InvitationGone):
        accept(secret, "Ann")
    assert open_invitations().count() == 0 and User.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_of_many_who_press_at_the_same_moment_one_comes_in(owner: User) -> None:
    _, secret = invite(owner)
    came_in, refused = [], []

    def press(name: str) -> None:
        try:
            came_in.append(accept(secret, name))
        except InvitationGone as error:
            refused.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=press, args=(f"guest {n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(came_in), len(refused)) == (1, 5)
    assert User.objects.count() == 2


def test_whoever_looked_before_another_pressed_leaves_nothing(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    _, secret = invite(owner)
    before = invitations.find_invitation(secret)
    accept(secret, "first")
    monkeypatch.setattr(invitations, "find_invitation", lambda secret: before)
    with pytest.raises(InvitationGone):
        accept(secret, "second")
    assert not User.objects.filter(name="second").exists()


@pytest.mark.parametrize(
    ("name", "told"),
    [("", "is empty"), ("  ", "is empty"), ("x" * 151, "151 characters"), ("a\nb", "U+000A"), ("a<b", "'<'"),
     ("a\u202eb", "U+202E"), ("a/b", "'/'"), (" a", "a blank too many"), ("a  b", "a blank too many"),
     ("owner", "is taken"), ("OWNER", "is taken")],
)  # fmt: skip
def test_a_name_that_cannot_be_is_refused_with_the_reason(owner: User, name: str, told: str) -> None:
    with pytest.raises(UserError, match=r"^name: ") as refused:
        checked_name(name)
    assert told in refused.value.message


@pytest.mark.parametrize("name", ["Ann", "Ann-Marie O'Neill", "x", "x" * 150, "Åsa Öberg", "山田", "ann@example.org"])
def test_names_of_all_scripts_are_possible(name: str) -> None:
    assert checked_name(name) == name


def test_what_is_wrong_at_the_door_is_said_at_its_field_and_uses_nothing_up(owner: User, client: Client) -> None:
    _, secret = invite(owner)
    for body, field in (({"name": "owner"}, "name"), ({"name": "Ann", "password": "short"}, "password"),
                        ({"name": "Ann", "password": "1234567890"}, "password"),
                        ({"name": 7}, "name"), ({"name": "\ud800"}, "name")):  # fmt: skip
        refused = send(client, "/invited/accept", secret=secret, **body)
        assert refused.status_code == 422 and refused.json()["errors"][0]["field"] == field, body
    assert send(client, "/invited/accept", secret=secret, name="Ann", password=PASSWORD).status_code == 200


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"secret": 1}', b'{"secret": "\\ud800"}', b"\xff", b"[" * 9000])
@pytest.mark.parametrize("address", ["/invited/look", "/invited/accept", "/sign-in/once/open"])
def test_what_holds_no_secret_opens_nothing(owner: User, address: str, body: bytes) -> None:
    invite(owner)
    make_way_back(owner, owner)
    answer = Client().post(address, body, content_type="application/json")
    assert answer.status_code == 404 and "no longer works" in answer.json()["errors"][0]["message"]


def test_the_doors_are_open_to_our_own_pages_alone(owner: User) -> None:
    _, secret = invite(owner)
    for address, page in (("/invited/accept", "/invited"), ("/sign-in/once/open", "/sign-in/once")):
        client = Client(enforce_csrf_checks=True)
        assert send(client, address, secret=secret, name="Ann").status_code == 403
        token = client.get(page).cookies["csrftoken"].value
        body = json.dumps({"secret": "x", "name": "Ann"})
        answer = client.post(address, body, content_type="application/json", headers={"X-CSRFToken": token})
        assert answer.status_code == 404


def test_a_way_back_signs_in_once_and_the_newest_counts(owner: User, signed_in: Client) -> None:
    ann = get_or_create_user("ann")
    address = f"/api/people/{ann.pk}/sign-in-link"
    first, second = (send(signed_in, address).json()["path"].removeprefix("/sign-in/once#") for _ in range(2))
    assert second not in json.dumps([str(value) for value in WayBack.objects.values_list().get()])
    assert send(Client(), "/sign-in/once/open", secret=first).status_code == 404
    client = Client()
    assert send(client, "/sign-in/once/open", secret=second).json() == {"url": "/account"}
    assert client.get("/api/account").json()["name"] == "ann"
    assert send(Client(), "/sign-in/once/open", secret=second).status_code == 404


def test_a_way_back_ends_with_its_time_with_its_user_and_with_whoever_made_it(owner: User) -> None:
    ann = get_or_create_user("ann")
    _, secret = make_way_back(ann, owner)
    for user, change in ((ann, {"is_active": False}), (owner, {"is_active": False}), (owner, {"is_admin": False})):
        User.objects.filter(pk=user.pk).update(**change)
        assert use_way_back(secret) is None
        User.objects.update(is_active=True)
        User.objects.filter(pk=owner.pk).update(is_admin=True)
    WayBack.objects.update(expires=timezone.now() - timedelta(seconds=1))
    assert use_way_back(secret) is None


def test_secrets_stand_in_no_log(owner: User, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    _, invited = invite(owner)
    _, back = make_way_back(owner, owner)
    send(Client(), "/invited/accept", secret=invited, name="Ann", password=PASSWORD)
    send(Client(), "/sign-in/once/open", secret=back)
    logged = "".join(repr(record.__dict__) for record in caplog.records if record.name[:9] != "django.db")
    assert invited not in logged and back not in logged and PASSWORD not in logged
