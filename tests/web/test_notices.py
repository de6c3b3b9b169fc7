"""Notices: written with what they tell of, brought to real receivers with patience, and never to a private network."""

import hashlib
import hmac
import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from types import SimpleNamespace
from typing import Any

import pytest
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.db import transaction

from tests.faults.fake_engine import DATA, DECISIONS, small_config
from tests.web.example_search import a_worker
from webapp import environment
from webapp.accounts.models import User
from webapp.notices import addresses, delivery, outbox, webhook
from webapp.notices.models import Delivery, Notice, Target
from webapp.searches import clock, hosts, lifecycle, planner, stalls, storage_pauses
from webapp.searches.models import Event, Search, Stream, Worker
from webapp.searches.workers import reconciler

pytestmark = pytest.mark.django_db
EVERYTHING = ["ended", "failed", "stalled"]


class Receiver:
    """A real one, on this machine. answers: the statuses it gives, the last one for ever; heard: (headers, body)."""

    def __init__(self, *answers: int, silence: float = 0.0) -> None:
        self.answers, self.silence = list(answers) or [200], silence
        self.heard: list[tuple[dict[str, str], bytes]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.heard.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
                time.sleep(outer.silence)
                status = outer.answers.pop(0) if len(outer.answers) > 1 else outer.answers[0]
                self.send_response(status)
                if status in (301, 302, 307):
                    self.send_header("Location", outer.url + "elsewhere")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receive(settings: Any) -> Iterator[Any]:
    """Makes receivers on this machine, which webhooks may reach here."""
    settings.WEBHOOK_HOSTS = ["127.0.0.1"]
    made: list[Receiver] = []

    def make(*answers: int, **options: float) -> Receiver:
        made.append(Receiver(*answers, **options))
        return made[-1]

    yield make
    for receiver in made:
        receiver.close()


def start(owner: User, name: str = "mine") -> Search:
    config = small_config().model_copy(update={"name": name})
    return lifecycle.create_search(owner, config, decisions=DECISIONS, data=DATA)


def target(owner: User, kind: str = "webhook", **settings: Any) -> Target:
    return Target.objects.create(owner=owner, kind=kind, created=clock.now(), **{"topics": EVERYTHING} | settings)


def end(search: Search, state: Stream.State, reason: str = "") -> None:
    with transaction.atomic():
        reconciler.planner.event_log.append(search.pk, [planner.close(Stream.objects.get(pk=search.pk), state, reason)])


# --- The outbox. ------------------------------------------------------------------------------------------------------


def test_the_end_of_a_search_is_told_in_the_transaction_that_ends_it(owner: User) -> None:
    search, where = start(owner), target(owner)
    with pytest.raises(RuntimeError), transaction.atomic():
        end(search, Stream.State.FAILED, "A file is missing.")
        assert Delivery.objects.count() == 1
        raise RuntimeError("the commit never came")
    assert Notice.objects.count() == 0 and Stream.objects.get(pk=search.pk).is_open
    end(search, Stream.State.FAILED, "A file is missing.")
    notice = Notice.objects.get()
    assert (notice.kind, notice.title, notice.text) == ("failed", "Search mine: failed.", "A file is missing.")
    assert notice.path == f"/searches/{search.pk}"
    assert [(each.target_id, each.state) for each in notice.deliveries.all()] == [(where.pk, "due")]


@pytest.mark.parametrize(
    ("state", "kind"), [("finished", "finished"), ("stopped", "stopped"), ("failed", "failed")]
)  # fmt: skip
def test_every_end_is_told_to_those_who_want_it_and_to_nobody_else(owner: User, state: str, kind: str) -> None:
    search, wants = start(owner), "failed" if kind == "failed" else "ended"
    told = target(owner, topics=[wants])
    target(owner, topics=[each for each in EVERYTHING if each != wants])
    target(User.objects.create(name="somebody else"))
    end(search, Stream.State(state))
    assert list(Delivery.objects.values_list("target", "notice__kind")) == [(told.pk, kind)]


def test_a_pause_by_a_disk_is_told_and_one_by_a_person_is_not(owner: User) -> None:
    search = start(owner)
    target(owner)
    lifecycle.pause(search.pk)
    lifecycle.resume(search.pk)
    assert Notice.objects.count() == 0
    storage_pauses.pause_all("The disk is full.")
    assert Notice.objects.get().kind == "paused" and "The disk is full." in Notice.objects.get().text


def test_nobody_who_wants_nothing_has_an_outbox(owner: User) -> None:
    end(start(owner), Stream.State.FINISHED)
    assert Notice.objects.count() == 0


# --- Stalls. ----------------------------------------------------------------------------------------------------------


def long_ago(search: Search) -> None:
    Event.objects.filter(stream=search.pk).update(at=clock.now() - stalls.STALLED_SECONDS - 1)


def test_a_search_for_which_nobody_works_is_told_of_once_for_each_stall(owner: User) -> None:
    search = start(owner)
    target(owner)
    assert stalls.tell() == 0  # It has just begun.
    long_ago(search)
    assert stalls.tell() == 1 and stalls.tell() == 0
    assert Notice.objects.get().text == stalls.NOBODY
    lifecycle.pause(search.pk)
    lifecycle.resume(search.pk)
    long_ago(search)
    assert stalls.tell() == 1  # Something had happened since.


def test_waiting_for_a_turn_is_no_stall_and_drained_workers_are_one(owner: User) -> None:
    search = start(owner)
    target(owner)
    long_ago(search)
    worker = a_worker()
    assert stalls.tell() == 0
    hosts.drain_host(worker.host, True)
    assert stalls.tell() == 1 and Notice.objects.get().text == stalls.ASIDE


def test_a_pause_or_a_worker_that_is_at_it_is_no_stall(owner: User) -> None:
    search = start(owner)
    target(owner)
    long_ago(search)
    search.jobs.update(state="leased", worker="w", lease_until=clock.now() + 5)
    assert stalls.tell() == 0
    search.jobs.update(state="due", worker="", lease_until=None)
    lifecycle.pause(search.pk)
    long_ago(search)
    assert stalls.tell() == 0
    assert not Worker.objects.exists()


# --- Bringing. --------------------------------------------------------------------------------------------------------


def test_a_webhook_gets_a_signed_post_once(owner: User, receive: Any, time: list[float]) -> None:
    receiver, search = receive(), start(owner)
    where = target(owner, url=receiver.url)
    end(search, Stream.State.FINISHED)
    assert delivery.deliver_due(clock.now) == 1 and delivery.deliver_due(clock.now) == 0
    ((headers, body),) = receiver.heard
    told = json.loads(body)
    assert (told["kind"], told["title"], told["stream"]) == ("finished", "Search mine: finished.", str(search.pk))
    assert told["url"].endswith(f"/searches/{search.pk}") and told["url"].startswith("http")
    row = Delivery.objects.get()
    assert (row.state, row.attempts, row.error) == ("sent", 1, "")
    assert headers["X-Cellwright-Id"] == told["id"] == str(row.pk) and headers["X-Cellwright-Timestamp"] == "1000"
    secret = webhook.secret_of(where)
    said = f"1000.{row.pk}.".encode() + body
    assert headers["X-Cellwright-Signature"] == "sha256=" + hmac.new(secret.encode(), said, hashlib.sha256).hexdigest()


def test_a_receiver_that_fails_is_tried_again_later_and_later_and_given_up(
    owner: User, receive: Any, time: list[float]
) -> None:
    receiver = receive(500)
    target(owner, url=receiver.url)
    end(start(owner), Stream.State.FINISHED)
    tries = []
    while (row := Delivery.objects.filter(state="due").first()) is not None:
        time[0] = row.next_at
        tries.append(time[0])
        assert delivery.deliver_due(clock.now) == 1 and delivery.deliver_due(clock.now) == 0
    assert [later - earlier for earlier, later in zip(tries, tries[1:], strict=False)] == list(delivery.PAUSES_SECONDS)
    row = Delivery.objects.get()
    assert (row.state, row.error) == ("failed", "The receiver answered with 500.")
    assert len(receiver.heard) == 6 and len({headers["X-Cellwright-Id"] for headers, _ in receiver.heard}) == 1


def test_a_receiver_that_is_down_gets_its_notice_when_it_is_back(owner: User, receive: Any, time: list[float]) -> None:
    with socket.socket() as held:  # Bound and never listening: refuses, and no other test can take the port.
        held.bind(("127.0.0.1", 0))
        target(owner, url=f"http://127.0.0.1:{held.getsockname()[1]}/hook")
        end(start(owner), Stream.State.FINISHED)
        delivery.deliver_due(clock.now)
    assert Delivery.objects.get().error == "Nobody listens at that address."
    back = receive()
    Target.objects.update(url=back.url)
    time[0] += delivery.PAUSES_SECONDS[0]
    delivery.deliver_due(clock.now)
    assert Delivery.objects.get().state == "sent" and len(back.heard) == 1


def test_a_receiver_that_says_nothing_is_left(owner: User, receive: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "ALL_SECONDS", 0.2)
    target(owner, url=receive(silence=0.6).url)
    end(start(owner), Stream.State.FINISHED)
    delivery.deliver_due(clock.now)
    row = Delivery.objects.get()
    assert row.state == "due" and "did not answer within" in row.error


def test_redirects_are_not_followed(owner: User, receive: Any) -> None:
    receiver = receive(302)
    target(owner, url=receiver.url)
    end(start(owner), Stream.State.FINISHED)
    delivery.deliver_due(clock.now)
    assert len(receiver.heard) == 1
    assert Delivery.objects.get().error == "The receiver answered with 302; redirects are not followed."


def test_who_is_killed_between_sending_and_its_note_is_followed_by_one_with_the_same_id(
    owner: User, receive: Any, time: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = receive()
    target(owner, url=receiver.url)
    end(start(owner), Stream.State.FINISHED)
    held = delivery._held

    def killed(row: Delivery) -> Any:
        raise SystemExit

    monkeypatch.setattr(delivery, "_held", killed)
    with pytest.raises(SystemExit):
        delivery.deliver_due(clock.now)
    monkeypatch.setattr(delivery, "_held", held)
    assert Delivery.objects.get().state == "sending"
    assert delivery.deliver_due(clock.now) == 0  # It may still be under way.
    time[0] += delivery.SENDING_SECONDS
    assert delivery.deliver_due(clock.now) == 1
    first, second = (headers["X-Cellwright-Id"] for headers, _ in receiver.heard)
    assert first == second and Delivery.objects.get().state == "sent"
    assert delivery.deliver_due(clock.now) == 0


def test_two_who_deliver_send_it_once(owner: User, receive: Any) -> None:
    receiver = receive()
    target(owner, url=receiver.url)
    end(start(owner), Stream.State.FINISHED)
    mine = delivery._next(clock.now())
    assert mine is not None and delivery._next(clock.now()) is None
    delivery._try(mine, clock.now)
    assert len(receiver.heard) == 1 and delivery.deliver_due(clock.now) == 0


def test_a_mail_says_what_happened_and_where(owner: User, settings: Any) -> None:
    settings.MAIL_FROM, settings.SITE_ADDRESS = "cells@example.org", "https://cells.example.org"
    User.objects.filter(pk=owner.pk).update(email="ann@example.org")
    target(owner, kind="email")
    search = start(owner, "a\nSubject: of two lines")
    end(search, Stream.State.FAILED, "A file is missing.")
    delivery.deliver_due(clock.now)
    (message,) = mail.outbox
    assert message.to == ["ann@example.org"] and message.from_email == "cells@example.org"
    assert message.subject == "Search a Subject: of two lines: failed."
    assert "A file is missing." in message.body and f"https://cells.example.org/searches/{search.pk}" in message.body
    assert message.extra_headers["Message-ID"] == f"<{Delivery.objects.get().pk}@cellwright>"


def test_a_mail_server_that_refuses_is_asked_again(owner: User, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.MAIL_FROM = "cells@example.org"
    User.objects.filter(pk=owner.pk).update(email="ann@example.org")
    target(owner, kind="email")
    end(start(owner), Stream.State.FINISHED)

    def refuse(*_: Any, **__: Any) -> int:
        raise ConnectionRefusedError

    monkeypatch.setattr("django.core.mail.EmailMessage.send", refuse)
    delivery.deliver_due(clock.now)
    row = Delivery.objects.get()
    assert (row.state, row.error) == ("due", "The mail server did not take it: ConnectionRefusedError.")


def test_the_reconciler_brings_notices_beside_its_looks(
    owner: User, receive: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver, stopped = receive(), threading.Event()
    target(owner, url=receiver.url)
    end(start(owner), Stream.State.FINISHED)
    monkeypatch.setattr(reconciler, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(reconciler, "close_old_connections", lambda: None)  # They are those of this test.
    monkeypatch.setattr(reconciler, "connection", SimpleNamespace(close=lambda: None))
    monkeypatch.setattr(reconciler, "_safely", lambda act, what: (act(), stopped.set()))
    reconciler._bring_notices(stopped)
    assert len(receiver.heard) == 1 and Delivery.objects.get().state == "sent"


def test_behind_a_start_of_the_program_workers_have_time_to_come(owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    search = start(owner)
    target(owner)
    long_ago(search)
    reconciler.tell_of_stalls()
    assert Notice.objects.count() == 0
    monkeypatch.setattr(reconciler, "_began", reconciler._began - 2 * stalls.STALLED_SECONDS)
    reconciler.tell_of_stalls()
    assert Notice.objects.get().kind == "stalled"


@pytest.mark.parametrize(
    ("url", "host", "port", "begins_plain", "is_encrypted"),
    [
        ("smtp+tls://ann:p%40ss@mail.example:2525", "mail.example", 2525, True, False),
        ("smtps://ann:p%40ss@mail.example", "mail.example", 465, False, True),
        ("smtp://ann:p%40ss@mail.example", "mail.example", 25, False, False),
    ],
)
def test_the_address_of_a_mail_server_becomes_djangos_settings(
    url: str, host: str, port: int, begins_plain: bool, is_encrypted: bool
) -> None:
    found = environment.mail_from_url(url)
    assert (found["EMAIL_HOST"], found["EMAIL_PORT"]) == (host, port)
    assert (found["EMAIL_USE_TLS"], found["EMAIL_USE_SSL"]) == (begins_plain, is_encrypted)
    assert (found["EMAIL_HOST_USER"], found["EMAIL_HOST_PASSWORD"]) == ("ann", "p@ss")


@pytest.mark.parametrize("url", ["mail.example", "http://mail.example", "smtp://", "smtps:mail.example"])
def test_a_mail_server_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="CELLWRIGHT_MAIL"):
        environment.mail_from_url(url)


def test_notices_of_long_ago_are_forgotten(owner: User, time: list[float]) -> None:
    target(owner)
    end(start(owner), Stream.State.FINISHED)
    outbox.forget(clock.now())
    assert Notice.objects.count() == 1
    time[0] += outbox.KEPT_SECONDS + 1
    outbox.forget(clock.now())
    assert Notice.objects.count() == Delivery.objects.count() == 0


# --- Where nothing may go (T14). --------------------------------------------------------------------------------------

PRIVATE = [
    "127.0.0.1", "127.8.9.1", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.254", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "100.100.100.200", "192.0.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1",
    "255.255.255.255", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:169.254.169.254", "2002:7f00:1::", "64:ff9b::a00:1", "2001:0:7f00:1::",
]  # fmt: skip
PUBLIC = ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700:4700::1111", "::ffff:8.8.8.8"]


@pytest.mark.parametrize("address", PRIVATE)
def test_private_addresses_are_refused(address: str) -> None:
    assert not addresses.may_reach(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses_are_not(address: str) -> None:
    assert addresses.may_reach(address)


SPELLED = ["127.0.0.1", "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"]


@pytest.mark.parametrize("spelling", SPELLED)
def test_a_private_address_in_any_spelling_is_never_connected_to(
    owner: User, spelling: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A canary listens; it must hear nothing, not even a connection."""
    canary = socket.create_server(("127.0.0.1", 0))
    canary.setblocking(False)
    target(owner, url=f"https://{spelling}:{canary.getsockname()[1]}/")
    monkeypatch.setattr(socket, "create_connection", lambda *_, **__: pytest.fail("it connected"))
    end(start(owner), Stream.State.FINISHED)
    delivery.deliver_due(clock.now)
    row = Delivery.objects.get()
    assert row.state in ("failed", "due") and ("private network" in row.error or "Nobody knows" in row.error)
    with pytest.raises(BlockingIOError):
        canary.accept()
    canary.close()


def test_a_name_that_says_something_else_a_moment_later_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rebinding: public at the first question, private at the second. It is asked once, and that address is used."""
    answers = [[(2, 1, 6, "", ("93.184.216.34", 443))], [(2, 1, 6, "", ("127.0.0.1", 443))]]
    asked, connected = [], []

    def connect(address: tuple[str, int], *_: Any, **__: Any) -> socket.socket:
        connected.append(address[0])
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *_, **__: (asked.append(host), answers.pop(0))[1])
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(webhook.NotDelivered):
        webhook._status("rebinding.example", 443, True, "/", b"", {})
    assert asked == ["rebinding.example"] and connected == ["93.184.216.34"]


def test_a_name_of_a_public_and_a_private_address_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    both = [(2, 1, 6, "", (address, 443)) for address in ("93.184.216.34", "10.0.0.1")]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: both)
    with pytest.raises(addresses.Refused):
        addresses.resolved("both.example", 443)


@pytest.mark.parametrize(
    "url",
    [
        "", "x", "http://example.org/", "ftp://example.org/", "file:///etc/passwd", "https://", "https:///x",
        "https://user:secret@example.org/", "https://example.org:0/", "https://example.org:99999/", "https://exa mple/",
        "https://example.org/\r\nHost: x", "https://example.org\\@127.0.0.1/", "https://ex\u00e4mple.org/",
        "gopher://127.0.0.1:25/", "https://[::1", "https://example.org/" + "x" * 500, "javascript:alert(1)",
    ],
)  # fmt: skip
def test_what_is_no_plain_https_address_is_refused_before_it_is_kept(client: Any, owner: User, url: str) -> None:
    client.force_login(owner)
    answer = client.post(
        "/api/notices/targets", json.dumps({"kind": "webhook", "url": url}), content_type="application/json"
    )
    assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == "url"
    assert Target.objects.count() == 0


# --- Over HTTP. -------------------------------------------------------------------------------------------------------


def send(client: Any, method: str, path: str, body: Any = None) -> Any:
    return getattr(client, method)(f"/api/notices{path}", json.dumps(body or {}), content_type="application/json")


def test_a_secret_is_shown_once_and_a_new_one_takes_its_place(client: Any, owner: User) -> None:
    client.force_login(owner)
    made = send(client, "post", "/targets", {"kind": "webhook", "url": "https://example.org/hook"})
    assert made.status_code == 201 and len(made.json()["secret"]) == 64
    assert made.json()["secret"] not in client.get("/api/notices").content.decode()
    renewed = send(client, "post", f"/targets/{made.json()['id']}/secret").json()["secret"]
    assert renewed != made.json()["secret"]


def test_a_test_goes_the_way_of_every_notice(client: Any, owner: User, receive: Any) -> None:
    client.force_login(owner)
    receiver = receive()
    made = send(client, "post", "/targets", {"kind": "webhook", "url": receiver.url}).json()
    assert send(client, "post", f"/targets/{made['id']}/test").status_code == 202
    assert send(client, "post", f"/targets/{made['id']}/test").status_code == 409  # A moment ago.
    assert receiver.heard == []  # The web process connects to nobody.
    delivery.deliver_due(clock.now)
    assert json.loads(receiver.heard[0][1])["kind"] == "test"
    (notice,) = client.get("/api/notices").json()["notices"]
    assert [(each["state"], each["attempts"]) for each in notice["deliveries"]] == [("sent", 1)]


def test_a_browser_takes_each_notice_once(client: Any, owner: User) -> None:
    client.force_login(owner)
    made = send(client, "post", "/targets", {"kind": "browser", "label": "Firefox"}).json()
    end(start(owner), Stream.State.FINISHED)
    assert delivery.deliver_due(clock.now) == 0  # It waits for a page.
    (shown,) = send(client, "post", f"/targets/{made['id']}/take").json()["notices"]
    assert shown["title"] == "Search mine: finished."
    assert send(client, "post", f"/targets/{made['id']}/take").json() == {"notices": []}


def test_a_browser_that_is_never_opened_is_given_up_after_a_day(owner: User, time: list[float]) -> None:
    target(owner, kind="browser")
    end(start(owner), Stream.State.FINISHED)
    time[0] += delivery.BROWSER_SECONDS + 1
    delivery.deliver_due(clock.now)
    assert (Delivery.objects.get().state, Delivery.objects.get().error) == ("failed", delivery.NO_PAGE)


def test_mail_needs_a_server_that_sends_it_and_an_address(client: Any, owner: User, settings: Any) -> None:
    client.force_login(owner)
    assert "sends none" in send(client, "post", "/targets", {"kind": "email"}).json()["errors"][0]["message"]
    settings.MAIL_FROM = "cells@example.org"
    assert "account page" in send(client, "post", "/targets", {"kind": "email"}).json()["errors"][0]["message"]
    User.objects.filter(pk=owner.pk).update(email="ann@example.org")
    assert send(client, "post", "/targets", {"kind": "email"}).status_code == 201
    assert send(client, "post", "/targets", {"kind": "email"}).status_code == 409


def test_nobody_sees_or_changes_what_is_anothers(client: Any, owner: User) -> None:
    where = target(owner, url="https://example.org/")
    end(start(owner), Stream.State.FINISHED)
    client.force_login(User.objects.create(name="somebody else"))
    told = client.get("/api/notices").json()
    assert told["targets"] == told["notices"] == []
    for method, path, body in (
        ("patch", "", {"topics": ["failed"]}), ("post", "/test", {}), ("post", "/secret", {}), ("post", "/take", {}),
    ):  # fmt: skip
        assert send(client, method, f"/targets/{where.pk}{path}", body).status_code == 404
    send(client, "delete", f"/targets/{where.pk}")
    assert Target.objects.filter(pk=where.pk).exists()


def test_a_label_that_a_database_cannot_hold_is_refused(client: Any, owner: User) -> None:
    client.force_login(owner)
    for label in ("a\0b", "x" * 81):
        answer = send(client, "post", "/targets", {"kind": "browser", "label": label})
        assert answer.status_code == 422 and answer.json()["errors"][0]["field"] == "label"


def test_there_are_ten_targets_at_most(client: Any, owner: User) -> None:
    client.force_login(owner)
    for _ in range(Target.MOST):
        target(owner, url="https://example.org/")
    assert send(client, "post", "/targets", {"kind": "browser"}).status_code == 409


def test_topics_change_and_what_is_removed_takes_its_deliveries_along(client: Any, owner: User) -> None:
    client.force_login(owner)
    where = target(owner, url="https://example.org/")
    assert send(client, "patch", f"/targets/{where.pk}", {"topics": ["failed"]}).json()["topics"] == ["failed"]
    assert send(client, "patch", f"/targets/{where.pk}", {"topics": []}).status_code == 422
    assert send(client, "patch", f"/targets/{where.pk}", {"topics": ["lunch"]}).status_code == 422
    end(start(owner), Stream.State.FAILED)
    assert Delivery.objects.count() == 1
    assert send(client, "delete", f"/targets/{where.pk}").json()["targets"] == []
    assert Delivery.objects.count() == 0


def test_the_page_stands(client: Any, owner: User) -> None:
    client.force_login(owner)
    assert client.get("/notices").status_code == 200
