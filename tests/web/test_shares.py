"""Sharing with persons: who may, what they see then, and that it ends."""

import pytest
from asgiref.sync import sync_to_async
from django.test import Client

from tests.web.example_search import a_search, a_training
from tests.web.test_sockets import append, closing_code, cookie_of, receive, socket
from webapp.accounts.models import User
from webapp.accounts.sign_in import get_or_create_user
from webapp.searches import clock
from webapp.searches.live import page_rights
from webapp.searches.models import Search, Share, Stream

pytestmark = pytest.mark.django_db


@pytest.fixture
def search(owner: User) -> Search:
    return a_search(owner)


@pytest.fixture
def ada() -> Client:
    client = Client()
    client.force_login(get_or_create_user("ada"))
    return client


def share(client: Client, stream: Stream, user: str, role: str) -> tuple[int, dict[str, object]]:
    body = {"user": user, "role": role}
    page = "searches" if isinstance(stream, Search) else "trainings"
    answer = client.put(f"/api/{page}/{stream.pk}/shares", body, "application/json")
    return answer.status_code, answer.json()


def test_a_reader_looks_and_a_co_owner_changes(signed_in: Client, search: Search, ada: Client) -> None:
    path = f"/api/searches/{search.pk}"
    assert ada.get(path).status_code == 404
    assert share(signed_in, search, "ada", "reader")[0] == 200
    assert ada.get(path).status_code == 200
    refused = ada.post(f"{path}/pause")
    assert refused.status_code == 403
    assert refused.json()["errors"][0]["message"] == "You may look at this search; only its owners can change it."
    status, told = share(signed_in, search, "ada", "co-owner")
    assert (status, [(each["user"], each["role"]) for each in told["shares"]]) == (200, [("ada", "co-owner")])
    assert ada.post(f"{path}/pause").status_code == 200
    assert ada.delete(path).status_code == 403
    assert Stream.objects.get(pk=search.pk).state == Stream.State.PAUSED


def test_the_page_of_a_reader_offers_nothing_to_change_and_that_of_a_co_owner_does(
    signed_in: Client, search: Search, ada: Client
) -> None:
    page = f"/searches/{search.pk}"
    share(signed_in, search, "ada", "reader")
    text = ada.get(page).content.decode()
    assert "nothing can be changed" in text and 'data-act="pause"' not in text and "Start one like it" in text
    share(signed_in, search, "ada", "co-owner")
    text = ada.get(page).content.decode()
    assert 'data-act="pause"' in text and "<stream-sharing" not in text and "<stream-deletion" not in text
    assert "<stream-sharing" in signed_in.get(page).content.decode()


def test_what_is_shared_stands_in_the_list_of_searches(signed_in: Client, search: Search, ada: Client) -> None:
    share(signed_in, search, "ada", "reader")
    assert [each["id"] for each in ada.get("/api/searches").json()["searches"]] == [str(search.pk)]


@pytest.mark.parametrize(
    ("user", "sentence"),
    [
        ("nobody", 'is "nobody"; there is nobody of this name.'),
        ("owner", "is its owner, who may do everything already."),
    ],
)
def test_it_cannot_be_shared_with_nobody_nor_with_its_owner(
    signed_in: Client, search: Search, user: str, sentence: str
) -> None:
    assert share(signed_in, search, user, "reader") == (422, {"errors": [{"field": "user", "message": sentence}]})
    assert not Share.objects.exists()


def test_a_share_is_taken_back_and_whoever_was_shared_with_may_leave(
    signed_in: Client, search: Search, ada: Client, owner: User
) -> None:
    training = a_training(owner, a_search(owner, children=1))
    for stream, path in ((search, f"/api/searches/{search.pk}"), (training, f"/api/trainings/{training.pk}")):
        share(signed_in, stream, "ada", "reader")
        assert ada.get(path).status_code == 200
        assert ada.delete(f"{path}/shares/owner").status_code == 403
        assert (ada if stream is search else signed_in).delete(f"{path}/shares/ada").json() == {"shares": []}
        assert ada.get(path).status_code == 404
    assert signed_in.delete(f"/api/searches/{search.pk}/shares/ada").status_code == 404


@pytest.mark.django_db(transaction=True)
async def test_a_reader_watches_and_loses_the_socket_with_the_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(page_rights, "RIGHTS_SECONDS", 0.05)
    stream = await sync_to_async(a_stream)()
    cookie = await sync_to_async(cookie_of)("ada")
    page = socket(stream, cookie)
    assert await page.connect()
    await append(stream, 2)
    assert [event["n"] for event in await receive(page, 2)] == [1, 2]
    await sync_to_async(Share.objects.all().delete)()
    message = await page.hear()
    assert (message["type"], message["code"]) == ("websocket.close", page_rights.NOT_FOUND)
    assert await closing_code(socket(stream, cookie)) == page_rights.NOT_FOUND


def a_stream() -> Stream:
    owner = get_or_create_user("owner")
    stream = Stream.objects.create(owner=owner, kind="training", created=clock.now(), code_version="test")
    Share.objects.create(stream=stream, user=get_or_create_user("ada"), role="reader", created=clock.now())
    return stream
