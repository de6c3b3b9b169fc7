"""Hosts that keep failing get no work, and whoever is drained claims nothing.

A host is set aside after some losses in a row on at least two different jobs, while another host that is sound has
workers that are there. Later one of its workers may claim a single job, and at once when no sound host is left: where
that goes well, or gets as far as a checkpoint, the host has work again; where it is lost too, the wait is longer. So
the only sound host is never set aside: it goes on, and people are told that jobs keep being lost there.

Which of them is to blame, a job or its host? A job that is lost too often is set aside, but the first losses on a host
that is set aside do not speak against it. Once the host has done something well, they do. So neither rule waits for
the other: a job can be lost so often on every host, and no more.
"""

import logging
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet

from webapp.searches import clock
from webapp.searches.models import Host, Job, Worker

LOSSES = 3  # So many in a row,
DIFFERENT_JOBS = 2  # of so many jobs, and a host keeps losing them.
MOMENT_SECONDS = 5.0  # Losses of several workers of a host within it are one: whatever killed them killed all at once.
DIFFERENT_HOSTS_AFTER = 2  # Losses of a job on one host, before it waits for another one.
PRESENT_SECONDS = 15.0  # A worker that was seen so recently is there.
PAUSES_SECONDS = (60.0, 300.0, 1800.0)  # Before a host may try again: after the first time it was set aside, and so on.
TRIAL_SECONDS = 10.0  # Whoever may try and finds nothing to do leaves it to the next one after so long.
SPARED = 3  # So many losses of one job on a host that is set aside do not speak against the job.
KEPT = 10  # Losses that a host remembers.

# What everybody may read of a loss, though the job was another user's: how a process ended, and nothing it said.
_TELLABLE = re.compile(
    r"no sign of life for [0-9]+ seconds|its process ended|the trainer (was killed by SIG[A-Z0-9]+|ended with status "
    r"[0-9]+; see its log|made no progress for [0-9]+ seconds|closed its output but goes on running)"
    r"|a file that it goes on from got damaged just before it was read"
)
_FAILED, _UNCLEAR = "the trainer failed", "the trainer said something that nobody understands"

log = logging.getLogger(__name__)


def host_of(worker: str) -> str:
    """As the worker said; of one that never did, or is forgotten, what its name begins with."""
    said = Worker.objects.filter(pk=worker).values_list("host", flat=True).first()
    return said or _host_in(worker)


def _host_in(worker: str) -> str:
    return worker.rpartition(":")[0] or worker


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a worker may claim: anything but `refused`, and `avoided` only where nothing else is due (Job keys)."""

    avoided: frozenset[int] = frozenset()
    refused: frozenset[int] = frozenset()


def allowance_of(worker: str) -> Allowance | None:
    """None where this worker may claim nothing: it is drained, or its host is set aside and has no trial now.

    A host leaves a job that was lost on it to others: so it is soon seen whether others are lost on it as well. What
    was lost on it twice it does not get at all while there is another host with work, for which it waits. Without
    another host it goes on with a job that was lost once, which may be nobody's fault, and leaves it after the second
    time until nothing else is due.
    """
    is_drained, said = Worker.objects.filter(pk=worker).values_list("is_drained", "host").first() or (False, "")
    if is_drained:
        return None
    host = Host.objects.filter(pk=said or _host_in(worker)).first()
    if host is None:
        return Allowance()
    if host.is_drained or (host.set_aside is not None and not _may_try(host, worker)):
        return None
    lost = Counter(loss["job"] for loss in host.losses)
    twice = frozenset(job for job, times in lost.items() if times >= DIFFERENT_HOSTS_AFTER)
    if not lost or not _is_another_at_work(host):
        return Allowance(avoided=twice)
    return Allowance(avoided=frozenset(lost), refused=twice)


def _is_another_at_work(host: Host) -> bool:
    """Whether a worker of another host, which is not set aside, was seen a moment ago."""
    return (
        _present_elsewhere(host).exclude(host__in=Host.objects.filter(set_aside__isnull=False).values("name")).exists()
    )


def _is_another_sound(host: Host) -> bool:
    """Whether one of them is on a host that does not keep losing jobs either."""
    known = Host.objects.filter(in_a_row__gte=LOSSES).exclude(pk=host.pk)
    unsound = [each.pk for each in known if each.set_aside is not None or keeps_losing(each)]
    return _present_elsewhere(host).exclude(host__in=unsound).exists()


def _present_elsewhere(host: Host) -> QuerySet[Worker]:
    there = Worker.objects.filter(is_drained=False, seen__gt=clock.now() - PRESENT_SECONDS)
    return there.exclude(host=host.pk)


def keeps_losing(host: Host) -> bool:
    """Whether so much was lost there in a row that the host may be to blame."""
    return host.in_a_row >= LOSSES and len({loss["job"] for loss in host.losses}) >= DIFFERENT_JOBS


def _may_try(host: Host, worker: str) -> bool:
    """Whether this one, and no other worker of the host, may claim one job now."""
    assert host.free_at is not None
    now = clock.now()
    # A time that is further away than its pause was long was written before the clock was set back.
    must_wait = now < host.free_at <= now + _pause_after(host.tries - 1)
    if _are_at_work(host) or (must_wait and _is_another_sound(host)):
        return False
    waiting = Host.objects.filter(pk=host.pk, free_at=host.free_at, set_aside__isnull=False)
    return waiting.update(free_at=now + TRIAL_SECONDS, trial=worker) == 1


def _are_at_work(host: Host) -> bool:
    workers = Worker.objects.filter(host=host.pk).values("name")
    return Job.objects.filter(state=Job.State.LEASED, worker__in=workers).exists()


def note_loss(job: Job, reason: str) -> list[str]:
    """A job was lost; on which hosts it was now, the newest last. Whoever calls this holds it."""
    name, now = host_of(job.worker), clock.now()
    Host.objects.get_or_create(pk=name)
    host = Host.objects.select_for_update().get(pk=name)
    counts = not _belongs_to_a_counted_one(host, job.worker, now)
    loss = {"job": job.pk, "reason": reason, "at": now, "worker": job.worker, "counts": counts}
    host.losses = [*host.losses, loss][-KEPT:]
    host.in_a_row += counts
    # Others may have been in the middle of something when it was set aside: only the trial says something new.
    if keeps_losing(host) and (host.set_aside is None or job.worker == host.trial):
        _judge(host, now)
    host.save(update_fields=["losses", "in_a_row", "set_aside", "tries", "free_at", "trial"])
    return [*_recent(job.attempts, job.lost_on), name]


def kind_of(reason: str) -> str:
    """What may be told to everybody of why a job was lost: of what a trainer said, only that it failed."""
    if _TELLABLE.fullmatch(reason):
        return reason
    return _FAILED if reason.startswith(_FAILED) else _UNCLEAR


def _belongs_to_a_counted_one(host: Host, worker: str, now: float) -> bool:
    """Whether another worker of the host was lost at this moment, and this one not yet since then."""
    for place in range(len(host.losses) - 1, -1, -1):
        loss = host.losses[place]
        if loss.get("worker", worker) == worker or abs(now - loss["at"]) >= MOMENT_SECONDS:
            return False
        if loss.get("counts"):
            return True
    return False


def _judge(host: Host, now: float) -> None:
    """It keeps losing jobs: it is set aside where another host is sound, and goes on otherwise."""
    if not _is_another_sound(host):
        host.set_aside, host.free_at, host.trial = None, None, ""
        log.error("Jobs keep being lost on host %s, and no other host is sound. %s", host.pk, why(host))
        return
    host.set_aside = host.set_aside or now
    pause = _pause_after(host.tries)
    host.tries, host.free_at, host.trial = host.tries + 1, now + pause, ""
    log.error("Host %s is set aside, and tries again in %.0f s. %s", host.pk, pause, why(host))


def _pause_after(tries: int) -> float:
    """Seconds before a host may try that was set aside so often before."""
    return PAUSES_SECONDS[min(tries, len(PAUSES_SECONDS) - 1)]


def note_success(worker: str) -> None:
    """A job of this worker is done, or got as far as a checkpoint: losses of its host count from here."""
    losing = list(Host.objects.filter(in_a_row__gt=0))  # None, as a rule, and then nobody need know whose host it is.
    name = host_of(worker) if losing else ""
    for host in (each for each in losing if each.pk == name):
        _clear(host.pk)
        if host.set_aside is not None:
            log.warning("Host %s has work again: a job went well on it", host.pk)


def use_again(name: str) -> bool:
    """What a person says of a host that is set aside; whether there is such a host."""
    return _clear(name)


def _clear(name: str) -> bool:
    sound = {"losses": [], "in_a_row": 0, "set_aside": None, "tries": 0, "free_at": None, "trial": ""}
    return Host.objects.filter(pk=name).update(**sound) == 1


def counted_losses(attempts: int, lost_on: Sequence[str]) -> int:
    """How many losses speak against a job. attempts: how often it was lost; lost_on: where, as Job has it."""
    known = Counter(_recent(attempts, lost_on))
    aside = set(Host.objects.filter(pk__in=known, set_aside__isnull=False).values_list("pk", flat=True))
    spared = sum(min(SPARED, losses) for host, losses in known.items() if host in aside)
    return attempts - spared


def _recent(attempts: int, lost_on: Sequence[str]) -> Sequence[str]:
    """Those since its last checkpoint."""
    return lost_on[-attempts:] if attempts else []


# --- Draining: by place, since a process that is started again has another pid and so another name. ------------------


def free() -> QuerySet[Worker]:
    """Workers that a ring would find at rest: seen a moment ago, not drained, and holding no job."""
    leased = Job.objects.filter(worker=OuterRef("name"), state=Job.State.LEASED)
    seen = Worker.objects.filter(is_drained=False, seen__gt=clock.now() - PRESENT_SECONDS)
    return seen.filter(~Exists(leased))


def there() -> QuerySet[Worker]:
    """Workers that claim what is due: seen a moment ago, not drained, and not on a host that is set aside."""
    away = Host.objects.filter(Q(set_aside__isnull=False) | Q(is_drained=True)).values("name")
    seen = Worker.objects.filter(is_drained=False, seen__gte=clock.now() - PRESENT_SECONDS)
    return seen.exclude(host__in=away)


def register(worker: Worker) -> None:
    """A worker is there for the first time: it is drained where its place is, by itself or with its host."""
    with transaction.atomic():
        host = Host.objects.select_for_update().filter(pk=worker.host).first()
        worker.is_drained = host is not None and (host.is_drained or worker.number in host.drained)
        worker.save()


def drain(worker: Worker, value: bool) -> None:
    """Drain one worker, or let it work again: whoever has its number on its host then, too."""
    with transaction.atomic():
        host = _locked(worker.host)
        if host.is_drained and not value:  # All the others stay drained, each by itself.
            host.is_drained = False
            host.drained = sorted({*host.drained, *_numbers(host)})
        places = set(host.drained) - {worker.number, 0}
        host.drained = sorted(places | {worker.number} if value and worker.number else places)
        host.save(update_fields=["is_drained", "drained"])
        Worker.objects.filter(pk=worker.pk).update(is_drained=value)


def drain_host(name: str, value: bool) -> bool:
    """Drain all workers of a host, also those to come, or let all work again; whether there is such a host."""
    with transaction.atomic():
        if not is_known(name):
            return False
        host = _locked(name)
        host.is_drained, host.drained = value, []
        host.save(update_fields=["is_drained", "drained"])
        Worker.objects.filter(host=name).update(is_drained=value)
    return True


def is_known(name: str) -> bool:
    return Worker.objects.filter(host=name).exists() or Host.objects.filter(pk=name).exists()


def _locked(name: str) -> Host:
    Host.objects.get_or_create(pk=name)
    return Host.objects.select_for_update().get(pk=name)


def _numbers(host: Host) -> set[int]:
    return set(Worker.objects.filter(host=host.pk).values_list("number", flat=True))


# --- What people read. ------------------------------------------------------------------------------------------------


def why(host: Host) -> str:
    """Why it is set aside, a sentence or two: how many losses in a row, and their reasons, the commonest first."""
    reasons = Counter(kind_of(loss["reason"]) for loss in host.losses)
    said = "; ".join(
        reason if times == 1 else f"{reason} ({times} times)" for reason, times in reasons.most_common(3)
    )  # fmt: skip
    often = "once" if host.in_a_row == 1 else f"{host.in_a_row} times in a row"
    return f"Work was lost on it {often}: {said}."


def forget_hosts() -> None:
    """Rows that say nothing any more."""
    Host.objects.filter(is_drained=False, drained=[], in_a_row=0, set_aside=None).delete()


def seconds_until_trial(host: Host) -> float | None:
    """How long a host that is set aside still waits; None for one that is not."""
    return None if host.free_at is None else max(0.0, host.free_at - clock.now())
