"""Who fails to get in again and again must wait, longer each time; who has a right to come in is not kept out."""

import json
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client, RequestFactory
from django.utils import timezone

from tests.web.example_search import a_search
from webapp.accounts import throttle
from webapp.accounts.invitations import invite
from webapp.accounts.models import Failures, User
from webapp.accounts.sign_in import get_or_create_user, link_token
from webapp.accounts.tokens import make_token
from webapp.accounts.ways_back import make_way_back
from webapp.searches import share_links

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery"
ELSEWHERE = {"REMOTE_ADDR": "192.0.2.7"}


@pytest.fixture(autouse=True)
def quick_hashes(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def moment(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[timedelta]]:
    """How much later than now it is for the throttle."""
    later = [timedelta()]
    began = timezone.now()
    monkeypatch.setattr(throttle.timezone, "now", lambda: began + later[0])
    return later


@pytest.fixture
def ann() -> User:
    user = get_or_create_user("ann")
    user.set_password(PASSWORD)
    user.save()
    return user


def sign_in(client: Client, password: str, name: str = "ann", **extra: str) -> Any:
    return client.post("/sign-in", {"name": name, "password": password}, **extra)


def until_refused(ask: Any, most: int = 100) -> tuple[int, Any]:
    """How many went before the first answer of 429, and that."""
    for count in range(most):
        answer = ask()
        if answer.status_code == 429:
            return count, answer
    raise AssertionError(f"none of {most} was refused")


def test_wrong_passwords_for_one_name_must_wait_from_wherever_they_come(ann: User, moment: Any) -> None:
    addresses = iter(range(1, 200))
    ask = lambda: sign_in(Client(), "wrong", REMOTE_ADDR=f"198.51.100.{next(addresses)}")  # noqa: E731
    count, refused = until_refused(ask)
    assert count == throttle.FREE_OF_NAME
    assert refused.headers["Retry-After"] == "2" and "Try again in 2 seconds." in refused.content.decode()
    assert sign_in(Client(), PASSWORD).status_code == 429  # The right one waits as well: else guessing would go on.
    moment[0] = timedelta(seconds=3)
    assert sign_in(Client(), PASSWORD).status_code == 302


def test_an_honest_person_is_not_kept_out_by_what_others_try(ann: User, moment: Any) -> None:
    theirs = Client()
    assert sign_in(theirs, PASSWORD).status_code == 302  # Once, which gives this browser its mark.
    theirs.post("/sign-out")
    until_refused(lambda: sign_in(Client(), "wrong"))  # Of the same name, and from the same address.
    assert sign_in(Client(), PASSWORD).status_code == 429
    assert sign_in(theirs, PASSWORD).status_code == 302


def test_the_mark_of_a_browser_is_no_way_to_guess_on(ann: User, moment: Any) -> None:
    theirs = Client()
    sign_in(theirs, PASSWORD)
    count, _ = until_refused(lambda: sign_in(theirs, "wrong"))
    assert count == throttle.FREE_OF_NAME
    ben = get_or_create_user("ben")
    until_refused(lambda: sign_in(Client(), "wrong", name=ben.name))
    assert sign_in(theirs, "wrong", name=ben.name).status_code == 429  # It is of ann, and of nobody else.


def test_the_wait_doubles_and_has_a_most_and_counts_fade(moment: Any) -> None:
    waits = []
    for _ in range(20):
        try:
            throttle.attempt("name x")
        except throttle.TooMany as error:
            waits.append(error.seconds)
            moment[0] += timedelta(seconds=error.seconds)
            throttle.attempt("name x")
    assert waits[:3] == [2, 4, 8] and waits == sorted(waits) and max(waits) <= throttle.LONGEST_WAIT
    moment[0] += timedelta(minutes=60)  # Six times halved.
    for _ in range(throttle.FREE_OF_NAME - 1):
        throttle.attempt("name x")
    moment[0] += timedelta(hours=3)
    throttle.attempt("name y")
    assert list(Failures.objects.values_list("of", flat=True)) == ["name y"]


def test_whoever_signs_in_has_failed_at_nothing(ann: User, moment: Any) -> None:
    for _ in range(5):
        for _ in range(throttle.FREE_OF_NAME - 1):
            assert sign_in(Client(), "wrong", **ELSEWHERE).status_code == 403
        Failures.objects.filter(of__startswith="address").delete()
        assert sign_in(Client(), PASSWORD, **ELSEWHERE).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_many_at_once_are_not_all_free() -> None:
    tried, refused = [], []

    def attempt() -> None:
        try:
            throttle.attempt("name x")
            tried.append(1)
        except throttle.TooMany:
            refused.append(1)
        finally:
            connection.close()

    threads = [threading.Thread(target=attempt) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(tried), len(refused)) == (throttle.FREE_OF_NAME, 12 - throttle.FREE_OF_NAME)


def wrong_secret(address: str) -> Any:
    body = json.dumps({"secret": "x" * 43, "name": "Ann"})
    return lambda: Client().post(address, body, content_type="application/json", **ELSEWHERE)


@pytest.mark.parametrize("address", ["/shared/open", "/invited/look", "/invited/accept", "/sign-in/once/open"])
def test_wrong_links_must_wait_and_right_ones_never(address: str, moment: Any, owner: User) -> None:
    count, refused = until_refused(wrong_secret(address))
    assert count == throttle.FREE_OF_ADDRESS
    assert int(refused.headers["Retry-After"]) >= 1
    assert refused.json()["errors"][0]["message"].startswith("Too many attempts have failed. Try again in ")
    secrets = {
        "/shared/open": share_links.make(a_search(owner), None)[1],
        "/sign-in/once/open": make_way_back(owner, owner)[1],
    }
    body = json.dumps({"secret": secrets.get(address) or invite(owner)[1], "name": "Ann"})
    assert Client().post(address, body, content_type="application/json", **ELSEWHERE).status_code == 200


def test_wrong_tokens_must_wait_and_right_ones_never(moment: Any, owner: User) -> None:
    ask = lambda text: Client().get("/api/searches", headers={"Authorization": f"Bearer {text}"}, **ELSEWHERE)  # noqa: E731
    count, refused = until_refused(lambda: ask("cw_wrong"))
    assert count == throttle.FREE_OF_ADDRESS and refused.headers["Retry-After"]
    assert ask(make_token(owner, "notebook")).status_code == 200
    assert Client().get("/api/searches", headers={"Authorization": "Bearer x"}).status_code == 401  # From elsewhere.


def test_wrong_links_of_the_terminal_must_wait_and_right_ones_never(moment: Any, owner: User) -> None:
    count, refused = until_refused(lambda: Client().get("/sign-in/wrong", **ELSEWHERE))
    assert count == throttle.FREE_OF_ADDRESS and refused.headers["Retry-After"]
    assert Client().get(f"/sign-in/{link_token(owner)}", **ELSEWHERE).status_code == 302


@pytest.mark.parametrize(
    ("tls", "forwarded", "counted"),
    [(False, "203.0.113.9", "192.0.2.7"), (True, "203.0.113.9", "203.0.113.9"),
     (True, "10.0.0.1, 203.0.113.9", "203.0.113.9"), (True, None, "192.0.2.7"), (True, "nonsense", "unknown"),
     (True, "2001:db8:1:2:3::4", "2001:db8:1:2::/64"), (True, "::ffff:203.0.113.9", "203.0.113.9")],
)  # fmt: skip
def test_an_address_is_the_peers_or_what_the_proxy_has_added(
    settings: Any, tls: bool, forwarded: str | None, counted: str
) -> None:
    settings.TLS = tls
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    request = RequestFactory().get("/", headers=headers, **ELSEWHERE)
    assert throttle.by_address(request) == f"address {counted}"


def test_neither_names_nor_marks_are_kept(moment: datetime) -> None:
    throttle.attempt(throttle.by_name("ann"), throttle.by_browser("mark"))
    assert not any(word in key for key in Failures.objects.values_list("of", flat=True) for word in ("ann", "mark"))
