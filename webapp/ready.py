"""Whether this process can serve: one word each for the database, the broker and the store of artifacts.

Anybody may ask, so it tells nothing else, writes nothing, and looks at most once a second.
"""

import time

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache

from webapp.searches import artifacts

OK, AWAY, UNUSED = "ok", "away", "unused"
FRESH_SECONDS = 1.0  # What was seen counts for so long.
BROKER_SECONDS = 1.0  # A broker that takes longer is away.

_seen: tuple[float, dict[str, str]] | None = None  # When, by time.monotonic, and what.


@login_not_required
@never_cache
def ready(request: HttpRequest) -> HttpResponse:
    """One line for each, 503 where one of them is away: for whoever starts processes and watches them.

    Pages do without a broker, so whoever balances requests asks /health instead.
    """
    words = _seen_lately()
    lines = "".join(f"{name}: {word}\n" for name, word in words.items())
    return HttpResponse(lines, status=503 if AWAY in words.values() else 200, content_type="text/plain")


def _seen_lately() -> dict[str, str]:
    global _seen
    if _seen is None or time.monotonic() - _seen[0] >= FRESH_SECONDS:
        words = {"database": _database(), "broker": _broker(), "artifacts": _artifacts()}
        _seen = time.monotonic(), words
    return _seen[1]


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return AWAY
    return OK


def _broker() -> str:
    """Unused where no address is set: pages and workers then look by themselves."""
    if not settings.REDIS_URL:
        return UNUSED
    seconds = BROKER_SECONDS
    try:
        with redis.Redis.from_url(
            settings.REDIS_URL, socket_timeout=seconds, socket_connect_timeout=seconds, retry=None
        ) as broker:
            broker.ping()
    except (redis.RedisError, OSError):
        return AWAY
    return OK


def _artifacts() -> str:
    return OK if artifacts.is_reachable() else AWAY
