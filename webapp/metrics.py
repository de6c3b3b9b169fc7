"""/metrics: what an operator watches, in the words of Prometheus, made from the database at each request.

So every web process says the same, and one of them is enough to ask. What is counted only grows: of a stream that is
deleted the counts are kept (see deletion). It takes eleven queries, however much there is: two go through an index of
all jobs and all children, the others over what is open or was lost lately.
"""

from collections import Counter
from collections.abc import Iterator
from hmac import compare_digest
from statistics import median

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db.models import Count, Min, OuterRef, Q, Subquery, Sum
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from webapp.searches import clock, hosts, leases
from webapp.searches.models import Child, Event, Host, Job, Stream, Tally, Worker

RECENT_SECONDS = 3600.0  # Losses count for the figures of recovery for so long.

Families = Iterator[GaugeMetricFamily | CounterMetricFamily]


@login_not_required
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """For whoever has the token that is set; to all others, and where none is set, there is no such address."""
    if not _has_token(request):
        raise Http404
    registry = CollectorRegistry()
    registry.register(Seen())
    return HttpResponse(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)


def _has_token(request: HttpRequest) -> bool:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    wanted = settings.METRICS_TOKEN
    return bool(wanted) and kind.lower() == "bearer" and compare_digest(token.strip().encode(), wanted.encode())


class Seen(Collector):
    """The database as it is now."""

    def collect(self) -> Families:
        now = clock.now()
        yield from _jobs()
        yield from _open_jobs(now)
        yield _gauge("longest_wait_seconds", "Since the last event of the stream that waits longest.", _wait(now))
        yield from _recoveries(now)
        yield from _streams()
        yield from _workers(now)
        yield _gauge("hosts_set_aside", "Hosts that get no work, because jobs kept being lost there.", _aside())


def _gauge(name: str, what: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"cellwright_{name}", what, value=value)


def _counter(name: str, what: str, value: float) -> CounterMetricFamily:
    """Prometheus gives it the end "_total"."""
    return CounterMetricFamily(f"cellwright_{name}", what, value=value)


def _jobs() -> Families:
    family = GaugeMetricFamily("cellwright_jobs", "Jobs by state and kind.", labels=["state", "kind"])
    found = Job.objects.values_list("state", "kind").annotate(jobs=Count("pk")).order_by("state", "kind")
    for state, kind, jobs in found:
        family.add_metric([state, kind], jobs)
    yield family


def _open_jobs(now: float) -> Families:
    is_leased = Q(state=Job.State.LEASED)
    found = Job.objects.filter(state__in=(Job.State.DUE, Job.State.LEASED)).aggregate(
        leased=Count("pk", filter=is_leased),
        lost=Count("pk", filter=Q(state=Job.State.DUE, attempts__gt=0)),
        ends=Min("lease_until", filter=is_leased),
        claimed=Min("claimed", filter=is_leased),
    )
    claimable = leases.claimable().count()
    yield _gauge("jobs_due", "Jobs that somebody may claim now.", claimable)
    wanted = claimable + found["leased"]
    yield _gauge("workers_wanted", "Jobs that are done or could be: so many workers have something to do.", wanted)
    yield _gauge("jobs_lost_waiting", "Jobs that were lost and that nobody has taken up again.", found["lost"])
    renewed = now if found["ends"] is None else found["ends"] - leases.LEASE_SECONDS
    silence = max(0.0, now - renewed)
    yield _gauge("lease_age_seconds", "Since the renewal of the lease that was renewed longest ago; else 0.", silence)
    held = max(0.0, now - (found["claimed"] or now))
    yield _gauge("claim_age_seconds", "Since the claim of the job that is held longest; 0 where none is.", held)


def _wait(now: float) -> float:
    """Of running streams with a due job and none that is held; 0 where there is none.

    Rows do not say since when a job is due: this is how long nothing happened in its stream, which is much the same.
    """
    jobs = Job.objects.filter(state=Job.State.DUE).exclude(kind=Job.Kind.SCORE)
    held = Job.objects.filter(state=Job.State.LEASED)
    last = Event.objects.filter(stream=OuterRef("pk"), number=OuterRef("last_event")).values("at")
    waiting = Stream.objects.filter(state=Stream.State.RUNNING, pk__in=jobs.values("stream"))
    waiting = waiting.exclude(pk__in=held.values("stream"))
    since = waiting.annotate(last=Subquery(last)).aggregate(since=Min("last"))["since"]
    return 0.0 if since is None else max(0.0, now - since)


def _recoveries(now: float) -> Families:
    """Of jobs that were lost within the last hour, the last time each. A loss is noticed at once where the dead process
    is known to be dead, else with the end of its lease, which is up to five seconds more."""
    family = GaugeMetricFamily(
        "cellwright_recovery_seconds",
        "From the loss of a job until somebody had it again, or until now: of those of the last hour; else 0.",
        labels=["of"],
    )
    lost = Job.objects.filter(lost__gte=now - RECENT_SECONDS).values_list("lost", "claimed", "state")
    seconds = [
        (claimed if claimed is not None and claimed > at else now) - at
        for at, claimed, state in lost
        if state == Job.State.DUE or (claimed is not None and claimed > at)  # Else nobody shall do it again.
    ]
    family.add_metric(["median"], max(0.0, median(seconds)) if seconds else 0.0)
    family.add_metric(["longest"], max(0.0, *seconds) if seconds else 0.0)
    yield family


def _streams() -> Families:
    family = GaugeMetricFamily("cellwright_streams", "Searches and trainings by state.", labels=["kind", "state"])
    found = list(Stream.objects.values("kind", "state").annotate(streams=Count("pk"), events=Sum("last_event")))
    for each in found:
        family.add_metric([each["kind"], each["state"]], each["streams"])
    yield family
    deleted = dict(Tally.objects.values_list("name", "count"))
    events = sum(each["events"] for each in found) + deleted.get(Tally.EVENTS, 0)
    yield _counter("events", "Events in the logs of all searches and trainings.", events)
    rewarded = Child.objects.filter(reward__isnull=False).count() + deleted.get(Tally.CHILDREN, 0)
    yield _counter("children", "Children that have a reward, measured or copied.", rewarded)


def _workers(now: float) -> Families:
    """Of those that were seen a moment ago. The memory of a host is what one of its workers last said."""
    there = GaugeMetricFamily("cellwright_workers", "Workers that are there.", labels=["device", "drained"])
    held = GaugeMetricFamily("cellwright_worker_memory_bytes", "Held by a host's workers.", labels=["host", "device"])
    used = GaugeMetricFamily("cellwright_memory_used_bytes", "Of the device, by anybody.", labels=["host", "device"])
    has = GaugeMetricFamily("cellwright_memory_bytes", "That the device has.", labels=["host", "device"])
    seen = list(Worker.objects.filter(seen__gte=now - hosts.PRESENT_SECONDS).order_by("host", "device", "seen"))
    for (device, is_drained), workers in sorted(Counter((each.device, each.is_drained) for each in seen).items()):
        there.add_metric([device, "yes" if is_drained else "no"], workers)
    for place, each in {(each.host, each.device): each for each in seen}.items():
        own = sum(other.own_memory or 0 for other in seen if (other.host, other.device) == place)
        for family, value in ((held, own), (used, each.memory_used), (has, each.memory)):
            if value is not None:
                family.add_metric(place, value)
    yield from (there, held, used, has)


def _aside() -> int:
    return Host.objects.filter(set_aside__isnull=False).count()
