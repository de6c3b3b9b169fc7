"""Links that show one stream to anybody who has them: made once, shown once, kept as a digest.

The secret stands behind the # of the link, which no browser sends: so it is in no log and in no referrer. The page
there hands it in by a POST, and the session remembers which links it opened (see accounts.access for what that allows).
"""

import hashlib
import secrets
import uuid
from collections.abc import Collection, Mapping
from typing import Any

from django.db.models import Q, QuerySet

from webapp.searches import clock
from webapp.searches.models import ShareLink, Stream

OPENED = "links"  # What a session calls the links that it opened.
MOST_OPENED = 50  # Of one session; the oldest are forgotten.
MOST_LINKS = 20  # Of one stream.
LONGEST_SECRET = 100  # Characters; ours have 43.
DAY = 24 * 3600.0


def make(stream: Stream, days: int | None) -> tuple[ShareLink, str]:
    """A new link and its secret of 256 random bits, which is never shown again. days: until it expires, if it does."""
    secret = secrets.token_urlsafe(32)
    now = clock.now()
    expires = None if days is None else now + days * DAY
    return ShareLink.objects.create(stream_id=stream.pk, sha256=_digest(secret), created=now, expires=expires), secret


def open_link(session: Any, secret: str) -> ShareLink | None:
    """Let this session see what the link shows; None, and nothing changes, where there is no such link now."""
    link = _valid().select_related("stream").filter(sha256=_digest(secret[:LONGEST_SECRET])).first()
    if link is not None:
        opened = [each for each in session.get(OPENED, []) if each != str(link.pk)]
        session[OPENED] = [*opened, str(link.pk)][-MOST_OPENED:]
    return link


def streams_opened(session: Mapping[str, Any]) -> frozenset[uuid.UUID]:
    """The streams that this session may look at by its links, as they are valid now."""
    return frozenset(streams_by_link(session.get(OPENED, [])).values())


def streams_by_link(links: Collection[str]) -> dict[str, uuid.UUID]:
    """Which stream each of these links shows now, by the text of its id; without those that are valid no more."""
    if not links:
        return {}
    return {str(link): stream_id for link, stream_id in _valid().filter(pk__in=links).values_list("pk", "stream_id")}


def _valid() -> QuerySet[ShareLink]:
    """Links that still stand, of owners who have not left."""
    stands = Q(expires=None) | Q(expires__gt=clock.now())
    return ShareLink.objects.filter(stands, stream__owner__is_active=True)


def _digest(secret: str) -> str:
    # The secret has 256 random bits, so a plain digest cannot be guessed back.
    return hashlib.sha256(secret.encode()).hexdigest()
