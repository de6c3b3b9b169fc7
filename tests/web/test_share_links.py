"""A link shows one search or training to anybody, read-only: what it opens, and that it opens nothing else."""

import json
import logging
import re
import uuid
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.test import Client
from django.urls import get_resolver

from tests.web.example_search import a_search, a_training
from tests.web.test_routes_deny_by_default import PUBLIC, example, routes
from tests.web.test_sockets import Page, closing_code
from tests.web.test_sockets import append as append_events
from webapp.accounts.models import User
from webapp.accounts.sign_in import get_or_create_user
from webapp.searches import clock, share_links
from webapp.searches.link_door import OPEN_TO_LINKS
from webapp.searches.live import hub, page_rights
from webapp.searches.models import Search, ShareLink, Stream

pytestmark = pytest.mark.django_db

NOWHERE = uuid.UUID(int=0)


@pytest.fixture
def search(owner: User) -> Search:
    return a_search(owner, children=3)


def guest_of(stream: Stream, days: int | None = None) -> Client:
    """A browser without an account that has opened a link."""
    _, secret = share_links.make(stream, days)
    client = Client()
    answer = client.post("/shared/open", json.dumps({"secret": secret}), content_type="application/json")
    assert answer.status_code == 200, answer.content
    return client


def opened(stream: Stream) -> dict[str, str]:
    """An address of every route that is listed as open, filled in for this stream."""
    values = {"search_id": stream.pk, "training_id": stream.pk, "step": 0, "slot": 0, "which": "both"}
    found = {}
    for route, pattern in routes():
        name = f"api:{pattern.name}" if route.startswith("api/") else pattern.name
        if name not in OPEN_TO_LINKS:
            continue
        filled = re.sub(r"<(?:\w+:)?(\w+)>", lambda match: str(values.get(match[1], "architecture.json")), route)
        found[name] = "/" + filled
    return found


def of_kind(kind: str) -> set[str]:
    is_training = {name for name in OPEN_TO_LINKS if "training" in name}
    return is_training if kind == "training" else set(OPEN_TO_LINKS) - is_training


def test_everything_that_is_listed_as_open_is_there(search: Search) -> None:
    assert opened(search).keys() == OPEN_TO_LINKS


def test_a_link_opens_what_is_listed_for_its_own_stream(search: Search, owner: User) -> None:
    training = a_training(owner, search)
    for stream, kind in ((search, "search"), (training, "training")):
        guest = guest_of(stream)
        addresses = opened(stream)
        for name in of_kind(kind) - {"example-picture", "epoch-picture"}:  # Those are of searches with shared weights.
            answer = guest.get(addresses[name])
            assert answer.status_code == 200, (name, answer.status_code)


def test_any_other_stream_looks_like_none(search: Search, owner: User) -> None:
    guest = guest_of(search)
    for other in (a_search(owner, children=3), a_search(get_or_create_user("other"), children=3)):
        theirs, none = opened(other), opened(Search(pk=NOWHERE))
        for name in of_kind("search"):
            found, nothing = guest.get(theirs[name]), guest.get(none[name])
            assert found.status_code == nothing.status_code == 404, name
            same = found.content.replace(str(other.pk).encode(), b"") == nothing.content.replace(
                str(NOWHERE).encode(), b""
            )
            assert same or "csrf" in found.content.decode(), name


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "options"])
def test_a_guest_is_a_stranger_at_every_other_address(search: Search, method: str) -> None:
    guest = guest_of(search)
    closed = 0
    for route, pattern in routes():
        name = f"api:{pattern.name}" if route.startswith("api/") else pattern.name
        if route in PUBLIC or (method == "get" and name in OPEN_TO_LINKS):
            continue
        address = example(route).replace(str(NOWHERE), str(search.pk))
        answer = getattr(guest, method)(address)
        assert answer.status_code == (401 if route.startswith("api/") else 302), (method, route, answer.status_code)
        closed += 1
    assert closed > 30
    assert Search.objects.get(pk=search.pk).state == "running"


def test_somebody_signed_in_sees_what_a_link_shows_and_steers_nothing(search: Search) -> None:
    client = Client()
    client.force_login(get_or_create_user("other"))
    address = f"/searches/{search.pk}"
    assert client.get(address).status_code == 404
    _, secret = share_links.make(search, None)
    client.post("/shared/open", json.dumps({"secret": secret}), content_type="application/json")
    html = client.get(address).content.decode()
    assert 'data-act="pause"' not in html and "Shared with you" in html
    assert client.post(f"/api{address}/pause", "{}", content_type="application/json").status_code == 404
    assert client.get("/").status_code == 200  # What they have themselves is as it was.


def test_a_guests_page_has_nothing_to_do_and_names_nobody(search: Search) -> None:
    User.objects.filter(pk=search.owner_id).update(name="Ada Lovelace")
    guest = guest_of(search)
    for address in (f"/searches/{search.pk}", f"/searches/{search.pk}/replay", f"/searches/{search.pk}/children/0/0"):
        html = guest.get(address).content.decode()
        assert "Ada" not in html and "Sign out" not in html
        for act in ('data-act="pause"', "stream-deletion", "stream-sharing", "download-menu", "<random-comparison"):
            assert act not in html, (address, act)


def test_a_guest_is_told_where_the_comparison_stands_that_a_link_does_not_show(search: Search, owner: User) -> None:
    said = "its comparison rests on other searches"
    assert said in guest_of(search).get(f"/searches/{search.pk}").content.decode()
    client = Client()
    client.force_login(owner)
    assert said not in client.get(f"/searches/{search.pk}").content.decode()
    assert said in client.get(f"/searches/{search.pk}/replay").content.decode()


def test_a_revoked_link_shows_nothing_more(search: Search, owner: User, client: Client) -> None:
    guest = guest_of(search)
    client.force_login(owner)
    (link,) = client.get(f"/api/searches/{search.pk}/links").json()["links"]
    assert client.delete(f"/api/searches/{search.pk}/links/{link['id']}").json() == {"links": []}
    assert guest.get(f"/searches/{search.pk}").status_code == 302
    assert guest.get(f"/api/searches/{search.pk}/events").status_code == 401


def test_a_link_ends_with_its_time_and_with_its_owner(search: Search, owner: User) -> None:
    guest = guest_of(search, days=1)
    address = f"/searches/{search.pk}"
    with clock.replaced(lambda: ShareLink.objects.get().created + timedelta(hours=23).total_seconds()):
        assert guest.get(address).status_code == 200
    with clock.replaced(lambda: ShareLink.objects.get().created + timedelta(hours=25).total_seconds()):
        assert guest.get(address).status_code == 302
    assert guest.get(address).status_code == 200
    User.objects.filter(pk=owner.pk).update(is_active=False)
    assert guest.get(address).status_code == 302


def test_a_link_is_made_by_its_owner_shown_once_and_kept_as_a_digest(
    search: Search, owner: User, client: Client
) -> None:
    path = f"/api/searches/{search.pk}/links"
    client.force_login(get_or_create_user("other"))
    assert client.post(path, "{}", content_type="application/json").status_code == 404
    assert client.get(path).status_code == 404
    client.force_login(owner)
    made = client.post(path, json.dumps({"days": 7}), content_type="application/json")
    assert made.status_code == 201
    secret = made.json()["path"].removeprefix("/shared#")
    assert re.fullmatch(r"[\w-]{43}", secret)  # 256 bits.
    row = ShareLink.objects.get()
    assert secret not in json.dumps([str(value) for value in ShareLink.objects.values_list().get()])
    assert row.expires == pytest.approx(row.created + 7 * 24 * 3600)
    assert secret not in client.get(path).content.decode()
    for days in (0, -1, "x", 10**9):
        refused = client.post(path, json.dumps({"days": days}), content_type="application/json")
        assert refused.status_code == 422 and refused.json()["errors"][0]["field"] == "days"


def test_nobody_revokes_the_link_of_another_stream(search: Search, owner: User, client: Client) -> None:
    link, _ = share_links.make(a_search(owner), None)
    client.force_login(owner)
    assert client.delete(f"/api/searches/{search.pk}/links/{link.pk}").status_code == 404
    assert ShareLink.objects.count() == 1


def test_a_stream_has_at_most_twenty_links(search: Search, owner: User, client: Client) -> None:
    client.force_login(owner)
    path = f"/api/searches/{search.pk}/links"
    answers = [client.post(path, "{}", content_type="application/json").status_code for _ in range(21)]
    assert answers == [201] * 20 + [409]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"secret": 1}', b'{"secret": "x"}', b"\xff", b'{"secret": ""}'])
def test_a_wrong_secret_opens_nothing_and_says_so(search: Search, body: bytes) -> None:
    share_links.make(search, None)
    client = Client()
    answer = client.post("/shared/open", body, content_type="application/json")
    assert answer.status_code == 404 and "shows nothing" in answer.json()["errors"][0]["message"]
    assert client.get(f"/searches/{search.pk}").status_code == 302


def test_a_secret_is_handed_in_from_our_own_page_alone(search: Search) -> None:
    _, secret = share_links.make(search, None)
    client = Client(enforce_csrf_checks=True)
    body = json.dumps({"secret": secret})
    assert client.post("/shared/open", body, content_type="application/json").status_code == 403
    token = client.get("/shared").cookies["csrftoken"].value
    answer = client.post("/shared/open", body, content_type="application/json", headers={"X-CSRFToken": token})
    assert answer.json() == {"url": f"/searches/{search.pk}"}


def test_a_secret_stands_in_no_log(search: Search, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    _, secret = share_links.make(search, None)
    Client().post("/shared/open", json.dumps({"secret": secret}), content_type="application/json")
    Client().post("/shared/open", json.dumps({"secret": secret + "x"}), content_type="application/json")
    assert secret not in "".join(repr(record.__dict__) for record in caplog.records if record.name[:9] != "django.db")


def test_no_address_has_a_secret_in_it() -> None:
    assert get_resolver().reverse_dict["shared"][0][0][0] == "shared"
    assert get_resolver().reverse_dict["open-shared"][0][0][0] == "shared/open"


# --- Sockets ---------------------------------------------------------------------------------------------------------


@sync_to_async
def guest_cookie(stream: Stream) -> str:
    return guest_of(stream).cookies["sessionid"].value


def socket_of(stream_id: Any, cookie: str) -> Page:
    headers = [(b"host", b"localhost"), (b"origin", b"http://localhost"), (b"cookie", f"sessionid={cookie}".encode())]
    return Page(f"/ws/streams/{stream_id}", "after=0", headers)


@pytest.fixture
def stream(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Stream:
    monkeypatch.setattr(hub, "LOOK_SECONDS", 0.05)
    owner = get_or_create_user("owner")
    return Stream.objects.create(owner=owner, kind="training", created=clock.now(), code_version="test")


@pytest.mark.django_db(transaction=True)
async def test_a_guest_watches_and_hears_what_comes(stream: Stream) -> None:
    page = socket_of(stream.pk, await guest_cookie(stream))
    assert await page.connect()
    await append_events(stream, 2)
    frame = await page.frame()
    assert [event["n"] for event in frame["events"]] == [1, 2]
    await page.leave()


@pytest.mark.django_db(transaction=True)
async def test_a_guest_gets_no_other_socket(stream: Stream) -> None:
    cookie = await guest_cookie(stream)
    other = await sync_to_async(Stream.objects.create)(
        owner=stream.owner, kind="training", created=0.0, code_version="test"
    )
    assert await closing_code(socket_of(other.pk, cookie)) == page_rights.NOT_FOUND
    assert await closing_code(socket_of(NOWHERE, cookie)) == page_rights.NOT_FOUND


@pytest.mark.django_db(transaction=True)
async def test_a_revoked_link_closes_its_socket(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    assert page_rights.RIGHTS_SECONDS <= 4
    monkeypatch.setattr(page_rights, "RIGHTS_SECONDS", 0.1)
    page = socket_of(stream.pk, await guest_cookie(stream))
    assert await page.connect()
    await sync_to_async(ShareLink.objects.all().delete)()
    assert (await page.hear())["code"] == page_rights.LINK_GONE


@pytest.mark.django_db(transaction=True)
async def test_an_expired_link_closes_its_socket(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_rights, "RIGHTS_SECONDS", 0.1)
    page = socket_of(stream.pk, await guest_cookie(stream))
    assert await page.connect()
    await sync_to_async(ShareLink.objects.update)(expires=1.0)
    assert (await page.hear())["code"] == page_rights.LINK_GONE
