"""Deleting a search or a training: marked at once, gone when nobody works for it any more.

The mark takes every lease away, so a worker hears of it at its next heartbeat and whatever it hands in is refused. Then
`remove_deleted` waits until those leases have run out, removes files and then rows. It may stop at any point and begin
again: a file goes before the row that names it, and the row of the stream goes last. Files that were replaced while it
ran, or that a worker stored and could not hand in, are named by no row: they go with the sweep, as they always do.
"""

import uuid
from dataclasses import dataclass

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce

from search_engine.events import StateChanged
from webapp.accounts.models import User
from webapp.searches import artifacts, clock, event_log, leases, planner, quotas, running_time
from webapp.searches.models import AskedScore, Child, Event, Group, Job, Search, Stream, Tally, Training

EVENTS_AT_ONCE = 5000  # So many go in one transaction, so that nobody waits long for the database.


@dataclass(frozen=True, slots=True)
class Outlook:
    """What deleting would do, in sentences: what goes, and what stays."""

    goes: list[str]
    stays: list[str]


def delete(stream_id: uuid.UUID) -> None:
    """Begin to delete it, in whatever state it is. A second time does nothing."""
    with transaction.atomic():
        stream = planner.locked_stream(stream_id)
        if stream.state == Stream.State.DELETING:
            return
        Stream.objects.filter(pk=stream_id).update(
            state=Stream.State.DELETING, reason="", ended=Coalesce(F("ended"), clock.now()), **running_time.ends()
        )
        jobs = Job.objects.filter(stream_id=stream_id)
        jobs.filter(state=Job.State.DUE).update(state=Job.State.DROPPED)
        quotas.count_work(jobs.filter(state=Job.State.LEASED))
        jobs.filter(state=Job.State.LEASED).update(fence=F("fence") + 1)  # Leased, to nobody: it only runs out.
        event_log.append(stream_id, [StateChanged(state=Stream.State.DELETING.value)])


def remove_deleted() -> int:
    """Go on with everything that is marked; how many are gone. Where one fails, the others go all the same."""
    gone = 0
    failures: list[Exception] = []
    for stream_id in (
        Stream.objects.filter(state=Stream.State.DELETING).order_by("created").values_list("pk", flat=True)
    ):
        try:
            gone += _remove(stream_id)
        except Exception as failure:
            failures.append(failure)
    if failures:
        raise failures[0]
    return gone


def outlook(stream: Stream) -> Outlook:
    """What deleting this stream would do."""
    files = artifacts.own_files_of(stream.pk)
    size = sum(artifacts.size(sha256) for sha256 in files if artifacts.is_there(sha256))
    stored = f"{_counted(len(files), 'file')} of {size / 1e6:,.1f} MB together, and its log."
    if stream.kind == Stream.Kind.TRAINING:
        return Outlook([f"Its figures and curve, {stored}"], [])
    children = Child.objects.filter(search=stream.pk).count()
    goes = [f"{_counted(children, 'child', 'children')} with what they reached, {stored}"]
    trained = Training.objects.filter(child__search=stream.pk)
    if metered := trained.filter(for_meter=True).count():
        goes.append(f"{_counted(metered, 'network')} of its honesty meter.")
    if asked := AskedScore.objects.filter(search=stream.pk).count():
        goes.append(f"{_counted(asked, 'score')} that its shared weights were asked for.")
    stays = []
    if kept := trained.filter(for_meter=False).count():
        stays.append(f"{_counted(kept, 'training')} of its children, with a note that the search was deleted.")
    if stream.group_id and _searches_beside(stream):
        stays.append("The search beside it, which it was compared with.")
    return Outlook(goes, stays)


def _remove(stream_id: uuid.UUID) -> bool:
    """Go on with one; whether it is gone."""
    held = Job.objects.filter(stream_id=stream_id, state=Job.State.LEASED, lease_until__range=leases.in_force())
    if held.exists():
        return False
    if _networks_of_its_meter(stream_id):
        return False
    if not artifacts.drop_files_of(stream_id):
        return False
    while (first := Event.objects.filter(stream_id=stream_id).order_by("number").first()) is not None:
        Event.objects.filter(stream_id=stream_id, number__lt=first.number + EVENTS_AT_ONCE).delete()
    _remove_rows(stream_id)
    return True


def _networks_of_its_meter(search_id: uuid.UUID) -> bool:
    """Whether networks of its honesty meter are still there, which no page but its own shows. They are marked, too."""
    networks = list(Training.objects.filter(child__search=search_id, for_meter=True))
    for network in networks:
        delete(network.pk)
    return networks != []


@transaction.atomic
def _remove_rows(stream_id: uuid.UUID) -> None:
    stream = planner.locked_stream(stream_id)
    for training in Training.objects.filter(child__search=stream_id).select_related("child"):
        assert training.child is not None
        origin = f"child {training.child.step}.{training.child.slot} of {stream.name or 'a search'}"
        Training.objects.filter(pk=training.pk).update(deleted_origin=origin, child=None, for_meter=False)
    User.objects.filter(pk=stream.owner_id).update(
        worked_seconds_before=F("worked_seconds_before") + stream.worked_seconds
    )
    _keep_count(Tally.EVENTS, stream.last_event)
    _keep_count(Tally.CHILDREN, Child.objects.filter(search=stream_id, reward__isnull=False).count())
    Stream.objects.filter(pk=stream_id).delete()
    Group.objects.filter(pk=stream.group_id, streams=None).delete()


def _keep_count(name: str, count: int) -> None:
    """What is told to have happened, at /metrics, stays told."""
    Tally.objects.get_or_create(name=name)
    Tally.objects.filter(name=name).update(count=F("count") + count)


def _searches_beside(stream: Stream) -> bool:
    return Search.objects.filter(~Q(pk=stream.pk), group_id=stream.group_id).exists()


def _counted(number: int, one: str, many: str = "") -> str:
    return f"{number:,} {one if number == 1 else many or one + 's'}"
