"""What must always hold of a stream, looked at from outside: for tests, for the simulation, and for a person in doubt.

Looks at committed rows and stored files alone, and changes nothing.
"""

from collections.abc import Iterator
from itertools import groupby

from search_engine import schedule
from search_engine.config.changes import read_changes, sizes_of
from search_engine.config.search import SearchConfig
from search_engine.config.searches import read_search_config
from search_engine.events import extend_by_finals, extend_fingerprint
from webapp.searches import (
    artifacts,
    clock,
    event_log,
    final_round,
    limits,
    live_state,
    planner,
    shared_checker,
    steering,
)
from webapp.searches.leases import LEASE_SECONDS
from webapp.searches.live_state import WireEvent
from webapp.searches.models import Artifact, Child, Finalist, Job, Search, Stream

CHANGES = ("limits_changed", "search_steered", "architecture_proposed")
EVERYTHING = 10**9  # More events than any stream has.


def check(stream: Stream) -> list[str]:
    """Everything that is wrong with this stream, a sentence each; [] when it is sound."""
    stream = Stream.objects.get(pk=stream.pk)
    if stream.state == Stream.State.DELETING:
        return []  # What is left of it says nothing any more.
    events = event_log.read(stream.pk, 0, EVERYTHING)
    problems = [*_log_problems(stream, events), *_job_problems(stream), *_file_problems(stream)]
    if stream.kind == Stream.Kind.SEARCH:
        search = Search.objects.get(pk=stream.pk)
        problems += [*_child_problems(search, events), *_plan_problems(search)]
        if search.epochs:
            return [*problems, *shared_checker.problems(search, events)]
        problems += [*_finalist_problems(search, events), *_fingerprint_problems(search, events)]
    return problems


def _log_problems(stream: Stream, events: list[WireEvent]) -> Iterator[str]:
    numbers = [event["n"] for event in events]
    if numbers != list(range(1, stream.last_event + 1)):
        yield f"The log has the numbers {numbers}, the row says that {stream.last_event} is the last."
        return
    state = live_state.initial(stream.kind)
    for event in events:
        state = live_state.apply(state, event)
    if live_state.state_at(stream) != state:
        yield "The snapshot leads to another state than the log."
    if (state["state"], state["reason"]) != (stream.state, stream.reason or None):
        yield f"The log ends {state['state']} ({state['reason']}), the row is {stream.state} ({stream.reason})."
    if stream.kind == Stream.Kind.SEARCH:
        yield from _limit_problems(Search.objects.get(pk=stream.pk), state, events)
    if state["ended_at"] is None and not stream.is_open:
        yield "The row has ended, the log has not."


def _limit_problems(search: Search, state: live_state.State, events: list[WireEvent]) -> Iterator[str]:
    """Row, log and changes agree in what is in force, and in since when."""
    total = state["shared"]["epochs"] if search.epochs else state["total"]
    told = {limits.total_of(search): total, "workers": state["max_workers"], "hours": state["max_hours"]}
    if told != limits.limits_of(search):
        yield f"The log has the limits {told}, the row {limits.limits_of(search)}."
    changed = [event for event in events if event["kind"] in CHANGES]
    steps = [event["from_step"] for event in changed if "from_step" in event]
    if steps != [change["from_step"] for change in search.changes]:
        yield f"The log has changes from the steps {steps}, the row {search.changes}."
    config = read_search_config(search.config)
    bans = {where: tuple(said["banned"]) for where, said in state["bans"].items()}
    if bans != steering.bans_of(search):
        yield f"The log has the bans {bans}, the row {search.changes}."
    sizes = sizes_of(config, read_changes(search.changes, config))
    if sizes.children != limits.limits_of(search)[limits.total_of(search)]:
        yield f"The changes lead to {sizes.children} children or epochs, the row says otherwise."


def _job_problems(stream: Stream) -> Iterator[str]:
    late = clock.now() - 2 * LEASE_SECONDS
    jobs = Job.objects.filter(stream_id=stream.pk)
    for job in jobs.filter(state=Job.State.LEASED, lease_until__lt=late):
        yield f"The {job.what} is held by {job.worker}, whose lease ran out long ago."
    open_jobs = jobs.filter(state__in=(Job.State.DUE, Job.State.LEASED)).exclude(kind=Job.Kind.SCORE).count()
    late_bundle = stream.state == Stream.State.FINISHED and stream.kind == Stream.Kind.TRAINING
    if open_jobs and not stream.is_open and not late_bundle:
        yield f"The {stream.kind} is {stream.state} and has {open_jobs} open jobs."
    if stream.is_open and not open_jobs:
        yield f"The {stream.kind} is {stream.state} and nothing is due."


def _file_problems(stream: Stream) -> Iterator[str]:
    for sha256 in sorted(artifacts.files_of(stream.pk)):
        try:
            if not artifacts.is_stored_whole(sha256):
                yield f"The file {sha256} is damaged."
        except artifacts.ArtifactMissing as error:
            yield f"A row names a file that is not there: {error}."


def _child_problems(search: Search, events: list[WireEvent]) -> Iterator[str]:
    """One accepted verdict per child, and the row says what the event says."""
    verdicts = sorted(
        (event for event in events if event["kind"] == "child_finished"), key=lambda event: _place(event)
    )  # fmt: skip
    for place, group in groupby(verdicts, key=_place):
        if len(list(group)) != 1:
            yield f"Child {place[0]}.{place[1]} has several verdicts in the log."
    told = {_place(event): (event["reward"], event["reason"], _twin(event)) for event in verdicts}
    rows = {
        (child.step, child.slot): (child.reward, child.reason or None, _twin_of_row(child))
        for child in Child.objects.filter(search=search, is_final=True)
    }
    if told != rows:
        differing = sorted(place for place in told.keys() | rows.keys() if told.get(place) != rows.get(place))
        yield f"Log and rows differ in the verdicts on {differing}."
    drawn = sum(len(event["proposals"]) for event in events if event["kind"] == "step_proposed")
    children = Child.objects.filter(search=search).count()
    proposed = Child.objects.filter(search=search, off_policy=True).count()
    if drawn != children or (search.state == Stream.State.FINISHED and len(rows) != search.total + proposed):
        yield f"{drawn} children were drawn, {children} have a row, {len(rows)} are final, {search.total} are wanted."
    begun = Job.objects.filter(stream_id=search.pk, kind=Job.Kind.EVALUATE)
    for job in begun.filter(state=Job.State.DONE):
        if (job.step, job.slot) not in rows:
            yield f"The {job.what} is done and has no verdict."


def _finalist_problems(search: Search, events: list[WireEvent]) -> Iterator[str]:
    """Finalists and their verdicts are in the log once, as in the rows; the result is the best of them."""
    chosen = [event["finalists"] for event in events if event["kind"] == "finalists_chosen"]
    rows = list(Finalist.objects.filter(search=search).order_by("rank").select_related("child"))
    if chosen != [] and len(chosen) != 1 or bool(chosen) != bool(search.finals):
        yield f"The finalists were chosen {len(chosen)} times; the row says {search.finals!r}."
        return
    told = [(one["rank"], one["step"], one["slot"]) for one in chosen[0]] if chosen else []
    if told != [(row.rank, row.child.step, row.child.slot) for row in rows]:
        yield "Log and rows differ in who the finalists are."
    if len({row.child.hash for row in rows}) != len(rows):
        yield "An architecture is in the final round twice."
    verdicts = sorted((e["rank"], e["accuracy"], e["reason"]) for e in events if e["kind"] == "finalist_finished")
    if verdicts != [(row.rank, row.accuracy, row.reason or None) for row in rows if row.is_final]:
        yield "Log and rows differ in the verdicts on finalists."
    kept = [event for event in events if event["kind"] == "result_kept"]
    if len(kept) != (search.finals == Search.Finals.KEPT):
        yield f"A result was kept {len(kept)} times; the row says {search.finals!r}."
    wants_round = SearchConfig.model_validate(search.config).finals.children > 0
    if search.state == Stream.State.FINISHED and wants_round != bool(kept):
        yield "The search is finished, and its final round is not, or it has one that nobody wanted."
    for event in kept:
        yield from _result_problems(search, rows, event)


def _result_problems(search: Search, rows: list[Finalist], event: WireEvent) -> Iterator[str]:
    best = max(
        (row for row in rows if row.accuracy is not None), key=lambda row: (row.accuracy, -row.rank), default=None
    )
    if event["rank"] != (best.rank if best else None):
        yield f"Finalist {event['rank']} is kept, and the best is {best.rank if best else None}."
    offered = Artifact.objects.filter(stream_id=search.pk, label=final_round.LABEL).values_list("sha256", flat=True)
    if list(offered) != ([event["checkpoint"]] if event["checkpoint"] else []):
        yield "The result that can be downloaded is not the one that was kept."


def _plan_problems(search: Search) -> Iterator[str]:
    """Whatever is due has an open job, as long as the search is open."""
    if not search.is_open:
        return
    due = planner.due_in(search, read_search_config(search.config))
    open_jobs = Job.objects.filter(stream_id=search.pk, state__in=(Job.State.DUE, Job.State.LEASED))
    there = set(open_jobs.values_list("kind", "step", "slot"))
    for item in due:
        if isinstance(item, schedule.Copy) or planner.place_of(item) not in there:
            yield f"{item} is due and nobody is to do it."
    if not due:
        yield f"Nothing is due, and the search is {search.state}."


def _fingerprint_problems(search: Search, events: list[WireEvent]) -> Iterator[str]:
    """The fingerprint follows from the rows."""
    updates = [event for event in events if event["kind"] == "controller_updated"]
    steps = [event["step"] for event in updates]
    if steps != list(range(max(search.steps_told, 0))):
        yield f"The log tells of updates from steps {steps}, the row of {search.steps_told} steps."
        return
    fingerprint = ""
    for event in updates:
        children = Child.objects.filter(search=search, step=event["step"]).order_by("slot")
        fingerprint = extend_fingerprint(
            fingerprint,
            event["step"],
            [(child.architecture, child.reward) for child in children],
            event["state_sha256"],
        )
        if fingerprint != event["fingerprint"]:
            yield f"The fingerprint of step {event['step']} does not follow from its children."
            return
    if search.finals == Search.Finals.KEPT:
        rows = Finalist.objects.filter(search=search).order_by("rank")
        fingerprint = extend_by_finals(
            fingerprint, list(rows.values_list("child__step", "child__slot", "accuracy"))
        )  # fmt: skip
    if fingerprint != search.fingerprint:
        yield "The row has another fingerprint than the log."


def _place(event: WireEvent) -> tuple[int, int]:
    return event["step"], event["slot"]


def _twin(event: WireEvent) -> tuple[int, int] | None:
    return None if event["twin"] is None else (event["twin"][0], event["twin"][1])


def _twin_of_row(child: Child) -> tuple[int, int] | None:
    return None if child.twin_step is None or child.twin_slot is None else (child.twin_step, child.twin_slot)
