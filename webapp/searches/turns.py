"""Whose turn it is: several searches and trainings share the workers, each getting as much of their time as the others.

A stream counts the *turns* that workers gave it: one for a claim, one for each renewal of a lease, so a turn is about
HEARTBEAT_SECONDS of one worker. Counted in turns and not by a clock: setting the clock favours nobody. A group counts
as one stream.

Turns of a job that is held stand in its own row, and go to its stream when it is let go: so a renewal waits for nobody
who writes to the stream, however many workers it has.
"""

import uuid
from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any

from django.db import connection
from django.db.models import F, Q, Sum
from django.db.models.functions import Coalesce

from webapp.searches.models import Child, Group, Job, Stream

GROUP = Coalesce(F("stream__group_id"), F("stream_id"))  # Of a job: its group, or its stream where it has none.

# What every claim asks is written by hand: to put such questions together anew took Django 15 of the 20 ms of a claim.
# j is a job and s its stream; which may be claimed is what leases.claimable says, to which a test holds it.
_CLAIMABLE = """
    j.state = 'due' AND (
        s.state = 'running' AND j.kind <> 'score'
        OR s.state = 'finished' AND j.kind = 'train'
        OR j.kind = 'score' AND s.state <> 'deleting'
            AND NOT EXISTS (SELECT 1 FROM searches_job p WHERE p.stream_id = s.id
                            AND p.state = 'leased' AND p.kind IN ('share', 'teach', 'derive'))
            AND EXISTS (SELECT 1 FROM searches_search q WHERE q.stream_id = s.id
                        AND (q.weights <> '' OR s.state NOT IN ('running', 'paused')))
    ) AND (
        s.state <> 'running' OR s.max_workers IS NULL
        OR s.max_workers > (SELECT COUNT(*) FROM searches_job b WHERE b.stream_id = s.id AND b.state = 'leased')
    )"""
# Each stream that runs costs a look into an index, however many jobs it has due, which PostgreSQL would all read for an
# EXISTS. Of others few kinds of jobs can be claimed.
_IN_ORDER = """
    SELECT s.id, COALESCE(s.group_id, s.id), s.priority
    FROM (
        SELECT * FROM searches_stream WHERE state = 'running'
        UNION ALL
        SELECT * FROM searches_stream WHERE state <> 'running' AND id IN (
            SELECT stream_id FROM searches_job WHERE state = 'due' AND kind IN ('train', 'score'))
    ) s LEFT JOIN (
        SELECT COALESCE(t.group_id, t.id) AS of_group, COUNT(*) AS jobs, SUM(l.turns) AS turns
        FROM searches_job l JOIN searches_stream t ON t.id = l.stream_id
        WHERE l.state = 'leased' GROUP BY COALESCE(t.group_id, t.id)
    ) held ON held.of_group = COALESCE(s.group_id, s.id)
    WHERE (SELECT j.id FROM searches_job j WHERE j.stream_id = s.id AND {wanted} LIMIT 1) IS NOT NULL
    ORDER BY s.priority DESC, COALESCE(held.jobs, 0), COALESCE(held.turns, 0) + CASE
        WHEN s.group_id IS NULL THEN s.turns
        ELSE (SELECT SUM(m.turns) FROM searches_stream m WHERE m.group_id = s.group_id) END, s.created, s.id"""
_FIRST = """
    SELECT j.*, s.max_workers AS most_workers FROM searches_job j JOIN searches_stream s ON s.id = j.stream_id
    WHERE {wanted} ORDER BY {order} LIMIT 1"""

Key = Any  # Of a stream or group, as the database's own driver gives and takes it.
Wanted = tuple[str, list[Any]]  # A condition on jobs, or more of it, and its parameters.


def first(kinds: Collection[str], refused: Collection[int] = ()) -> Job | None:
    """Of jobs of these kinds that may be claimed, but for the refused ones (keys), the one whose turn it is. It has
    `most_workers`, of its stream.

    First higher priority, then what was lost, then groups with fewer leased jobs, then those that had fewer turns, then
    the older group. Within a group: updates before children, then the stream with fewer children or phases begun, so
    that a search and its random companion advance alike however many workers there are, and whichever takes longer.
    Within a search: children by step and slot.
    """
    wanted = _wanted(kinds, refused)
    while waiting := _in_order(wanted):
        _, group, priority = waiting[0]
        interrupted = _first_of(wanted, ("AND j.attempts > 0 AND s.priority = %s", [priority]), "j.id")
        if interrupted is not None:
            return interrupted
        job = _first_within([stream for stream, its_group, _ in waiting if its_group == group], wanted)
        if job is not None:
            return job  # Else somebody took its last one since it was looked at.
    return None


def in_order() -> list[uuid.UUID]:
    """The groups, and streams without a group, that have jobs that may be claimed, by whose turn it is next."""
    groups = dict.fromkeys(group for _, group, _ in _in_order((_CLAIMABLE, [])))
    return [group if isinstance(group, uuid.UUID) else uuid.UUID(group) for group in groups]


def at_start(group: Group | None) -> int:
    """With how many turns a stream begins: so that it neither waits for the others nor keeps them waiting."""
    if group is not None and group.streams.exists():
        return 0  # The group has had its turns.
    return _least()


def catch_up(stream: Stream) -> None:
    """A stream goes on: the turns that it missed in a pause are not made up for."""
    behind = _least() - _turns_of([(stream.pk, stream.group_id, stream.turns)])[stream.group_id or stream.pk]
    if behind > 0:
        Stream.objects.filter(pk=stream.pk).update(turns=F("turns") + behind)


def _wanted(kinds: Collection[str], refused: Collection[int]) -> Wanted:
    condition, parameters = _CLAIMABLE, list[Any]()
    if not set(kinds) >= set(Job.Kind.values):
        condition += f" AND j.kind IN ({_places(kinds)})"
        parameters += kinds
    if refused:
        condition += f" AND j.id NOT IN ({_places(refused)})"
        parameters += refused
    return condition, parameters


def _places(values: Collection[Any]) -> str:
    return ", ".join(["%s"] * len(values)) or "NULL"


def _in_order(wanted: Wanted) -> list[tuple[Key, Key, int]]:
    """Streams that have such jobs, with their group and priority, by whose turn it is next."""
    condition, parameters = wanted
    with connection.cursor() as cursor:
        cursor.execute(_IN_ORDER.format(wanted=condition), parameters)
        return list(cursor.fetchall())


def _first_of(wanted: Wanted, more: Wanted, order: str) -> Job | None:
    sql = _FIRST.format(wanted=wanted[0] + more[0], order=order)
    return next(iter(Job.objects.raw(sql, [*wanted[1], *more[1]])), None)


def _first_within(streams: list[Key], wanted: Wanted) -> Job | None:
    """Of these streams of one group, the older first, the due job whose turn it is."""
    updates = f"AND j.kind = 'learn' AND j.stream_id IN ({_places(streams)})", list(streams)
    update = _first_of(wanted, updates, "s.created, s.id, j.step")
    if update is not None:
        return update
    behind = streams[0] if len(streams) == 1 else min(streams, key=_begun)  # Of equals the older.
    return _first_of(wanted, ("AND j.stream_id = %s", [behind]), "j.step, j.slot")


def _begun(stream_id: Key) -> int:
    """How many children of a search have their verdict or are under way. Copies count: nobody has to begin them.

    With shared weights, phases that are over or under way.
    """
    children = Q(kind=Job.Kind.EVALUATE, state=Job.State.LEASED)
    phases = Q(kind__in=Job.PHASES, state__in=(Job.State.LEASED, Job.State.DONE))
    begun = Job.objects.filter(children | phases, stream_id=stream_id)
    return Child.objects.filter(search_id=stream_id, is_final=True).count() + begun.count()


def _turns_of(streams: Iterable[tuple[uuid.UUID, uuid.UUID | None, int]]) -> Counter[uuid.UUID]:
    """The turns of the groups that these streams (key, group, own turns) belong to, all their members together, with
    those of jobs that are held."""
    found: Counter[uuid.UUID] = Counter()
    groups = set()
    for pk, group, turns in streams:
        if group is None:
            found[pk] = turns
        else:
            groups.add(group)
    members = Stream.objects.filter(group_id__in=groups).order_by().values_list("group_id")
    found.update(dict(members.annotate(Sum("turns"))))
    leased = Job.objects.filter(state=Job.State.LEASED).order_by().annotate(group=GROUP).values_list("group")
    for group, turns in leased.annotate(Sum("turns")):
        if group in found:
            found[group] += turns
    return found


def _least() -> int:
    """The turns of the group that had fewest, of those that run; 0 where none does."""
    running = Stream.objects.filter(state=Stream.State.RUNNING).values_list("pk", "group_id", "turns")
    return min(_turns_of(running).values(), default=0)
