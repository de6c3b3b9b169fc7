"""Notices by e-mail to a real mail server, over a real socket."""

import base64
import email
import email.policy
import logging
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any
from urllib.parse import quote

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.faults.fake_engine import DATA, DECISIONS, small_config
from tests.running_application import free_port
from webapp import environment
from webapp.accounts.models import User
from webapp.notices import delivery
from webapp.notices.models import Delivery, Target
from webapp.searches import clock, lifecycle

SECRET = "p@ss:word/17"
AS_SENT = base64.b64encode(f"\0ann\0{SECRET}".encode()).decode()


class MailServer:
    """refusals: its answers to the first messages; it takes those behind them. taken: what it took."""

    def __init__(self) -> None:
        self.refusals: list[str] = []
        self.taken: list[EmailMessage] = []
        self.receivers: list[list[str]] = []
        self.signed_in: list[tuple[bytes, bytes]] = []
        self._controller = Controller(
            self, hostname="127.0.0.1", port=free_port(), authenticator=self._sign_in, auth_require_tls=False
        )
        self._controller.start()
        self.url = "smtp://" + f"ann:{quote(SECRET, safe='')}@127.0.0.1:{self._controller.port}"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.refusals:
            return self.refusals.pop(0)
        assert isinstance(envelope.content, bytes)
        self.taken.append(email.message_from_bytes(envelope.content, EmailMessage, policy=email.policy.default))
        self.receivers.append(list(envelope.rcpt_tos))
        return "250 taken"

    def _sign_in(self, server: SMTP, session: Session, envelope: Envelope, how: str, given: Any) -> AuthResult:
        assert isinstance(given, LoginPassword)
        self.signed_in.append((given.login, given.password))
        return AuthResult(success=given.password.decode() == SECRET)

    def stop(self) -> None:
        self._controller.stop()


@pytest.fixture
def server(settings: Any) -> Iterator[MailServer]:
    found = MailServer()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    for name, value in environment.mail_from_url(found.url).items():
        setattr(settings, name, value)
    settings.MAIL_FROM, settings.SITE_ADDRESS = "Cells <cells@example.org>", "https://cells.example.org"
    yield found
    found.stop()


@pytest.mark.django_db
def test_a_notice_that_is_refused_first_arrives_later_with_its_headers_and_no_secret_is_told(
    owner: User, server: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    User.objects.filter(pk=owner.pk).update(email="ann@example.org")
    Target.objects.create(owner=owner, kind="email", topics=["ended"], created=clock.now())
    config = small_config().model_copy(update={"name": "Nächtliche\nBcc: eve@example.org"})
    search = lifecycle.create_search(owner, config, decisions=DECISIONS, data=DATA)
    lifecycle.stop(search.pk)
    server.refusals = ["451 Try again later"]
    assert delivery.deliver_due(clock.now) == 1 and server.taken == []
    row = Delivery.objects.get()
    assert (row.state, row.error) == ("due", "The mail server did not take it: SMTPDataError.")
    with clock.replaced(lambda: row.next_at + 1):
        assert delivery.deliver_due(clock.now) == 1
    row.refresh_from_db()
    assert (row.state, row.attempts) == ("sent", 2)
    (message,) = server.taken
    assert server.receivers == [["ann@example.org"]] and server.signed_in == [(b"ann", SECRET.encode())] * 2
    assert (message["To"], message["From"]) == ("ann@example.org", "Cells <cells@example.org>")
    assert "Nächtliche Bcc: eve@example.org" in message["Subject"] and message["Bcc"] is None
    assert (message["Message-ID"], message["Auto-Submitted"]) == (f"<{row.pk}@cellwright>", "auto-generated")
    assert f"https://cells.example.org/searches/{search.pk}" in message.get_content()
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name != "mail.log")  # The server's own.
    assert SECRET not in ours + row.error and AS_SENT not in ours + row.error
