"""How long a stream has been running in all: pauses do not count, waiting for a worker does."""

from typing import Any

from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce, Greatest, Least

from webapp.searches import clock
from webapp.searches.models import Job, Stream

HOUR = 3600.0


def begins() -> dict[str, Any]:
    """What to write into the row of a stream that runs from now on."""
    return {"running_since": clock.now()}


def ends() -> dict[str, Any]:
    """What to write into the row of a stream that no longer runs; nothing is added where it did not."""
    now = Value(clock.now())
    ran = Greatest(now - Coalesce(F("running_since"), now), Value(0.0))  # The clock may be set back.
    return {"ran_seconds": F("ran_seconds") + ran, "running_since": None}


def clock_was_set(jump: float) -> None:
    """What runs, and what is held, has not been for the seconds by which the clock was set forward, nor since a time
    to come.

    Twice the same, where two reconcilers look, makes a search run longer at most.
    """
    now = clock.now()
    running = Stream.objects.filter(running_since__isnull=False)
    if jump > 0:
        running.update(running_since=Least(F("running_since") + jump, Value(now)))
    running.filter(running_since__gt=now).update(running_since=now)
    held = Job.objects.filter(state=Job.State.LEASED, claimed__isnull=False)
    if jump > 0:
        held.update(claimed=Least(F("claimed") + jump, Value(now)))
    held.filter(claimed__gt=now).update(claimed=now)


def seconds(stream: Stream) -> float:
    """Up to now."""
    return stream.ran_seconds + (0.0 if stream.running_since is None else max(0.0, clock.now() - stream.running_since))


def is_over(stream: Stream) -> bool:
    """Whether its hours are used up."""
    return stream.max_hours is not None and seconds(stream) >= stream.max_hours * HOUR


def over() -> Q:
    """Of streams: they run, and their hours are used up."""
    ran = F("max_hours") * HOUR - F("ran_seconds")
    return Q(state=Stream.State.RUNNING, running_since__lte=Value(clock.now()) - ran)
