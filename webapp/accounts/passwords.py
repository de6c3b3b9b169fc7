"""Passwords, for those who want one: set, changed, and tried at the sign-in page."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.contrib.auth import authenticate, password_validation
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from search_engine.errors import UserError
from webapp.accounts import throttle
from webapp.accounts.models import User

LONGEST_PASSWORD = 1000  # Characters: a hash of megabytes would take a while.
BUSY_SECONDS = 10.0
_one_at_a_time = threading.Lock()  # A hash takes a tenth of a second of a core on purpose.


def checked_password(password: str, user: User) -> str:
    """The password, where it may be one of this user. Raises UserError, with all that is wrong with it."""
    if len(password) > LONGEST_PASSWORD:
        raise UserError("password", f"has {len(password):,} characters; at most {LONGEST_PASSWORD:,} are possible.")
    try:
        password_validation.validate_password(password, user)
    except ValidationError as error:
        raise UserError("password", " ".join(error.messages)) from error
    return password


def change_password(request: HttpRequest, user: User, password: str, current: str) -> None:
    """Set it. current: the one until now, "" where there is none. All other sessions of this user end.

    Raises UserError and TooMany.
    """
    checked_password(password, user)
    here = request.session.session_key or ""  # Whoever is signed in is not kept out by what others try.
    if user.has_usable_password() and user_of_password(request, user.name, current, here) is None:
        raise UserError("current", "is not your password.")
    user.set_password(password)
    user.save(update_fields=["password"])


def user_of_password(request: HttpRequest, name: str, password: str, browser: str = "") -> User | None:
    """Who signs in so; None, and a failure is counted, where nobody does. Raises TooMany.

    browser: what only a browser knows with which this person signed in before; "" where there is nothing. With it, what
    others try against the same name keeps nobody out.
    """
    address = throttle.by_address(request)
    tried = throttle.by_browser(browser) if browser else throttle.by_name(name)
    keys = (tried,) if browser else (address, tried)
    throttle.attempt(*keys)
    with _hashing():
        user = authenticate(request, username=name.replace("\0", ""), password=password[:LONGEST_PASSWORD])
    if user is not None:
        throttle.succeeded("" if browser else address, tried)
    return user  # type: ignore[return-value]


@contextmanager
def _hashing() -> Iterator[None]:
    if not _one_at_a_time.acquire(timeout=BUSY_SECONDS):
        raise throttle.TooMany(int(BUSY_SECONDS))
    try:
        yield
    finally:
        _one_at_a_time.release()
