"""How long everything that runs still takes, by what is known at this moment, and who is next."""

import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from webapp.searches import clock, hosts, leases, turns
from webapp.searches.costs.estimate import live_speeds
from webapp.searches.models import Job, Stream
from webapp.searches.time_left import facts as known_facts
from webapp.searches.time_left.alone import OneByOne, SearchAhead
from webapp.searches.time_left.facts import Facts, SearchFacts, TrainingFacts
from webapp.searches.time_left.known import part_of_training, sharing_now
from webapp.searches.time_left.past import UnderWay, seconds_of_rest
from webapp.searches.time_left.together import Sharing, seconds_left

KEPT_SECONDS = 4.0  # A process looks again after so long, whoever asks.
KEPT_TIMES = 20.0  # And after so many times as long as looking took: it costs a twentieth of a core at most.

NOBODY = "No worker is there."
NOT_YET = "Nothing is known yet of how long its work takes."
BEHIND = "It waits for others that go first, of which it is not known how long they take."


@dataclass(frozen=True, slots=True)
class Waiting:
    """A stream with work that nobody does yet. due: jobs; seconds: until a worker should come to it, None: unknown."""

    stream: uuid.UUID
    due: int
    seconds: float | None


@dataclass(frozen=True, slots=True)
class Doing:
    """What a worker does, as far as its events tell. part: in [0, 1], and seconds until it is done; None: unknown."""

    part: float | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """at: the moment. left: seconds until each that runs ends, None where `why` says what is missing. waiting: in the
    order in which their turns come. doing: by worker.
    """

    at: float
    workers: int
    left: Mapping[uuid.UUID, float | None] = field(default_factory=dict)
    why: Mapping[uuid.UUID, str] = field(default_factory=dict)
    waiting: Sequence[Waiting] = ()
    doing: Mapping[str, Doing] = field(default_factory=dict)


_kept: tuple[float, Look] | None = None  # Until when, by time.monotonic, of this process.


def recent() -> Look:
    """As `look`, from a moment ago: many who ask cost as much as one."""
    global _kept
    began = time.monotonic()
    if _kept is None or began >= _kept[0]:
        found = look()
        took = time.monotonic() - began
        _kept = (time.monotonic() + max(KEPT_SECONDS, KEPT_TIMES * took), found)
    return _kept[1]


def forget() -> None:
    """The next one who asks has it looked at anew."""
    global _kept
    _kept = None
    known_facts.forget()


def look() -> Look:
    now = clock.now()
    workers = list(hosts.there().values_list("name", flat=True))
    sharing, facts = sharing_now(now, live_speeds())
    left = seconds_left(sharing, len(workers))
    doing = _doing(sharing, facts, now)
    return Look(
        at=now,
        workers=len(workers),
        left=left,
        why={one.id: _why(one, len(workers)) for one in sharing if left[one.id] is None},
        waiting=_waiting(workers, doing),
        doing=doing,
    )


def _why(one: Sharing, workers: int) -> str:
    if not workers:
        return NOBODY
    return NOT_YET if one.ahead is None else BEHIND


def _doing(sharing: Sequence[Sharing], facts: Mapping[uuid.UUID, Facts], now: float) -> dict[str, Doing]:
    aheads = {one.id: one.ahead for one in sharing}
    found = {}
    for job in Job.objects.filter(state=Job.State.LEASED, stream_id__in=aheads):
        ahead, one = aheads[job.stream_id], facts.get(job.stream_id)
        kind = {Job.Kind.EVALUATE: "child", Job.Kind.RETRAIN: "finalist"}.get(Job.Kind(job.kind))
        if kind is not None and isinstance(ahead, SearchAhead) and isinstance(one, SearchFacts):
            place = (kind, job.step, job.slot) if kind == "child" else (kind, job.slot, 0)
            found[job.worker] = _doing_of(one.past.under_way.get(place), kind, ahead, now)
        elif isinstance(ahead, OneByOne) and isinstance(one, TrainingFacts):
            took = max(0.0, now - (job.claimed or now))
            found[job.worker] = Doing(part_of_training(one, took, ahead.seconds), ahead.seconds)
    return found


def _doing_of(one: UnderWay | None, kind: str, ahead: SearchAhead, now: float) -> Doing:
    if one is None:
        return Doing()
    like = ahead.like if kind == "child" or not ahead.finalists else ahead.finalists
    rest, took = seconds_of_rest(one, like, now), max(0.0, now - one.since)
    return Doing(took / (took + rest) if took + rest else None, rest)


def _waiting(workers: Sequence[str], doing: Mapping[str, Doing]) -> list[Waiting]:
    """Whoever is next goes to the worker that is free first, and so on; each stream is counted once."""
    due = leases.claimable()
    jobs: dict[uuid.UUID, int] = {}
    for stream in due.values_list("stream_id", flat=True):
        jobs[stream] = jobs.get(stream, 0) + 1
    members: dict[uuid.UUID, list[uuid.UUID]] = {}
    for pk, group in Stream.objects.filter(pk__in=jobs).order_by("created", "pk").values_list("pk", "group_id"):
        members.setdefault(group or pk, []).append(pk)
    busy = set(Job.objects.filter(state=Job.State.LEASED).values_list("worker", flat=True))
    free = [0.0 if name not in busy else doing.get(name, Doing()).seconds for name in workers]
    frees = sorted(each for each in free if each is not None)
    order = [stream for group in turns.in_order() for stream in members.get(group, ())]
    return [
        Waiting(stream, jobs[stream], frees[place] if place < len(frees) else None)
        for place, stream in enumerate(order)
    ]
