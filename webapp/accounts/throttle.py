"""Whoever tries in vain to get in, again and again, must wait: longer each time, and less as time goes by.

Failures are counted in the database, so that all web processes count together, by the address they come from and, for
passwords, by the name they try. Some are free; each more doubles the wait. A count halves every ten minutes.

Honest people are not kept out by others: a right secret of 256 bits always opens, since nobody guesses one, and a
browser that signed in before has counts of its own for its person's password.
"""

import hashlib
import ipaddress
import logging
import math
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Greatest
from django.http import HttpRequest
from django.utils import timezone

from webapp.accounts.models import Failures

FREE_OF_ADDRESS, FREE_OF_NAME = 20, 5  # Many people may share an address.
LONGEST_WAIT = 15 * 60.0  # Seconds.
HALVES_AFTER = 10 * 60.0  # Seconds.
FORGOTTEN_AFTER = timedelta(hours=2)  # A count of 25 is below 0.01 then.

log = logging.getLogger(__name__)


class TooMany(Exception):
    """Somebody must wait. seconds: for how long, a whole number from 1."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many attempts have failed. Try again in {_in_words(seconds)}.")
        self.seconds = seconds


def by_address(request: HttpRequest) -> str:
    """What counts for the address that a request comes from; a network of 2^64 addresses of IPv6 counts as one."""
    return f"address {_network(_address(request))}"


def by_name(name: str) -> str:
    return f"name {hashlib.sha256(name.casefold().encode()).hexdigest()}"


def by_browser(mark: str) -> str:
    """mark: what a browser was given when somebody signed in with it."""
    return f"browser {hashlib.sha256(mark.encode()).hexdigest()}"


def free_of(key: str) -> int:
    return FREE_OF_ADDRESS if key.startswith("address ") else FREE_OF_NAME


def attempt(*keys: str) -> None:
    """Count one more failure for each of them, before it is known: so that many at once are not all free.

    Raises TooMany while one of them must wait, and counts nothing then.
    """
    now = timezone.now()
    _check(Failures.objects.filter(pk__in=keys), now)  # Whoever waits costs no write.
    with transaction.atomic():
        rows = [_locked(key, now) for key in sorted(keys)]
        _check(rows, now)
        for row in rows:
            count = _faded(row, now) + 1
            Failures.objects.filter(pk=row.pk).update(count=count, noted=now)
            if count >= free_of(row.pk):
                log.warning("%d attempts to get in failed, counted by %s", round(count), row.pk)


def succeeded(address: str, *others: str) -> None:
    """What was counted was no failure: of the address one is taken back, of the others all are."""
    Failures.objects.filter(pk=address).update(count=Greatest(F("count") - 1.0, 0.0))
    Failures.objects.filter(pk__in=others).delete()


def _check(rows: Iterable[Failures], now: datetime) -> None:
    seconds = max((_wait(row, now) for row in rows), default=0.0)
    if seconds > 0:
        raise TooMany(math.ceil(seconds))


def _locked(key: str, now: datetime) -> Failures:
    row = Failures.objects.select_for_update().filter(pk=key).first()
    if row is None:
        Failures.objects.filter(noted__lt=now - FORGOTTEN_AFTER).delete()
        Failures.objects.get_or_create(of=key, defaults={"count": 0.0, "noted": now})
        row = Failures.objects.select_for_update().get(pk=key)
    return row


def _wait(row: Failures, now: datetime) -> float:
    """Seconds from now; none or less where it need not wait."""
    over = row.count - free_of(row.of)
    if over < -0.5:  # The last free one fades a little before the next.
        return 0.0
    return float(min(LONGEST_WAIT, 2.0 ** (min(over, 20) + 1)) - (now - row.noted).total_seconds())


def _faded(row: Failures, now: datetime) -> float:
    return float(row.count * 0.5 ** (max(0.0, (now - row.noted).total_seconds()) / HALVES_AFTER))


def _address(request: HttpRequest) -> str:
    """Behind a proxy that is said to be there, what that has added to the header; the rest of it anybody can write."""
    peer = str(request.META.get("REMOTE_ADDR") or "")
    if not settings.TLS:
        return peer
    return request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip() or peer


def _network(address: str) -> str:
    try:
        read = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"  # A socket without an address, or a proxy that writes none: all of them count together.
    if isinstance(read, ipaddress.IPv6Address):
        if read.ipv4_mapped is not None:
            return str(read.ipv4_mapped)
        return str(ipaddress.ip_network((int(read) >> 64 << 64, 64)))
    return str(read)


def _in_words(seconds: int) -> str:
    if seconds < 90:
        return "a second" if seconds == 1 else f"{seconds} seconds"
    return f"{round(seconds / 60)} minutes"
