"""A notice as a signed POST: JSON, one try, no redirects, ten seconds in all.

The receiver computes HMAC-SHA256 of "<timestamp>.<id>.<body>" with its secret and compares. The id is the same at every
try of one delivery, so that a repetition can be told.
"""

import hashlib
import hmac
import http.client
import json
import socket
import ssl
import threading
from typing import Any

from django.conf import settings
from django.utils.crypto import salted_hmac

from webapp.notices.addresses import Refused, checked_url, resolved
from webapp.notices.models import Delivery, Target

CONNECT_SECONDS = 5.0
ALL_SECONDS = 10.0  # Whatever the receiver does.
ID, TIMESTAMP, SIGNATURE = "X-Cellwright-Id", "X-Cellwright-Timestamp", "X-Cellwright-Signature"


class NotDelivered(Exception):
    """The receiver did not take it. The message is a sentence; for_good: another try would end alike."""

    def __init__(self, sentence: str, *, for_good: bool = False) -> None:
        super().__init__(sentence)
        self.for_good = for_good


def secret_of(target: Target) -> str:
    """Follows from the server's own secret: it stands in no row, no backup and no log."""
    return salted_hmac("cellwright.webhook", f"{target.pk}.{target.secrets_made}", algorithm="sha256").hexdigest()


def signature(secret: str, timestamp: str, delivery_id: str, body: bytes) -> str:
    said = f"{timestamp}.{delivery_id}.".encode() + body
    return "sha256=" + hmac.new(secret.encode(), said, hashlib.sha256).hexdigest()


def body_of(delivery: Delivery) -> bytes:
    notice = delivery.notice
    told: dict[str, Any] = {
        "id": str(delivery.pk), "kind": notice.kind, "title": notice.title, "text": notice.text,
        "url": f"{settings.SITE_ADDRESS}{notice.path}", "stream": notice.stream and str(notice.stream), "at": notice.at,
    }  # fmt: skip
    return json.dumps(told).encode()


def post(delivery: Delivery, now: float) -> None:
    """Raises NotDelivered."""
    body, timestamp, key = body_of(delivery), str(int(now)), str(delivery.pk)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": f"Cellwright/{settings.CODE_VERSION}",
        "Connection": "close",
        ID: key,
        TIMESTAMP: timestamp,
        SIGNATURE: signature(secret_of(delivery.target), timestamp, key, body),
    }
    try:
        parts = checked_url(delivery.target.url)
    except Refused as refused:
        raise NotDelivered(f"The address {refused}", for_good=True) from refused
    is_secure = parts.scheme == "https"
    assert parts.hostname is not None
    port = parts.port or (443 if is_secure else 80)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    status = _status(parts.hostname, port, is_secure, path, body, headers)
    if not 200 <= status < 300:
        moved = "; redirects are not followed" if 300 <= status < 400 else ""
        raise NotDelivered(f"The receiver answered with {status}{moved}.")


def _status(host: str, port: int, is_secure: bool, path: str, body: bytes, headers: dict[str, str]) -> int:
    """What the receiver answers. Nothing behind the status line and the headers is read."""
    try:
        addresses = resolved(host, port)
    except Refused as refused:
        raise NotDelivered(str(refused), for_good=True) from refused
    except (OSError, UnicodeError) as error:
        raise NotDelivered(f"Nobody knows the host {host}.") from error
    connection = _Pinned(host, port, addresses[0], is_secure)
    end = threading.Timer(ALL_SECONDS, connection.break_off)
    end.daemon = True
    end.start()
    try:
        connection.request("POST", path, body=body, headers=headers)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        raise NotDelivered(_why(error, connection.is_broken_off)) from error
    finally:
        end.cancel()
        connection.close()


class _Pinned(http.client.HTTPConnection):
    """A connection to the one address that was looked at, whatever its host's name leads to by now."""

    def __init__(self, host: str, port: int, address: str, is_secure: bool) -> None:
        super().__init__(host, port, timeout=CONNECT_SECONDS)
        self._address, self._is_secure = address, is_secure
        self.is_broken_off = False

    def connect(self) -> None:
        self.sock = socket.create_connection((self._address, self.port), CONNECT_SECONDS)
        if self._is_secure:
            self.sock = ssl.create_default_context().wrap_socket(self.sock, server_hostname=self.host)

    def break_off(self) -> None:
        """From another thread: whatever waits for the receiver fails."""
        self.is_broken_off = True
        if self.sock is not None:
            try:
                self.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # It had ended by itself.


def _why(error: BaseException, is_broken_off: bool) -> str:
    if is_broken_off or isinstance(error, TimeoutError):
        return f"The receiver did not answer within {ALL_SECONDS:.0f} seconds."
    if isinstance(error, ssl.SSLError):
        return "The receiver's certificate was not accepted."
    if isinstance(error, ConnectionRefusedError):
        return "Nobody listens at that address."
    return "The receiver ended the connection, or did not answer in HTTP."
