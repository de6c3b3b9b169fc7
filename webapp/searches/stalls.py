"""When what runs stands still because nobody is there to work, its owner is told, once for each time.

It stands still when nothing happened for STALLED_SECONDS, no worker holds a job of it, and no worker is there that
could claim one: none was seen, or all are drained or on hosts that are set aside. Waiting for a turn is no stall, nor
is an epoch that takes long: somebody works then. A trainer that hangs is ended by its worker.
"""

import functools
import uuid

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from webapp.searches import clock, hosts, planner, stream_notices
from webapp.searches.models import Event, Job, Stream, Worker

STALLED_SECONDS = 600.0
NOBODY = "No worker is there. Start one on any machine that reaches the database: manage.py worker."
ASIDE = "Workers are there, but all are drained, or on hosts that are set aside because work was lost on them."


def tell() -> int:
    """How many streams were told of that were not before."""
    if hosts.there().exists():
        return 0
    still = list(_still().values_list("pk", flat=True))
    return sum(map(functools.partial(_tell, _why()), still))


def _still() -> QuerySet[Stream]:
    held = Job.objects.filter(stream=OuterRef("pk"), state=Job.State.LEASED)
    news = Event.objects.filter(stream=OuterRef("pk"), at__gt=clock.now() - STALLED_SECONDS)
    return Stream.objects.filter(~Exists(held), ~Exists(news), state=Stream.State.RUNNING)


def _why() -> str:
    seen = Worker.objects.filter(seen__gte=clock.now() - hosts.PRESENT_SECONDS)
    return ASIDE if seen.exists() else NOBODY


def _tell(why: str, stream_id: uuid.UUID) -> bool:
    """Looked at anew under the stream's lock; the number of its last event makes it one notice for each stall."""
    with transaction.atomic():
        stream = planner.locked_stream(stream_id)
        if not _still().filter(pk=stream_id).exists():
            return False
        return stream_notices.tell(stream, "stalled", stream.last_event, clock.now(), why)
