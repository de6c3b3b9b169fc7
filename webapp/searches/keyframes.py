"""States of a stream at every EVERY-th event, so that the state after any event is near one: what a replay jumps by.

A keyframe is nothing but a fold that was kept, so one that is missing is made when it is asked for. The reconciler
makes them as a stream grows; a stream of an earlier version gets them at its first replay, or from the reconciler.
"""

import json
import uuid
import zlib
from collections.abc import Iterator

from django.db.models import Count, F, Q

from webapp.searches import event_log, live_state
from webapp.searches.live_state import State, WireEvent, rules
from webapp.searches.models import Event, Keyframe, Stream

EVERY = 1000  # Events. Rarer ones make a page fold longer; more frequent ones take room, up to 0.1 MB each deflated.
AT_ONCE = 5  # The most that one look of the reconciler, or one request, makes: a second or two of work.


def nearest(stream: Stream, n: int) -> State:
    """The state at the last multiple of EVERY that is no greater than n and than the stream is long.

    Where keyframes are missing, at most AT_ONCE are made and kept, and the state may be an earlier one: asked again,
    it goes on from there.
    """
    wanted = min(n, stream.last_event) // EVERY * EVERY
    state = _kept(stream, wanted)
    for event in _events(stream.pk, state["n"], min(wanted, state["n"] + AT_ONCE * EVERY)):
        state = live_state.apply(state, event)
        if state["n"] % EVERY == 0:
            _keep(stream, state)
    return state


def state_of(stream: Stream, n: int) -> State:
    """The state after event n, or after the last one where there are fewer; an earlier one where `nearest` says so."""
    n = min(n, stream.last_event)
    state = nearest(stream, n)
    if n - state["n"] >= EVERY:
        return state
    for event in _events(stream.pk, state["n"], n):
        state = live_state.apply(state, event)
    return state


def moment(stream: Stream, n: int) -> float | None:
    """When event n happened; None where there is none."""
    return Event.objects.filter(stream_id=stream.pk, number=n).values_list("at", flat=True).first()


def keep_keyframes() -> int:
    """Make what is missing, oldest first, at most AT_ONCE; how many were made."""
    of_this_fold = Count("keyframes", filter=Q(keyframes__rules=rules()))
    behind = Stream.objects.annotate(kept=of_this_fold).filter(last_event__gte=(F("kept") + 1) * EVERY)
    made = 0
    for stream in behind.exclude(state=Stream.State.DELETING).order_by("created")[:AT_ONCE]:
        due = min(AT_ONCE - made, stream.last_event // EVERY - stream.kept)
        nearest(stream, (stream.kept + due) * EVERY)
        made += due
        if made >= AT_ONCE:
            break
    return made


def _kept(stream: Stream, wanted: int) -> State:
    """The last keyframe that is no later, or the state before any event."""
    row = Keyframe.objects.filter(stream_id=stream.pk, rules=rules(), number__lte=wanted).order_by("-number").first()
    if row is None:
        return live_state.initial(stream.kind)
    state: State = json.loads(zlib.decompress(row.state))
    return state


def _keep(stream: Stream, state: State) -> None:
    """With the first of this fold, those of another one go."""
    if state["n"] == EVERY:
        Keyframe.objects.filter(stream_id=stream.pk).exclude(rules=rules()).delete()
    deflated = zlib.compress(json.dumps(state, separators=(",", ":")).encode(), level=1)
    row = Keyframe(stream_id=stream.pk, number=state["n"], rules=rules(), state=deflated)
    Keyframe.objects.bulk_create([row], ignore_conflicts=True)  # Somebody else may make the same one.


def _events(stream_id: uuid.UUID, after: int, until: int) -> Iterator[WireEvent]:
    while after < until:
        page = event_log.read(stream_id, after, min(live_state.PAGE, until - after))
        if not page:
            return
        yield from page
        after = page[-1]["n"]
