"""Whether a page may watch a stream, asked for all open pages of this process at once, again and again.

Whoever signs out, leaves, or had a link that was revoked, loses the socket within a few seconds. Nothing rings for
that: a session may end in ways that no view hears of. All pages together cost three queries, and one for each person.
"""

import asyncio
import logging
import uuid
import weakref
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from channels.db import database_sync_to_async
from django.contrib.auth import HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import DatabaseError
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from webapp.accounts.models import User
from webapp.searches.models import Stream
from webapp.searches.share_links import OPENED, streams_by_link

RIGHTS_SECONDS = 2.0  # A page that lost its rights is closed within so many and one look; five are promised.
NOT_SIGNED_IN, LINK_GONE, NOT_FOUND = 4401, 4403, 4404
MOST_OF_A_SESSION = 500  # Pages that one browser may hold open; nobody has as many windows.

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Asked:
    """A session, by its key, that asks for a stream. session_key: None without a cookie."""

    session_key: str | None
    stream_id: uuid.UUID


class Rights:
    """All open pages of this process, with a future for each that becomes the code to close it with."""

    def __init__(self) -> None:
        self._pages: dict[asyncio.Future[int], Asked] = {}
        self._task: asyncio.Task[None] | None = None

    @contextmanager
    def watch(self, asked: Asked) -> Iterator[asyncio.Future[int]]:
        """Inside the block the page is asked about; what is yielded is done once it may watch no more."""
        gone: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._pages[gone] = asked
        if self._task is None:
            self._task = asyncio.create_task(self._look())
        try:
            yield gone
        finally:
            del self._pages[gone]
            if not self._pages:
                self._task.cancel()
                self._task = None

    def has_too_many(self, session_key: str | None) -> bool:
        """Whether this browser holds so many pages open that it gets no other."""
        return sum(each.session_key == session_key for each in self._pages.values()) >= MOST_OF_A_SESSION

    async def _look(self) -> None:
        while True:
            await asyncio.sleep(RIGHTS_SECONDS)
            pages = dict(self._pages)
            try:
                found = await refusals_now(set(pages.values()))
            except DatabaseError:
                log.exception("Rights could not be looked at; again in %g s", RIGHTS_SECONDS)
                continue
            for gone, asked in pages.items():
                if asked in found and not gone.done():
                    gone.set_result(found[asked])


_rights: weakref.WeakKeyDictionary[asyncio.AbstractEventLoop, Rights] = weakref.WeakKeyDictionary()


def this_rights() -> Rights:
    """Those of this process: one per event loop, as with the hub."""
    return _rights.setdefault(asyncio.get_running_loop(), Rights())


def refusals(asked: Collection[Asked]) -> dict[Asked, int]:
    """Of those who may not watch now what they ask for: the code with which their page is closed."""
    sessions = _sessions({each.session_key for each in asked if each.session_key})
    people = _people(sessions)
    links = streams_by_link({link for content in sessions.values() for link in content.get(OPENED, ())})
    visible = {
        key: _visible(person, {each.stream_id for each in asked if each.session_key in keys})
        for key, (person, keys) in people.items()
    }
    person_of = {session_key: key for key, (_, keys) in people.items() for session_key in keys}
    found = {}
    for each in asked:
        content = sessions.get(each.session_key or "", {})
        opened = {links[link] for link in content.get(OPENED, ()) if link in links}
        if each.stream_id in opened or each.stream_id in visible.get(person_of.get(each.session_key or "", ""), ()):
            continue
        is_known = bool(opened) or each.session_key in person_of
        found[each] = NOT_FOUND if is_known else LINK_GONE if content.get(OPENED) else NOT_SIGNED_IN
    return found


refusals_now = database_sync_to_async(refusals)


def _sessions(keys: set[str]) -> dict[str, dict[str, Any]]:
    """The contents of those sessions that still stand."""
    rows = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
    return {row.session_key: row.get_decoded() for row in rows}


def _people(sessions: dict[str, dict[str, Any]]) -> dict[str, tuple[User, set[str]]]:
    """Who is signed in by them, by the text of their id: the person and the keys of their sessions."""
    signed_in = {key: content[SESSION_KEY] for key, content in sessions.items() if SESSION_KEY in content}
    people = {str(user.pk): user for user in User.objects.filter(pk__in=set(signed_in.values()), is_active=True)}
    found: dict[str, tuple[User, set[str]]] = {}
    for key, person in signed_in.items():
        if person in people and _is_of_today(people[person], sessions[key]):
            found.setdefault(person, (people[person], set()))[1].add(key)
    return found


def _is_of_today(user: User, content: dict[str, Any]) -> bool:
    """Whether the session was begun with the password that the user has now, as Django asks of every request."""
    return constant_time_compare(content.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash())


def _visible(user: User, streams: set[uuid.UUID]) -> set[uuid.UUID]:
    return set(Stream.objects.visible_to(user).filter(pk__in=streams).values_list("pk", flat=True))
