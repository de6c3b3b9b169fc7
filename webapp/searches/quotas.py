"""What a person may use at most, and uses: streams that are open, bytes of files, hours of workers.

What something will use is reserved with its row, in the same transaction: so two starts at the same moment cannot both
take the last of it. A lock of a person comes after that of a stream, never before.
"""

import uuid
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db.models import F, FloatField, Q, Sum, Value
from django.db.models.functions import Greatest

from search_engine.errors import UserError
from webapp.accounts.models import User
from webapp.searches import artifacts, clock
from webapp.searches.models import Artifact, ImportedArchitecture, Job, OwnData, Stream

HOUR, GIGABYTE = 3600.0, 1e9
ASK = "or ask an administrator for more."


@dataclass(frozen=True, slots=True)
class Weight:
    """What something will use, as far as that can be told before it starts. worker_seconds: of all together."""

    worker_seconds: float = 0.0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Usage:
    """What a person uses. running: searches and trainings that are open; what was reserved and not yet used counts."""

    running: int
    bytes: int
    worker_seconds: float


def usage_of(user: Any) -> Usage:
    """Now, but for what is under way at this moment: it counts once a worker lets it go.

    Networks of an honesty meter do not count as running: they are part of their search.
    """
    return usages_of([user.pk])[user.pk]


def usages_of(people: Collection[uuid.UUID]) -> dict[uuid.UUID, Usage]:
    """The same of many people, by their ids, with as many questions as of one."""
    theirs = Stream.objects.filter(owner__in=people)
    is_open = Q(state__in=Stream.OPEN)
    running = _sums(theirs.filter(is_open).exclude(as_training__for_meter=True), "owner", Value(1.0))
    before = dict(User.objects.filter(pk__in=people).values_list("pk", "worked_seconds_before"))
    seconds = (
        _sums(theirs.filter(is_open), "owner", Greatest(F("worked_seconds"), F("reserved_seconds"))),
        _sums(theirs.exclude(is_open), "owner", F("worked_seconds")),
    )
    here = OwnData.objects.filter(owner__in=people).exclude(state__in=(OwnData.State.REFUSED, OwnData.State.DELETED))
    sizes = (
        _sums(theirs.filter(is_open), "owner", F("reserved_bytes")),
        _sums(Artifact.objects.filter(stream__in=theirs.exclude(is_open)), "stream__owner", F("size")),
        _sums(here, "owner", F("size")),
        _bundles(people),
    )
    return {
        each: Usage(
            running=int(running[each]),
            bytes=int(sum(size[each] for size in sizes)),
            worker_seconds=sum(spent[each] for spent in seconds) + before[each],
        )
        for each in people
    }


def weighs(user: Any) -> bool:
    """Whether a quota asks how heavy something is before it begins."""
    return User.objects.filter(Q(most_bytes__isnull=False) | Q(most_worker_hours__isnull=False), pk=user.pk).exists()


def refusals(user: Any, weight: Weight, *, starts: bool = True) -> list[UserError]:
    """Why this may not be begun by this user, a sentence for each quota; none where it may. starts: it runs then."""
    person = User.objects.get(pk=user.pk)
    if person.most_running is None and person.most_bytes is None and person.most_worker_hours is None:
        return []
    return list(_refusals(person, usage_of(person), weight, starts))


def _refusals(person: User, usage: Usage, weight: Weight, starts: bool) -> list[UserError]:
    found = []
    if starts and person.most_running is not None and usage.running >= person.most_running:
        found.append(
            f"You have {usage.running} searches and trainings open; your quota is {person.most_running}. "
            f"Stop one, {ASK}"
        )
    if person.most_bytes is not None and usage.bytes + weight.bytes > person.most_bytes:
        left = max(0, person.most_bytes - usage.bytes) / GIGABYTE
        found.append(
            f"This needs about {weight.bytes / GIGABYTE:.1f} GB; of your quota of {person.most_bytes / GIGABYTE:.1f} "
            f"GB there are {left:.1f} left. Delete what you no longer need, {ASK}"
        )
    if starts and person.most_worker_hours is not None:
        used, wanted = usage.worker_seconds / HOUR, weight.worker_seconds / HOUR
        left = max(0.0, person.most_worker_hours - used)
        if used >= person.most_worker_hours or wanted > left:
            found.append(
                f"This takes about {wanted:.1f} hours of workers; of your quota of {person.most_worker_hours:g} there "
                f"are {left:.1f} left. Make it smaller, {ASK}"
            )
    return [UserError("", sentence) for sentence in found]


def reserve(user: Any, weight: Weight, *, starts: bool = True) -> None:
    """Refuse with UserError what is over a quota. Must run in the transaction that writes the row with its weight."""
    User.objects.select_for_update().get(pk=user.pk)  # Whoever else begins something for this person waits here.
    for error in refusals(user, weight, starts=starts):
        raise error


def count_work(jobs: Iterable[Job]) -> None:
    """Whoever holds these jobs lets them go now: the time since they claimed them was spent on their stream, and so
    were the turns that they had (see turns). Jobs that nobody holds do not count."""
    for job in jobs:
        if job.state == Job.State.LEASED and job.claimed is not None:
            spent = max(0.0, clock.now() - job.claimed)
            Stream.objects.filter(pk=job.stream_id).update(
                worked_seconds=F("worked_seconds") + spent, turns=F("turns") + job.turns
            )  # fmt: skip


def _sums(rows: Any, owner: str, expression: Any) -> Counter[uuid.UUID]:
    """The sum over the rows of each owner, 0 for others."""
    total = Sum(expression, output_field=FloatField())
    return Counter(dict(rows.order_by().values_list(owner).annotate(total=total)))


def _bundles(people: Collection[uuid.UUID]) -> Counter[uuid.UUID]:
    """Bytes of the bundles that these people imported, each file once."""
    mine = ImportedArchitecture.objects.filter(owner__in=people).exclude(bundle="")
    sizes: Counter[uuid.UUID] = Counter()
    for owner, sha256 in set(mine.values_list("owner", "bundle")):
        sizes[owner] += _size(sha256)
    return sizes


def _size(sha256: str) -> int:
    """0 also where the store is away: nothing can be added to it then, and pages do without it."""
    try:
        return artifacts.size(sha256)
    except (artifacts.ArtifactMissing, artifacts.StoreAway):
        return 0
