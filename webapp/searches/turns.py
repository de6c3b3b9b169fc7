"""Whose turn it is: several searches and trainings share the workers, each getting as much of their time as the others.

A stream counts the *turns* that workers gave it: one for a claim, one for each renewal of a lease, so a turn is about
HEARTBEAT_SECONDS of one worker. Counted in turns and not by a clock: setting the clock favours nobody. A group counts
as one stream.
"""

import uuid
from collections import Counter

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce

from webapp.searches.models import Child, Group, Job, Stream

GROUP = Coalesce(F("stream__group_id"), F("stream_id"))  # Of a job: its group, or its stream where it has none.
_GROUP_OF_STREAM = Coalesce(F("group_id"), F("pk"))


def first(due: QuerySet[Job]) -> Job | None:
    """Of jobs that may be claimed, the one whose turn it is.

    First higher priority, then what was lost, then groups with fewer leased jobs, then those that had fewer turns, then
    the older group. Within a group: updates before children, then the stream with fewer children or phases begun, so
    that a search and its random companion advance alike however many workers there are, and whichever takes longer.
    Within a search: children by step and slot.
    """
    interrupted = _interrupted(due)
    if interrupted is not None:
        return interrupted
    while (group := _first_group(due)) is not None:
        job = _first_within(due.alias(group=GROUP).filter(group=group))
        if job is not None:
            return job  # Else somebody took its last one since it was looked at.
    return None


def take_one(stream_id: uuid.UUID) -> None:
    """A worker gives this stream one turn.

    Not in the transaction of a claim: that holds a row of a job, and others who hold a stream wait for jobs. A process
    that dies in between leaves a turn uncounted.
    """
    Stream.objects.filter(pk=stream_id).update(turns=F("turns") + 1)


def at_start(group: Group | None) -> int:
    """With how many turns a stream begins: so that it neither waits for the others nor keeps them waiting."""
    if group is not None and group.streams.exists():
        return 0  # The group has had its turns.
    return _least()


def catch_up(stream: Stream) -> None:
    """A stream goes on: the turns that it missed in a pause are not made up for."""
    behind = _least() - _turns_of(Stream.objects.filter(pk=stream.pk))[stream.group_id or stream.pk]
    if behind > 0:
        Stream.objects.filter(pk=stream.pk).update(turns=F("turns") + behind)


def _interrupted(due: QuerySet[Job]) -> Job | None:
    """What was lost had its turn: it goes before everything else of its priority, so that it stands still no longer."""
    highest = due.order_by("-stream__priority").values_list("stream__priority", flat=True).first()
    return due.filter(attempts__gt=0, stream__priority=highest).order_by("pk").first()


def _first_group(due: QuerySet[Job]) -> uuid.UUID | None:
    """The group, or stream without a group, whose turn it is."""
    waiting = due.order_by().values_list("stream_id", "stream__priority", "stream__created").distinct()
    streams = {pk: (-priority, created) for pk, priority, created in waiting}
    if not streams:
        return None
    groups = dict(Stream.objects.filter(pk__in=streams).values_list("pk", _GROUP_OF_STREAM))
    turns = _turns_of(Stream.objects.filter(pk__in=streams))
    leased = Job.objects.filter(state=Job.State.LEASED).annotate(group=GROUP)
    busy = Counter(leased.values_list("group", flat=True))

    def place(pk: uuid.UUID) -> tuple[float, int, int, float, uuid.UUID]:
        priority, created = streams[pk]
        return priority, busy[groups[pk]], turns[groups[pk]], created, pk

    return groups[min((pk for pk in streams if pk in groups), key=place)] if groups else None


def _first_within(group: QuerySet[Job]) -> Job | None:
    """The due job of this group whose turn it is."""
    update = group.filter(kind=Job.Kind.LEARN).order_by("stream__created", "stream_id", "step").first()
    if update is not None:
        return update
    streams = dict.fromkeys(group.order_by("stream__created", "stream_id").values_list("stream_id", flat=True))
    if not streams:
        return None
    behind = next(iter(streams)) if len(streams) == 1 else min(streams, key=_begun)  # Of equals the older.
    return group.filter(stream_id=behind).order_by("step", "slot").first()


def _begun(stream_id: uuid.UUID) -> int:
    """How many children of a search have their verdict or are under way. Copies count: nobody has to begin them.

    With shared weights, phases that are over or under way.
    """
    children = Q(kind=Job.Kind.EVALUATE, state=Job.State.LEASED)
    phases = Q(kind__in=Job.PHASES, state__in=(Job.State.LEASED, Job.State.DONE))
    begun = Job.objects.filter(children | phases, stream_id=stream_id)
    return Child.objects.filter(search_id=stream_id, is_final=True).count() + begun.count()


def _turns_of(streams: QuerySet[Stream]) -> Counter[uuid.UUID]:
    """The turns of the groups that these streams belong to, all their members together."""
    groups = set(streams.values_list(_GROUP_OF_STREAM, flat=True))
    found: Counter[uuid.UUID] = Counter()
    members = Stream.objects.alias(of=_GROUP_OF_STREAM).filter(of__in=groups)
    for group, turns in members.values_list(_GROUP_OF_STREAM, "turns"):
        found[group] += turns
    return found


def _least() -> int:
    """The turns of the group that had fewest, of those that run; 0 where none does."""
    return min(_turns_of(Stream.objects.filter(state=Stream.State.RUNNING)).values(), default=0)
